// A new registration: from a hospital's notice, or from nothing.
import { useSearchParams } from 'react-router'
import { useApiGet } from '../../api/hooks'
import { AsyncView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { DraftForm } from './draft_form'
import { useWords } from './words'

export default function NewBirthPage() {
  const { t } = useWords()
  const [query] = useSearchParams()
  const delivery = query.get('delivery')
  return (
    <Page title={t('form_title')} back="/births">
      {delivery ? (
        <FromNotice key={delivery} id={delivery} />
      ) : (
        <DraftForm key="new" draft={null} start={{ children: [{}] }} />
      )}
    </Page>
  )
}

function FromNotice({ id }: { id: string }) {
  const prefill = useApiGet('/api/deliveries/{id}/prefill', { path: { id } }, { staleTime: Infinity })
  return <AsyncView of={prefill}>{(declaration) => <DraftForm draft={null} start={declaration} />}</AsyncView>
}
