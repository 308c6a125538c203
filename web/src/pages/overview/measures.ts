// The figures an area can be coloured by, and the classes of their colours.
import type { Schemas } from '../../api/types'

export type AreaPart = Schemas['AreaPart']
export type MeasureKey = 'persons' | 'births' | 'tasks_open' | 'completeness'

export const measureKeys: readonly MeasureKey[] = ['persons', 'births', 'tasks_open', 'completeness']

export function measure(part: AreaPart, key: MeasureKey): number | null {
  return part[key] ?? null
}

/** From light to dark; the text colour that reads well on each stands beside it. */
export const shades: readonly { fill: string; text: string }[] = [
  { fill: '#e3f0f0', text: '#0d3036' },
  { fill: '#b9dadb', text: '#0d3036' },
  { fill: '#7fb8bc', text: '#0b2429' },
  { fill: '#2b757e', text: '#ffffff' },
  { fill: '#0f4650', text: '#ffffff' },
]
export const noShade = { fill: '#eef0f2', text: '#3c4248' }

export interface Classes {
  /** Lowest and highest value of each class that holds an area, with its shade. */
  ranges: { low: number; high: number; shade: number }[]
  shadeOf: (value: number | null) => { fill: string; text: string }
}

/** Classes of about equally many areas: a few large ones do not drown the rest, as they would in equal steps. */
export function classify(values: readonly (number | null)[]): Classes {
  const sorted = values.filter((v): v is number => v !== null).sort((a, b) => a - b)
  const distinct = [...new Set(sorted)]
  const count = Math.min(shades.length, distinct.length)
  const starts: number[] = []
  for (let i = 0; i < count; i++) {
    const start = distinct.length <= count ? distinct[i] : sorted[Math.floor((i * sorted.length) / count)]
    if (start !== undefined && start !== starts.at(-1)) starts.push(start)
  }
  const shadeOfClass = (index: number) =>
    starts.length === 1 ? 1 : Math.round((index * (shades.length - 1)) / (starts.length - 1))
  const classOf = (value: number) => {
    let found = 0
    starts.forEach((start, i) => {
      if (value >= start) found = i
    })
    return found
  }
  const ranges = starts.map((_, i) => {
    const within = sorted.filter((v) => classOf(v) === i)
    return { low: within[0] ?? 0, high: within.at(-1) ?? 0, shade: shadeOfClass(i) }
  })
  return {
    ranges,
    shadeOf: (value) => (value === null ? noShade : (shades[shadeOfClass(classOf(value))] ?? noShade)),
  }
}
