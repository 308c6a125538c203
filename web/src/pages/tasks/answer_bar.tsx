// The answers that fit the question, large and at the lower edge; "I don't know" is always one of them.
import { Button, Input } from 'antd'
import { useId, useState } from 'react'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { ProblemView } from '../../parts/problem_view'
import { OTHER } from './evidence'
import { useWords } from './words'

interface Props {
  form: Schemas['TaskDetail']['form']
  chosen: string | null
  isBusy: boolean
  problem: Problem | null
  onAnswer: (answer: Schemas['Answer']) => void
}

const NOTE_LONGEST = 2000
const VALUE_LONGEST = 400

export function AnswerBar({ form, chosen, isBusy, problem, onAnswer }: Props) {
  const { t } = useWords()
  const [note, setNote] = useState('')
  const [other, setOther] = useState('')
  const noteId = useId()
  const otherId = useId()
  const say = (said: Schemas['Answer']['said'], value?: string) =>
    onAnswer({ said, ...(value === undefined ? {} : { value }), ...(note.trim() ? { note: note.trim() } : {}) })
  const value = chosen === OTHER ? other.trim() : chosen
  return (
    <section className="k-task-answer k-no-print">
      {problem && <ProblemView problem={problem} isSmall />}
      {chosen === OTHER && (
        <div>
          <label htmlFor={otherId}>{t('value_right')}</label>
          <Input
            id={otherId}
            autoFocus
            value={other}
            maxLength={VALUE_LONGEST}
            placeholder={t('value_needed')}
            onChange={(event) => setOther(event.target.value)}
          />
        </div>
      )}
      <div>
        <label htmlFor={noteId}>{t('note')}</label>
        <Input.TextArea
          id={noteId}
          value={note}
          autoSize={{ minRows: 1, maxRows: 4 }}
          maxLength={NOTE_LONGEST}
          placeholder={t('note_hint')}
          onChange={(event) => setNote(event.target.value)}
        />
      </div>
      <div className="k-task-buttons">
        {form === 'value' && (
          <Button
            type="primary"
            size="large"
            data-testid="answer-value"
            disabled={!value}
            loading={isBusy}
            onClick={() => value && say('value', value)}
          >
            {t('answer_value')}
          </Button>
        )}
        {form === 'same' && (
          <>
            <Button type="primary" size="large" data-testid="answer-same" loading={isBusy} onClick={() => say('same')}>
              {t('answer_same')}
            </Button>
            <Button size="large" data-testid="answer-different" disabled={isBusy} onClick={() => say('different')}>
              {t('answer_different')}
            </Button>
          </>
        )}
        {form === 'confirmed' && (
          <>
            <Button
              type="primary"
              size="large"
              data-testid="answer-confirmed"
              loading={isBusy}
              onClick={() => say('confirmed')}
            >
              {t('answer_confirmed')}
            </Button>
            <Button size="large" data-testid="answer-not-so" disabled={isBusy} onClick={() => say('not_so')}>
              {t('answer_not_so')}
            </Button>
          </>
        )}
        <Button size="large" data-testid="answer-unknown" disabled={isBusy} onClick={() => say('unknown')}>
          {t('answer_unknown')}
        </Button>
      </div>
    </section>
  )
}
