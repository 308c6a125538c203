// Keeps what is filled in: the first change makes a draft, later ones are saved when typing rests.
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { callApi } from '../../api/hooks'
import { isProblem, type Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'

export type Declaration = Schemas['BirthDeclaration']
export interface Kept {
  id: string
  etag: string | undefined
}

const REST_MS = 800

export function useDraft(start: Declaration, given: Kept | null) {
  const [declaration, setDeclaration] = useState(start)
  const [savedAt, setSavedAt] = useState<string | null>(null)
  const [isSaving, setSaving] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const kept = useRef<Kept | null>(given)
  const saved = useRef(given ? JSON.stringify(start) : '')
  const turn = useRef<Promise<unknown>>(Promise.resolve())
  const key = useRef(crypto.randomUUID())

  const save = async (now: Declaration) => {
    const text = JSON.stringify(now)
    if (text === saved.current) return kept.current
    setSaving(true)
    try {
      const answer = kept.current
        ? await callApi('put', '/api/births/{id}', {
            path: { id: kept.current.id },
            body: now,
            headers: kept.current.etag ? { 'If-Match': kept.current.etag } : {},
          })
        : await callApi('post', '/api/births', { body: now, headers: { 'Idempotency-Key': key.current } })
      kept.current = { id: answer.body.id, etag: answer.etag }
      saved.current = text
      setSavedAt(new Date().toISOString())
      setProblem(null)
    } catch (error) {
      // The same key with another text would be refused: what comes next is another intention.
      if (!isProblem(error) || !error.isOffline) key.current = crypto.randomUUID()
      setProblem(isProblem(error) ? error : null)
      throw error
    } finally {
      setSaving(false)
    }
    return kept.current
  }
  /** One after another: each needs the version that the one before made. */
  const flush = (now: Declaration) => {
    const next = turn.current.catch(() => undefined).then(() => save(now))
    turn.current = next
    return next
  }
  const rest = useEffectEvent(() => void flush(declaration).catch(() => undefined))
  const text = JSON.stringify(declaration)
  useEffect(() => {
    const isUntouched = !given && text === JSON.stringify(start)
    if (isUntouched || text === saved.current) return
    const timer = setTimeout(() => rest(), REST_MS)
    return () => clearTimeout(timer)
  }, [text, given, start])
  return { declaration, setDeclaration, flush, savedAt, isSaving, problem }
}
