// What was decided in this tab since the last link run, so that it can be undone. Only ids are stored.
import { useCallback, useState } from 'react'

export type Said = 'same' | 'different' | 'unknown'
export interface Decision {
  match: string
  decision: string | null
  said: Said
}

const KEY = 'kindred.decisions'

function kept(): Decision[] {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]')
    return Array.isArray(found) ? (found as Decision[]) : []
  } catch {
    return []
  }
}

/** The latest first. */
export function useDecisions() {
  const [list, setList] = useState(kept)
  const change = useCallback((of: (before: Decision[]) => Decision[]) => {
    setList((before) => {
      const after = of(before)
      sessionStorage.setItem(KEY, JSON.stringify(after))
      return after
    })
  }, [])
  const add = useCallback(
    (decision: Decision) => change((list) => [decision, ...list.filter((d) => d.match !== decision.match)]),
    [change],
  )
  const remove = useCallback((match: string) => change((list) => list.filter((d) => d.match !== match)), [change])
  const clear = useCallback(() => change(() => []), [change])
  return { list, add, remove, clear }
}
