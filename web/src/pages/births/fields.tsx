// The steps of a declaration, one panel each. Nothing here asks for more than the contract has a place for.
import type { ReactNode } from 'react'
import type { Schemas } from '../../api/types'
import { ChildStep } from './child_step'
import { DeclarantStep } from './declarant_step'
import { ReviewContext } from './field'
import { Parent } from './parent'
import { PlaceStep } from './place_step'
import { panelId, type Step } from './steps'
import { HomeStep } from './home_step'
import type { Declaration } from './use_draft'
import { useWords } from './words'

export interface StepProps {
  value: Declaration
  set: (change: Partial<Declaration>) => void
}

interface Props {
  value: Declaration
  onChange: (declaration: Declaration) => void
  remarks: Schemas['BirthRemark'][]
  /** Remarks also of what nobody has touched yet. */
  isAll: boolean
  /** One step by itself, as on a phone; else all. */
  only?: Step | undefined
}

export function Fields({ value, onChange, remarks, isAll, only }: Props) {
  const { t } = useWords()
  const props: StepProps = { value, set: (change) => onChange({ ...value, ...change }) }
  const steps: [Step, ReactNode][] = [
    ['child', <ChildStep key="child" {...props} />],
    ['place', <PlaceStep key="place" {...props} />],
    [
      'parents',
      <div key="parents" className="k-birth-parents">
        <Parent role="mother" value={value.mother ?? null} onChange={(mother) => props.set({ mother })} />
        <Parent role="father" value={value.father ?? null} onChange={(father) => props.set({ father })} />
      </div>,
    ],
    ['declarant', <DeclarantStep key="declarant" {...props} />],
    ['home', <HomeStep key="home" {...props} />],
  ]
  return (
    <ReviewContext value={{ remarks, isAll }}>
      {steps.map(
        ([step, fields]) =>
          (only === undefined || only === step) && (
            <Panel key={step} step={step} title={t(`section_${step}`)}>
              {fields}
            </Panel>
          ),
      )}
    </ReviewContext>
  )
}

export function Panel({ step, title, children }: { step: Step; title: string; children: ReactNode }) {
  const id = panelId(step)
  return (
    <section className="k-panel k-birth-section" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </section>
  )
}
