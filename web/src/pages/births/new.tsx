// A new registration: from a hospital's notice, on the parents' word, or from nothing.
import { useState } from 'react'
import { Navigate, useSearchParams } from 'react-router'
import { useApiGet } from '../../api/hooks'
import { AsyncView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { DraftForm } from './draft_form'
import type { Declaration } from './use_draft'
import { useWords } from './words'

const EMPTY: Declaration = { children: [{}] }
const ON_THEIR_WORD: Declaration = { children: [{}], declarant: { is_commitment: true } }

export default function NewBirthPage() {
  const { t } = useWords()
  const [query, setQuery] = useSearchParams()
  const delivery = query.get('delivery')
  const isOnTheirWord = query.get('on') === 'word'
  // The address remembers the draft, so that the page loaded anew goes on with it instead of beginning another.
  const [draft] = useState(query.get('draft'))
  const remember = (id: string) =>
    setQuery((before) => ({ ...Object.fromEntries(before), draft: id }), { replace: true, preventScrollReset: true })
  if (draft) return <Navigate to={`/births/${draft}`} replace />
  return (
    <Page title={t('form_title')} back="/births">
      {delivery ? (
        <FromNotice key={delivery} id={delivery} onBegun={remember} />
      ) : (
        <DraftForm
          key={isOnTheirWord ? 'word' : 'new'}
          draft={null}
          start={isOnTheirWord ? ON_THEIR_WORD : EMPTY}
          isFilled={false}
          onBegun={remember}
        />
      )}
    </Page>
  )
}

function FromNotice({ id, onBegun }: { id: string; onBegun: (draft: string) => void }) {
  const prefill = useApiGet('/api/deliveries/{id}/prefill', { path: { id } }, { staleTime: Infinity })
  return (
    <AsyncView of={prefill}>
      {(declaration) => <DraftForm draft={null} start={declaration} isFilled onBegun={onBegun} />}
    </AsyncView>
  )
}
