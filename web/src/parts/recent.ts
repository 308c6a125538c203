// Persons looked at of late in this tab. Only their ids are stored; what they are called lives as long as the page.
import type { Schemas } from '../api/types'

type Brief = Schemas['PersonBrief']

const KEY = 'kindred.recent'
const KEPT = 10
const briefs = new Map<string, Brief>()

function ids(): string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === 'string') : []
  } catch {
    return []
  }
}

export function remember(person: Brief) {
  briefs.set(person.id, person)
  const rest = ids().filter((id) => id !== person.id)
  sessionStorage.setItem(KEY, JSON.stringify([person.id, ...rest].slice(0, KEPT)))
}

/** The latest first; without a brief when the page was opened anew since. */
export function recent(): { id: string; person: Brief | undefined }[] {
  return ids().map((id) => ({ id, person: briefs.get(id) }))
}
