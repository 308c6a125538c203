// Who is signed in, asked before anything else has arrived. The API's client takes the answer in place of its own request.
import { keptLanguage } from './kept'

let answer: Promise<Response> | null = fetch('/api/session', { headers: { 'Accept-Language': keptLanguage() } })
// Whoever takes it hears of a failure.
answer.catch(() => {})

export function takeFirstAnswer({ method, url }: Request): Promise<Response> | null {
  if (method !== 'GET' || new URL(url).pathname !== '/api/session') return null
  const taken = answer
  answer = null
  return taken
}
