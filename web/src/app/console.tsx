// The console of one who is signed in: what it knows of the server's answers, and its pages.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { createBrowserRouter, RouterProvider } from 'react-router'
import { isProblem } from '../api/problem'
import { useLanguage } from './language'
import type { Session } from './read_session'
import { routes } from './routes'
import { SessionProvider } from './session'

const TRIES = 3

// Asked again only when the server said when; anything else the reader decides.
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) =>
        failures < TRIES && isProblem(error) && error.status === 503 && error.retryAfter !== undefined,
      retryDelay: (_, error) => (isProblem(error) ? Math.min(error.retryAfter ?? 1, 30) * 1000 : 1000),
      staleTime: 15_000,
      // Every look at a person is written down: none is made because a window came to the front.
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false, networkMode: 'always' },
  },
})

export default function Console({ session }: { session: Session }) {
  const language = useLanguage()
  // Made when it is shown: the address is settled only then.
  const [router] = useState(() => createBrowserRouter(routes))
  const shown = useRef(language)
  useEffect(() => {
    // The server's words come in the language they were asked in.
    if (shown.current !== language) void queries.invalidateQueries()
    shown.current = language
  }, [language])
  return (
    <QueryClientProvider client={queries}>
      <SessionProvider first={session}>
        <RouterProvider router={router} />
      </SessionProvider>
    </QueryClientProvider>
  )
}
