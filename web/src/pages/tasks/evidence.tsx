// What there is to go by: the persons it is about, what each source says, two records side by side.
import { Radio } from 'antd'
import { EmptyView } from '../../parts/async_view'
import type { Schemas } from '../../api/types'
import { DateText, DivisionPath, PersonLink } from '../../parts/texts'
import { useValueWords } from '../../parts/use_value_words'
import { Pair } from '../matches/pair'
import { useWords } from './words'

interface Props {
  detail: Schemas['TaskDetail']
  chosen: string | null
  onChoose: ((value: string) => void) | undefined
}

export function Evidence({ detail, chosen, onChoose }: Props) {
  const { t } = useWords()
  const [a, b] = detail.records
  return (
    <>
      {detail.people.length > 0 && (
        <section className="k-panel">
          <h2>{t('people')}</h2>
          <ul className="k-task-people">
            {detail.people.map((person) => (
              <li key={person.id}>
                <PersonLink person={person} withFacts />
                <span className="k-faint">
                  <DateText at={person.birth_date} /> · <DivisionPath of={person.division} />
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {detail.form === 'value' && (
        <section className="k-panel">
          <h2 id="k-task-choices">{onChoose ? t('choose') : t('sources_say')}</h2>
          <Choices detail={detail} chosen={chosen} onChoose={onChoose} />
        </section>
      )}
      {a && b && (
        <section className="k-panel k-task-records">
          <h2>{t('side_by_side')}</h2>
          <Pair a={a} b={b} />
        </section>
      )}
    </>
  )
}

export const OTHER = '\u0000'

function Choices({ detail, chosen, onChoose }: Props) {
  const { t } = useWords()
  if (!onChoose) {
    if (detail.choices.length === 0) return <EmptyView />
    return (
      <ul className="k-task-choices">
        {detail.choices.map((choice) => (
          <li key={choice.value} className="k-task-choice">
            <Says choice={choice} attribute={detail.task.attribute} />
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
      {detail.choices.map((choice) => (
        <Radio key={choice.value} value={choice.value} className="k-task-choice">
          <Says choice={choice} attribute={detail.task.attribute} />
        </Radio>
      ))}
      <Radio value={OTHER} className="k-task-choice">
        <span className="k-task-value">{t('value_unlisted')}</span>
      </Radio>
    </Radio.Group>
  )
}

function Says({ choice, attribute }: { choice: Schemas['TaskChoice']; attribute: string | null }) {
  const words = useValueWords()
  return (
    <>
      <span className="k-task-value" data-content>
        {words(attribute ?? '', choice.words)}
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
    </>
  )
}
