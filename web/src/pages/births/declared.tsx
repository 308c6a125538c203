// A declaration as people read it: what will be registered, or was.
import type { ReactNode } from 'react'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { DivisionPath } from '../../parts/texts'
import { useDayWords } from './day_input'
import { STEPS, type Step } from './steps'
import type { Declaration } from './use_draft'
import { useWords } from './words'

interface Props {
  of: Declaration
  /** Goes to a step to change it. */
  onStep?: (step: Step) => void
}

type Entry = [title: string, value: ReactNode]

export function Declared({ of: d, onStep }: Props) {
  const { t } = useWords()
  const entries = useEntries(d)
  return (
    <>
      {STEPS.filter((step) => step !== 'check').map((step) => (
        <section key={step} className="k-birth-summary" aria-label={t(`section_${step}`)}>
          <h3>
            {t(`section_${step}`)}{' '}
            {onStep && (
              <button type="button" className="k-birth-change" onClick={() => onStep(step)}>
                {t('change')}
                <span className="k-visually-hidden"> {t(`section_${step}`)}</span>
              </button>
            )}
          </h3>
          <dl>
            {entries[step].map(([title, value], i) => (
              <div key={i}>
                <dt>{title}</dt>
                <dd data-content>{value || '—'}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </>
  )
}

function useEntries(d: Declaration): Record<Exclude<Step, 'check'>, Entry[]> {
  const { t } = useWords()
  const dayWords = useDayWords()
  const { place, declarant } = d
  const day = d.birth_date && [dayWords(d.birth_date, d.precision), d.birth_time].filter(Boolean).join(' ')
  const kind = declarant?.kind && t(`declarant_${declarant.kind}`)
  return {
    child: [
      [t('born'), day],
      ...(d.children ?? []).map((child, i): Entry => [
        (d.children?.length ?? 0) > 1 ? t('child_n', { n: i + 1 }) : t('child'),
        <ChildWords key={i} child={child} />,
      ]),
    ],
    place: [
      [t('place'), join([place?.kind && t(`place_${place.kind}`), place?.institution, place?.text])],
      ...(place?.division ? [[t('division'), <Area key="area" code={place.division} />] satisfies Entry] : []),
    ],
    parents: [
      [t('mother'), <ParentWords key="mother" of={d.mother} />],
      [t('father'), <ParentWords key="father" of={d.father} />],
    ],
    declarant: [
      [t('declarant_name'), join([declarant?.name, declarant?.relation ?? kind, declarant?.phone])],
      ...(declarant?.is_commitment ? [[t('papers'), t('commitment')] satisfies Entry] : []),
    ],
    home: [
      [t('home'), d.residence_division && <Area code={d.residence_division} />],
      [t('address'), d.residence_address],
      ...(d.note ? [[t('note'), d.note] satisfies Entry] : []),
    ],
  }
}

function join(parts: (string | null | undefined)[]): string {
  return parts.filter(Boolean).join(' · ')
}

function ChildWords({ child }: { child: Schemas['BirthChild'] }) {
  const { t } = useWords()
  const dayWords = useDayWords()
  const sex = child.sex === 1 || child.sex === 2 ? t(`sex_${child.sex}`) : null
  return (
    <>
      {join([
        child.name ?? t('unnamed'),
        sex,
        child.weight_g ? t('grams', { n: child.weight_g }) : null,
        child.length_mm ? t('centimetres', { n: child.length_mm / 10 }) : null,
        child.certificate_no,
      ])}
      {child.death_date && <p>{t('died_at', { day: dayWords(child.death_date, 'exact') })}</p>}
    </>
  )
}

function ParentWords({ of: parent }: { of: Schemas['BirthParent'] | null | undefined }) {
  const { t } = useWords()
  const dayWords = useDayWords()
  if (!parent) return <span className="k-faint">{t('parent_unknown')}</span>
  const born = parent.birth_date && dayWords(parent.birth_date, 'exact')
  return join([parent.name ?? t('name_unknown'), born, parent.identity_number, parent.phone])
}

function Area({ code }: { code: string }) {
  const area = useApiGet('/api/divisions/{code}', { path: { code } }, { staleTime: Infinity })
  return area.data ? <DivisionPath of={area.data} /> : code
}
