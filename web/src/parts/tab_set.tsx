// Tabs that scroll sideways where they do not fit. Left and right go through them; only what is open is drawn.
import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from 'react'
import './tab_set.css'

export interface Tab {
  key: string
  label: string
  render: () => ReactNode
}

interface Props {
  label: string
  tabs: Tab[]
  active: string
  onChange: (key: string) => void
}

const STEPS: Record<string, (at: number, count: number) => number> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
}

export function TabSet({ label, tabs, active, onChange }: Props) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const at = tabs.findIndex((tab) => tab.key === active)
  useEffect(() => {
    const tab = list.current?.children[at]
    tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [at])
  const move = (event: KeyboardEvent) => {
    const next = STEPS[event.key]?.(at, tabs.length)
    const tab = next === undefined ? undefined : tabs[next]
    if (next === undefined || !tab) return
    event.preventDefault()
    onChange(tab.key)
    ;(list.current?.children[next] as HTMLElement | undefined)?.focus()
  }
  return (
    <>
      <div className="k-tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.key}
            type="button"
            role="tab"
            id={`${id}-${tab.key}`}
            aria-selected={tab.key === active}
            aria-controls={`${id}-panel`}
            tabIndex={tab.key === active ? 0 : -1}
            onClick={() => onChange(tab.key)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${active}`} key={active}>
        {tabs[at]?.render()}
      </div>
    </>
  )
}
