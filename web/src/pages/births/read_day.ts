// A day as it is typed at a counter: whole, or as much of it as is known.
import type { Schemas } from '../../api/types'

export type Precision = NonNullable<Schemas['BirthDeclaration']['precision']>

export interface Day {
  /** The first day it may be. */
  date: string
  precision: 'exact' | 'month' | 'year'
}

const SHAPES = [
  /^(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})$/,
  /^(?<y>\d{4})[-/.年\s](?<m>\d{1,2})[-/.月\s](?<d>\d{1,2})日?$/,
  /^(?<y>\d{4})[-/.年\s](?<m>\d{1,2})月?$/,
  /^(?<y>\d{4})(?<m>\d{2})$/,
  /^(?<y>\d{4})年?$/,
]

/** 20260601, 2026-6-1, 2026年6月1日; 2026-06 and 2026 when no more is known. */
export function readDay(text: string): Day | null {
  const typed = text.trim()
  const found = SHAPES.map((shape) => shape.exec(typed)?.groups).find((groups) => groups !== undefined)
  if (!found?.y) return null
  const { y, m, d } = found
  const [year, month, day] = [Number(y), Number(m ?? 1), Number(d ?? 1)]
  const at = new Date(Date.UTC(year, month - 1, day))
  if (year < 1000 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return null
  return { date: at.toISOString().slice(0, 10), precision: d ? 'exact' : m ? 'month' : 'year' }
}

/** As much of a day as is known, the way it may be typed again. */
export function typedDay(date: string, precision: Precision): string {
  return date.slice(0, precision === 'year' ? 4 : precision === 'month' ? 7 : 10)
}

/** 1405, 14:05, 9:30. */
export function readTime(text: string): string | null {
  const found = /^([01]?\d|2[0-3])[:：.]?([0-5]\d)$/.exec(text.trim())
  return found?.[1] && found[2] ? `${found[1].padStart(2, '0')}:${found[2]}` : null
}
