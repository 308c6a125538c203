// Who is signed in, for what purpose and in which area they look. Purpose and area last as long as the browser's tab.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useCallback, useEffect, useLayoutEffect, useMemo, useState, type ReactNode } from 'react'
import { credentials } from '../api/client'
import { callApi } from '../api/hooks'
import { isProblem, type Problem } from '../api/problem'
import type { Schemas } from '../api/types'

export type Session = Schemas['Session']

interface SessionState {
  session: Session | null
  isPending: boolean
  error: Problem | null
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

async function readSession(): Promise<Session | null> {
  try {
    return (await callApi('get', '/api/session', {})).body
  } catch (error) {
    if (isProblem(error) && error.status === 401) return null
    throw error
  }
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const [isExpired, setExpired] = useState(false)
  const [choices, setChoices] = useState<Kept | null>(null)
  const query = useQuery<Session | null, Problem>({
    queryKey: KEY,
    queryFn: async () => {
      const now = await readSession()
      const before = queries.getQueryData<Session | null>(KEY)
      if (before && now && before.account.id !== now.account.id) startOver()
      // What was begun on the page stays: who it is asked for again over it.
      if (before && !now) setExpired(true)
      return before && !now ? before : now
    },
    staleTime: Infinity,
    gcTime: Infinity,
    // Another tab may have signed out, or in as somebody else.
    refetchOnWindowFocus: 'always',
  })
  const session = query.data ?? null
  const account = session?.account.id

  const kept = useMemo(
    () => (account === undefined ? null : choices?.account === account ? choices : keptFor(account)),
    [account, choices],
  )
  const purpose = session?.purposes.find((p) => p.code === kept?.purpose)?.code ?? session?.purposes[0]?.code ?? null
  const csrf = session?.csrf ?? null
  // Before the effects of the pages below, so that their first request carries them already.
  useLayoutEffect(() => {
    credentials.csrf = csrf
    credentials.purpose = purpose
  }, [csrf, purpose])

  useEffect(() => {
    credentials.onLost = () => {
      if (queries.getQueryData(KEY)) setExpired(true)
    }
    return () => {
      credentials.onLost = () => {}
    }
  }, [queries])

  const keep = useCallback(
    (change: Partial<Kept>) => {
      if (!kept) return
      const next = { ...kept, ...change }
      sessionStorage.setItem(KEPT, JSON.stringify(next))
      setChoices(next)
    },
    [kept],
  )

  const signedIn = useCallback(
    (next: Session) => {
      const before = queries.getQueryData<Session | null>(KEY)
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
    window.location.assign('/sign-in')
  }, [])

  const state: SessionState = {
    session,
    isPending: query.isPending,
    error: query.error,
    isExpired,
    signedIn,
    signOut,
    refresh: query.refetch,
    purpose,
    setPurpose: (code) => keep({ purpose: code }),
    area: kept?.area ?? null,
    setArea: (area) => keep({ area }),
  }
  return <SessionContext value={state}>{children}</SessionContext>
}

export function useSessionState(): SessionState {
  const state = use(SessionContext)
  if (!state) throw new Error('outside of SessionProvider')
  return state
}

/** The one signed in; only below RequireSession. */
export function useSession(): Session {
  const { session } = useSessionState()
  if (!session) throw new Error('nobody is signed in')
  return session
}

/** A function that tells whether the one signed in may do a thing. */
export function useMay() {
  const { session } = useSessionState()
  return (permission: string) => session?.permissions.includes(permission) ?? false
}

/** The area chosen in the head of the page; `code` undefined stands for all areas of the account. */
export function useArea() {
  const { area } = useSessionState()
  return { area, code: area?.code }
}
