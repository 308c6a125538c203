// One task: the question, the evidence side by side, and the answer at the thumb's reach.
import { Alert, App, Button } from 'antd'
import { useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { callApi, useApiGet, useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useArea, useMay } from '../../app/session'
import { AsyncView } from '../../parts/async_view'
import { ConfirmReason } from '../../parts/confirm_reason'
import { Page } from '../../parts/page'
import { ProblemView } from '../../parts/problem_view'
import { DateText, DivisionPath, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { AnswerBar } from './answer_bar'
import { Evidence } from './evidence'
import { Photos } from './photos'
import './tasks.css'
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
              <p>
                <Mark tone="good">{t('offer')}</Mark> {detail.offer}
              </p>
            )}
            <p className="k-faint">
              <DivisionPath of={detail.task.division} /> · {t('due')} <DateText at={detail.task.due_on} /> ·{' '}
              {detail.task.role}
            </p>
          </section>
          <Work detail={detail} etag={task.etag} />
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

function Work({ detail, etag }: { detail: Detail; etag: string | undefined }) {
  const { t } = useWords()
  const may = useMay()
  const format = useFormat()
  const { task } = detail
  const isOpen = task.state === 'open'
  const mayAnswer = may('task.answer') && isOpen
  const claim = useClaim(task.id, mayAnswer)
  const [chosen, setChosen] = useState<string | null>(null)
  return (
    <>
      {claim.holder && (
        <Alert
          type="warning"
          showIcon
          title={t('held_elsewhere', { name: claim.holder })}
          description={claim.until && t('held_until', { at: format.instant(claim.until) })}
        />
      )}
      <Evidence detail={detail} chosen={chosen} onChoose={mayAnswer && !claim.holder ? setChosen : undefined} />
      <Photos task={task.id} photos={detail.photos} mayAdd={may('attachment.write') && isOpen && !claim.holder} />
      {!isOpen && <Settled detail={detail} />}
      {mayAnswer && !claim.holder && <Answering detail={detail} etag={etag} chosen={chosen} />}
    </>
  )
}

/** Sends the answer and goes on to what is most urgent now. */
function Answering({ detail, etag, chosen }: { detail: Detail; etag: string | undefined; chosen: string | null }) {
  const { t } = useWords()
  const { message } = App.useApp()
  const navigate = useNavigate()
  const { code } = useArea()
  const { task } = detail
  const answer = useApiSend('post', '/api/tasks/{id}/answer', {
    refresh: ['/api/tasks', '/api/tasks/{id}', '/api/today'],
    onDone: ({ body }) => {
      void message.success(doneWords(body))
      void next()
    },
  })
  const doneWords = (result: Schemas['AnswerResult']) => {
    if (result.is_open) return t('done_unknown')
    if (result.is_link_needed) return t('done_link')
    return result.corrections > 0 ? t('done_corrections', { n: result.corrections }) : t('done')
  }
  const next = async () => {
    const { body } = await callApi('get', '/api/tasks', { query: { division: code, state: 'open', limit: 5 } })
    const other = body.items.find((one) => one.id !== task.id && !one.held_by)
    if (!other) void message.info(t('all_done'))
    void navigate(other ? `/tasks/${other.id}` : '/tasks', { replace: true })
  }
  return (
    <AnswerBar
      form={detail.form}
      chosen={chosen}
      isBusy={answer.isPending}
      problem={answer.error}
      onAnswer={(body) => answer.mutate({ path: { id: task.id }, body, etag })}
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
  const words = detail.choices.find((choice) => choice.value === answer)?.words ?? saidWords(answer, t)
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

function saidWords(answer: string | null, t: ReturnType<typeof useWords>['t']): string {
  switch (answer) {
    case 'same':
      return t('answer_same')
    case 'different':
      return t('answer_different')
    case 'confirmed':
      return t('answer_confirmed')
    case 'not_so':
      return t('answer_not_so')
    case 'unknown':
      return t('answer_unknown')
    default:
      return answer ?? ''
  }
}
