// Around every page: those with a first password change it before anything else, and those whose session has ended sign in
// again right where they are.
import { lazy, Suspense } from 'react'
import { Navigate, Outlet, useLocation } from 'react-router'
import { useSessionState } from './session'

const Expired = lazy(() => import('./expired'))

export function RequireSession() {
  const { session, isExpired } = useSessionState()
  const { pathname } = useLocation()
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
