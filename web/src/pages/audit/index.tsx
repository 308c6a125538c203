// Who did what, when and why: search, one entry in full, and whether the chain is whole.
import { Alert, Button, DatePicker, Drawer, Input } from 'antd'
import dayjs from 'dayjs'
import { useId, useState } from 'react'
import { useApiPages, useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useLanguage } from '../../app/language'
import { useMay } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { Action, Audited } from '../../parts/audited'
import { JobProgress } from '../../parts/job_progress'
import { Page } from '../../parts/page'
import { ProblemView } from '../../parts/problem_view'
import { type Column, ResponsiveTable } from '../../parts/responsive_table'
import { DateText, DivisionPath, Mark } from '../../parts/texts'
import { useCodes } from '../../parts/use_codes'
import { useFormat } from '../../parts/use_format'
import './audit.css'
import { useWords } from './words'

type Row = Schemas['AuditRow']
type Say = ReturnType<typeof useWords>['t']

interface Wanted {
  q?: string
  action?: string
  account?: string
  person?: string
  from?: string
  to?: string
}

export default function AuditPage() {
  const { t } = useWords()
  const codes = useCodes()
  const [wanted, setWanted] = useState<Wanted>({})
  const [shown, setShown] = useState<Row | null>(null)
  const log = useApiPages('/api/audit', { query: wanted }, { keepPrevious: true })
  return (
    <Page title={t('title')}>
      <ChainCheck />
      <Search onSearch={setWanted} />
      <AsyncView of={log} isEmpty={() => log.items.length === 0} empty={<EmptyView text={t('none')} />}>
        {() => (
          <ResponsiveTable
            label={t('title')}
            columns={columnsOf(t, (code) => codes.word('purposes', code), setShown)}
            rows={log.items}
            rowKey={(row) => String(row.seq)}
            onRow={setShown}
            more={log}
          />
        )}
      </AsyncView>
      <Drawer
        open={shown !== null}
        onClose={() => setShown(null)}
        title={shown && t('details', { seq: shown.seq })}
        size={560}
      >
        {shown && <Entry row={shown} />}
      </Drawer>
    </Page>
  )
}

function columnsOf(t: Say, purposeOf: (code: string) => string, show: (row: Row) => void): Column<Row>[] {
  return [
    {
      key: 'at',
      title: t('at'),
      isMain: true,
      width: 210,
      render: (row) => (
        <Button type="link" size="small" onClick={() => show(row)}>
          <DateText at={row.at} withSeconds />
        </Button>
      ),
    },
    { key: 'who', title: t('who'), render: (row) => <Login of={row} /> },
    { key: 'did', title: t('did'), render: (row) => <Action of={row.action} /> },
    { key: 'object', title: t('object'), render: (row) => <Audited of={row.object} /> },
    { key: 'purpose', title: t('purpose'), render: (row) => (row.purpose ? purposeOf(row.purpose) : '—') },
    {
      key: 'result',
      title: t('result'),
      width: 90,
      render: (row) => <Mark tone={row.is_allowed ? 'good' : 'bad'}>{t(row.is_allowed ? 'allowed' : 'refused')}</Mark>,
    },
  ]
}

const ID = /^[0-9A-HJKMNP-TV-Z]{13}$/

function Search({ onSearch }: { onSearch: (wanted: Wanted) => void }) {
  const { t } = useWords()
  const language = useLanguage()
  const [typed, setTyped] = useState<Wanted>({})
  const id = useId()
  const set = (name: keyof Wanted, value: string | undefined) => {
    const next = { ...typed }
    if (value) next[name] = value
    else delete next[name]
    setTyped(next)
  }
  const text = (name: 'q' | 'action' | 'account' | 'person', label: string) => {
    const isId = name === 'account' || name === 'person'
    const value = typed[name] ?? ''
    return (
      <div>
        <label htmlFor={`${id}${name}`}>{label}</label>
        <Input
          id={`${id}${name}`}
          value={value}
          maxLength={isId ? 13 : 64}
          status={isId && value !== '' && !ID.test(value) ? 'error' : ''}
          onChange={(event) => set(name, isId ? event.target.value.trim().toUpperCase() : event.target.value)}
        />
      </div>
    )
  }
  const day = (name: 'from' | 'to', label: string) => (
    <div>
      <label htmlFor={`${id}${name}`}>{label}</label>
      <DatePicker
        id={`${id}${name}`}
        format={language === 'zh' ? 'YYYY年M月D日' : 'D MMM YYYY'}
        value={typed[name] ? dayjs(typed[name]) : null}
        onChange={(date: dayjs.Dayjs | null) => set(name, date?.format('YYYY-MM-DD'))}
      />
    </div>
  )
  const isWrong = [typed.account, typed.person].some((value) => value !== undefined && !ID.test(value))
  return (
    <form
      className="k-panel k-audit-search k-no-print"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        if (!isWrong) onSearch(typed)
      }}
    >
      {text('q', t('search'))}
      {text('action', t('action'))}
      {text('account', t('account'))}
      {text('person', t('person'))}
      {day('from', t('from'))}
      {day('to', t('to'))}
      <div className="k-audit-buttons">
        <Button type="primary" htmlType="submit" disabled={isWrong}>
          {t('find')}
        </Button>
        <Button
          onClick={() => {
            setTyped({})
            onSearch({})
          }}
        >
          {t('clear')}
        </Button>
      </div>
    </form>
  )
}

