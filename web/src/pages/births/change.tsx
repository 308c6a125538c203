// Correcting and undoing a registration, each with a reason.
import { Button } from 'antd'
import { useState } from 'react'
import { useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { ConfirmReason } from '../../parts/confirm_reason'
import { ProblemView } from '../../parts/problem_view'
import { Remarks } from './check'
import { Fields } from './fields'
import { focusAt } from './steps'
import { useReview } from './use_review'
import { useWords } from './words'

interface CorrectProps {
  birth: Schemas['Birth']
  etag: string | undefined
  onEnd: () => void
}

export function Correct({ birth, etag, onEnd }: CorrectProps) {
  const { t } = useWords()
  const [declaration, setDeclaration] = useState(birth.declaration)
  const [isAsking, setAsking] = useState(false)
  const review = useReview(declaration)
  const remarks = review.data?.remarks ?? []
  const first = remarks.find((remark) => remark.is_blocking)
  const isChanged = JSON.stringify(declaration) !== JSON.stringify(birth.declaration)
  const correct = useApiSend('post', '/api/births/{id}/correct', { onDone: onEnd })
  return (
    <section aria-label={t('correct_title')}>
      <h2 className="k-birth-correct">{t('correct_title')}</h2>
      <Fields value={declaration} onChange={setDeclaration} remarks={remarks} isAll />
      <Remarks remarks={remarks} isKnown={false} onRemark={focusAt} />
      {review.error && <ProblemView problem={review.error} isSmall />}
      <div className="k-birth-buttons">
        <Button
          type="primary"
          size="large"
          disabled={!isChanged}
          data-testid="correct-now"
          onClick={() => (first ? focusAt(first.field) : setAsking(true))}
        >
          {t('correct_now')}
        </Button>
        <Button size="large" onClick={onEnd}>
          {t('stop')}
        </Button>
      </div>
      <ConfirmReason
        open={isAsking}
        title={t('correct_title')}
        action={t('correct_now')}
        isBusy={correct.isPending}
        problem={correct.error}
        onConfirm={(reason) => correct.mutate({ path: { id: birth.id }, body: { reason, declaration }, etag })}
        onCancel={() => setAsking(false)}
      >
        <p>{t('correct_text')}</p>
      </ConfirmReason>
    </section>
  )
}

export function Cancel({ birth, etag }: { birth: string; etag: string | undefined }) {
  const { t } = useWords()
  const [isAsking, setAsking] = useState(false)
  const cancel = useApiSend('post', '/api/births/{id}/cancel', { onDone: () => setAsking(false) })
  return (
    <>
      <Button danger data-testid="cancel" onClick={() => setAsking(true)}>
        {t('cancel')}
      </Button>
      <ConfirmReason
        open={isAsking}
        title={t('cancel')}
        action={t('cancel')}
        isDanger
        isBusy={cancel.isPending}
        problem={cancel.error}
        onConfirm={(reason) => cancel.mutate({ path: { id: birth }, body: { reason }, etag })}
        onCancel={() => setAsking(false)}
      >
        <p>{t('cancel_text')}</p>
      </ConfirmReason>
    </>
  )
}
