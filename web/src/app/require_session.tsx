// Lets nobody in without a session, sends those with a first password to change it, and asks those whose session has
// ended to sign in again right where they are.
import { Spin } from 'antd'
import { lazy, Suspense } from 'react'
import { Navigate, Outlet, useLocation } from 'react-router'
import { ProblemView } from '../parts/problem_view'
import { useSessionState } from './session'
import { useWords } from './words'

const Expired = lazy(() => import('./expired'))

export function RequireSession() {
  const { t } = useWords()
  const { session, isPending, error, isExpired, refresh } = useSessionState()
  const { pathname, search } = useLocation()
  if (isPending) return <Spin fullscreen description={t('starting')} />
  if (error && !session) return <ProblemView problem={error} retry={refresh} />
  if (!session) {
    const back = pathname + search
    return <Navigate to={back === '/' ? '/sign-in' : `/sign-in?back=${encodeURIComponent(back)}`} replace />
  }
  if (session.must_change_password && pathname !== '/password') return <Navigate to="/password" replace />
  return (
    <>
      <div className={isExpired ? 'k-veiled' : undefined}>
        <Outlet />
      </div>
      {isExpired && (
        <Suspense>
          <Expired />
        </Suspense>
      )}
    </>
  )
}
