// An area at a glance, and the way down to what lies in it. The area stands in the address, so that a view can be sent on.
import { RightOutlined } from '@ant-design/icons'
import { Fragment } from 'react'
import { Link, useSearchParams } from 'react-router'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useArea, useMay, useSession } from '../../app/session'
import { AsyncView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { useFormat } from '../../parts/use_format'
import { AreaParts } from './area_parts'
import { isVillage, isWhole, liesIn } from './areas'
import { SourceBars, TaskBars } from './bars'
import { BirthsChart } from './births_chart'
import './overview.css'
import { PyramidChart } from './pyramid_chart'
import { useWords } from './words'

type Overview = Schemas['Overview']

const MONTHS_OF_A_YEAR = 12

function addressOf(code: string) {
  return `/overview?area=${code}`
}

export default function OverviewPage() {
  const { t } = useWords()
  const { code: chosen } = useArea()
  const [params] = useSearchParams()
  const code = params.get('area') ?? chosen
  const overview = useApiGet('/api/overview', { query: { division: code } }, { keepPrevious: true })
  return (
    <Page title={t('title')}>
      <AsyncView of={overview} lines={12}>
        {(data) => <Glance of={data} />}
      </AsyncView>
    </Page>
  )
}

function Glance({ of }: { of: Overview }) {
  const { t } = useWords()
  const format = useFormat()
  const may = useMay()
  const name = !of.division || isWhole(of.division.code) ? t('whole_register') : of.division.name
  const code = of.division?.code
  return (
    <>
      <div className="k-overview-head">
        {of.division && !isWhole(of.division.code) ? <Breadcrumb of={of.division} /> : <strong>{name}</strong>}
        <span className="k-faint">{of.made_at ? t('made_at', { at: format.instant(of.made_at) }) : t('made_now')}</span>
      </div>
      <div className="k-overview-grid">
        <Facts of={of} />
        <div className="k-overview-full">
          <AreaParts area={name} parts={of.parts} isVillage={isVillage(code)} linkTo={addressOf} />
        </div>
        <div className="k-overview-half k-overview-stack">
          <PyramidChart male={of.male} female={of.female} />
          <TaskBars
            tasks={of.tasks}
            linkTo={may('task.read') ? (kind) => `/tasks?kind=${encodeURIComponent(kind)}` : null}
          />
        </div>
        <div className="k-overview-half k-overview-stack">
          <BirthsChart births={of.births} />
          <SourceBars sources={of.sources} />
        </div>
      </div>
    </>
  )
}

function Breadcrumb({ of }: { of: Schemas['DivisionRef'] }) {
  const { t } = useWords()
  const { areas } = useSession()
  const division = useApiGet('/api/divisions/{code}', { path: { code: of.code } }, { staleTime: Infinity })
  const above = (division.data?.parents ?? [])
    .filter((area) => !isWhole(area.code) && area.code !== of.code)
    .sort((a, b) => a.code.localeCompare(b.code))
  return (
    <nav aria-label={t('breadcrumb')} className="k-overview-crumbs" data-content>
      {areas.some((mine) => isWhole(mine.code)) && <Link to={addressOf('000000000000')}>{t('whole_register')}</Link>}
      {above.map((area) => (
        <Fragment key={area.code}>
          {areas.some((mine) => liesIn(area.code, mine.code)) ? (
            <Link to={addressOf(area.code)}>{area.name}</Link>
          ) : (
            <span className="k-faint">{area.name}</span>
          )}
          <RightOutlined aria-hidden />
        </Fragment>
      ))}
      <strong aria-current="page">{of.name}</strong>
    </nav>
  )
}

function Facts({ of }: { of: Overview }) {
  const { t } = useWords()
  const format = useFormat()
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
  const births = sum(of.births.slice(-MONTHS_OF_A_YEAR).map((month) => month.count))
  const overdue = sum(of.tasks.map((kind) => kind.of))
  const facts = [
    { name: t('persons'), value: of.persons },
    { name: t('households'), value: of.households },
    { name: t('births_year'), value: births },
    { name: t('tasks_open'), value: sum(of.tasks.map((kind) => kind.count)), overdue },
  ]
  return (
    <dl className="k-overview-facts">
      {facts.map((fact) => (
        <div key={fact.name} className="k-panel">
          <dt>{fact.name}</dt>
          <dd>
            <strong>{format.number(fact.value)}</strong>
            {!!fact.overdue && (
              <span className="k-overview-late">{t('overdue_of', { count: format.number(fact.overdue) })}</span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}
