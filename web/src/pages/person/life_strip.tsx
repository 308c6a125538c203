// The life as a line: a tick for each decade or year, a dot for each event. The words stand below it in the list.
import type { Schemas } from '../../api/types'

interface Props {
  events: Schemas['LifeEvent'][]
  birth: string | null
  until: string
  label: string
}

const WIDTH = 1000
const LINE_Y = 34
const LEAST_GAP = 13
const yearOf = (day: string) =>
  Number(day.slice(0, 4)) + (Number(day.slice(5, 7)) - 1) / 12 + Number(day.slice(8, 10)) / 366

/** Ticks that are round and at most a dozen. */
function ticksOf(from: number, to: number): number[] {
  const step = [1, 2, 5, 10, 20].find((s) => (to - from) / s <= 12) ?? 50
  const ticks: number[] = []
  for (let year = Math.ceil(from / step) * step; year <= to; year += step) ticks.push(year)
  return ticks
}

export function LifeStrip({ events, birth, until, label }: Props) {
  const days = events.map((event) => event.date)
  const from = yearOf([...(birth ? [birth] : []), ...days].sort()[0] ?? until)
  const to = Math.max(yearOf(until), ...days.map(yearOf), from + 1)
  const x = (year: number) => 20 + ((WIDTH - 40) * (year - from)) / (to - from)
  // Dots that would cover each other climb.
  const heights: { x: number; level: number }[] = []
  const dots = [...events]
    .sort((a, b) => a.date.localeCompare(b.date))
    .map((event) => {
      const at = x(yearOf(event.date))
      const crowd = heights.filter((other) => at - other.x < LEAST_GAP).map((other) => other.level)
      const level = [0, 1, 2].find((free) => !crowd.includes(free)) ?? 2
      heights.push({ x: at, level })
      return { event, at, level }
    })
  return (
    <div className="k-life-strip" tabIndex={0} role="region" aria-label={label}>
      <svg viewBox={`0 0 ${WIDTH} 66`} aria-hidden="true" preserveAspectRatio="xMidYMid meet">
        <line x1={x(from)} x2={x(to)} y1={LINE_Y} y2={LINE_Y} className="k-life-line" />
        {ticksOf(from, to).map((year) => (
          <g key={year}>
            <line x1={x(year)} x2={x(year)} y1={LINE_Y} y2={LINE_Y + 7} className="k-life-tick" />
            <text x={x(year)} y={LINE_Y + 24} textAnchor="middle">
              {year}
            </text>
          </g>
        ))}
        {dots.map(({ event, at, level }, i) => (
          <circle key={i} cx={at} cy={LINE_Y - 12 * level} r={6} className={`k-life-dot k-life-${event.kind}`}>
            <title>{`${event.date} ${event.title}`}</title>
          </circle>
        ))}
      </svg>
    </div>
  )
}
