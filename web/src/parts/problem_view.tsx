// A failure in words: what, where, what to do about it, and the number to ask with.
import type { Problem } from '../api/problem'
import { Notice } from './notice'
import { useWords } from './words'

interface Props {
  problem: Problem
  retry?: (() => unknown) | undefined
  /** In a form, beside what it is about. */
  isSmall?: boolean
}

export function ProblemView({ problem, retry, isSmall }: Props) {
  const { t } = useWords()
  const { title, detail, field, hint, request_id } = problem.told
  // What was refused will be refused again.
  const isWorthTrying = problem.isOffline || problem.status === 429 || problem.status >= 500
  const body = problem.isOffline ? t('problem_offline_detail') : detail
  return (
    <Notice
      tone="error"
      isSmall={isSmall}
      title={problem.isOffline ? t('problem_offline') : title}
      action={
        retry &&
        isWorthTrying && (
          <button type="button" className="k-button" onClick={() => retry()}>
            {t('retry')}
          </button>
        )
      }
    >
      {body && <p>{body}</p>}
      {field && <p>{t('problem_field', { field })}</p>}
      {hint && <p>{hint}</p>}
      {problem.retryAfter !== undefined && <p>{t('problem_retry_after', { count: problem.retryAfter })}</p>}
      {request_id && (
        <p className="k-faint">
          {t('problem_request')} <code>{request_id}</code>
        </p>
      )}
    </Notice>
  )
}

/** The members on the way to what is wrong: "/children/0/name" → ["children", 0, "name"]. */
export function fieldPath(problem: Problem): (string | number)[] {
  return (problem.field ?? '')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part.replace(/~1/g, '/').replace(/~0/g, '~')))
}
