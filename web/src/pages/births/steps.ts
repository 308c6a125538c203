// The short steps of a declaration, and which of them a JSON Pointer belongs to.
export const STEPS = ['child', 'place', 'parents', 'declarant', 'home', 'check'] as const
export type Step = (typeof STEPS)[number]

const OF_MEMBER: Record<string, Step> = {
  birth_date: 'child',
  birth_time: 'child',
  precision: 'child',
  gestational_days: 'child',
  children: 'child',
  place: 'place',
  mother: 'parents',
  father: 'parents',
  declarant: 'declarant',
  residence_division: 'home',
  residence_address: 'home',
  note: 'home',
}

export function stepOf(pointer: string): Step {
  return OF_MEMBER[pointer.split('/')[1] ?? ''] ?? 'check'
}

export function panelId(step: Step): string {
  return `k-birth-${step}`
}

const CONTROLS = 'input:not([type="hidden"]), textarea, button'

/** To the field that a pointer names, or as near to it as there is one; else to the heading of its step. */
export function focusAt(pointer: string) {
  const panel = document.getElementById(panelId(stepOf(pointer)))
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const field = panel?.querySelector(`[data-at="${CSS.escape(at)}"], [data-at^="${CSS.escape(at)}/"]`)
    const control = field?.querySelector<HTMLElement>(CONTROLS)
    if (!control) continue
    control.focus({ preventScroll: true })
    field?.scrollIntoView({ block: 'center' })
    return
  }
  focusStep(stepOf(pointer))
}

export function focusStep(step: Step) {
  const heading = document.getElementById(panelId(step))?.querySelector('h2')
  heading?.focus({ preventScroll: true })
  heading?.scrollIntoView({ block: 'start' })
}
