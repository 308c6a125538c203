// How a file would be read: its size, what is wrong with it, what its columns are, and a few records.
import { Alert, Collapse } from 'antd'
import type { Schemas } from '../../api/types'
import { Mark, type Tone } from '../../parts/texts'
import { useCodes } from '../../parts/use_codes'
import { useFormat } from '../../parts/use_format'
import { useValueWords } from '../../parts/use_value_words'
import { useWords } from './words'

type Preview = Schemas['Preview']

const TONES: Record<Schemas['FeedProblem']['kind'], Tone> = { reject: 'bad', problem: 'warn', warn: 'info' }
const ROLES = ['subject', 'child', 'mother', 'father', 'husband', 'wife'] as const
const SAMPLES = 6

export function PreviewView({ of }: { of: Preview }) {
  const { t } = useWords()
  const format = useFormat()
  const figures = [
    { name: t('rows'), value: format.number(of.rows) },
    { name: t('rows_bad'), value: format.number(of.rows_bad) },
    { name: t('records'), value: format.number(of.records) },
    { name: t('encoding'), value: of.encoding },
  ]
  return (
    <>
      <dl className="k-figures">
        {figures.map((figure) => (
          <div key={figure.name}>
            <dt>{figure.name}</dt>
            <dd>{figure.value}</dd>
          </div>
        ))}
      </dl>
      {of.missing.length > 0 && (
        <Alert
          type="error"
          showIcon
          className="k-problem"
          title={<span data-content>{t('missing', { columns: of.missing.join(' · ') })}</span>}
        />
      )}
      <Problems of={of} />
      <Collapse
        items={[
          {
            key: 'details',
            label: t('show_details'),
            children: (
              <>
                <Columns of={of} />
                <Samples of={of} />
              </>
            ),
          },
        ]}
      />
    </>
  )
}

function Problems({ of }: { of: Preview }) {
  const { t } = useWords()
  const format = useFormat()
  if (of.problems.length === 0) return <p>{t('problems_none')}</p>
  const most = Math.max(...of.problems.map((problem) => problem.count))
  return (
    <>
      <h3>{t('problems')}</h3>
      <ul className="k-feed-problems">
        {of.problems.map((problem, i) => (
          <li key={i}>
            <p>
              <Mark tone={TONES[problem.kind]}>{t(`kind_${problem.kind}`)}</Mark>{' '}
              <span data-content>{problem.text}</span>
            </p>
            <div className="k-feed-bar" aria-hidden>
              <span className={`k-feed-bar-${problem.kind}`} style={{ width: `${(100 * problem.count) / most}%` }} />
            </div>
            <p className="k-faint">
              {t('count_of', {
                count: format.number(problem.count),
                share: format.percent(of.rows > 0 ? problem.count / of.rows : 0, 2),
              })}
              {problem.lines.length > 0 && ` · ${t('lines', { lines: problem.lines.map(format.number).join('、') })}`}
              {problem.lines.length > 0 && problem.lines.length < problem.count && ' …'}
            </p>
          </li>
        ))}
      </ul>
    </>
  )
}

function Columns({ of }: { of: Preview }) {
  const { t } = useWords()
  const codes = useCodes()
  const titles = new Map(of.samples.flatMap((sample) => sample.fields.map((field) => [field.field, field.title])))
  const named = (attribute: string) => titles.get(attribute) ?? codes.word('attributes', attribute)
  /** "mother.name" in words. */
  const words = (fills: string) =>
    fills
      .split(/[\s,]+/)
      .filter(Boolean)
      .map((place) => {
        const [first = '', attribute] = place.split('.')
        const role = ROLES.find((known) => known === first)
        if (!role || !attribute) return named(attribute ?? first)
        const name = named(attribute)
        return role === 'subject' ? name : `${t(`role_${role}`)} ${name}`
      })
      .join(' · ')
  return (
    <>
      <h3>{t('columns')}</h3>
      <div className="k-table-frame" role="region" aria-label={t('columns')} tabIndex={0}>
        <table className="k-table">
          <thead>
            <tr>
              <th scope="col">{t('column_header')}</th>
              <th scope="col">{t('column_known')}</th>
              <th scope="col">{t('column_fills')}</th>
            </tr>
          </thead>
          <tbody>
            {of.columns.map((column) => (
              <tr key={column.header}>
                <th scope="row" data-content>
                  {column.header}
                </th>
                <td data-content>{column.column ?? <Mark tone="warn">{t('column_ignored')}</Mark>}</td>
                <td>{column.fills ? words(column.fills) : '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function Samples({ of }: { of: Preview }) {
  const { t } = useWords()
  const valueWords = useValueWords()
  return (
    <>
      <h3>{t('samples')}</h3>
      <div className="k-feed-samples">
        {of.samples.slice(0, SAMPLES).map((sample, i) => {
          const role = ROLES.find((known) => known === sample.role)
          return (
            <div key={i} className="k-card">
              <p className="k-faint">
                {role && t(`role_${role}`)} · {t('sample_row', { row: sample.row })}
              </p>
              <dl>
                {sample.fields.map((field) => (
                  <div key={field.field}>
                    <dt>{field.title}</dt>
                    <dd data-content>{valueWords(field.field, field.value)}</dd>
                  </div>
                ))}
              </dl>
            </div>
          )
        })}
      </div>
    </>
  )
}
