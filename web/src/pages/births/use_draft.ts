// Keeps what is filled in: the first change makes a draft, later ones are saved when typing rests, and when one leaves.
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { callApi } from '../../api/hooks'
import { isProblem, type Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'

export type Declaration = Schemas['BirthDeclaration']
export interface Kept {
  id: string
  etag: string | undefined
}
interface Answered {
  body: Schemas['Birth']
  etag: string | undefined
}

const REST_MS = 800
const TRY_AGAIN_MS = 5000

function isUnanswered(error: unknown): boolean {
  return isProblem(error) && (error.isOffline || error.status === 429 || error.status >= 500)
}

/** `onBegun`: the draft has got its id. */
export function useDraft(start: Declaration, given: Kept | null, onBegun: (id: string) => void) {
  const queries = useQueryClient()
  const [declaration, setDeclaration] = useState(start)
  const [savedAt, setSavedAt] = useState<string | null>(null)
  const [isSaving, setSaving] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const kept = useRef<Kept | null>(given)
  const saved = useRef(JSON.stringify(start))
  const latest = useRef(start)
  const turn = useRef<Promise<unknown>>(Promise.resolve())
  /** What a draft is begun with: sent again as it was, with its key, until that is answered. */
  const first = useRef<{ key: string; body: Declaration } | null>(null)
  const isOver = useRef(false)

  const keep = ({ body, etag }: Answered, sent: Declaration) => {
    kept.current = { id: body.id, etag }
    saved.current = JSON.stringify(sent)
    queries.setQueryData(['/api/births/{id}', { id: body.id }, null], { body, etag })
    void queries.invalidateQueries({ queryKey: ['/api/births'] })
  }
  const begin = async (now: Declaration) => {
    first.current ??= { key: crypto.randomUUID(), body: now }
    const { key, body } = first.current
    try {
      keep(await callApi('post', '/api/births', { body, headers: { 'Idempotency-Key': key } }), body)
      first.current = null
    } catch (error) {
      if (!isUnanswered(error)) first.current = null
      throw error
    }
  }
  const change = async ({ id, etag }: Kept, now: Declaration) => {
    const headers: Record<string, string> = etag ? { 'If-Match': etag } : {}
    keep(await callApi('put', '/api/births/{id}', { path: { id }, body: now, headers }), now)
  }
  const save = async (now: Declaration): Promise<Kept> => {
    setSaving(true)
    try {
      if (!kept.current) await begin(now)
      if (kept.current && JSON.stringify(now) !== saved.current) await change(kept.current, now)
      setSavedAt(new Date().toISOString())
      setProblem(null)
    } catch (error) {
      setProblem(isProblem(error) ? error : null)
      throw error
    } finally {
      setSaving(false)
    }
    if (!kept.current) throw new Error('nothing was kept')
    return kept.current
  }
  /** One after another: each needs the version that the one before made. */
  const flush = (): Promise<Kept> => {
    const before = turn.current
    const next = (async () => {
      await before.catch(() => undefined)
      const isNew = !kept.current
      const now = latest.current
      if (kept.current && JSON.stringify(now) === saved.current) return kept.current
      const result = await save(now)
      if (isNew && !isOver.current) onBegun(result.id)
      return result
    })()
    turn.current = next
    return next
  }
  const isDirty = () => JSON.stringify(latest.current) !== saved.current
  const rest = useEffectEvent(() => {
    if (!isOver.current && isDirty()) void flush().catch(() => undefined)
  })

  useEffect(() => {
    latest.current = declaration
    const timer = setTimeout(() => rest(), REST_MS)
    return () => clearTimeout(timer)
  }, [declaration])
  useEffect(() => {
    if (!isUnanswered(problem)) return
    const timer = setTimeout(() => rest(), TRY_AGAIN_MS)
    return () => clearTimeout(timer)
  }, [problem])
  const warn = useEffectEvent((event: BeforeUnloadEvent) => {
    if (!isOver.current && isDirty()) event.preventDefault()
  })
  useEffect(() => {
    isOver.current = false
    const leaving = (event: BeforeUnloadEvent) => warn(event)
    window.addEventListener('beforeunload', leaving)
    return () => {
      window.removeEventListener('beforeunload', leaving)
      rest()
      isOver.current = true
    }
  }, [])
  /** It is registered: nothing is saved any more. */
  const end = () => {
    isOver.current = true
  }
  return { declaration, setDeclaration, flush, end, savedAt, isSaving, problem }
}
