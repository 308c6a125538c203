// Small texts with one look everywhere: days, masked numbers, marks of a state, areas, persons.
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { Schemas } from '../api/types'
import { useMay } from '../app/session'
import { useFormat } from './use_format'
import { useWords } from './words'

/** A day, or an instant with `withTime`. */
export function DateText({
  at,
  withTime,
  withSeconds,
}: {
  at: string | null
  withTime?: boolean
  withSeconds?: boolean
}) {
  const { t } = useWords()
  const format = useFormat()
  if (!at) return <span className="k-faint">{t('not_known')}</span>
  return (
    <time dateTime={at} className="k-nowrap">
      {withTime || withSeconds ? format.instant(at, withSeconds) : format.date(at)}
    </time>
  )
}

/** A number of which the server keeps a part back. */
export function Masked({ text }: { text: string | null }) {
  const { t } = useWords()
  if (!text) return <span className="k-faint">{t('not_known')}</span>
  return (
    <span className="k-digits" aria-label={t('masked', { text })} role="img">
      {text}
    </span>
  )
}

export type Tone = 'plain' | 'good' | 'info' | 'warn' | 'bad'

/** A state in a word; the colour only repeats it. */
export function Mark({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`k-mark k-mark-${tone}`}>{children}</span>
}

export function DivisionPath({ of }: { of: Schemas['DivisionRef'] | null }) {
  const { t } = useWords()
  if (!of) return <span className="k-faint">{t('not_known')}</span>
  return (
    <span data-content title={of.code}>
      {of.path || of.name}
    </span>
  )
}

/** Sex and age, as far as they are known. */
export function PersonFacts({ person }: { person: Schemas['PersonBrief'] }) {
  const { t } = useWords()
  const format = useFormat()
  const age = person.birth_date ? format.age(person.birth_date) : null
  return (
    <span className="k-faint">
      {[t(`sex_${person.sex}`), age].filter(Boolean).join(' · ')}
      {person.state !== 'active' && <Mark tone="warn">{t(person.state === 'merged' ? 'merged' : 'retired')}</Mark>}
    </span>
  )
}

interface PersonLinkProps {
  person: Schemas['PersonBrief'] | null
  withFacts?: boolean
}

export function PersonLink({ person, withFacts }: PersonLinkProps) {
  const { t } = useWords()
  const may = useMay()
  if (!person) return <span className="k-faint">{t('not_known')}</span>
  const name = person.name ?? t('unnamed')
  return (
    <span className="k-person">
      {may('person.read') ? (
        <Link to={`/persons/${person.id}`} data-content>
          {name}
        </Link>
      ) : (
        <span data-content>{name}</span>
      )}
      {withFacts && <PersonFacts person={person} />}
    </span>
  )
}
