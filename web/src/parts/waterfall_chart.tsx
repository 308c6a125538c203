// How the weight of a match adds up: every step a row of a table with its bar drawn from where the step before ended.
import type { Schemas } from '../api/types'
import { formatBits, formatProbability } from './format'
import './waterfall.css'
import { useWords } from './words'

interface Bar {
  title: string
  level: string
  bits: number
  tfBits: number
  from: number
  kind: 'start' | 'step' | 'total'
}

/** Bits below which a step shows as none. */
const LEAST = 0.05

function saysNothing(step: Schemas['WaterfallStep']): boolean {
  return Math.abs(step.bits + step.tf_bits) < LEAST
}

function barsOf(of: Schemas['Waterfall'], words: { prior: string; rest: string; total: string }): Bar[] {
  const bars: Bar[] = [{ title: words.prior, level: '', bits: of.prior_bits, tfBits: 0, from: 0, kind: 'start' }]
  let at = of.prior_bits
  for (const step of of.steps) {
    if (saysNothing(step)) continue
    const bits = step.bits + step.tf_bits
    bars.push({ title: step.title, level: step.level, bits, tfBits: step.tf_bits, from: at, kind: 'step' })
    at += bits
  }
  if (Math.abs(of.rest_bits) >= LEAST) {
    bars.push({ title: words.rest, level: '', bits: of.rest_bits, tfBits: 0, from: at, kind: 'step' })
  }
  bars.push({ title: words.total, level: '', bits: of.total_bits, tfBits: 0, from: 0, kind: 'total' })
  return bars
}

export function WaterfallChart({ of }: { of: Schemas['Waterfall'] }) {
  const { t } = useWords()
  const bars = barsOf(of, { prior: t('prior'), rest: t('rest'), total: t('total') })
  const ends = bars.flatMap((bar) => [bar.from, bar.from + bar.bits])
  const silent = of.steps.filter(saysNothing).map((step) => step.title)
  const low = Math.min(0, ...ends)
  const span = Math.max(0, ...ends) - low || 1
  const place = (bits: number) => `${(100 * (bits - low)) / span}%`
  return (
    <figure className="k-waterfall">
      <table>
        <caption className="k-visually-hidden">{t('waterfall')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('step')}</th>
            <th scope="col">{t('found')}</th>
            <th scope="col" className="k-number">
              {t('bits')}
            </th>
            <th aria-hidden="true" className="k-waterfall-bars" />
          </tr>
        </thead>
        <tbody>
          {bars.map((bar, i) => (
            <tr key={i} className={`k-waterfall-${bar.kind}`}>
              <th scope="row">{bar.title}</th>
              <td>{bar.level}</td>
              <td className="k-number">
                {formatBits(bar.bits)}
                {Math.abs(bar.tfBits) >= LEAST && <small>{t('tf', { bits: formatBits(bar.tfBits) })}</small>}
              </td>
              <td aria-hidden="true" className="k-waterfall-bars">
                <span className="k-waterfall-zero" style={{ left: place(0) }} />
                <span
                  className={bar.bits < 0 ? 'k-waterfall-bar k-waterfall-against' : 'k-waterfall-bar'}
                  style={{
                    left: place(Math.min(bar.from, bar.from + bar.bits)),
                    width: `${(100 * Math.abs(bar.bits)) / span}%`,
                  }}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <figcaption>
        <strong>{t('probability', { p: formatProbability(of.probability) })}</strong>
        {silent.length > 0 && <p className="k-faint">{t('silent', { titles: silent.join(t('list_comma')) })}</p>}
      </figcaption>
    </figure>
  )
}
