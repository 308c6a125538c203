// What each source says, with the characters marked in which they differ; one is chosen, or another is typed.
import { Radio } from 'antd'
import { EmptyView } from '../../parts/async_view'
import type { Schemas } from '../../api/types'
import { DateText } from '../../parts/texts'
import { isWord, useValueWords } from '../../parts/use_value_words'
import { differ, differWhole, type Piece } from '../matches/differ'
import { useWords } from './words'

/** No value of the register is this one. */
export const OTHER = '\u0000'

interface Props {
  detail: Schemas['TaskDetail']
  chosen: string | null
  /** Without it they are only shown. */
  onChoose: ((value: string) => void) | undefined
}

export function Choices({ detail, chosen, onChoose }: Props) {
  const { t } = useWords()
  const words = useValueWords()
  const { choices } = detail
  const texts = choices.map((choice) => words(detail.task.attribute ?? '', choice.words))
  if (choices.length === 0 && !onChoose) return <EmptyView />
  const says = choices.map((choice, i) => (
    <Says
      key={choice.value}
      choice={choice}
      pieces={piecesOf(texts, i, isWord(detail.task.attribute ?? ''))}
      whole={texts[i] ?? ''}
    />
  ))
  if (!onChoose) {
    return (
      <ul className="k-task-choices">
        {choices.map((choice, i) => (
          <li key={choice.value} className="k-task-choice">
            {says[i]}
          </li>
        ))}
      </ul>
    )
  }
  return (
    <Radio.Group
      className="k-task-choices"
      aria-labelledby="k-task-choices"
      value={chosen}
      onChange={(event) => onChoose(event.target.value as string)}
    >
      {choices.map((choice, i) => (
        <Radio key={choice.value} value={choice.value} className="k-task-choice">
          {says[i]}
        </Radio>
      ))}
      {detail.task.attribute !== 'sex' && (
        <Radio value={OTHER} className="k-task-choice">
          <span className="k-task-value">{t('value_unlisted')}</span>
        </Radio>
      )}
    </Radio.Group>
  )
}

/** The first is marked against the second, the others against the first. */
function piecesOf(texts: string[], i: number, isWhole: boolean): Piece[] | null {
  const own = texts[i]
  const other = texts[i === 0 ? 1 : 0]
  if (own === undefined || other === undefined) return null
  return (isWhole ? differWhole : differ)(own, other)[0]
}

function Says({ choice, pieces, whole }: { choice: Schemas['TaskChoice']; pieces: Piece[] | null; whole: string }) {
  return (
    <span className="k-task-says">
      <span className="k-task-value" data-content>
        {pieces?.map((piece, i) => (piece.isSame ? piece.text : <mark key={i}>{piece.text}</mark>)) ?? whole}
      </span>
      <span className="k-task-sources">
        {choice.holders.map((holder, i) => (
          <span key={i} className="k-faint">
            {holder.source.title}
            {holder.recorded_on && (
              <>
                {' '}
                <DateText at={holder.recorded_on} />
              </>
            )}
          </span>
        ))}
      </span>
    </span>
  )
}
