// format.ts in the reader's language.
import { useMemo } from 'react'
import { useLanguage } from '../app/language'
import * as format from './format'

export function useFormat() {
  const language = useLanguage()
  return useMemo(
    () => ({
      date: (iso: string) => format.formatDate(iso, language),
      month: (iso: string) => format.formatMonth(iso, language),
      instant: (iso: string, withSeconds?: boolean) => format.formatInstant(iso, language, withSeconds),
      number: (n: number) => format.formatNumber(n, language),
      count: (n: number) => format.formatCount(n, language),
      percent: (share: number, digits?: number) => format.formatPercent(share, language, digits),
      age: (birth: string, on: string = format.today()) => format.formatAge(birth, on, language),
    }),
    [language],
  )
}
