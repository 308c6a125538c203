// Lets nobody in without a session: asks who is signed in, shows the page for it to those who are not, and only then draws
// the console. The sign-in page therefore needs nothing of it.
import { lazy, Suspense, useCallback, useEffect, useState } from 'react'
import { isProblem, type Problem } from '../api/problem'
import SignInPage from '../pages/sign-in'
import { loadConsole } from './bring'
import { keepSignedIn, wasSignedIn } from './kept'
import { useLanguage } from './language'
import { readSession, type Session } from './read_session'
import { Starting } from './starting'

const Console = lazy(loadConsole)

const SIGN_IN = '/sign-in'

/** Only an address of this console: nobody is sent elsewhere by a link to the sign-in page. */
function within(back: string | null): string {
  return back && /^\/(?![/\\])/.test(back) && !back.startsWith(SIGN_IN) ? back : '/'
}

/** The address where one in that state belongs: signing in, with the way back; a first password; what they wanted to see. */
function addressFor(session: Session | null): string {
  const { pathname, search } = window.location
  const here = pathname + search
  if (!session && pathname !== SIGN_IN) return here === '/' ? SIGN_IN : `${SIGN_IN}?back=${encodeURIComponent(here)}`
  if (session?.must_change_password) return '/password'
  return session && pathname === SIGN_IN ? within(new URLSearchParams(search).get('back')) : here
}

export function Gate() {
  const [session, setSession] = useState<Session | null>(null)
  if (!session) return <Outside onIn={setSession} />
  return (
    <Suspense fallback={<Starting />}>
      <Console session={session} />
    </Suspense>
  )
}

function Outside({ onIn }: { onIn: (session: Session) => void }) {
  const language = useLanguage()
  // One who was signed in most likely still is: no form is shown to them before the server has said otherwise.
  const [isLikelyIn, setLikelyIn] = useState(wasSignedIn)
  const [problem, setProblem] = useState<Problem | null>(null)

  const settle = useCallback(
    (session: Session | null) => {
      keepSignedIn(session !== null)
      window.history.replaceState(null, '', addressFor(session) + window.location.hash)
      setProblem(null)
      if (session) onIn(session)
      else setLikelyIn(false)
    },
    [onIn],
  )
  const ask = useCallback(
    () =>
      readSession().then(settle, (error: unknown) => {
        if (!isProblem(error)) throw error
        setProblem(error)
      }),
    [settle],
  )

  // Again in another language: a failure is told in the one it was asked in.
  useEffect(() => {
    void ask()
  }, [ask, language])

  // Another tab may have signed in, or the network be back. A failure of this changes nothing for who is typing.
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible')
        void readSession().then(
          (found) => found && settle(found),
          () => {},
        )
    }
    document.addEventListener('visibilitychange', look)
    window.addEventListener('online', look)
    return () => {
      document.removeEventListener('visibilitychange', look)
      window.removeEventListener('online', look)
    }
  }, [settle])

  if (isLikelyIn && !problem) return <Starting />
  return <SignInPage problem={problem} retry={ask} onDone={settle} />
}
