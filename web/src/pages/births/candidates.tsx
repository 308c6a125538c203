// Who the child may be already: each is the child, or another one. Neither answer stops a registration.
import { Button } from 'antd'
import { Link } from 'react-router'
import type { Schemas } from '../../api/types'
import { DateText, DivisionPath, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

type Candidate = Schemas['BirthCandidate']

export interface Decided {
  /** By the place of the child in the declaration. */
  same: Record<number, Candidate>
  /** Keys of those that are other children. */
  others: string[]
}

export const UNDECIDED: Decided = { same: {}, others: [] }

export function keyOf(candidate: Candidate): string {
  return `${candidate.person_id ?? ''}/${candidate.birth_id ?? ''}`
}

/** Those still to be answered; a draft is not its own double. */
export function openOf(found: Candidate[], decided: Decided, own: string | null): Candidate[] {
  const same = Object.values(decided.same).map(keyOf)
  return found.filter((candidate) => {
    const key = keyOf(candidate)
    const isOwn = candidate.birth_id !== null && candidate.birth_id === own
    return !isOwn && !decided.others.includes(key) && !same.includes(key)
  })
}

interface Props {
  open: Candidate[]
  decided: Decided
  children: Schemas['BirthChild'][]
  onDecide: (decided: Decided) => void
}

export function Candidates({ open, decided, children, onDecide }: Props) {
  const { t } = useWords()
  const same = Object.entries(decided.same).filter(([at]) => Number(at) < children.length)
  if (open.length === 0 && same.length === 0 && decided.others.length === 0) return null
  return (
    <section className="k-birth-candidates" aria-label={t('candidates')} data-testid="candidates">
      {open.length > 0 && (
        <>
          <h3>{t('candidates')}</h3>
          <p className="k-faint">{t('candidates_text')}</p>
        </>
      )}
      <ul aria-live="polite">
        {open.map((candidate) => (
          <One
            key={keyOf(candidate)}
            candidate={candidate}
            children={children}
            onSame={(at) => onDecide({ ...decided, same: { ...decided.same, [at]: candidate } })}
            onOther={() => onDecide({ ...decided, others: [...decided.others, keyOf(candidate)] })}
          />
        ))}
        {same.map(([at, candidate]) => (
          <li key={keyOf(candidate)}>
            <p>
              <Mark tone="good">{t('same_chosen')}</Mark> <strong data-content>{candidate.name ?? t('unnamed')}</strong>{' '}
              <DateText at={candidate.birth_date} />
            </p>
            <Button
              onClick={() =>
                onDecide({
                  ...decided,
                  same: Object.fromEntries(Object.entries(decided.same).filter(([one]) => one !== at)),
                })
              }
            >
              {t('same_undo')}
            </Button>
          </li>
        ))}
      </ul>
      {decided.others.length > 0 && (
        <Button type="link" onClick={() => onDecide({ ...decided, others: [] })}>
          {t('others_again', { count: decided.others.length })}
        </Button>
      )}
    </section>
  )
}

interface OneProps {
  candidate: Candidate
  children: Schemas['BirthChild'][]
  onSame: (at: number) => void
  onOther: () => void
}

function One({ candidate, children, onSame, onOther }: OneProps) {
  const { t } = useWords()
  const format = useFormat()
  return (
    <li>
      <p>
        <strong data-content>{candidate.name ?? t('unnamed')}</strong> <DateText at={candidate.birth_date} />{' '}
        <Mark tone="warn">{t('likely', { share: format.percent(candidate.probability, 0) })}</Mark>
      </p>
      <p className="k-faint">
        {candidate.mother_name && (
          <>
            {t('mother')} <span data-content>{candidate.mother_name}</span> ·{' '}
          </>
        )}
        <DivisionPath of={candidate.division} />
      </p>
      <p>{t('because', { why: candidate.why })}</p>
      <div className="k-birth-buttons">
        {candidate.birth_id && <Link to={`/births/${candidate.birth_id}`}>{t('candidate_open')}</Link>}
        {candidate.person_id &&
          children.map((_, at) => (
            <Button key={at} data-testid="same-child" onClick={() => onSame(at)}>
              {children.length > 1 ? t('same_child_n', { n: at + 1 }) : t('same_child')}
            </Button>
          ))}
        <Button data-testid="other-child" onClick={onOther}>
          {t('other_child')}
        </Button>
      </div>
    </li>
  )
}
