// Dates, numbers and ages as offices write them. Instants are told in the time of the register, wherever the reader sits.
import type { Language } from '../app/language'

const ZONE = 'Asia/Shanghai'
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

interface Day {
  year: number
  month: number
  day: number
}

export function readDay(iso: string): Day | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(iso)
  return found ? { year: Number(found[1]), month: Number(found[2]), day: Number(found[3]) } : null
}

/** 2026年11月23日, 23 Nov 2026. */
export function formatDate(iso: string, language: Language): string {
  const at = readDay(iso)
  if (!at) return iso
  if (language === 'zh') return `${at.year}年${at.month}月${at.day}日`
  return `${at.day} ${MONTHS[at.month - 1]} ${at.year}`
}

/** 2026-11 as 2026年11月, Nov 2026. */
export function formatMonth(iso: string, language: Language): string {
  const at = readDay(`${iso.slice(0, 7)}-01`)
  if (!at) return iso
  return language === 'zh' ? `${at.year}年${at.month}月` : `${MONTHS[at.month - 1]} ${at.year}`
}

const clock = new Intl.DateTimeFormat('sv-SE', {
  timeZone: ZONE,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** An instant with its time of day; seconds where the order of entries matters. */
export function formatInstant(iso: string, language: Language, withSeconds = false): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const [day = '', time = ''] = clock.format(at).split(' ')
  return `${formatDate(day, language)} ${withSeconds ? time : time.slice(0, 5)}`
}

/** Today in the register's time, as 2026-11-23. */
export function today(): string {
  return clock.format(new Date()).slice(0, 10)
}

/** Whole days from one day to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / 86_400_000)
}

const plain = { zh: new Intl.NumberFormat('zh-CN'), en: new Intl.NumberFormat('en-GB') }

/** Every digit: 3,812,045. */
export function formatNumber(n: number, language: Language): string {
  return plain[language].format(n)
}

/** For a glance: 381.2万, 3.81 million; every digit below a hundred thousand. */
export function formatCount(n: number, language: Language): string {
  if (Math.abs(n) < 100_000) return formatNumber(n, language)
  if (language === 'en') {
    return Math.abs(n) < 1_000_000 ? `${Math.round(n / 1000)} thousand` : `${(n / 1e6).toFixed(2)} million`
  }
  return Math.abs(n) < 100_000_000 ? `${(n / 1e4).toFixed(1)}万` : `${(n / 1e8).toFixed(2)}亿`
}

export function formatPercent(share: number, language: Language, digits = 1): string {
  return new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    style: 'percent',
    maximumFractionDigits: digits,
  }).format(share)
}

/** A probability near one keeps the digits that tell it from one. */
export function formatProbability(p: number): string {
  if (p >= 0.9999995) return '> 99.9999%'
  if (p > 0 && p < 0.0000005) return '< 0.0001%'
  const digits = p > 0.99 || p < 0.01 ? 4 : 1
  return `${(100 * p).toFixed(digits)}%`
}

/** Bits of weight, with their sign. */
export function formatBits(bits: number): string {
  const text = Math.abs(bits).toFixed(1)
  return text === '0.0' ? '0.0' : (bits < 0 ? '−' : '+') + text
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}

/** 21天, 5个月, 2岁3个月, 34岁: finer while it matters. */
export function formatAge(birth: string, on: string, language: Language): string | null {
  const from = readDay(birth)
  const to = readDay(on)
  if (!from || !to || on < birth) return null
  let months = (to.year - from.year) * 12 + to.month - from.month
  if (to.day < from.day) months--
  const zh = language === 'zh'
  if (months < 1) return zh ? `${daysBetween(birth, on)}天` : plural(daysBetween(birth, on), 'day')
  const years = Math.floor(months / 12)
  if (years < 1) return zh ? `${months}个月` : plural(months, 'month')
  if (years >= 3) return zh ? `${years}岁` : plural(years, 'year')
  const rest = months % 12
  if (rest === 0) return zh ? `${years}岁` : plural(years, 'year')
  return zh ? `${years}岁${rest}个月` : `${plural(years, 'year')} ${plural(rest, 'month')}`
}

function plural(n: number, unit: string): string {
  return `${n} ${unit}${n === 1 ? '' : 's'}`
}
