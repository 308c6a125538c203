// One person: who it is, and in tabs what the register knows and why.
import { Alert } from 'antd'
import { useEffect } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useMay } from '../../app/session'
import { AsyncView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { remember } from '../../parts/recent'
import { TabSet, type Tab } from '../../parts/tab_set'
import { useWords as usePartsWords } from '../../parts/words'
import { Accesses } from './accesses'
import { Family } from './family'
import { HeaderCard } from './header_card'
import { History } from './history'
import { LifeCourse } from './life_course'
import { OpenTasks } from './open_tasks'
import './person.css'
import { Records } from './records'
import { Values } from './values'
import { useWords } from './words'

type Person = Schemas['Person']

export default function PersonPage() {
  const { t } = useWords()
  const { t: parts } = usePartsWords()
  const { id = '' } = useParams()
  const found = useApiGet('/api/persons/{id}', { path: { id } })
  const brief = found.data?.person
  useEffect(() => {
    if (brief) remember(brief)
  }, [brief])
  const title = brief ? (brief.name ?? parts('unnamed')) : t('title')
  return (
    <Page key={id} title={title} isContent={!!brief} back="/find">
      <AsyncView of={found}>{(person) => <Whole person={person} />}</AsyncView>
    </Page>
  )
}

function Whole({ person }: { person: Person }) {
  const { t } = useWords()
  const may = useMay()
  const [search, setSearch] = useSearchParams()
  const { id, state } = person.person
  const tabs: Tab[] = [
    { key: 'life', label: t('tab_life'), render: () => <LifeCourse id={id} birth={person.person.birth_date} /> },
    { key: 'family', label: t('tab_family'), render: () => <Family id={id} /> },
    { key: 'values', label: t('tab_values'), render: () => <Values attributes={person.attributes} /> },
    { key: 'records', label: t('tab_records'), render: () => <Records id={id} /> },
    {
      key: 'tasks',
      label: withCount(t('tab_tasks'), person.tasks.length),
      render: () => <OpenTasks tasks={person.tasks} />,
    },
    { key: 'history', label: t('tab_history'), render: () => <History id={id} /> },
  ]
  if (may('person.audit')) tabs.push({ key: 'accesses', label: t('tab_accesses'), render: () => <Accesses id={id} /> })
  const wanted = search.get('tab')
  const active = tabs.find((tab) => tab.key === wanted)?.key ?? 'life'
  return (
    <>
      {state === 'retired' && <Alert type="warning" showIcon className="k-problem" title={t('retired')} />}
      {person.merged_into && (
        <Alert
          type="warning"
          showIcon
          className="k-problem"
          title={t('merged_into')}
          action={<Link to={`/persons/${person.merged_into}`}>{t('merged_open')}</Link>}
        />
      )}
      <HeaderCard person={person} />
      <TabSet
        label={t('title')}
        tabs={tabs}
        active={active}
        onChange={(tab) => setSearch(tab === 'life' ? {} : { tab }, { replace: true, preventScrollReset: true })}
      />
    </>
  )
}

function withCount(word: string, count: number): string {
  return count > 0 ? `${word} (${count})` : word
}
