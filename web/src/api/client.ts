// One way to the server: every request carries the language, the purpose and the CSRF token; every failure is a Problem.
import createClient, { type Middleware } from 'openapi-fetch'
import { takeFirstAnswer } from '../app/first_question'
import { currentLanguage } from '../app/language'
import { offline, problemOf } from './problem'
import type { paths } from './schema'

/** What the session gives to requests. Kept outside React: a request is made with what holds when it is made. */
export const credentials = {
  csrf: null as string | null,
  purpose: null as string | null,
  /** Told when the server knows no session any more. */
  onLost: () => {},
}

export function standardHeaders(): Record<string, string> {
  const headers: Record<string, string> = { 'Accept-Language': currentLanguage() }
  if (credentials.purpose) headers['Kindred-Purpose'] = credentials.purpose
  if (credentials.csrf) headers['Kindred-CSRF'] = credentials.csrf
  return headers
}

const middleware: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(standardHeaders())) {
      if (name !== 'Kindred-CSRF' || request.method !== 'GET') request.headers.set(name, value)
    }
    return request
  },
  async onResponse({ request, response }) {
    if (response.ok) return response
    const isSignIn = request.method === 'POST' && new URL(request.url).pathname === '/api/session'
    if (response.status === 401 && !isSignIn) credentials.onLost()
    throw await problemOf(response)
  },
  onError({ error }) {
    return error instanceof DOMException && error.name === 'AbortError' ? error : offline()
  },
}

export const client = createClient<paths>({
  credentials: 'same-origin',
  fetch: (request) => takeFirstAnswer(request) ?? fetch(request),
})
client.use(middleware)
