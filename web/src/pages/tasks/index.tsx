// What an area has to settle, the most urgent first.
import { Checkbox, Select } from 'antd'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { useApiPages } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useWordOf } from '../../app/language'
import { useArea } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { type Column, ResponsiveTable } from '../../parts/responsive_table'
import { DateText, DivisionPath, Mark, PersonFacts } from '../../parts/texts'
import { useCodes } from '../../parts/use_codes'
import { useFormat } from '../../parts/use_format'
import { useIsPhone } from '../../parts/use_screen'
import './tasks.css'
import { useWords } from './words'

type Task = Schemas['Task']
const STATES = ['open', 'resolved', 'closed'] as const
type State = (typeof STATES)[number]

export default function TasksPage() {
  const { t } = useWords()
  const { code } = useArea()
  const format = useFormat()
  const navigate = useNavigate()
  const isPhone = useIsPhone()
  const [query] = useSearchParams()
  const state = STATES.find((s) => s === query.get('state')) ?? 'open'
  const kind = query.get('kind') ?? undefined
  const overdue = query.get('overdue') === 'true' || undefined
  const tasks = useApiPages('/api/tasks', { query: { division: code, state, kind, overdue } }, { keepPrevious: true })
  const late = tasks.data?.overdue ?? 0
  return (
    <Page
      title={t('title')}
      extra={late > 0 && <Mark tone="bad">{t('overdue_count', { n: format.number(late) })}</Mark>}
    >
      <Filters state={state} kind={kind} overdue={!!overdue} />
      <AsyncView
        of={tasks}
        isEmpty={() => tasks.items.length === 0}
        empty={
          <EmptyView text={t('none')}>
            <p className="k-faint">{t('none_text')}</p>
          </EmptyView>
        }
      >
        {() => (
          <ResponsiveTable
            label={t('title')}
            columns={columnsOf(t, isPhone)}
            rows={tasks.items}
            rowKey={(task) => task.id}
            onRow={(task) => void navigate(`/tasks/${task.id}`)}
            more={tasks}
          />
        )}
      </AsyncView>
    </Page>
  )
}

function columnsOf(t: ReturnType<typeof useWords>['t'], isPhone: boolean): Column<Task>[] {
  return [
    {
      key: 'task',
      title: t('task'),
      isMain: true,
      render: (task) => (
        <>
          <Link to={`/tasks/${task.id}`}>{task.title}</Link> {task.is_overdue && <Mark tone="bad">{t('overdue')}</Mark>}
          {isPhone && task.held_by && (
            <>
              {' '}
              <Mark tone="info">
                <span data-content>{t('held_by', { name: task.held_by })}</span>
              </Mark>
            </>
          )}
        </>
      ),
    },
    {
      key: 'person',
      title: t('person'),
      render: (task) => (
        <span className="k-tasks-people">
          {[task.person, task.other].map(
            (person) =>
              person && (
                <span key={person.id} className="k-person">
                  {person.name === null ? t('name_unknown') : <span data-content>{person.name}</span>}
                  <PersonFacts person={person} />
                </span>
              ),
          )}
        </span>
      ),
    },
    { key: 'place', title: t('place'), render: (task) => <DivisionPath of={task.division} /> },
    { key: 'due', title: t('due'), width: 130, render: (task) => <DateText at={task.due_on} /> },
    { key: 'role', title: t('role'), isDeskOnly: true, render: (task) => task.role },
    {
      key: 'held',
      title: t('held'),
      width: 110,
      isDeskOnly: true,
      render: (task) =>
        task.held_by ? (
          <Mark tone="info">
            <span data-content>{task.held_by}</span>
          </Mark>
        ) : (
          <span className="k-faint">—</span>
        ),
    },
  ]
}

function Filters({ state, kind, overdue }: { state: State; kind: string | undefined; overdue: boolean }) {
  const { t } = useWords()
  const wordOf = useWordOf()
  const codes = useCodes()
  const [query, setQuery] = useSearchParams()
  const set = (name: string, value: string | undefined) => {
    const next = new URLSearchParams(query)
    if (value) next.set(name, value)
    else next.delete(name)
    setQuery(next, { replace: true })
  }
  return (
    <div className="k-toolbar k-no-print">
      <Select
        aria-label={t('state')}
        value={state}
        className="k-tasks-state"
        options={STATES.map((value) => ({ value, label: t(`state_${value}`) }))}
        onChange={(value) => set('state', value === 'open' ? undefined : value)}
      />
      <Select
        aria-label={t('kind')}
        value={kind ?? ''}
        className="k-tasks-kind"
        popupMatchSelectWidth={false}
        options={[
          { value: '', label: t('kind_all') },
          ...codes.list('task_kinds').map((word) => ({ value: word.code, label: wordOf(word) })),
        ]}
        onChange={(value) => set('kind', value || undefined)}
      />
      {state === 'open' && (
        <Checkbox checked={overdue} onChange={(event) => set('overdue', event.target.checked ? 'true' : undefined)}>
          {t('only_overdue')}
        </Checkbox>
      )}
    </div>
  )
}
