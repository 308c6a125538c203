// Births: what hospitals told of, drafts, and what is registered.
import { Button, Input, Radio } from 'antd'
import { useState, type ReactNode } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { useApiPages } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useArea, useMay } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { type Column, ResponsiveTable } from '../../parts/responsive_table'
import { TabSet } from '../../parts/tab_set'
import { DateText, DivisionPath } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useSettled } from '../../parts/use_screen'
import './births.css'
import { useWords } from './words'

const SHOWN = ['deliveries', 'drafts', 'registered'] as const
type State = Schemas['Birth']['state']
const DRAFTS: readonly State[] = ['draft']
const SETTLED: readonly State[] = ['registered', 'corrected', 'cancelled']
const REST_MS = 200

export default function BirthsPage() {
  const { t } = useWords()
  const may = useMay()
  const [query, setQuery] = useSearchParams()
  const shown =
    SHOWN.find((name) => name === query.get('show')) ?? (query.get('show') === 'notices' ? 'registered' : 'deliveries')
  return (
    <Page
      title={t('title')}
      extra={
        may('birth.write') && (
          <>
            <Link to="/births/new?on=word" className="k-shortcut">
              {t('new_on_word')}
            </Link>
            <Link to="/births/new" className="k-shortcut k-shortcut-first">
              {t('new')}
            </Link>
          </>
        )
      }
    >
      <TabSet
        label={t('title')}
        tabs={[
          { key: 'deliveries', label: t('show_deliveries'), render: () => <Deliveries /> },
          { key: 'drafts', label: t('show_drafts'), render: () => <Births states={DRAFTS} none={t('drafts_none')} /> },
          {
            key: 'registered',
            label: t('show_registered'),
            render: () => <Births states={SETTLED} none={t('registered_none')} />,
          },
        ]}
        active={shown}
        onChange={(show) => setQuery({ show }, { replace: true })}
      />
    </Page>
  )
}

function Deliveries() {
  const { t } = useWords()
  const { code } = useArea()
  const may = useMay()
  const format = useFormat()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const q = useSettled(text.trim(), REST_MS)
  const query = { division: code, ...(q ? { q } : {}) }
  const deliveries = useApiPages('/api/deliveries', { query }, { keepPrevious: true })
  const columns: Column<Schemas['Delivery']>[] = [
    {
      key: 'child',
      title: t('child'),
      isMain: true,
      render: (d) => (
        <>
          {d.child_name ?? t('unnamed')} {(d.sex === 1 || d.sex === 2) && <span>{t(`sex_${d.sex}`)}</span>}
        </>
      ),
    },
    { key: 'mother', title: t('mother'), render: (d) => <span data-content>{d.mother_name ?? '—'}</span> },
    { key: 'born', title: t('born'), render: (d) => <DateText at={d.birth_date} /> },
    { key: 'hospital', title: t('hospital'), render: (d) => <span data-content>{d.institution ?? '—'}</span> },
    { key: 'home', title: t('home'), render: (d) => <DivisionPath of={d.division} /> },
    {
      key: 'waiting',
      title: t('waiting'),
      isNumber: true,
      render: (d) => t('days', { n: format.number(d.days_waiting) }),
    },
    {
      key: 'do',
      title: t('action'),
      render: (d) =>
        may('birth.write') && (
          <Button
            type="primary"
            data-testid="from-notice"
            onClick={() => void navigate(`/births/new?delivery=${d.id}`)}
          >
            {t(may('birth.register') ? 'register' : 'prepare')}
          </Button>
        ),
    },
  ]
  return (
    <>
      <Search label={t('search_notices')} value={text} onChange={setText} />
      <AsyncView
        of={deliveries}
        isEmpty={() => deliveries.items.length === 0}
        empty={<EmptyView text={t(q ? 'found_none' : 'deliveries_none')} />}
      >
        {() => (
          <ResponsiveTable
            label={t('show_deliveries')}
            columns={columns}
            rows={deliveries.items}
            rowKey={(d) => d.id}
            more={deliveries}
          />
        )}
      </AsyncView>
    </>
  )
}

interface BirthsProps {
  states: readonly State[]
  none: string
}

function Births({ states, none }: BirthsProps) {
  const { t } = useWords()
  const { code } = useArea()
  const navigate = useNavigate()
  const [chosen, setChosen] = useState<State>(states[0] ?? 'draft')
  const [text, setText] = useState('')
  const q = useSettled(text.trim(), REST_MS)
  const query = { division: code, state: chosen, ...(q ? { q } : {}) }
  const births = useApiPages('/api/births', { query }, { keepPrevious: true })
  const isDraft = chosen === 'draft'
  const columns: Column<Schemas['BirthBrief']>[] = [
    {
      key: 'child',
      title: t('child'),
      isMain: true,
      render: (b) => <Link to={`/births/${b.id}`}>{b.child_name ?? t('unnamed')}</Link>,
    },
    { key: 'mother', title: t('mother'), render: (b) => <span data-content>{b.mother_name ?? '—'}</span> },
    { key: 'born', title: t('born'), render: (b) => <DateText at={b.birth_date} /> },
    { key: 'number', title: t('number'), render: (b) => <span className="k-digits">{b.number ?? '—'}</span> },
    { key: 'home', title: t('home'), render: (b) => <DivisionPath of={b.division} /> },
    { key: 'changed', title: t('changed'), isDeskOnly: true, render: (b) => <DateText at={b.changed_at} withTime /> },
  ]
  return (
    <>
      <Search label={t('search')} value={text} onChange={setText}>
        {states.length > 1 && (
          <Radio.Group
            aria-label={t('state')}
            optionType="button"
            value={chosen}
            options={states.map((state) => ({ value: state, label: t(`state_${state}`) }))}
            onChange={({ target }) => setChosen(target.value as State)}
          />
        )}
      </Search>
      <AsyncView
        of={births}
        isEmpty={() => births.items.length === 0}
        empty={<EmptyView text={q ? t('found_none') : none} />}
      >
        {() => (
          <ResponsiveTable
            label={t(isDraft ? 'show_drafts' : 'show_registered')}
            columns={isDraft ? columns.filter(({ key }) => key !== 'number') : columns}
            rows={births.items}
            rowKey={(b) => b.id}
            onRow={(b) => void navigate(`/births/${b.id}`)}
            more={births}
          />
        )}
      </AsyncView>
    </>
  )
}

interface SearchProps {
  label: string
  value: string
  onChange: (text: string) => void
  children?: ReactNode
}

function Search({ label, value, onChange, children }: SearchProps) {
  return (
    <div className="k-toolbar">
      <Input
        type="search"
        className="k-births-search"
        aria-label={label}
        placeholder={label}
        value={value}
        maxLength={100}
        allowClear
        onChange={({ target }) => onChange(target.value)}
      />
      {children}
    </div>
  )
}
