// Bars with their exact figures in words beside them, for short lists: sources and kinds of task.
import { Link } from 'react-router'
import type { Schemas } from '../../api/types'
import { ChartCard } from './ChartCard'
import { useFigures } from './figures'
import styles from './overview.module.css'
import { useWords } from './words'

type Figure = Schemas['Figure']

function Bar({ width, part = 0 }: { width: number; part?: number }) {
  return (
    <div className={styles.track} aria-hidden>
      <div className={styles.fill} style={{ width: `${Math.min(1, width) * 100}%` }}>
        {part > 0 && <div className={styles.part} style={{ width: `${part * 100}%` }} />}
      </div>
    </div>
  )
}

/** `of` is whom the source should know; 0 when nothing says. */
export function SourceBars({ sources }: { sources: Figure[] }) {
  const { t } = useWords()
  const figures = useFigures()
  const share = (f: Figure) => (f.of > 0 ? figures.percent(f.count / f.of) : t('not_said'))
  return (
    <ChartCard
      title={t('sources')}
      hint={t('sources_hint')}
      why={sources.length > 0 ? null : t('sources_none')}
      columns={[t('source'), t('known'), t('expected'), t('share')]}
      rows={sources.map((f) => [f.title, figures.count(f.count), f.of > 0 ? figures.count(f.of) : '–', share(f)])}
      plain={sources.map((f) => [f.title, f.count, f.of > 0 ? f.of : '', f.of > 0 ? f.count / f.of : ''])}
    >
      <ul className={styles.bars}>
        {sources.map((f) => (
          <li key={f.key}>
            <span className={styles.barName}>{f.title}</span>
            <span className={styles.barWords}>
              {f.of > 0 && (
                <>
                  {figures.count(f.count)} / {figures.count(f.of)} <strong>{share(f)}</strong>
                </>
              )}
              {f.of === 0 && `${figures.count(f.count)} · ${share(f)}`}
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
  const figures = useFigures()
  const open = tasks.filter((f) => f.count > 0).sort((a, b) => b.of - a.of || b.count - a.count)
  const most = Math.max(1, ...open.map((f) => f.count))
  return (
    <ChartCard
      title={t('tasks')}
      why={open.length > 0 ? null : t('tasks_none')}
      columns={[t('kind'), t('open'), t('overdue')]}
      rows={open.map((f) => [f.title, figures.count(f.count), figures.count(f.of)])}
      plain={open.map((f) => [f.title, f.count, f.of])}
    >
      <ul className={styles.bars}>
        {open.map((f) => (
          <li key={f.key}>
            <span className={styles.barName}>{linkTo ? <Link to={linkTo(f.key)}>{f.title}</Link> : f.title}</span>
            <span className={styles.barWords}>
              <strong>{figures.count(f.count)}</strong>
              {f.of > 0 && <span className={styles.late}> · {t('overdue_of', { count: f.of })}</span>}
            </span>
            <Bar width={f.count / most} part={f.of / f.count} />
          </li>
        ))}
      </ul>
    </ChartCard>
  )
}
