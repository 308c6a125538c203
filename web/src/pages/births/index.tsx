// Births: what hospitals told of, drafts, and what is registered.
import { Button, Input } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { useApiPages } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useArea, useMay } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { type Column, ResponsiveTable } from '../../parts/responsive_table'
import { TabSet } from '../../parts/tab_set'
import { DateText, DivisionPath, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useSettled } from '../../parts/use_screen'
import './births.css'
import { useWords } from './words'

const SHOWN = ['deliveries', 'drafts', 'registered'] as const

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
          <Link to="/births/new" className="k-shortcut k-shortcut-first">
            {t('new')}
          </Link>
        )
      }
    >
      <TabSet
        label={t('title')}
        tabs={[
          { key: 'deliveries', label: t('show_deliveries'), render: () => <Deliveries /> },
          { key: 'drafts', label: t('show_drafts'), render: () => <Births state="draft" none={t('drafts_none')} /> },
          { key: 'registered', label: t('show_registered'), render: () => <Births none={t('registered_none')} /> },
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
  const deliveries = useApiPages('/api/deliveries', { query: { division: code } }, { keepPrevious: true })
  const columns: Column<Schemas['Delivery']>[] = [
    { key: 'child', title: t('child'), isMain: true, render: (d) => d.child_name ?? t('unnamed') },
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
      title: t('register'),
      render: (d) =>
        may('birth.write') && (
          <Button size="small" type="primary" onClick={() => void navigate(`/births/new?delivery=${d.id}`)}>
            {t('register')}
          </Button>
        ),
    },
  ]
  return (
    <AsyncView
      of={deliveries}
      isEmpty={() => deliveries.items.length === 0}
      empty={<EmptyView text={t('deliveries_none')} />}
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
  )
}

function Births({ state, none }: { state?: 'draft'; none: string }) {
  const { t } = useWords()
  const { code } = useArea()
  const [text, setText] = useState('')
  const q = useSettled(text.trim(), 200)
  const query = { division: code, state, ...(q ? { q } : {}) }
  const births = useApiPages('/api/births', { query }, { keepPrevious: true })
  const rows = births.items.filter((birth) => state === 'draft' || birth.state !== 'draft')
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
    {
      key: 'state',
      title: t('state'),
      render: (b) => <Mark tone={b.state === 'cancelled' ? 'bad' : 'info'}>{t(`state_${b.state as 'draft'}`)}</Mark>,
    },
    { key: 'home', title: t('home'), render: (b) => <DivisionPath of={b.division} /> },
    { key: 'changed', title: t('changed'), isDeskOnly: true, render: (b) => <DateText at={b.changed_at} withTime /> },
  ]
  return (
    <>
      <div className="k-toolbar">
        <Input
          type="search"
          className="k-births-search"
          aria-label={t('search')}
          placeholder={t('search')}
          value={text}
          maxLength={100}
          allowClear
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <AsyncView of={births} isEmpty={() => rows.length === 0} empty={<EmptyView text={none} />}>
        {() => <ResponsiveTable label={t('title')} columns={columns} rows={rows} rowKey={(b) => b.id} more={births} />}
      </AsyncView>
    </>
  )
}
