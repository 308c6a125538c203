// One task: the question, the evidence side by side, and the answer at the thumb's reach.
import { useQueryClient } from '@tanstack/react-query'
import { Alert, Button } from 'antd'
import { useState } from 'react'
import { useParams } from 'react-router'
import { useApiGet, useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useMay } from '../../app/session'
import { AsyncView } from '../../parts/async_view'
import { ConfirmReason } from '../../parts/confirm_reason'
import { Page } from '../../parts/page'
import { ProblemView } from '../../parts/problem_view'
import { DateText, DivisionPath, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { AnswerBar } from './answer_bar'
import { Evidence } from './evidence'
import { Photos } from './photos'
import { wordOfAnswer } from './said'
import './tasks.css'
import { useAfterAnswer } from './use_after_answer'
import { useClaim } from './use_claim'
import { useWords } from './words'

type Detail = Schemas['TaskDetail']

export default function TaskPage() {
  const { id } = useParams()
  return id ? <OneTask key={id} id={id} /> : null
}

function OneTask({ id }: { id: string }) {
  const { t } = useWords()
  const task = useApiGet('/api/tasks/{id}', { path: { id } })
  return (
    <AsyncView of={task}>
      {(detail) => (
        <Page title={detail.task.title} back="/tasks" extra={<State of={detail.task} />}>
          <section className="k-panel k-task-question" aria-label={t('question')}>
            <p className="k-task-ask">{detail.ask}</p>
            {detail.offer && (
              <p className="k-task-offer">
                <Mark tone="good">{t('offer')}</Mark> {detail.offer} {t('offer_declined')}
              </p>
            )}
            <p className="k-faint">
              <DivisionPath of={detail.task.division} /> · {t('due')} <DateText at={detail.task.due_on} /> ·{' '}
              {detail.task.role}
            </p>
          </section>
          <Work detail={detail} etag={task.etag} reload={task.refetch} />
        </Page>
      )}
    </AsyncView>
  )
}

function State({ of: task }: { of: Schemas['Task'] }) {
  const { t } = useWords()
  if (task.state !== 'open') return <Mark>{t(`state_${task.state}`)}</Mark>
  return task.is_overdue ? <Mark tone="bad">{t('overdue')}</Mark> : null
}

function Work({ detail, etag, reload }: { detail: Detail; etag: string | undefined; reload: () => unknown }) {
  const { t } = useWords()
  const may = useMay()
  const format = useFormat()
  const { task } = detail
  const isOpen = task.state === 'open'
  const mayAnswer = may('task.answer') && isOpen
  const claim = useClaim(detail, mayAnswer, reload)
  const isFree = mayAnswer && !claim.holder
  const [chosen, setChosen] = useState<string | null>(null)
  return (
    <>
      {claim.holder && (
        <Alert
          type="warning"
          showIcon
          className="k-task-held"
          title={<span data-content>{t('held_elsewhere', { name: claim.holder })}</span>}
          description={claim.until && t('held_until', { at: format.instant(claim.until) })}
        />
      )}
      <Evidence detail={detail} chosen={chosen} onChoose={isFree ? setChosen : undefined} />
      <Photos task={task.id} photos={detail.photos} mayAdd={may('attachment.write') && isOpen && !claim.holder} />
      {!isOpen && <Settled detail={detail} />}
      {claim.problem && <ProblemView problem={claim.problem} isSmall />}
      {isFree && <Answering detail={detail} etag={etag} chosen={chosen} isReady={claim.isMine} />}
    </>
  )
}

interface AnsweringProps {
  detail: Detail
  etag: string | undefined
  chosen: string | null
  isReady: boolean
}

/** Sends the answer and goes on to what is most urgent now. */
function Answering({ detail, etag, chosen, isReady }: AnsweringProps) {
  const queries = useQueryClient()
  const after = useAfterAnswer(detail.task)
  const answer = useApiSend('post', '/api/tasks/{id}/answer', {
    refresh: ['/api/tasks', '/api/tasks/{id}', '/api/today'],
    onDone: ({ body }) => after(body),
  })
  const send = (body: Schemas['Answer']) =>
    answer.mutate(
      { path: { id: detail.task.id }, body, etag },
      {
        onError: ({ status }) => {
          // Somebody was quicker: what they did is to be seen before anything else is said.
          if (status === 409 || status === 412) void queries.invalidateQueries({ queryKey: ['/api/tasks/{id}'] })
        },
      },
    )
  return (
    <AnswerBar
      detail={detail}
      chosen={chosen}
      isBusy={answer.isPending}
      isReady={isReady}
      problem={answer.error}
      onAnswer={send}
    />
  )
}

/** What was answered; whoever may can take it back. */
function Settled({ detail }: { detail: Detail }) {
  const { t } = useWords()
  const format = useFormat()
  const may = useMay()
  const [isAsking, setAsking] = useState(false)
  const reopen = useApiSend('post', '/api/tasks/{id}/reopen', { onDone: () => setAsking(false) })
  const { task, answer, answered_by, answered_at, note } = detail
  if (task.state === 'closed') return <Alert type="info" showIcon title={t('closed_text')} />
  const word = wordOfAnswer(detail)
  const words = word ? t(word) : (detail.choices.find((choice) => choice.value === answer)?.words ?? answer ?? '')
  return (
    <section className="k-panel k-task-settled">
      <p data-content>{t('answered', { answer: words })}</p>
      {answered_by && answered_at && (
        <p className="k-faint" data-content>
          {t('answered_by', { by: answered_by, at: format.instant(answered_at) })}
        </p>
      )}
      {note && <p data-content>{note}</p>}
      {may('task.reopen') && <Button onClick={() => setAsking(true)}>{t('reopen')}</Button>}
      {reopen.error && !isAsking && <ProblemView problem={reopen.error} isSmall />}
      <ConfirmReason
        open={isAsking}
        title={t('reopen_title')}
        action={t('reopen')}
        isBusy={reopen.isPending}
        problem={reopen.error}
        onConfirm={(reason) => reopen.mutate({ path: { id: task.id }, body: { reason } })}
        onCancel={() => setAsking(false)}
      >
        <p>{t('reopen_text')}</p>
      </ConfirmReason>
    </section>
  )
}
