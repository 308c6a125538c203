// What the server remarks on a declaration while it is typed, and who the child may be already.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { callApi } from '../../api/hooks'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { useSettled } from '../../parts/use_screen'
import type { Declaration } from './use_draft'

const REVIEW_MS = 400

export async function reviewOf(declaration: Declaration, signal?: AbortSignal): Promise<Schemas['BirthReview']> {
  const sent = { body: declaration, ...(signal ? { signal } : {}) }
  return (await callApi('post', '/api/births/review', sent)).body
}

export function useReview(declaration: Declaration) {
  const settled = useSettled(declaration, REVIEW_MS)
  return useQuery<Schemas['BirthReview'], Problem>({
    queryKey: ['/api/births/review', JSON.stringify(settled)],
    queryFn: ({ signal }) => reviewOf(settled, signal),
    placeholderData: keepPreviousData,
    gcTime: 0,
  })
}
