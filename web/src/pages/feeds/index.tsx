// What departments send: bringing files in, how each feed stands, what came in.
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { useApiGet } from '../../api/hooks'
import { useMay } from '../../app/session'
import { hasEnded, JobProgress } from '../../parts/job_progress'
import { LinkRun } from '../../parts/link_run'
import { Page } from '../../parts/page'
import { BatchList } from './batch_list'
import { DropZone } from './drop_zone'
import { FeedList } from './feed_list'
import './feeds.css'
import { SendingRow } from './sending_row'
import { useUploads } from './uploads'
import { useWords } from './words'

export default function FeedsPage() {
  const { t } = useWords()
  const may = useMay()
  const [params, setParams] = useSearchParams()
  const feed = params.get('feed') ?? undefined
  const choose = (next: string | undefined) => setParams(next ? { feed: next } : {}, { replace: true })
  return (
    <Page title={t('title')}>
      {may('feed.import') && <BringIn />}
      {may('job.run') && (
        <section className="k-panel k-feeds-link">
          <h2>{t('link')}</h2>
          <p className="k-faint">{t('link_text')}</p>
          <LinkRun />
        </section>
      )}
      <FeedList
        chosen={feed}
        choose={(next) => {
          choose(next)
          document.getElementById('batches')?.scrollIntoView({ block: 'nearest' })
        }}
      />
      <BatchList feed={feed} choose={choose} />
    </Page>
  )
}

function BringIn() {
  const { t } = useWords()
  const uploads = useUploads()
  return (
    <section className="k-feeds-in" aria-label={t('bring_in')}>
      <DropZone onFiles={uploads.add} />
      {uploads.list.length > 0 && (
        <ul className="k-incomings">
          {uploads.list.map((sending) => (
            <SendingRow
              key={sending.key}
              of={sending}
              stop={uploads.stop}
              again={uploads.again}
              remove={uploads.remove}
            />
          ))}
        </ul>
      )}
      {uploads.list.length === 0 && <UnderWay />}
    </section>
  )
}

/** Imports that go on though the page they were begun on was left. */
function UnderWay() {
  const { t } = useWords()
  const may = useMay()
  const jobs = useApiGet('/api/jobs', {}, { enabled: may('job.read') })
  const [seen, setSeen] = useState<string[]>([])
  const running = (jobs.data?.items ?? []).filter((job) => job.kind === 'import' && !hasEnded(job))
  const shown = [...new Set([...seen, ...running.map((job) => job.id)])]
  if (shown.length === 0) return null
  return (
    <section className="k-panel k-incoming">
      <h2>{t('working')}</h2>
      {shown.map((id) => (
        <JobProgress key={id} id={id} onEnd={(job) => setSeen((before) => [...new Set([...before, job.id])])} />
      ))}
    </section>
  )
}
