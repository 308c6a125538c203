// An area by typing: name, pinyin or code, found by the server; with nothing typed, what lies in and around the chosen one.
import { Select } from 'antd'
import { useState } from 'react'
import { useApiGet } from '../api/hooks'
import type { Schemas } from '../api/types'
import { useSettled } from './use_screen'
import { useWords } from './words'

export type DivisionRef = Schemas['DivisionRef']

interface Props {
  /** An area or just its code. */
  value?: DivisionRef | string | null
  onChange?: (area: DivisionRef | null) => void
  /** Only areas in these; the first is where one starts to look, and a single one stands for no choice. */
  within?: readonly DivisionRef[]
  placeholder?: string
  label?: string
  id?: string
  isRequired?: boolean
  disabled?: boolean
  /** 5 for villages only, 4 for townships and villages, … */
  minLevel?: number
  'data-testid'?: string
}

/** Codes are nested by their digits, with zeros at the end. */
export function isWithin(code: string, area: string): boolean {
  const steps = [2, 4, 6, 9, 12]
  const length = steps.find((n) => /^0*$/.test(area.slice(n))) ?? 12
  return /^0*$/.test(area) || code.slice(0, length) === area.slice(0, length)
}

export function DivisionPicker(props: Props) {
  const { value, onChange, within, label, id, isRequired, disabled, minLevel = 0 } = props
  const { t } = useWords()
  const [text, setText] = useState('')
  const [isOpen, setOpen] = useState(false)
  const asked = useSettled(text.trim(), 150)
  const code = typeof value === 'string' ? value : value?.code
  const current = useApiGet(
    '/api/divisions/{code}',
    { path: { code: code ?? '' } },
    { enabled: !!code && (isOpen || typeof value === 'string'), staleTime: Infinity },
  )
  const only = within?.length === 1 ? within[0] : undefined
  const start = only?.code
  const parent = asked ? start : (code ?? start)
  const found = useApiGet(
    '/api/divisions',
    { query: asked ? { q: asked, parent, limit: 30 } : { parent, limit: 200 } },
    { enabled: isOpen, keepPrevious: true, staleTime: Infinity },
  )

  const inside = (d: { code: string }) => !within?.length || within.some((area) => isWithin(d.code, area.code))
  const chosen: DivisionRef | undefined = typeof value === 'string' ? current.data : (value ?? undefined)
  const around = asked ? [] : [...(within ?? []), ...(current.data?.parents ?? []), ...(chosen ? [chosen] : [])]
  const below = (found.data?.items ?? []).filter((d) => d.level >= minLevel || !asked)
  const refs = new Map<string, DivisionRef>()
  for (const d of [...around, ...below]) if (inside(d) && d.code !== '000000000000') refs.set(d.code, d)
  // What was found for less than is typed by now must not be chosen by a quick Enter.
  const isBehind = text.trim() !== asked || (asked !== '' && found.isOld)
  const options = isBehind ? [] : [...refs.values()].map((d) => ({ value: d.code, label: d.name, path: d.path }))

  return (
    <Select
      id={id}
      data-testid={props['data-testid']}
      className="k-division"
      aria-label={label}
      disabled={disabled}
      value={chosen?.code ?? code ?? null}
      labelRender={() => <span data-content>{chosen?.name ?? code}</span>}
      options={options}
      optionRender={({ data }) => <AreaOption name={data.label} path={data.path} />}
      showSearch={{ filterOption: false, onSearch: setText, searchValue: text }}
      onOpenChange={setOpen}
      popupMatchSelectWidth={320}
      loading={found.isFetching || isBehind}
      allowClear={!isRequired}
      placeholder={only ? <span data-content>{only.name}</span> : (props.placeholder ?? t('division_choose'))}
      notFoundContent={found.isFetching || isBehind ? t('loading') : t('division_none')}
      onChange={(next: string | null | undefined) => {
        setText('')
        onChange?.(next ? (refs.get(next) ?? null) : null)
      }}
    />
  )
}

function AreaOption({ name, path }: { name: string; path: string }) {
  return (
    <span className="k-area-option" data-content>
      <span>{name}</span>
      {path !== name && <small>{path}</small>}
    </span>
  )
}
