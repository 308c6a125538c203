// A file that is here: how it would be read, the word to import it, and what came of that.
import { Alert, Button, DatePicker, Select, Skeleton } from 'antd'
import type { Dayjs } from 'dayjs'
import { useId, useState } from 'react'
import { useApiGet, useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useLanguage } from '../../app/language'
import { today } from '../../parts/format'
import { JobProgress } from '../../parts/job_progress'
import { ProblemView } from '../../parts/problem_view'
import { useCodes } from '../../parts/use_codes'
import { useFormat } from '../../parts/use_format'
import { BadRows } from './bad_rows'
import { PreviewView } from './preview_view'
import { useWords } from './words'

type Job = Schemas['Job']

const CANNOT_READ = new Set([400, 404, 422])
const ISO = 'YYYY-MM-DD'

export function Incoming({ upload }: { upload: Schemas['Upload'] }) {
  const { t } = useWords()
  const codes = useCodes()
  const language = useLanguage()
  const [feed, setFeed] = useState<string>()
  const [asOf, setAsOf] = useState<Dayjs | null>(null)
  const [job, setJob] = useState<string | null>(null)
  const [ended, setEnded] = useState<Job | null>(null)
  const id = useId()
  const preview = useApiGet(
    '/api/uploads/{id}/preview',
    { path: { id: upload.id }, query: { feed } },
    { staleTime: Infinity, enabled: job === null },
  )
  const begin = useApiSend('post', '/api/uploads/{id}/import', {
    refresh: ['/api/jobs'],
    onDone: ({ body }) => setJob(body.id),
  })
  if (job !== null) {
    return (
      <>
        <JobProgress id={job} onEnd={setEnded} />
        {ended?.state === 'done' && <ImportResult of={ended.result} fileName={upload.name} />}
      </>
    )
  }
  const read = preview.data
  const isUnknown = preview.error !== null && CANNOT_READ.has(preview.error.status)
  return (
    <>
      {preview.error && (
        // It quotes what stands in the file.
        <div data-content>
          <ProblemView problem={preview.error} isSmall retry={isUnknown ? undefined : preview.refetch} />
        </div>
      )}
      {!read && !preview.error && (
        <div role="status" aria-label={t('previewing')}>
          <p className="k-faint">{t('previewing')}</p>
          <Skeleton active title={false} />
        </div>
      )}
      {(read || isUnknown) && (
        <div className="k-incoming-choice">
          <label htmlFor={`${id}-feed`}>{t(read ? 'recognised' : 'choose_feed')}</label>
          <Select
            id={`${id}-feed`}
            value={feed ?? read?.source.feed}
            onChange={setFeed}
            options={codes.list('feeds').map((word) => ({ value: word.code, label: word[language] }))}
            popupMatchSelectWidth={false}
            className="k-incoming-feed"
          />
          {isUnknown && <span className="k-faint">{t('choose_feed_hint')}</span>}
        </div>
      )}
      {read && (
        <>
          {read.already_imported && <Alert type="warning" showIcon title={t('already')} className="k-problem" />}
          <PreviewView of={read} />
          <div className="k-incoming-choice">
            <label htmlFor={`${id}-day`}>{t('as_of')}</label>
            <DatePicker
              id={`${id}-day`}
              value={asOf}
              onChange={setAsOf}
              format={language === 'zh' ? 'YYYY年M月D日' : 'D MMM YYYY'}
              disabledDate={(day) => day.format(ISO) > today()}
            />
            <Button
              type="primary"
              loading={begin.isPending}
              disabled={read.already_imported || read.records === 0}
              onClick={() =>
                begin.mutate({
                  path: { id: upload.id },
                  body: { feed: read.source.feed, ...(asOf ? { as_of: asOf.format(ISO) } : {}) },
                })
              }
            >
              {t('import')}
            </Button>
          </div>
        </>
      )}
      {begin.error && <ProblemView problem={begin.error} isSmall />}
    </>
  )
}

function ImportResult({ of, fileName }: { of: Job['result']; fileName: string }) {
  const { t } = useWords()
  const format = useFormat()
  const result = (of ?? {}) as Partial<Record<string, unknown>>
  const number = (name: string) => (typeof result[name] === 'number' ? result[name] : 0)
  return (
    <div role="status" aria-label={t('import_result')}>
      <p>
        {result.already_imported === true
          ? t('batch_again')
          : t('batch_done', {
              records: format.number(number('records')),
              rows: format.number(number('rows')),
              bad: format.number(number('rows_bad')),
            })}
      </p>
      {number('rows_bad') > 0 && typeof result.batch_id === 'string' && (
        <p>
          <BadRows batch={result.batch_id} fileName={fileName} />
        </p>
      )}
      <p>{t('next_link')}</p>
    </div>
  )
}
