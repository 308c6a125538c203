// What there is to go by: the persons it is about, what each source says, two records side by side.
import type { Schemas } from '../../api/types'
import { DateText, DivisionPath, PersonLink } from '../../parts/texts'
import '../matches/matches.css'
import { Pair } from '../matches/pair'
import { Choices } from './choices'
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
      {detail.form === 'value' && (
        <section className="k-panel">
          <h2 id="k-task-choices">{onChoose ? t('choose') : t('sources_say')}</h2>
          <Choices detail={detail} chosen={chosen} onChoose={onChoose} />
        </section>
      )}
      {detail.people.length > 0 && (
        <section className="k-panel">
          <h2>{t('people')}</h2>
          <ul className="k-task-people">
            {detail.people.map((person) => (
              <li key={person.id}>
                <PersonLink person={person.name === null ? { ...person, name: t('name_unknown') } : person} withFacts />
                <span className="k-faint">
                  <DateText at={person.birth_date} /> · <DivisionPath of={person.division} />
                </span>
              </li>
            ))}
          </ul>
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
