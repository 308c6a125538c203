// One request of the contract, outside of any page.
import { client } from './client'
import type { Answer, Method, Operation, RouteWith } from './types'

type Raw = (method: string, route: string, init: object) => Promise<{ data?: unknown; response: Response }>
const request = client.request.bind(client) as unknown as Raw

export interface Versioned<A> {
  body: A
  etag: string | undefined
}

export async function callApi<M extends Method, R extends RouteWith<M>>(
  method: M,
  route: R,
  sent: { path?: unknown; query?: unknown; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal },
): Promise<Versioned<Answer<Operation<M, R>>>> {
  const { path, query, body, headers, signal } = sent
  const { data, response } = await request(method, route, { params: { path, query }, body, headers, signal })
  return { body: data as Answer<Operation<M, R>>, etag: response.headers.get('ETag') ?? undefined }
}
