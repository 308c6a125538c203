// One registration: a draft goes on being filled in; what is registered is shown.
import { useLocation, useParams } from 'react-router'
import { useApiGet } from '../../api/hooks'
import { AsyncView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { DraftForm } from './draft_form'
import { Registered } from './registered'
import { useWords } from './words'

export default function BirthPage() {
  const { id } = useParams()
  return id ? <OneBirth key={id} id={id} /> : null
}

function OneBirth({ id }: { id: string }) {
  const { t } = useWords()
  const state: unknown = useLocation().state
  // What is being typed is not read again under the hand; saving keeps what is held here up to date.
  const birth = useApiGet('/api/births/{id}', { path: { id } }, { staleTime: Infinity })
  const isDraft = birth.data?.state === 'draft'
  const isDone = (state as { isDone?: boolean } | null)?.isDone === true
  return (
    <Page title={t(isDraft ? 'form_title' : isDone ? 'done_title' : 'title')} back="/births">
      <AsyncView of={birth}>
        {(data) =>
          data.state === 'draft' ? (
            <DraftForm draft={{ id, etag: birth.etag }} start={data.declaration} isFilled />
          ) : (
            <Registered birth={data} etag={birth.etag} isDone={isDone} />
          )
        }
      </AsyncView>
    </Page>
  )
}
