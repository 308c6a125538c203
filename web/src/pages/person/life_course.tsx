// What happened in a life: a line from birth to today with its events, and the events in words by year.
import { Link } from 'react-router'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { today } from '../../parts/format'
import { DateText } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { LifeStrip } from './life_strip'
import { useWords } from './words'

type LifeEvent = Schemas['LifeEvent']

/** Events in the order of time, those of a year together. */
function byYear(events: LifeEvent[]): [string, LifeEvent[]][] {
  const years = new Map<string, LifeEvent[]>()
  for (const event of [...events].sort((a, b) => a.date.localeCompare(b.date))) {
    const year = event.date.slice(0, 4)
    years.set(year, [...(years.get(year) ?? []), event])
  }
  return [...years]
}

export function LifeCourse({ id, birth }: { id: string; birth: string | null }) {
  const { t } = useWords()
  const timeline = useApiGet('/api/persons/{id}/timeline', { path: { id } })
  return (
    <AsyncView of={timeline} isEmpty={(found) => found.items.length === 0} empty={<EmptyView text={t('life_none')} />}>
      {({ items }) => (
        <div className="k-panel">
          <LifeStrip events={items} birth={birth} until={today()} label={t('life_strip')} />
          <ol className="k-life">
            {byYear(items).map(([year, events]) => (
              <li key={year}>
                <h3>{year}</h3>
                <ul>
                  {events.map((event, i) => (
                    <Event key={i} event={event} birth={birth} />
                  ))}
                </ul>
              </li>
            ))}
          </ol>
        </div>
      )}
    </AsyncView>
  )
}

function Event({ event, birth }: { event: LifeEvent; birth: string | null }) {
  const { t } = useWords()
  const format = useFormat()
  const age = birth && event.date > birth ? format.age(birth, event.date) : null
  return (
    <li className={`k-life-event k-life-${event.kind}`}>
      <span className="k-life-title">{event.title}</span>
      <span className="k-faint k-life-when">
        <DateText at={event.date} />
        {age && <span>{t('at_age', { age })}</span>}
        <span>{event.source}</span>
        {event.birth_id && <Link to={`/births/${event.birth_id}`}>{t('open_birth')}</Link>}
      </span>
    </li>
  )
}
