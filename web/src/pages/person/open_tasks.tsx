// Questions about this person that wait for somebody.
import { RightOutlined } from '@ant-design/icons'
import { Link } from 'react-router'
import type { Schemas } from '../../api/types'
import { useMay } from '../../app/session'
import { EmptyView } from '../../parts/async_view'
import { Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

export function OpenTasks({ tasks }: { tasks: Schemas['Task'][] }) {
  const { t } = useWords()
  const format = useFormat()
  const may = useMay()
  if (tasks.length === 0) return <EmptyView text={t('tasks_none')} />
  return (
    <ul className="k-person-tasks">
      {tasks.map((task) => {
        const inside = (
          <>
            <span className="k-person-task">
              <strong>{task.title}</strong>
              <span className="k-faint">
                {t('due', { date: format.date(task.due_on) })}
                {task.held_by && ` · ${t('held_by', { name: task.held_by })}`}
              </span>
            </span>
            {task.is_overdue && <Mark tone="bad">{t('overdue')}</Mark>}
          </>
        )
        return (
          <li key={task.id}>
            {may('task.read') ? (
              <Link to={`/tasks/${task.id}`}>
                {inside}
                <RightOutlined aria-hidden />
              </Link>
            ) : (
              <div>{inside}</div>
            )}
          </li>
        )
      })}
    </ul>
  )
}
