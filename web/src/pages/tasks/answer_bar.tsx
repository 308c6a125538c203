// The answers that fit the question, large and at the lower edge; "I don't know" is always one of them.
import { Button, Input } from 'antd'
import { useId, useState } from 'react'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { ProblemView } from '../../parts/problem_view'
import { useIsPhone } from '../../parts/use_screen'
import { OTHER } from './choices'
import { answersOf } from './said'
import { useWords } from './words'

interface Props {
  detail: Schemas['TaskDetail']
  chosen: string | null
  isBusy: boolean
  isReady: boolean
  problem: Problem | null
  onAnswer: (answer: Schemas['Answer']) => void
}

const NOTE_LONGEST = 2000
const VALUE_LONGEST = 400

export function AnswerBar({ detail, chosen, isBusy, isReady, problem, onAnswer }: Props) {
  const { t } = useWords()
  const isPhone = useIsPhone()
  const [note, setNote] = useState('')
  const [isNoting, setNoting] = useState(false)
  const [other, setOther] = useState('')
  const noteId = useId()
  const otherId = useId()
  const value = chosen === OTHER ? other.trim() : chosen
  const say = (said: Schemas['Answer']['said']) =>
    onAnswer({
      said,
      ...(said === 'value' && value ? { value } : {}),
      ...(note.trim() ? { note: note.trim() } : {}),
    })
  return (
    <section className="k-task-answer k-no-print" aria-label={t('your_answer')}>
      {problem && <ProblemView problem={problem} isSmall />}
      {chosen === OTHER && (
        <div>
          <label htmlFor={otherId}>{t('value_right')}</label>
          <Input
            id={otherId}
            autoFocus
            value={other}
            maxLength={VALUE_LONGEST}
            autoComplete="off"
            data-testid="other-value"
            placeholder={t(detail.task.attribute === 'birth_day' ? 'value_day_hint' : 'value_needed')}
            onChange={(event) => setOther(event.target.value)}
          />
        </div>
      )}
      {isPhone && !isNoting ? (
        <Button type="link" className="k-task-note" onClick={() => setNoting(true)}>
          {t('note_add')}
        </Button>
      ) : (
        <div>
          <label htmlFor={noteId}>{t('note')}</label>
          <Input.TextArea
            id={noteId}
            value={note}
            autoFocus={isNoting}
            autoSize={{ minRows: 1, maxRows: 4 }}
            maxLength={NOTE_LONGEST}
            placeholder={t('note_hint')}
            onChange={(event) => setNote(event.target.value)}
          />
        </div>
      )}
      <div className="k-task-buttons">
        {answersOf(detail).map(({ said, word, testId }, i) => (
          <Button
            key={said}
            size="large"
            type={i === 0 ? 'primary' : 'default'}
            data-testid={testId}
            loading={i === 0 && isBusy}
            disabled={!isReady || (i > 0 && isBusy) || (said === 'value' && !value)}
            onClick={() => say(said)}
          >
            {t(word)}
          </Button>
        ))}
      </div>
    </section>
  )
}
