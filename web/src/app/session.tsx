// The one signed in, for what purpose and in which area they look. Purpose and area last as long as the browser's tab.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useCallback, useEffect, useLayoutEffect, useMemo, useState, type ReactNode } from 'react'
import { credentials } from '../api/client'
import { callApi } from '../api/call'
import { isProblem, type Problem } from '../api/problem'
import type { Schemas } from '../api/types'
import { keepSignedIn } from './kept'
import { readSession, type Session } from './read_session'

interface SessionState {
  session: Session
  /** The server knows the session no more, but the page still shows what it showed. */
  isExpired: boolean
  signedIn: (session: Session) => void
  signOut: () => Promise<void>
  refresh: () => Promise<unknown>
  purpose: string | null
  setPurpose: (code: string) => void
  area: Schemas['DivisionRef'] | null
  setArea: (area: Schemas['DivisionRef'] | null) => void
}

const SessionContext = createContext<SessionState | null>(null)
const KEY = ['session']

interface Kept {
  account: string
  purpose: string | null
  area: Schemas['DivisionRef'] | null
}
const KEPT = 'kindred.choices'

function keptFor(account: string): Kept {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Kept | null
    if (kept?.account === account) return kept
  } catch {
    sessionStorage.removeItem(KEPT)
  }
  return { account, purpose: null, area: null }
}

/** Another person sits down at the same desk: nothing of the one before may be seen. */
function startOver() {
  sessionStorage.clear()
  window.location.replace('/')
}

interface Props {
  /** As the server told it when the console was opened. */
  first: Session
  children: ReactNode
}

export function SessionProvider({ first, children }: Props) {
  const queries = useQueryClient()
  const [isExpired, setExpired] = useState(false)
  const [choices, setChoices] = useState<Kept | null>(null)
  const { data: session, refetch } = useQuery<Session, Problem, Session>({
    queryKey: KEY,
    queryFn: async () => {
      const now = await readSession()
      const before = queries.getQueryData<Session>(KEY) ?? first
      if (now && before.account.id !== now.account.id) startOver()
      // What was begun on the page stays: who it is asked for again over it.
      if (!now) setExpired(true)
      return now ?? before
    },
    initialData: first,
    // readSession asks a busy server again by itself.
    retry: false,
    staleTime: Infinity,
    gcTime: Infinity,
    // Another tab may have signed out, or in as somebody else.
    refetchOnWindowFocus: 'always',
  })
  const account = session.account.id

  const kept = useMemo(() => (choices?.account === account ? choices : keptFor(account)), [account, choices])
  const purpose = session.purposes.find((p) => p.code === kept.purpose)?.code ?? session.purposes[0]?.code ?? null
  const { csrf } = session
  // Before the effects of the pages below, so that their first request carries them already.
  useLayoutEffect(() => {
    credentials.csrf = csrf
    credentials.purpose = purpose
  }, [csrf, purpose])

  useEffect(() => {
    credentials.onLost = () => setExpired(true)
    return () => {
      credentials.onLost = () => {}
    }
  }, [])

  const keep = useCallback(
    (change: Partial<Kept>) => {
      const next = { ...kept, ...change }
      sessionStorage.setItem(KEPT, JSON.stringify(next))
      setChoices(next)
    },
    [kept],
  )

  const signedIn = useCallback(
    (next: Session) => {
      const before = queries.getQueryData<Session>(KEY)
      if (before && before.account.id !== next.account.id) return startOver()
      credentials.csrf = next.csrf
      queries.setQueryData(KEY, next)
      setExpired(false)
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] })
    },
    [queries],
  )

  const signOut = useCallback(async () => {
    await callApi('delete', '/api/session', {}).catch((error: unknown) => {
      if (!isProblem(error) || error.status !== 401) throw error
    })
    sessionStorage.clear()
    keepSignedIn(false)
    window.location.assign('/sign-in')
  }, [])

  const state: SessionState = {
    session,
    isExpired,
    signedIn,
    signOut,
    refresh: refetch,
    purpose,
    setPurpose: (code) => keep({ purpose: code }),
    area: kept.area,
    setArea: (area) => keep({ area }),
  }
  return <SessionContext value={state}>{children}</SessionContext>
}

export function useSessionState(): SessionState {
  const state = use(SessionContext)
  if (!state) throw new Error('outside of SessionProvider')
  return state
}

/** The one signed in. */
export function useSession(): Session {
  return useSessionState().session
}

/** A function that tells whether the one signed in may do a thing. */
export function useMay() {
  const { permissions } = useSession()
  return (permission: string) => permissions.includes(permission)
}

/** The area chosen in the head of the page; `code` undefined stands for all areas of the account. */
export function useArea() {
  const { area } = useSessionState()
  return { area, code: area?.code }
}
