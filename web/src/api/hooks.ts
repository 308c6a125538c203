// Reading and writing through the contract: useApiGet for one thing, useApiPages for a list, useApiSend for a change.
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { callApi, type Versioned } from './call'
import { isProblem, type Problem } from './problem'
import type { Answer, Item, Method, Operation, Params, RouteWith, Sent } from './types'

export { callApi }

export interface Loaded<A> {
  data: A | undefined
  etag: string | undefined
  error: Problem | null
  isPending: boolean
  isFetching: boolean
  /** What is shown is the answer to the question before this one. */
  isOld: boolean
  refetch: () => unknown
}

interface ReadOptions {
  enabled?: boolean
  keepPrevious?: boolean
  refetchInterval?: number | false
  refetchOnWindowFocus?: boolean
  staleTime?: number
}

export function useApiGet<R extends RouteWith<'get'>>(
  route: R,
  params: Params<Operation<'get', R>>,
  options: ReadOptions = {},
): Loaded<Answer<Operation<'get', R>>> {
  const { keepPrevious, ...rest } = options
  const query = useQuery<Versioned<Answer<Operation<'get', R>>>, Problem>({
    queryKey: [route, params.path ?? null, params.query ?? null],
    queryFn: ({ signal }) => callApi('get', route, { path: params.path, query: params.query, signal }),
    placeholderData: keepPrevious ? keepPreviousData : undefined,
    ...rest,
  })
  const { data, error, isPending, isFetching, isPlaceholderData, refetch } = query
  return { data: data?.body, etag: data?.etag, error, isPending, isFetching, isOld: isPlaceholderData, refetch }
}

export interface Pages<A, I> {
  items: I[]
  /** The first page, for what it tells beside its items. */
  data: A | undefined
  error: Problem | null
  isPending: boolean
  isFetching: boolean
  isOld: boolean
  hasMore: boolean
  loadMore: () => void
  isLoadingMore: boolean
  refetch: () => unknown
}

export function useApiPages<R extends RouteWith<'get'>>(
  route: R,
  params: Params<Operation<'get', R>>,
  options: ReadOptions = {},
): Pages<Answer<Operation<'get', R>>, Item<Operation<'get', R>>> {
  type A = Answer<Operation<'get', R>>
  type I = Item<Operation<'get', R>>
  const { keepPrevious, ...rest } = options
  const query = useInfiniteQuery({
    queryKey: [route, params.path ?? null, params.query ?? null, 'pages'],
    queryFn: async ({ signal, pageParam }): Promise<A> => {
      const asked = { ...(params.query as object | undefined), ...(pageParam ? { cursor: pageParam } : {}) }
      return (await callApi('get', route, { path: params.path, query: asked, signal })).body
    },
    initialPageParam: '',
    getNextPageParam: (last: A) => (last as { next?: string | null }).next ?? undefined,
    placeholderData: keepPrevious ? keepPreviousData : undefined,
    ...rest,
  })
  const { data, isPending, isFetching, isPlaceholderData, refetch } = query
  return {
    items: data?.pages.flatMap((page) => (page as { items: I[] }).items) ?? [],
    data: data?.pages[0],
    error: query.error as Problem | null,
    isPending,
    isFetching,
    isOld: isPlaceholderData,
    hasMore: query.hasNextPage,
    loadMore: () => void query.fetchNextPage(),
    isLoadingMore: query.isFetchingNextPage,
    refetch,
  }
}

// The same intention sent again carries the same key, so that what was done already is not done twice. Any answer that
// settles it ends the intention; silence, "busy" and "too many" do not.
function useIdempotencyKey() {
  const held = useRef<{ intention: string; key: string } | null>(null)
  return {
    keyOf(sent: object) {
      const intention = JSON.stringify(sent)
      if (held.current?.intention !== intention) held.current = { intention, key: crypto.randomUUID() }
      return held.current.key
    },
    settle(error?: unknown) {
      const isOpen = isProblem(error) && (error.isOffline || error.status === 429 || error.status >= 500)
      if (!isOpen) held.current = null
    },
  }
}

interface SendOptions<A> {
  /** Routes whose answers change by this; all when not told. */
  refresh?: RouteWith<'get'>[]
  onDone?: (answer: A) => void
}

export function useApiSend<M extends Exclude<Method, 'get'>, R extends RouteWith<M>>(
  method: M,
  route: R,
  options: SendOptions<Versioned<Answer<Operation<M, R>>>> = {},
) {
  const queries = useQueryClient()
  const idempotency = useIdempotencyKey()
  return useMutation<Versioned<Answer<Operation<M, R>>>, Problem, Sent<Operation<M, R>>>({
    mutationFn: async (sent) => {
      const { path, query, body, etag } = sent as { path?: object; query?: object; body?: object; etag?: string }
      const headers: Record<string, string> = { 'Idempotency-Key': idempotency.keyOf(sent) }
      if (etag) headers['If-Match'] = etag
      return callApi(method, route, { path, query, body, headers })
    },
    onSuccess: async (answer) => {
      idempotency.settle()
      options.onDone?.(answer)
      const changed = options.refresh
      await queries.invalidateQueries(
        changed ? { predicate: ({ queryKey }) => changed.includes(queryKey[0] as RouteWith<'get'>) } : undefined,
      )
    },
    onError: (error) => idempotency.settle(error),
  })
}
