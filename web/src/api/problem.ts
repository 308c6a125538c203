// What went wrong, as the server tells it (RFC 9457), or as the network does.
import type { components } from './schema'

type Told = components['schemas']['Problem']

export class Problem extends Error {
  readonly told: Told
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined

  constructor(told: Told, retryAfter?: number) {
    super(told.title)
    this.name = 'Problem'
    this.told = told
    this.retryAfter = retryAfter ?? told.retry_after_s
  }
  get status() {
    return this.told.status
  }
  get field() {
    return this.told.field
  }
  /** The server did not answer: nothing is known of what became of the request. */
  get isOffline() {
    return this.told.status === 0
  }
}

export function isProblem(error: unknown): error is Problem {
  return error instanceof Problem
}

export function offline(): Problem {
  return new Problem({ type: 'about:blank', title: '', status: 0, request_id: '' })
}

function isTold(body: unknown): body is Told {
  return typeof body === 'object' && body !== null && 'title' in body && 'status' in body
}

export async function problemOf(response: Response): Promise<Problem> {
  const after = Number(response.headers.get('Retry-After'))
  const body: unknown = await response.json().catch(() => null)
  const told = isTold(body)
    ? body
    : { type: 'about:blank', title: response.statusText, status: response.status, request_id: '' }
  return new Problem(told, Number.isFinite(after) && after > 0 ? after : undefined)
}
