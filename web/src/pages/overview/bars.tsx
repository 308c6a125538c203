// Bars with their exact format in words beside them, for short lists: sources and kinds of task.
import { Link } from 'react-router'
import type { Schemas } from '../../api/types'
import { ChartCard } from './chart_card'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

type Figure = Schemas['Figure']

function Bar({ width, part = 0 }: { width: number; part?: number }) {
  return (
    <div className="k-overview-track" aria-hidden>
      <div className="k-overview-fill" style={{ width: `${Math.min(1, width) * 100}%` }}>
        {part > 0 && <div className="k-overview-part" style={{ width: `${part * 100}%` }} />}
      </div>
    </div>
  )
}

/** `of` is whom the source should know; 0 when nothing says. */
export function SourceBars({ sources }: { sources: Figure[] }) {
  const { t } = useWords()
  const format = useFormat()
  const share = (f: Figure) => (f.of > 0 ? format.percent(f.count / f.of) : t('not_said'))
  return (
    <ChartCard
      title={t('sources')}
      hint={t('sources_hint')}
      why={sources.length > 0 ? null : t('sources_none')}
      columns={[t('source'), t('known'), t('expected'), t('share')]}
      rows={sources.map((f) => [f.title, format.number(f.count), f.of > 0 ? format.number(f.of) : '–', share(f)])}
      plain={sources.map((f) => [f.title, f.count, f.of > 0 ? f.of : '', f.of > 0 ? f.count / f.of : ''])}
    >
      <ul className="k-overview-bars">
        {sources.map((f) => (
          <li key={f.key}>
            <span className="k-overview-bar-name">{f.title}</span>
            <span className="k-overview-bar-words">
              {f.of > 0 && (
                <>
                  {format.number(f.count)} / {format.number(f.of)} <strong>{share(f)}</strong>
                </>
              )}
              {f.of === 0 && `${format.number(f.count)} · ${share(f)}`}
            </span>
            {f.of > 0 && <Bar width={f.count / f.of} />}
          </li>
        ))}
      </ul>
    </ChartCard>
  )
}

/** `of` is how many of them are overdue. */
export function TaskBars({ tasks, linkTo }: { tasks: Figure[]; linkTo: ((kind: string) => string) | null }) {
  const { t } = useWords()
  const format = useFormat()
  const open = tasks.filter((f) => f.count > 0).sort((a, b) => b.of - a.of || b.count - a.count)
  const most = Math.max(1, ...open.map((f) => f.count))
  return (
    <ChartCard
      title={t('tasks')}
      why={open.length > 0 ? null : t('tasks_none')}
      columns={[t('kind'), t('open'), t('overdue')]}
      rows={open.map((f) => [f.title, format.number(f.count), format.number(f.of)])}
      plain={open.map((f) => [f.title, f.count, f.of])}
    >
      <ul className="k-overview-bars">
        {open.map((f) => (
          <li key={f.key}>
            <span className="k-overview-bar-name">{linkTo ? <Link to={linkTo(f.key)}>{f.title}</Link> : f.title}</span>
            <span className="k-overview-bar-words">
              <strong>{format.number(f.count)}</strong>
              {f.of > 0 && (
                <span className="k-overview-late"> · {t('overdue_of', { count: format.number(f.of) })}</span>
              )}
            </span>
            <Bar width={f.count / most} part={f.of / f.count} />
          </li>
        ))}
      </ul>
    </ChartCard>
  )
}
