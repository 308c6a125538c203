// What follows an answer: a word that it is kept, a way to take it back at once, and the next most urgent task.
import { useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useLocation, useNavigate } from 'react-router'
import { callApi } from '../../api/hooks'
import { isProblem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { useArea, useMay } from '../../app/session'
import { useWords } from './words'

const UNDO_SECONDS = 12
const LOOKED_AT = 50

/** Those answered "I don't know" stay open and first in line: they are not shown again on the same way. */
function passedBefore(state: unknown): string[] {
  const passed: unknown = typeof state === 'object' && state !== null && 'passed' in state ? state.passed : null
  return Array.isArray(passed) ? passed.filter((id) => typeof id === 'string') : []
}

export function useAfterAnswer({ id, title }: Schemas['Task']) {
  const { t } = useWords()
  const { message, notification } = App.useApp()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const location = useLocation()
  const may = useMay()
  const { code } = useArea()

  const undo = async () => {
    notification.destroy(id)
    try {
      await callApi('post', '/api/tasks/{id}/reopen', {
        path: { id },
        body: { reason: t('undo_reason') },
        headers: { 'Idempotency-Key': crypto.randomUUID() },
      })
      await queries.invalidateQueries()
      void navigate(`/tasks/${id}`)
    } catch (error) {
      void message.error(isProblem(error) && error.told.title ? error.told.title : t('undo_failed'))
    }
  }

  const tell = (result: Schemas['AnswerResult']) => {
    const words = wordsOf(result, t)
    if (result.is_open || !may('task.reopen')) return void message.success(words)
    notification.success({
      key: id,
      title: words,
      description: title,
      duration: UNDO_SECONDS,
      placement: 'top',
      actions: (
        <Button data-testid="undo" onClick={() => void undo()}>
          {t('undo')}
        </Button>
      ),
    })
  }

  const goOn = async () => {
    const passed = [...passedBefore(location.state), id]
    const query = { division: code, state: 'open', limit: LOOKED_AT } as const
    const next = await callApi('get', '/api/tasks', { query }).then(
      ({ body }) => body.items.find((task) => !passed.includes(task.id) && !task.held_by),
      () => undefined,
    )
    if (!next) void message.info(t('all_done'))
    void navigate(next ? `/tasks/${next.id}` : '/tasks', { replace: true, state: next && { passed } })
  }

  return (result: Schemas['AnswerResult']) => {
    tell(result)
    void goOn()
  }
}

function wordsOf(result: Schemas['AnswerResult'], t: ReturnType<typeof useWords>['t']): string {
  if (result.is_open) return t('done_unknown')
  if (result.is_link_needed) return t('done_link')
  return result.corrections > 0 ? t('done_corrections', { count: result.corrections }) : t('done')
}
