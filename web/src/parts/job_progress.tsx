// Long work as it goes: its stage and how far it is, told by the server; it can be stopped.
import { useQueryClient } from '@tanstack/react-query'
import { Button, Progress } from 'antd'
import { useEffect, useEffectEvent, useState } from 'react'
import { useApiGet, useApiSend } from '../api/hooks'
import { Problem } from '../api/problem'
import type { Schemas } from '../api/types'
import { useMay } from '../app/session'
import { ProblemView } from './problem_view'
import { Mark, type Tone } from './texts'
import { useFormat } from './use_format'
import { useWords } from './words'

type Job = Schemas['Job']

const TONES: Record<Job['state'], Tone> = {
  waiting: 'plain',
  running: 'info',
  done: 'good',
  failed: 'bad',
  cancelled: 'warn',
}
const EVENTS = ['progress', 'done', 'failed', 'cancelled']
const POLL_MS = 3000

export function hasEnded(job: Job): boolean {
  return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled'
}

/** A job as it stands now: by events, and by asking where events do not get through. */
function useJob(id: string, onEnd: ((job: Job) => void) | undefined) {
  const queries = useQueryClient()
  const [told, setTold] = useState<Job | null>(null)
  const [isDeaf, setDeaf] = useState(false)
  const asked = useApiGet('/api/jobs/{id}', { path: { id } }, { refetchInterval: isDeaf ? POLL_MS : false })
  // Words of events are in the browser's language, those of an answer in the reader's: the answer stands for what it has.
  const job = told?.id === id && !(asked.data && hasEnded(asked.data)) ? told : asked.data
  const ended = job && hasEnded(job) ? job : null

  useEffect(() => {
    const source = new EventSource(`/api/jobs/${id}/events`)
    const hear = (event: MessageEvent<string>) => {
      const now = JSON.parse(event.data) as Job
      setDeaf(false)
      setTold(now)
      if (hasEnded(now)) {
        source.close()
        void queries.invalidateQueries({ queryKey: ['/api/jobs/{id}', { id }] })
      }
    }
    for (const name of EVENTS) source.addEventListener(name, hear)
    source.onerror = () => setDeaf(true)
    return () => source.close()
  }, [id, queries])

  const tellEnd = useEffectEvent((job: Job) => onEnd?.(job))
  const endedState = ended?.state
  useEffect(() => {
    if (endedState && ended) tellEnd(ended)
    // Told once for a state, whichever way it was heard.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id, endedState])
  return { job, error: asked.error, refetch: asked.refetch }
}

export function JobProgress({ id, onEnd }: { id: string; onEnd?: (job: Job) => void }) {
  const { t } = useWords()
  const may = useMay()
  const format = useFormat()
  const { job, error, refetch } = useJob(id, onEnd)
  const cancel = useApiSend('delete', '/api/jobs/{id}', { refresh: ['/api/jobs', '/api/jobs/{id}'] })
  if (!job) return error ? <ProblemView problem={error} retry={refetch} /> : null
  const percent = job.state === 'done' ? 100 : job.total > 0 ? Math.floor((100 * job.done) / job.total) : 0
  return (
    <section className="k-job" aria-label={job.title}>
      <p className="k-job-head">
        <strong>{job.title}</strong> <Mark tone={TONES[job.state]}>{t(`job_${job.state}`)}</Mark>
        {job.stage && !hasEnded(job) && <span className="k-faint">{job.stage}</span>}
      </p>
      {job.state !== 'cancelled' && (
        <Progress
          percent={percent}
          status={job.state === 'failed' ? 'exception' : job.state === 'done' ? 'success' : 'active'}
        />
      )}
      {job.total > 0 && !hasEnded(job) && (
        <p className="k-faint k-digits" role="status">
          {format.number(job.done)} / {format.number(job.total)}
        </p>
      )}
      {job.problem && <ProblemView problem={new Problem(job.problem)} isSmall />}
      {cancel.error && <ProblemView problem={cancel.error} isSmall />}
      {!hasEnded(job) && may('job.run') && (
        <Button onClick={() => cancel.mutate({ path: { id } })} disabled={cancel.isPending || cancel.isSuccess}>
          {cancel.isPending || cancel.isSuccess ? t('job_stopping') : t('job_cancel')}
        </Button>
      )}
    </section>
  )
}
