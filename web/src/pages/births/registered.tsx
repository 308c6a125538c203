// A registration as it stands: the number, the paper, what comes next, who was told what, what was done.
import { Alert, Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { Schemas } from '../../api/types'
import { useMay } from '../../app/session'
import { DateText, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import './births.css'
import { Cancel, Correct } from './change'
import { Confirmation } from './confirmation'
import { useDayWords } from './day_input'
import { Declared } from './declared'
import { Next, Notices } from './notices'
import { useWords } from './words'

type Birth = Schemas['Birth']

/** In groups, as it is read aloud. */
function grouped(number: string): string {
  return number.replace(/(.{4})(?=.)/g, '$1 ')
}

interface Props {
  birth: Birth
  etag: string | undefined
  /** It was registered just now. */
  isDone: boolean
}

export function Registered({ birth, etag, isDone }: Props) {
  const { t } = useWords()
  const may = useMay()
  const [isCorrecting, setCorrecting] = useState(false)
  const isUndone = birth.state === 'cancelled'
  return (
    <>
      {isUndone && <Alert className="k-birth-undone" type="warning" showIcon title={t('undone_text')} />}
      {birth.children.map((child, at) => (
        <Number key={at} birth={birth} child={child} at={at} />
      ))}
      {!isUndone && <Next birth={birth} isDone={isDone} />}
      <Notices notices={birth.notices} />
      {isCorrecting ? (
        <Correct birth={birth} etag={etag} onEnd={() => setCorrecting(false)} />
      ) : (
        <section className="k-panel">
          <h2>{t('declared')}</h2>
          <Declared of={birth.declaration} />
        </section>
      )}
      <History actions={birth.actions} />
      <div className="k-birth-buttons k-no-print">
        {may('birth.write') && (
          <Link to="/births/new" className={isDone ? 'k-shortcut k-shortcut-first' : 'k-shortcut'}>
            {t('another')}
          </Link>
        )}
        {!isUndone && !isCorrecting && may('birth.correct') && (
          <Button data-testid="correct" onClick={() => setCorrecting(true)}>
            {t('correct')}
          </Button>
        )}
        {!isUndone && !isCorrecting && may('birth.cancel') && <Cancel birth={birth.id} etag={etag} />}
      </div>
    </>
  )
}

function Number({ birth, child, at }: { birth: Birth; child: Schemas['BirthRegisteredChild']; at: number }) {
  const { t } = useWords()
  const may = useMay()
  const dayWords = useDayWords()
  const { declaration } = birth
  const isUndone = birth.state === 'cancelled'
  return (
    <section className="k-panel k-birth-number" aria-label={t('number')}>
      <p>
        <strong data-content>{declaration.children?.[at]?.name ?? t('unnamed')}</strong>{' '}
        {declaration.birth_date && <span>{dayWords(declaration.birth_date, declaration.precision)}</span>}{' '}
        <Mark tone={isUndone ? 'bad' : 'good'}>{t(`state_${birth.state}`)}</Mark>
      </p>
      {child.number && (
        <>
          <p className="k-birth-digits" data-testid="handbook-number">
            {grouped(child.number)}
          </p>
          <p className="k-faint">{t('number_use')}</p>
        </>
      )}
      <div className="k-birth-buttons k-no-print">
        {!isUndone && <Confirmation birth={birth.id} child={at + 1} />}
        {child.person_id && may('person.read') && <Link to={`/persons/${child.person_id}`}>{t('open_person')}</Link>}
      </div>
    </section>
  )
}

function History({ actions }: { actions: Schemas['CaseAction'][] }) {
  const { t } = useWords()
  const format = useFormat()
  return (
    <section className="k-panel">
      <h2>{t('history')}</h2>
      <ol className="k-birth-history">
        {actions.map((action, i) => (
          <li key={i}>
            <strong>{action.title}</strong>{' '}
            <span className="k-faint">
              {action.by ? (
                <span data-content>{t('by', { by: action.by, at: format.instant(action.at) })}</span>
              ) : (
                <DateText at={action.at} withTime />
              )}
            </span>
            {action.reason && <p data-content>{action.reason}</p>}
          </li>
        ))}
      </ol>
    </section>
  )
}
