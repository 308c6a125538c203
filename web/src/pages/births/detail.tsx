// One registration: a draft goes on being filled in; what is registered is shown.
import { useParams } from 'react-router'
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
  const birth = useApiGet('/api/births/{id}', { path: { id } }, { staleTime: Infinity })
  return (
    <AsyncView of={birth}>
      {(data) => (
        <Page title={t(data.state === 'draft' ? 'form_title' : 'title')} back="/births">
          {data.state === 'draft' ? (
            <DraftForm draft={{ id, etag: birth.etag }} start={data.declaration} />
          ) : (
            <Registered birth={data} etag={birth.etag} />
          )}
        </Page>
      )}
    </AsyncView>
  )
}