function Entry({ row }: { row: Row }) {
  const { t } = useWords()
  const codes = useCodes()
  const roles = row.role?.split(',').map((role) => codes.word('roles', role))
  const items: [string, React.ReactNode][] = [
    [t('seq'), row.seq],
    [t('at'), <DateText key="at" at={row.at} withSeconds />],
    [t('who'), <Login key="who" of={row} />],
    [t('account'), row.account_id && <code key="account">{row.account_id}</code>],
    [t('role'), roles?.join(t('comma'))],
    [
      t('did'),
      <span key="did">
        <Action of={row.action} /> <code className="k-faint">{row.action}</code>
      </span>,
    ],
    [t('purpose'), row.purpose && codes.word('purposes', row.purpose)],
    [t('object'), <Audited key="object" of={row.object} />],
    [t('person'), row.person_id && <code key="person">{row.person_id}</code>],
    [t('area'), row.division && <DivisionPath of={row.division} />],
    [t('result'), t(row.is_allowed ? 'allowed' : 'refused')],
    [t('detail'), row.detail && <span data-content>{row.detail}</span>],
    [t('request'), row.request_id && <code key="request">{row.request_id}</code>],
    [t('address'), row.address],
    [t('hash'), <code key="hash">{row.hash}</code>],
  ]
  return (
    <dl className="k-audit-entry">
      {items.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value || '—'}</dd>
        </div>
      ))}
    </dl>
  )
}

function Login({ of: row }: { of: Row }) {
  const { t } = useWords()
  return row.login ? <span data-content>{row.login}</span> : t('nobody')
}

interface Verdict {
  entries?: number
  first_bad_seq?: number | null
  head_hash?: string
  fault_zh?: string
  fault_en?: string
}

function ChainCheck() {
  const { t } = useWords()
  const language = useLanguage()
  const may = useMay()
  const format = useFormat()
  const [job, setJob] = useState<string | null>(null)
  const [verdict, setVerdict] = useState<Schemas['Job']['result']>(null)
  const start = useApiSend('post', '/api/audit/verify', {
    refresh: ['/api/jobs'],
    onDone: ({ body }) => {
      setVerdict(null)
      setJob(body.id)
    },
  })
  if (!may('audit.verify')) return null
  const found = verdict as Verdict | null
  return (
    <section className="k-panel">
      <div className="k-audit-check">
        <Button loading={start.isPending} onClick={() => start.mutate({})} data-testid="verify">
          {t('verify')}
        </Button>
        <span className="k-faint">{t('verify_text')}</span>
      </div>
      {start.error && <ProblemView problem={start.error} isSmall />}
      {job && !found && <JobProgress id={job} onEnd={(ended) => setVerdict(ended.result)} />}
      {found &&
        (found.first_bad_seq ? (
          <Alert
            type="error"
            showIcon
            title={t('broken', { seq: found.first_bad_seq })}
            description={language === 'zh' ? found.fault_zh : found.fault_en}
          />
        ) : (
          <Alert
            type="success"
            showIcon
            title={t('whole', { n: format.number(found.entries ?? 0) })}
            description={
              <>
                {t('head')} <code className="k-audit-hash">{found.head_hash}</code>
              </>
            }
          />
        ))}
    </section>
  )
}
