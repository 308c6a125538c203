// What lies in the area, coloured by a figure of one's choice: a map where outlines are known, else tiles; always a table too.
import { useQuery } from '@tanstack/react-query'
import { Segmented, Select } from 'antd'
import { useMemo, useState } from 'react'
import { Link } from 'react-router'
import { AreaMap } from './area_map'
import type { AreaShapes } from './area_map'
import { AreaTiles } from './area_tiles'
import { ChartCard } from './chart_card'
import { mapOf } from './areas'
import { useFormat } from '../../parts/use_format'
import { classify, measure, measureKeys, shades } from './measures'
import type { AreaPart, MeasureKey } from './measures'
import { useWords } from './words'

interface Props {
  area: string
  parts: AreaPart[]
  isVillage: boolean
  linkTo: (code: string) => string
}

async function loadShapes(path: string): Promise<AreaShapes | null> {
  const answer = await fetch(path)
  if (!answer.ok || !(answer.headers.get('content-type') ?? '').includes('json')) return null
  return (await answer.json()) as AreaShapes
}

export function AreaParts({ area, parts, isVillage, linkTo }: Props) {
  const { t } = useWords()
  const format = useFormat()
  const [key, setKey] = useState<MeasureKey>('persons')
  const [order, setOrder] = useState<'figure' | 'code'>('figure')
  const path = useMemo(() => mapOf(parts.map((p) => p.division.code)), [parts])
  const shapes = useQuery({
    queryKey: ['map', path],
    queryFn: () => loadShapes(path ?? ''),
    enabled: path !== null,
    staleTime: Infinity,
  })
  const names: Record<MeasureKey, string> = {
    persons: t('persons'),
    births: t('births_year'),
    tasks_open: t('tasks_open'),
    completeness: t('completeness'),
  }
  const words = (part: AreaPart, of: MeasureKey = key) => {
    const value = measure(part, of)
    if (value === null) return t('no_figure')
    return of === 'completeness' ? format.percent(value) : format.number(value)
  }
  const classes = useMemo(() => classify(parts.map((p) => measure(p, key))), [parts, key])
  const most = Math.max(1e-9, ...parts.map((p) => measure(p, key) ?? 0))
  const ordered = useMemo(() => {
    const list = [...parts]
    if (order === 'code') return list.sort((a, b) => a.division.code.localeCompare(b.division.code))
    return list.sort((a, b) => (measure(b, key) ?? -1) - (measure(a, key) ?? -1))
  }, [parts, key, order])
  const describe = (part: AreaPart) =>
    t('go_down', { area: part.division.name, figure: names[key], value: words(part) })
  const shade = (part: AreaPart) => classes.shadeOf(measure(part, key))
  const hasMap = path !== null && shapes.data != null

  return (
    <ChartCard
      title={t('areas')}
      why={parts.length > 0 ? null : isVillage ? t('areas_of_village') : t('areas_none')}
      isLoading={path !== null && shapes.isLoading}
      extra={
        <>
          <Select
            aria-label={t('figure')}
            value={key}
            onChange={setKey}
            options={measureKeys.map((value) => ({ value, label: names[value] }))}
            popupMatchSelectWidth={false}
          />
          <Segmented
            aria-label={t('order')}
            value={order}
            onChange={setOrder}
            options={[
              { value: 'figure', label: t('by_figure') },
              { value: 'code', label: t('by_code') },
            ]}
          />
        </>
      }
      columns={[t('area'), ...measureKeys.map((k) => names[k]), t('overdue')]}
      rows={ordered.map((part) => [
        <Link key={part.division.code} to={linkTo(part.division.code)} data-content>
          {part.division.name}
        </Link>,
        ...measureKeys.map((k) => words(part, k)),
        format.number(part.tasks_overdue),
      ])}
      plain={ordered.map((part) => [
        part.division.name,
        ...measureKeys.map((k) => measure(part, k) ?? ''),
        part.tasks_overdue,
      ])}
    >
      <div className={hasMap ? 'k-overview-map-and-list' : undefined}>
        {hasMap && (
          <AreaMap
            shapes={shapes.data as AreaShapes}
            parts={parts}
            label={t('map_label', { area, figure: names[key] })}
            describe={describe}
            shade={shade}
            linkTo={linkTo}
          />
        )}
        <AreaTiles
          parts={ordered}
          label={t('areas')}
          describe={describe}
          shade={shade}
          words={words}
          share={(part) => (measure(part, key) ?? 0) / most}
          linkTo={linkTo}
        />
      </div>
      <ul className="k-overview-legend" aria-label={t('legend', { figure: names[key] })}>
        {classes.ranges.map((range) => {
          const say = key === 'completeness' ? format.percent : format.number
          return (
            <li key={range.low}>
              <span className="k-overview-swatch" style={{ background: shades[range.shade]?.fill }} />
              {range.low === range.high ? say(range.low) : `${say(range.low)}–${say(range.high)}`}
            </li>
          )
        })}
      </ul>
    </ChartCard>
  )
}
