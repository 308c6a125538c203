// The steps in order; those that still need something say so. On a phone: where one is.
import type { Schemas } from '../../api/types'
import { Mark } from '../../parts/texts'
import { STEPS, type Step, stepOf } from './steps'
import { useWords } from './words'

interface Props {
  /** The step that is shown by itself. */
  current?: Step
  remarks: Schemas['BirthRemark'][]
  isAll: boolean
  onStep: (step: Step) => void
}

export function StepNav({ current, remarks, isAll, onStep }: Props) {
  const { t } = useWords()
  const needs = (step: Step) => isAll && remarks.some((remark) => remark.is_blocking && stepOf(remark.field) === step)
  if (current) {
    const at = STEPS.indexOf(current) + 1
    return (
      <nav className="k-birth-dots" aria-label={t('steps')}>
        <p>{t('step_at', { n: at, of: STEPS.length })}</p>
        <ol>
          {STEPS.map((step) => (
            <li key={step}>
              <button
                type="button"
                aria-current={step === current ? 'step' : undefined}
                className={needs(step) ? 'k-birth-dot-needs' : undefined}
                onClick={() => onStep(step)}
              >
                <span className="k-visually-hidden">
                  {t(`section_${step}`)} {needs(step) && t('step_needs')}
                </span>
              </button>
            </li>
          ))}
        </ol>
      </nav>
    )
  }
  return (
    <nav className="k-birth-nav" aria-label={t('steps')}>
      <ol>
        {STEPS.map((step, i) => (
          <li key={step}>
            <button type="button" onClick={() => onStep(step)}>
              <span aria-hidden="true">{i + 1}</span> {t(`section_${step}`)}{' '}
              {needs(step) && <Mark tone="warn">{t('step_needs')}</Mark>}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  )
}
