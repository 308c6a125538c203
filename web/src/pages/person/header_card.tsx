// What one wants to see first of a person.
import type { ReactNode } from 'react'
import type { Schemas } from '../../api/types'
import { DateText, DivisionPath, Mark, PersonFacts } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useValueWords } from '../../parts/use_value_words'
import { Veiled } from '../../parts/veiled'
import { useWords } from './words'

const SHOWN = ['identity_number', 'phone', 'address', 'handbook_no', 'death_day']

export function HeaderCard({ person }: { person: Schemas['Person'] }) {
  const { t } = useWords()
  const format = useFormat()
  const wordsOf = useValueWords()
  const { birth_date, division, id } = person.person
  const chosen = person.attributes.flatMap((attribute) => {
    const value = attribute.values.find((v) => v.is_chosen)
    return SHOWN.includes(attribute.attribute) && value
      ? [{ name: attribute.attribute, title: attribute.title, words: wordsOf(attribute.attribute, value.words) }]
      : []
  })
  return (
    <section className="k-panel k-person-card">
      <p className="k-person-state">
        <PersonFacts person={person.person} />
        {person.conflicts > 0 ? (
          <Mark tone="warn">{t('conflicts', { n: person.conflicts, count: person.conflicts })}</Mark>
        ) : (
          <Mark tone="good">{t('agreed')}</Mark>
        )}
        <span className="k-faint">
          {t('records_count', { n: format.number(person.records), count: person.records })}
        </span>
      </p>
      <dl className="k-facts">
        <Fact title={t('born')}>
          <DateText at={birth_date} />
        </Fact>
        {chosen.map(({ name, title, words }) => (
          <Fact key={name} title={title}>
            {name === 'phone' ? <Veiled text={words} label={title} /> : <span data-content>{words}</span>}
          </Fact>
        ))}
        <Fact title={t('home')}>
          <DivisionPath of={division} />
        </Fact>
        <Fact title={t('id')}>
          <code className="k-digits">{id}</code>
        </Fact>
      </dl>
    </section>
  )
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  )
}
