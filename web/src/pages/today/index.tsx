// What needs doing in this area for this role: overdue first, one big row each.
import { FileAddOutlined, RightOutlined, SearchOutlined } from '@ant-design/icons'
import { Link } from 'react-router'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useArea, useMay } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { addressOf } from './addresses'
import './today.css'
import { useWords } from './words'

type Item = Schemas['TodayItem']

function moreUrgent(a: Item, b: Item): number {
  return b.overdue - a.overdue || (a.oldest_due ?? '9999').localeCompare(b.oldest_due ?? '9999') || b.count - a.count
}

export default function TodayPage() {
  const { t } = useWords()
  const { area, code } = useArea()
  const format = useFormat()
  // Not by the clock: that would keep the session of an empty chair alive.
  const today = useApiGet('/api/today', { query: { division: code } }, { refetchOnWindowFocus: true })
  return (
    <Page title={t('title')} extra={<Shortcuts />}>
      <AsyncView of={today}>
        {(data) => {
          const items = data.items.filter((item) => item.count > 0).sort(moreUrgent)
          return (
            <>
              <p className="k-faint k-today-where">
                {format.date(data.date)}
                <span data-content>{(area ?? data.division)?.name}</span>
              </p>
              {items.length === 0 ? (
                <EmptyView text={t('none')}>
                  <p className="k-faint">{t('none_text')}</p>
                </EmptyView>
              ) : (
                <ul className="k-today" aria-label={t('items')}>
                  {items.map((item) => (
                    <Row key={`${item.kind} ${item.key}`} item={item} />
                  ))}
                </ul>
              )}
              <p className="k-faint">
                {data.last_link_at ? t('linked_at', { at: format.instant(data.last_link_at) }) : t('never_linked')}
              </p>
            </>
          )
        }}
      </AsyncView>
    </Page>
  )
}

function Row({ item }: { item: Item }) {
  const { t } = useWords()
  const format = useFormat()
  return (
    <li>
      <Link to={addressOf(item)} className={item.overdue > 0 ? 'k-today-row k-today-overdue' : 'k-today-row'}>
        <span className="k-today-count">{format.number(item.count)}</span>
        <span className="k-today-what">
          <strong>{item.kind === 'feed' ? t('feed_late', { title: item.title }) : item.title}</strong>
          {(item.overdue > 0 || item.oldest_due) && (
            <span className="k-today-due">
              {item.overdue > 0 && <Mark tone="bad">{t('overdue', { n: format.number(item.overdue) })}</Mark>}
              {item.oldest_due && (
                <span className="k-faint">{t('oldest', { date: format.date(item.oldest_due) })}</span>
              )}
            </span>
          )}
        </span>
        <RightOutlined aria-hidden />
      </Link>
    </li>
  )
}

function Shortcuts() {
  const { t } = useWords()
  const may = useMay()
  return (
    <nav className="k-shortcuts" aria-label={t('title')}>
      {may('birth.write') && (
        <Link to="/births/new" className="k-shortcut k-shortcut-first">
          <FileAddOutlined aria-hidden /> {t('new_birth')}
        </Link>
      )}
      {may('person.find') && (
        <Link to="/find" className="k-shortcut">
          <SearchOutlined aria-hidden /> {t('find')}
        </Link>
      )}
    </nav>
  )
}
