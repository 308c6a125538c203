// Who is signed in, as the server says.
import { callApi } from '../api/call'
import { isProblem } from '../api/problem'
import type { Schemas } from '../api/types'

export type Session = Schemas['Session']

const TRIES = 3

function rest(seconds: number) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

/** Null when nobody is. A server that is busy is asked again when it said. */
export async function readSession(): Promise<Session | null> {
  for (let failures = 1; ; failures++) {
    try {
      return (await callApi('get', '/api/session', {})).body
    } catch (error) {
      if (!isProblem(error)) throw error
      if (error.status === 401) return null
      if (error.status !== 503 || error.retryAfter === undefined || failures > TRIES) throw error
      await rest(Math.min(error.retryAfter, 30))
    }
  }
}
