// A day or a time typed by keyboard: what was understood stands under it in words.
import { Input } from 'antd'
import { useState } from 'react'
import { useFormat } from '../../parts/use_format'
import type { Wired } from './field'
import { type Precision, readDay, readTime, typedDay } from './read_day'
import { useWords } from './words'

interface DayProps extends Wired {
  value: string | null | undefined
  precision?: Precision
  /** Only a whole day will do. */
  isWhole?: boolean
  testId?: string
  onChange: (date: string | null, precision: 'exact' | 'month' | 'year') => void
}

export function DayInput({ value, precision = 'exact', isWhole, testId, onChange, ...wired }: DayProps) {
  const { t } = useWords()
  const dayWords = useDayWords()
  const [typed, setTyped] = useState(value ? typedDay(value, precision) : '')
  const [isLeft, setLeft] = useState(true)
  const read = readDay(typed)
  const day = read && isWhole && read.precision !== 'exact' ? null : read
  // What came from elsewhere (a person that was found) replaces what was typed.
  const shown = value && value !== day?.date ? typedDay(value, precision) : typed
  const isOdd = isLeft && shown !== '' && !value
  return (
    <>
      <Input
        {...wired}
        status={isOdd ? 'error' : wired.status}
        inputMode="numeric"
        autoComplete="off"
        data-testid={testId}
        value={shown}
        maxLength={12}
        placeholder={t(isWhole ? 'day_hint' : 'day_hint_part')}
        onBlur={() => setLeft(true)}
        onChange={({ target }) => {
          setLeft(false)
          setTyped(target.value)
          const next = readDay(target.value)
          const fits = next && !(isWhole && next.precision !== 'exact')
          onChange(fits ? next.date : null, fits ? next.precision : 'exact')
        }}
      />
      {value && <span className="k-faint">{dayWords(value, precision)}</span>}
      {isOdd && <p className="k-birth-remark">{t('day_odd')}</p>}
    </>
  )
}

/** A date with as much of it as is known. */
export function useDayWords() {
  const { t } = useWords()
  const format = useFormat()
  return (date: string, precision: Precision | null | undefined): string => {
    switch (precision) {
      case 'month':
        return t('only_month', { month: format.month(date) })
      case 'year':
        return t('only_year', { year: date.slice(0, 4) })
      case 'about':
        return t('about', { day: format.date(date) })
      default:
        return format.date(date)
    }
  }
}

interface TimeProps extends Wired {
  value: string | null | undefined
  onChange: (time: string | null) => void
}

export function TimeInput({ value, onChange, ...wired }: TimeProps) {
  const { t } = useWords()
  const [typed, setTyped] = useState(value ?? '')
  const [isLeft, setLeft] = useState(true)
  const isOdd = isLeft && typed !== '' && !value
  return (
    <>
      <Input
        {...wired}
        status={isOdd ? 'error' : wired.status}
        inputMode="numeric"
        autoComplete="off"
        value={typed}
        maxLength={5}
        placeholder={t('time_hint')}
        onBlur={() => {
          setLeft(true)
          if (value) setTyped(value)
        }}
        onChange={({ target }) => {
          setLeft(false)
          setTyped(target.value)
          onChange(readTime(target.value))
        }}
      />
      {isOdd && <p className="k-birth-remark">{t('time_odd')}</p>}
    </>
  )
}
