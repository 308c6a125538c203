// Resolving records into persons anew: begins the job, or shows the one under way, and what came of it.
import { useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { useApiGet, useApiSend } from '../api/hooks'
import type { Schemas } from '../api/types'
import { useMay } from '../app/session'
import { hasEnded, JobProgress } from './job_progress'
import './link_run.css'
import { useWords } from './link_run_words'
import { ProblemView } from './problem_view'
import { useFormat } from './use_format'

type Job = Schemas['Job']

const FIGURES = ['records', 'persons', 'created', 'merged', 'split', 'changed', 'tasks_opened', 'tasks_closed'] as const

export function LinkRun({ onDone }: { onDone?: () => void }) {
  const { t } = useWords()
  const may = useMay()
  const queries = useQueryClient()
  const [begun, setBegun] = useState<string | null>(null)
  const [ended, setEnded] = useState<Job | null>(null)
  const jobs = useApiGet('/api/jobs', {}, { enabled: may('job.read') })
  const start = useApiSend('post', '/api/jobs/link', {
    refresh: ['/api/jobs'],
    onDone: ({ body }) => {
      setBegun(body.id)
      setEnded(null)
    },
  })
  const underWay = jobs.data?.items.find((job) => job.kind === 'link' && !hasEnded(job))
  const id = begun ?? underWay?.id
  const end = (job: Job) => {
    setBegun(job.id)
    setEnded(job)
    if (job.state !== 'done') return
    onDone?.()
    // Whatever is shown of the register may be another now.
    void queries.invalidateQueries()
  }
  const isRunning = id !== undefined && ended?.id !== id
  return (
    <div className="k-link-run">
      {may('job.run') && !isRunning && (
        <Button loading={start.isPending} onClick={() => start.mutate({ body: {} })}>
          {t('start')}
        </Button>
      )}
      {start.error && <ProblemView problem={start.error} isSmall />}
      {id !== undefined && <JobProgress id={id} onEnd={end} />}
      {ended?.state === 'done' && <LinkResult of={ended.result} />}
    </div>
  )
}

function LinkResult({ of }: { of: Job['result'] }) {
  const { t } = useWords()
  const format = useFormat()
  const result = (of ?? {}) as Record<string, unknown>
  if (result.was_needed === false) return <p role="status">{t('not_needed')}</p>
  return (
    <dl className="k-figures" role="status" aria-label={t('result')}>
      {FIGURES.map((figure) => {
        const value = result[figure]
        return (
          typeof value === 'number' && (
            <div key={figure}>
              <dt>{t(figure)}</dt>
              <dd>{format.number(value)}</dd>
            </div>
          )
        )
      })}
    </dl>
  )
}
