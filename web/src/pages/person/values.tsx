// What is held of a person: for each attribute the chosen value, where it is from, and what other sources say.
import type { Schemas } from '../../api/types'
import { EmptyView } from '../../parts/async_view'
import { DateText, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useValueWords } from '../../parts/use_value_words'
import { Veiled } from '../../parts/veiled'
import { useWords } from './words'

type Attribute = Schemas['AttributeView']
type Value = Schemas['ValueView']

export function Values({ attributes }: { attributes: Attribute[] }) {
  const { t } = useWords()
  const known = attributes.filter((attribute) => attribute.values.length > 0)
  if (known.length === 0) return <EmptyView text={t('values_none')} />
  return (
    <div className="k-values">
      {known.map((attribute) => (
        <AttributeCard key={attribute.attribute} attribute={attribute} />
      ))}
    </div>
  )
}

function AttributeCard({ attribute }: { attribute: Attribute }) {
  const { t } = useWords()
  const format = useFormat()
  const chosen = attribute.values.filter((value) => value.is_chosen)
  const others = attribute.values.filter((value) => !value.is_chosen)
  const { decided_by, decided_at } = attribute
  return (
    <section className={attribute.is_conflict ? 'k-panel k-value k-value-conflict' : 'k-panel k-value'}>
      <h2>
        {attribute.title} {attribute.is_conflict && <Mark tone="warn">{t('conflict')}</Mark>}
      </h2>
      {chosen.map((value) => (
        <OneValue key={value.value} of={attribute} value={value} />
      ))}
      {decided_by && (
        <p className="k-faint">
          {t('decided_by', { by: decided_by, at: decided_at ? format.instant(decided_at) : '' })}
        </p>
      )}
      {others.length > 0 && (
        <>
          <h3>{t('competing')}</h3>
          {others.map((value) => (
            <OneValue key={value.value} of={attribute} value={value} />
          ))}
        </>
      )}
    </section>
  )
}

function OneValue({ of, value }: { of: Attribute; value: Value }) {
  const { t } = useWords()
  const words = useValueWords()(of.attribute, value.words)
  const isPhone = of.attribute === 'phone'
  return (
    <div className={value.is_chosen ? 'k-one-value k-one-value-chosen' : 'k-one-value'}>
      <p>
        <span className="k-value-words" data-content>
          {isPhone ? <Veiled text={words} label={of.title} /> : words}
        </span>{' '}
        {value.is_chosen && <Mark tone="good">{t('chosen')}</Mark>}{' '}
        {value.is_decided && <Mark tone="info">{t('decided')}</Mark>}{' '}
        {value.is_incomplete && <Mark tone="warn">{t('incomplete')}</Mark>}{' '}
        <span className="k-faint k-nowrap">{t('score', { n: value.score })}</span>
      </p>
      <ul aria-label={t('holders')}>
        {value.holders.map((holder, i) => (
          <li key={i}>
            <span>{holder.source.title}</span>
            {!isPhone && holder.text !== value.words && holder.text !== value.value && (
              <span data-content>“{holder.text}”</span>
            )}
            {holder.recorded_on && <DateText at={holder.recorded_on} />}
          </li>
        ))}
      </ul>
    </div>
  )
}
