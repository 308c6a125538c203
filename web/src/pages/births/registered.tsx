// A registration as it stands: the number, the paper, who was told what, what was done; correcting and undoing.
import { Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { standardHeaders } from '../../api/client'
import { useApiSend } from '../../api/hooks'
import { isProblem, problemOf, type Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { useMay } from '../../app/session'
import { ConfirmReason } from '../../parts/confirm_reason'
import { ProblemView } from '../../parts/problem_view'
import { DateText, DivisionPath, Mark, type Tone } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import './births.css'
import { Remarks, useReview } from './draft_form'
import { Fields } from './fields'
import { useWords } from './words'

type Birth = Schemas['Birth']

/** In groups, as it is read aloud. */
function grouped(number: string): string {
  return number.replace(/(.{4})(?=.)/g, '$1 ')
}

export function Registered({ birth, etag }: { birth: Birth; etag: string | undefined }) {
  const { t } = useWords()
  const may = useMay()
  const [isCorrecting, setCorrecting] = useState(false)
  const isDead = birth.state === 'cancelled'
  return (
    <>
      {birth.children.map((child, i) => (
        <section key={i} className="k-panel k-birth-number" aria-label={t('number')}>
          <p>
            <Mark tone={isDead ? 'bad' : 'good'}>{t(`state_${birth.state}`)}</Mark>{' '}
            <span data-content>{birth.declaration.children?.[i]?.name ?? t('unnamed')}</span>{' '}
            <DateText at={birth.declaration.birth_date ?? null} />
          </p>
          {child.number && (
            <p className="k-birth-digits" data-testid="handbook-number">
              {grouped(child.number)}
            </p>
          )}
          <div className="k-birth-buttons k-no-print">
            {!isDead && <Confirmation birth={birth.id} child={i + 1} />}
            {child.person_id && may('person.read') && <Link to={`/persons/${child.person_id}`}>{t('child')}</Link>}
          </div>
        </section>
      ))}
      <Notices notices={birth.notices} />
      {isCorrecting ? (
        <Correct birth={birth} etag={etag} onEnd={() => setCorrecting(false)} />
      ) : (
        <Declared birth={birth} />
      )}
      <Done actions={birth.actions} />
      <div className="k-birth-buttons k-no-print">
        {may('birth.write') && (
          <Link to="/births/new" className="k-shortcut">
            {t('another')}
          </Link>
        )}
        {!isDead && !isCorrecting && may('birth.correct') && (
          <Button onClick={() => setCorrecting(true)}>{t('correct')}</Button>
        )}
        {!isDead && may('birth.cancel') && <Cancel birth={birth.id} etag={etag} />}
      </div>
    </>
  )
}

/** Fetched with the purpose, then opened from memory. */
function Confirmation({ birth, child }: { birth: string; child: number }) {
  const { t } = useWords()
  const [problem, setProblem] = useState<Problem | null>(null)
  const [isBusy, setBusy] = useState(false)
  const open = async () => {
    setBusy(true)
    setProblem(null)
    try {
      const response = await fetch(`/api/births/${birth}/confirmation?child=${child}`, {
        credentials: 'same-origin',
        headers: standardHeaders(),
      })
      if (!response.ok) throw await problemOf(response)
      const url = URL.createObjectURL(await response.blob())
      window.open(url, '_blank')
      setTimeout(() => URL.revokeObjectURL(url), 60_000)
    } catch (error) {
      setProblem(isProblem(error) ? error : null)
    }
    setBusy(false)
  }
  return (
    <>
      <Button type="primary" loading={isBusy} data-testid="confirmation" onClick={() => void open()}>
        {t('confirmation')}
      </Button>
      {problem && <ProblemView problem={problem} isSmall />}
    </>
  )
}

const TONES: Record<Schemas['OfficeNotice']['state'], Tone> = {
  waiting: 'plain',
  sent: 'info',
  accepted: 'good',
  rejected: 'bad',
  withdrawn: 'warn',
}

function Notices({ notices }: { notices: Schemas['OfficeNotice'][] }) {
  const { t } = useWords()
  if (notices.length === 0) return null
  return (
    <section className="k-panel">
      <h2>{t('notices')}</h2>
      <ul className="k-birth-notices">
        {notices.map((notice) => (
          <li key={notice.id}>
            <strong>{notice.title}</strong> <Mark tone={TONES[notice.state]}>{t(`notice_${notice.state}`)}</Mark>{' '}
            {notice.answer && <span data-content>{notice.answer}</span>}
            <details>
              <summary>{t('notice_gets')}</summary>
              <dl className="k-birth-payload">
                {Object.entries(notice.payload).map(([key, value]) => (
                  <div key={key}>
                    <dt>
                      <code>{key}</code>
                    </dt>
                    <dd data-content>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
                  </div>
                ))}
              </dl>
            </details>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Declared({ birth }: { birth: Birth }) {
  const { t } = useWords()
  const { declaration: d } = birth
  const rows: [string, React.ReactNode][] = [
    [t('born'), <DateText key="born" at={d.birth_date ?? null} />],
    [
      t('place'),
      [d.place?.kind && t(`place_${d.place.kind}`), d.place?.institution, d.place?.text].filter(Boolean).join(' · '),
    ],
    [t('mother'), d.mother?.name],
    [t('father'), d.father?.name],
    [t('declarant_name'), d.declarant?.name],
    [t('home'), <DivisionPath key="home" of={birth.division} />],
    [t('address'), d.residence_address],
    [t('note'), d.note],
  ]
  return (
    <section className="k-panel">
      <h2>{t('declared')}</h2>
      <dl className="k-birth-payload">
        {rows.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd data-content>{value || '—'}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function Done({ actions }: { actions: Schemas['CaseAction'][] }) {
  const { t } = useWords()
  const format = useFormat()
  return (
    <section className="k-panel">
      <h2>{t('history')}</h2>
      <ol className="k-birth-history">
        {actions.map((action, i) => (
          <li key={i}>
            <strong>{action.title}</strong>{' '}
            <span className="k-faint" data-content>
              {t('by', { by: action.by ?? '—', at: format.instant(action.at) })}
            </span>
            {action.reason && <p data-content>{action.reason}</p>}
          </li>
        ))}
      </ol>
    </section>
  )
}

function Correct({ birth, etag, onEnd }: { birth: Birth; etag: string | undefined; onEnd: () => void }) {
  const { t } = useWords()
  const [declaration, setDeclaration] = useState(birth.declaration)
  const [isAsking, setAsking] = useState(false)
  const review = useReview(declaration)
  const remarks = review.data?.remarks ?? []
  const isReady = review.data !== undefined && !remarks.some((remark) => remark.is_blocking)
  const correct = useApiSend('post', '/api/births/{id}/correct', { onDone: onEnd })
  return (
    <>
      <h2>{t('correct_title')}</h2>
      <Fields value={declaration} onChange={setDeclaration} remarks={remarks} />
      <Remarks remarks={remarks} isReady={isReady} />
      <div className="k-birth-buttons">
        <Button type="primary" disabled={!isReady} onClick={() => setAsking(true)}>
          {t('correct_now')}
        </Button>
        <Button onClick={onEnd}>{t('stop')}</Button>
      </div>
      <ConfirmReason
        open={isAsking}
        title={t('correct_title')}
        action={t('correct_now')}
        isBusy={correct.isPending}
        problem={correct.error}
        onConfirm={(reason) => correct.mutate({ path: { id: birth.id }, body: { reason, declaration }, etag })}
        onCancel={() => setAsking(false)}
      />
    </>
  )
}

function Cancel({ birth, etag }: { birth: string; etag: string | undefined }) {
  const { t } = useWords()
  const [isAsking, setAsking] = useState(false)
  const cancel = useApiSend('post', '/api/births/{id}/cancel', { onDone: () => setAsking(false) })
  return (
    <>
      <Button danger onClick={() => setAsking(true)}>
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
