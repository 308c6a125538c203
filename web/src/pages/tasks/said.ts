// What can be said to a task, and how it reads. Who offers help asks nobody to prove anything.
import type { Schemas } from '../../api/types'
import type { useWords } from './words'

type Detail = Schemas['TaskDetail']
type Said = Schemas['Answer']['said']
type Word = Parameters<ReturnType<typeof useWords>['t']>[0]

interface Possible {
  said: Said
  word: Word
  testId: string
}

const UNKNOWN: Possible = { said: 'unknown', word: 'answer_unknown', testId: 'answer-unknown' }

/** The likeliest first. */
export function answersOf({ form, offer }: Pick<Detail, 'form' | 'offer'>): Possible[] {
  switch (form) {
    case 'value':
      return [{ said: 'value', word: 'answer_value', testId: 'answer-value' }, UNKNOWN]
    case 'same':
      return [
        { said: 'same', word: 'answer_same', testId: 'answer-same' },
        { said: 'different', word: 'answer_different', testId: 'answer-different' },
        UNKNOWN,
      ]
    case 'confirmed':
      return [
        { said: 'confirmed', word: offer ? 'offer_made' : 'answer_confirmed', testId: 'answer-confirmed' },
        { said: 'not_so', word: offer ? 'offer_wrong' : 'answer_not_so', testId: 'answer-not-so' },
        UNKNOWN,
      ]
  }
}

export function wordOfAnswer(detail: Detail): Word | null {
  return answersOf(detail).find(({ said }) => said === detail.answer && said !== 'value')?.word ?? null
}
