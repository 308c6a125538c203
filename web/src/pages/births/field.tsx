// A field with its label and, once it has been left, what there is to remark on it; stacked answers to choose from.
import { Radio } from 'antd'
import { createContext, use, useId, useState, type ReactNode } from 'react'
import type { Schemas } from '../../api/types'

type Remark = Schemas['BirthRemark']

interface Reviewed {
  remarks: Remark[]
  /** All remarks are shown, also of what has not been touched yet. */
  isAll: boolean
}

export const ReviewContext = createContext<Reviewed>({ remarks: [], isAll: false })

/** What a control takes over from its field. */
export interface Wired {
  id: string
  'aria-describedby'?: string | undefined
  status?: 'error' | undefined
}

/** Remarks push down what stands below: not between the press and the release of a click on it, nor before what was typed is reviewed. */
const REST_MS = 500

interface FieldProps {
  label: string
  /** Where it stands in the declaration, as a JSON Pointer. */
  at: string
  /** Other places whose remarks belong here. */
  also?: string
  children: (wired: Wired) => ReactNode
}

function useRemarks(at: string, also: string | undefined, isTouched: boolean): Remark[] {
  const { remarks, isAll } = use(ReviewContext)
  return isAll || isTouched ? remarks.filter(({ field }) => field === at || field === also) : []
}

export function Field({ label, at, also, children }: FieldProps) {
  const id = useId()
  const [isTouched, setTouched] = useState(false)
  const remarks = useRemarks(at, also, isTouched)
  const isBlocked = remarks.some((remark) => remark.is_blocking)
  return (
    <div className="k-birth-field" data-at={at} onBlur={() => setTimeout(() => setTouched(true), REST_MS)}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': remarks.length > 0 ? `${id}-remarks` : undefined,
        status: isBlocked ? 'error' : undefined,
      })}
      <RemarksBeside id={`${id}-remarks`} remarks={remarks} />
    </div>
  )
}

function RemarksBeside({ id, remarks }: { id: string; remarks: Remark[] }) {
  return (
    <div id={id} aria-live="polite">
      {remarks.map((remark, i) => (
        <p key={i} className={remark.is_blocking ? 'k-birth-remark k-birth-blocking' : 'k-birth-remark'}>
          {remark.text}
        </p>
      ))}
    </div>
  )
}

interface ChoiceProps<V extends string> {
  label: string
  at: string
  /** The heading above says it already. */
  isLabelHidden?: boolean
  value: V | undefined
  testId?: string
  options: { value: V; label: string }[]
  onChange: (value: V) => void
}

export function Choice<V extends string>(props: ChoiceProps<V>) {
  const { label, at, isLabelHidden, value, testId, options, onChange } = props
  const id = useId()
  const remarks = useRemarks(at, undefined, false)
  return (
    <div className="k-birth-field" data-at={at}>
      <span id={id} className={isLabelHidden ? 'k-visually-hidden' : 'k-label'}>
        {label}
      </span>
      <Radio.Group
        className="k-birth-choice"
        aria-labelledby={id}
        value={value ?? null}
        onChange={(event) => onChange(event.target.value as V)}
      >
        {options.map((option) => (
          <Radio key={option.value} value={option.value} data-testid={testId && `${testId}-${option.value}`}>
            {option.label}
          </Radio>
        ))}
      </Radio.Group>
      <RemarksBeside id={`${id}-remarks`} remarks={remarks} />
    </div>
  )
}

export function Row({ children }: { children: ReactNode }) {
  return <div className="k-birth-row">{children}</div>
}
