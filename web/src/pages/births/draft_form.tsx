// The form at the counter: all steps on one page at the desk, one after another on a phone; the last is the summary.
import { useQueryClient } from '@tanstack/react-query'
import { Alert, Button } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { useApiSend } from '../../api/hooks'
import { isProblem, offline, type Problem } from '../../api/problem'
import { useMay } from '../../app/session'
import { useIsPhone } from '../../parts/use_screen'
import './births.css'
import { Candidates, type Decided, openOf, UNDECIDED } from './candidates'
import { Check } from './check'
import { Fields } from './fields'
import { SaveState } from './save_state'
import { StepNav } from './step_nav'
import { focusAt, focusStep, STEPS, type Step, stepOf } from './steps'
import { type Declaration, type Kept, useDraft } from './use_draft'
import { reviewOf, useReview } from './use_review'
import { useWords } from './words'

interface Props {
  draft: Kept | null
  start: Declaration
  /** It was filled in before: there is something to check at once. */
  isFilled: boolean
  onBegun?: (id: string) => void
}

export function DraftForm({ draft, start, isFilled, onBegun }: Props) {
  const { t } = useWords()
  const may = useMay()
  const isPhone = useIsPhone()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [id, setId] = useState(draft?.id ?? null)
  const kept = useDraft(start, draft, (begun) => {
    setId(begun)
    onBegun?.(begun)
  })
  const { declaration } = kept
  const [step, setStep] = useState<Step>(isFilled ? 'check' : 'child')
  const [isAll, setAll] = useState(isFilled)
  const [decided, setDecided] = useState<Decided>(UNDECIDED)
  const [isChecking, setChecking] = useState(false)
  const [refused, setRefused] = useState<Problem | null>(null)
  const review = useReview(declaration)
  const remarks = review.data?.remarks ?? []
  const children = declaration.children?.length ? declaration.children : [{}]
  const open = openOf(review.data?.candidates ?? [], decided, id)
  const register = useApiSend('post', '/api/births/{id}/register', {
    refresh: ['/api/births', '/api/deliveries', '/api/today'],
    onDone: ({ body, etag }) => {
      kept.end()
      queries.setQueryData(['/api/births/{id}', { id: body.id }, null], { body, etag })
      void navigate(`/births/${body.id}`, { replace: true, state: { isDone: true } })
    },
  })

  // A step or field that was asked for is there only after the next drawing, where steps come one by one.
  const wanted = useRef<(() => void) | null>(null)
  const [, setAsked] = useState(0)
  useEffect(() => {
    wanted.current?.()
    wanted.current = null
  })
  const goTo = (next: Step, focus = () => focusStep(next)) => {
    wanted.current = focus
    setStep(next)
    setAsked((n) => n + 1)
  }
  const goAt = (pointer: string) => goTo(stepOf(pointer), () => focusAt(pointer))

  const send = async () => {
    setAll(true)
    setChecking(true)
    setRefused(null)
    try {
      const now = await reviewOf(declaration)
      const first = now.remarks.find((remark) => remark.is_blocking)
      if (first) return goAt(first.field)
      const { id: draftId, etag } = await kept.flush()
      const same_as = children.map((_, at) => decided.same[at]?.person_id ?? null)
      register.mutate({ path: { id: draftId }, body: same_as.some(Boolean) ? { same_as } : {}, etag })
    } catch (error) {
      setRefused(isProblem(error) ? error : offline())
    } finally {
      setChecking(false)
    }
  }
  const later = () =>
    void kept
      .flush()
      .then(() => navigate('/births?show=drafts'))
      .catch(() => undefined)

  const at = STEPS.indexOf(step)
  const before = STEPS[at - 1]
  const after = STEPS[at + 1]
  const only = isPhone ? step : undefined
  const saveState = <SaveState {...kept} id={id} />
  const candidates = <Candidates open={open} decided={decided} children={children} onDecide={setDecided} />
  const registerButton = may('birth.register') && (
    <Button
      type="primary"
      size="large"
      data-testid="register"
      loading={isChecking || register.isPending}
      onClick={() => void send()}
    >
      {t('register')}
    </Button>
  )
  return (
    <div className="k-birth-form">
      <div className="k-birth-main">
        <p className="k-faint k-birth-intro">{t(isFilled && declaration.delivery_id ? 'form_filled' : 'form_text')}</p>
        {isPhone && <StepNav current={step} remarks={remarks} isAll={isAll} onStep={goTo} />}
        {isPhone && step !== 'check' && open.length > 0 && (
          <Alert
            type="warning"
            showIcon
            title={t('candidates')}
            action={<Button onClick={() => goTo('check')}>{t('look')}</Button>}
          />
        )}
        <Fields value={declaration} onChange={kept.setDeclaration} remarks={remarks} isAll={isAll} only={only} />
        {(!isPhone || step === 'check') && (
          <Check
            declaration={declaration}
            remarks={remarks}
            isKnown={review.data !== undefined}
            problem={refused ?? register.error ?? (review.data ? null : review.error)}
            onStep={goTo}
            onRemark={goAt}
          >
            {isPhone && candidates}
            {!may('birth.register') && <Alert type="info" showIcon title={t('register_elsewhere')} />}
            {!isPhone && (
              <div className="k-birth-buttons k-no-print">
                {registerButton}
                <Button size="large" onClick={later}>
                  {t('later')}
                </Button>
              </div>
            )}
          </Check>
        )}
      </div>
      {isPhone ? (
        <div className="k-birth-bar k-no-print">
          {saveState}
          <div>
            {before && (
              <Button size="large" onClick={() => goTo(before)}>
                {t('step_before')}
              </Button>
            )}
            {after && (
              <Button size="large" type="primary" data-testid="step-next" onClick={() => goTo(after)}>
                {t('step_next')}
              </Button>
            )}
            {!after && registerButton}
          </div>
          <Button type="link" onClick={later}>
            {t('later')}
          </Button>
        </div>
      ) : (
        <aside className="k-birth-aside k-no-print" aria-label={t('steps')}>
          <StepNav remarks={remarks} isAll={isAll} onStep={goTo} />
          {saveState}
          {candidates}
        </aside>
      )}
    </div>
  )
}
