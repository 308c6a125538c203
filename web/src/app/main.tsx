// Where the console starts.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { ConfigProvider } from 'antd'
import en from 'antd/locale/en_GB'
import zh from 'antd/locale/zh_CN'
import { StrictMode, useEffect, useRef } from 'react'
import { createRoot } from 'react-dom/client'
import { createBrowserRouter, RouterProvider } from 'react-router'
import { isProblem } from '../api/problem'
import { useLanguage } from './language'
import { routes } from './routes'
import { SessionProvider } from './session'
import './style.css'
import { theme } from './theme'

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

const router = createBrowserRouter(routes)

function Console() {
  const language = useLanguage()
  const shown = useRef(language)
  useEffect(() => {
    // The server's words come in the language they were asked in.
    if (shown.current !== language) void queries.invalidateQueries()
    shown.current = language
  }, [language])
  return (
    <ConfigProvider theme={theme} locale={language === 'zh' ? zh : en} button={{ autoInsertSpace: false }}>
      <SessionProvider>
        <RouterProvider router={router} />
      </SessionProvider>
    </ConfigProvider>
  )
}

const root = document.getElementById('root')
if (!root) throw new Error('the page has no root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Console />
    </QueryClientProvider>
  </StrictMode>,
)
