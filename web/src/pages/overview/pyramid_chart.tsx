// Men to the left, women to the right, the youngest at the bottom: as such a picture is read everywhere.
import { Segmented, Skeleton } from 'antd'
import { lazy, Suspense, useMemo, useState } from 'react'
import { ChartCard } from './chart_card'
import type { ChartOption } from './echart'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

const EChart = lazy(() => import('./echart'))
const groupYears = 5

interface Band {
  from: number
  to: number | null
  male: number
  female: number
}

/** The last age stands for it and all above, so it is a band of its own. */
function bandsOf(male: readonly number[], female: readonly number[], years: number): Band[] {
  const bands: Band[] = []
  const last = male.length - 1
  for (let from = 0; from < last; from += years) {
    const to = Math.min(from + years, last)
    const sum = (list: readonly number[]) => list.slice(from, to).reduce((a, b) => a + b, 0)
    bands.push({ from, to: to - 1, male: sum(male), female: sum(female) })
  }
  if (last >= 0) bands.push({ from: last, to: null, male: male[last] ?? 0, female: female[last] ?? 0 })
  return bands
}

export function PyramidChart({ male, female }: { male: number[]; female: number[] }) {
  const { t } = useWords()
  const format = useFormat()
  const [years, setYears] = useState<1 | 5>(groupYears)
  const bands = useMemo(() => bandsOf(male, female, years), [male, female, years])
  const option = useMemo<ChartOption>(() => {
    const names = bands.map((band) =>
      band.to === null ? `${band.from}+` : band.from === band.to ? String(band.from) : `${band.from}–${band.to}`,
    )
    const most = Math.max(1, ...bands.flatMap((b) => [b.male, b.female]))
    const magnitude = 10 ** Math.floor(Math.log10(most))
    const limit = Math.ceil((most / magnitude) * 2) * (magnitude / 2)
    const side = (name: string, data: number[], color: string) => ({
      type: 'bar' as const,
      stack: 'age',
      name,
      data,
      itemStyle: { color },
      barCategoryGap: years === 1 ? '4%' : '10%',
    })
    return {
      legend: { top: 0, textStyle: { color: '#3c4248' }, selectedMode: false },
      grid: { left: 4, right: 14, top: 30, bottom: 4, containLabel: true },
      tooltip: {
        trigger: 'axis',
        axisPointer: { type: 'shadow' },
        confine: true,
        valueFormatter: (value) => format.number(Math.abs(Number(value))),
      },
      xAxis: {
        type: 'value',
        min: -limit,
        max: limit,
        splitNumber: 4,
        axisLabel: {
          formatter: (value: number) => format.count(Math.abs(value)),
          hideOverlap: true,
          color: '#3c4248',
        },
      },
      yAxis: {
        type: 'category',
        data: names,
        axisTick: { show: false },
        axisLine: { show: false },
        axisLabel: { color: '#3c4248', fontSize: 11, interval: years === 1 ? 4 : 0 },
      },
      series: [
        side(
          t('male'),
          bands.map((b) => -b.male),
          '#3a6ea5',
        ),
        side(
          t('female'),
          bands.map((b) => b.female),
          '#b65577',
        ),
      ],
    }
  }, [bands, years, format, t])
  const nameOf = (band: Band) => {
    if (band.to === null) return t('and_over', { age: band.from })
    return band.from === band.to
      ? t('years_old', { age: band.from })
      : t('years_from_to', { from: band.from, to: band.to })
  }
  return (
    <ChartCard
      title={t('pyramid')}
      why={bands.some((b) => b.male + b.female > 0) ? null : t('pyramid_none')}
      extra={
        <Segmented
          aria-label={t('ages')}
          value={years}
          onChange={setYears}
          options={[
            { value: 5 as const, label: t('five_years') },
            { value: 1 as const, label: t('single_years') },
          ]}
        />
      }
      columns={[t('age'), t('male'), t('female'), t('total')]}
      rows={bands.map((b) => [nameOf(b), ...[b.male, b.female, b.male + b.female].map(format.number)])}
      plain={bands.map((b) => [nameOf(b), b.male, b.female, b.male + b.female])}
    >
      <Suspense fallback={<Skeleton active />}>
        <EChart option={option} height={years === 1 ? 620 : 460} label={t('pyramid')} />
      </Suspense>
    </ChartCard>
  )
}
