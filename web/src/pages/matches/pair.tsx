// Two records side by side, field by field, with the characters marked in which they differ.
import type { Schemas } from '../../api/types'
import { DateText, Mark } from '../../parts/texts'
import { isWord, useValueWords } from '../../parts/use_value_words'
import { differ, differWhole, type Piece } from './differ'
import { useWords } from './words'

type Source = Schemas['SourceRecord']
type Field = Schemas['RecordField']

/** Days on which two offices did their work differ without telling anything of the person. */
const UNCOMPARED = new Set(['event_day'])
const ROLES = ['child', 'mother', 'father', 'husband', 'wife'] as const

/** The fields of both, in the order of the first; fields that only the second has come after. */
function rowsOf(a: Source, b: Source) {
  const rows = a.fields.map((field) => ({ a: field, b: b.fields.find((f) => f.field === field.field) }))
  const rest = b.fields.filter((field) => !a.fields.some((f) => f.field === field.field))
  return [...rows, ...rest.map((field) => ({ a: undefined, b: field }))]
}

export function Pair({ a, b }: { a: Source; b: Source }) {
  const { t } = useWords()
  const valueWords = useValueWords()
  const words = (field: Field | undefined) => (field ? valueWords(field.field, field.value) : null)
  return (
    <table className="k-pair">
      <caption className="k-visually-hidden">{t('side_by_side')}</caption>
      <thead>
        <tr>
          <th scope="col">
            <span className="k-visually-hidden">{t('field')}</span>
          </th>
          {[a, b].map((record) => (
            <th key={record.id} scope="col">
              <Head of={record} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rowsOf(a, b).map((row) => {
          const left = words(row.a)
          const right = words(row.b)
          const isBoth = left !== null && right !== null && !UNCOMPARED.has(row.a?.field ?? '')
          const apart = isWord(row.a?.field ?? '') ? differWhole : differ
          const [first, second] = isBoth ? apart(left, right) : [null, null]
          return (
            <tr key={(row.a ?? row.b)?.field} className={isBoth && left !== right ? 'k-pair-differs' : undefined}>
              <th scope="row">{(row.a ?? row.b)?.title}</th>
              <td data-content>{left === null ? <Nothing /> : <Pieces of={first} whole={left} />}</td>
              <td data-content>{right === null ? <Nothing /> : <Pieces of={second} whole={right} />}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

function Head({ of }: { of: Source }) {
  const { t } = useWords()
  const role = ROLES.find((known) => known === of.role)
  return (
    <>
      <strong>{of.source.title}</strong> {role && <Mark>{t(`role_${role}`)}</Mark>}
      <small>
        {of.recorded_on && (
          <>
            <DateText at={of.recorded_on} />{' '}
          </>
        )}
        <span data-content>{t('from', { file: of.file_name, row: of.row })}</span>
      </small>
    </>
  )
}

function Nothing() {
  const { t } = useWords()
  return <span className="k-faint">{t('not_in_record')}</span>
}

function Pieces({ of, whole }: { of: Piece[] | null; whole: string }) {
  if (!of) return whole
  return of.map((piece, i) => (piece.isSame ? piece.text : <mark key={i}>{piece.text}</mark>))
}
