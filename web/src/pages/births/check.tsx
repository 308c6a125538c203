// The last step: everything once more as it will be registered, what is still needed, what may be noted.
import { Alert } from 'antd'
import type { ReactNode } from 'react'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { ProblemView } from '../../parts/problem_view'
import { Declared } from './declared'
import { Panel } from './fields'
import type { Step } from './steps'
import type { Declaration } from './use_draft'
import { useWords } from './words'

interface Props {
  declaration: Declaration
  remarks: Schemas['BirthRemark'][]
  /** The remarks are the server's, not just none so far. */
  isKnown: boolean
  problem: Problem | null
  onStep: (step: Step) => void
  onRemark: (pointer: string) => void
  children: ReactNode
}

export function Check({ declaration, remarks, isKnown, problem, onStep, onRemark, children }: Props) {
  const { t } = useWords()
  return (
    <Panel step="check" title={t('section_check')}>
      <Declared of={declaration} onStep={onStep} />
      <Remarks remarks={remarks} isKnown={isKnown} onRemark={onRemark} />
      {problem && <ProblemView problem={problem} isSmall />}
      {children}
    </Panel>
  )
}

interface RemarksProps {
  remarks: Schemas['BirthRemark'][]
  isKnown: boolean
  onRemark?: (pointer: string) => void
}

export function Remarks({ remarks, isKnown, onRemark }: RemarksProps) {
  const { t } = useWords()
  const blocking = remarks.filter((remark) => remark.is_blocking)
  const hints = remarks.filter((remark) => !remark.is_blocking)
  const list = (of: Schemas['BirthRemark'][]) => (
    <ul className="k-birth-remarks">
      {of.map((remark, i) => (
        <li key={i}>
          {onRemark ? (
            <button type="button" className="k-birth-change" onClick={() => onRemark(remark.field)}>
              {remark.text}
            </button>
          ) : (
            remark.text
          )}
        </li>
      ))}
    </ul>
  )
  return (
    <div className="k-birth-told" aria-live="polite">
      {blocking.length > 0 && <Alert type="warning" showIcon title={t('needed')} description={list(blocking)} />}
      {hints.length > 0 && <Alert type="info" showIcon title={t('hints')} description={list(hints)} />}
      {isKnown && blocking.length === 0 && <Alert type="success" showIcon title={t('all_right')} />}
    </div>
  )
}
