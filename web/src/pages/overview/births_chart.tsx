import { Skeleton } from 'antd'
import { lazy, Suspense, useMemo } from 'react'
import type { Schemas } from '../../api/types'
import { ChartCard } from './chart_card'
import type { ChartOption } from './echart'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

const EChart = lazy(() => import('./echart'))
const height = 280

export function BirthsChart({ births }: { births: Schemas['Figure'][] }) {
  const { t } = useWords()
  const format = useFormat()
  const option = useMemo<ChartOption>(
    () => ({
      grid: { left: 8, right: 8, top: 16, bottom: 8, containLabel: true },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, confine: true },
      xAxis: {
        type: 'category',
        data: births.map((b) => format.month(b.key)),
        axisLabel: { hideOverlap: true, color: '#3c4248' },
        axisTick: { alignWithLabel: true },
      },
      yAxis: { type: 'value', minInterval: 1, axisLabel: { color: '#3c4248' } },
      series: [
        {
          type: 'bar',
          name: t('births'),
          data: births.map((b) => b.count),
          itemStyle: { color: '#2b757e' },
          barMaxWidth: 28,
        },
      ],
    }),
    [births, format, t],
  )
  return (
    <ChartCard
      title={t('births_by_month')}
      hint={t('births_by_month_hint')}
      why={births.some((b) => b.count > 0) ? null : t('births_none')}
      columns={[t('month'), t('births')]}
      rows={births.map((b) => [format.month(b.key), format.number(b.count)])}
      plain={births.map((b) => [b.key, b.count])}
    >
      <Suspense fallback={<Skeleton active />}>
        <EChart option={option} height={height} label={t('births_by_month')} />
      </Suspense>
    </ChartCard>
  )
}
