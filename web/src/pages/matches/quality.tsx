// How good the joining is likely to be: the estimates with the interval in which the truth most likely lies.
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView } from '../../parts/async_view'
import { DateText } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

type Estimate = Schemas['Estimate']

const DIGITS = 2
/** Where a scale may begin: both estimates share one, so that they can be compared by eye. */
const BEGINNINGS = [0.999, 0.995, 0.99, 0.95, 0.9, 0.5, 0]

export function Quality() {
  const { t } = useWords()
  const format = useFormat()
  const quality = useApiGet('/api/matches/quality', {})
  return (
    <section className="k-panel">
      <h2>{t('quality')}</h2>
      <AsyncView of={quality} lines={3}>
        {(data) => {
          const lowest = Math.min(data.precision.low ?? 1, data.recall.low ?? 1)
          const begin = BEGINNINGS.find((b) => b <= lowest) ?? 0
          return data.run_at === null || data.precision.value === null ? (
            <p>{t('quality_none')}</p>
          ) : (
            <>
              <dl className="k-quality">
                <Interval name={t('precision')} hint={t('precision_hint')} of={data.precision} begin={begin} />
                <Interval name={t('recall')} hint={t('recall_hint')} of={data.recall} begin={begin} />
              </dl>
              <p className="k-quality-scale k-faint" aria-hidden>
                <span>{format.percent(begin)}</span>
                <span>{format.percent(1)}</span>
              </p>
              <p>
                {t('quality_of', { records: format.number(data.records), persons: format.number(data.persons) })}{' '}
                <DateText at={data.run_at} withTime />
              </p>
              <p>
                {data.reviewed > 0
                  ? t('quality_reviewed', { n: format.number(data.reviewed), same: format.number(data.reviewed_same) })
                  : t('quality_unreviewed')}
              </p>
              <p className="k-faint">{data.method}</p>
            </>
          )
        }}
      </AsyncView>
    </section>
  )
}

function Interval({ name, hint, of, begin }: { name: string; hint: string; of: Estimate; begin: number }) {
  const { t } = useWords()
  const format = useFormat()
  const { value, low, high } = of
  if (value === null || low === null || high === null) return null
  const at = (share: number) => (100 * (share - begin)) / (1 - begin)
  return (
    <div>
      <dt>
        {name} <small className="k-faint">{hint}</small>
      </dt>
      <dd>
        <strong>{format.percent(value, DIGITS)}</strong>{' '}
        <span className="k-faint">
          {t('interval', { low: format.percent(low, DIGITS), high: format.percent(high, DIGITS) })}
        </span>
        <div className="k-interval" aria-hidden>
          <span className="k-interval-range" style={{ left: `${at(low)}%`, width: `${at(high) - at(low)}%` }} />
          <span className="k-interval-value" style={{ left: `${at(value)}%` }} />
        </div>
      </dd>
    </div>
  )
}
