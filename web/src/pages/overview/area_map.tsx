// The counties of a prefecture as they lie, each a link: drawn as SVG, so that it can be walked by keyboard and printed.
import { useEffect, useMemo, useRef, useState } from 'react'
import { Link } from 'react-router'
import { noShade } from './measures'
import type { AreaPart } from './measures'
import { useWords } from './words'

type Ring = [number, number][]
export interface AreaShapes {
  features: {
    properties: { code: string; name: string; center: [number, number] }
    geometry: { type: 'Polygon'; coordinates: Ring[] } | { type: 'MultiPolygon'; coordinates: Ring[][] }
  }[]
}

interface Props {
  shapes: AreaShapes
  parts: AreaPart[]
  label: string
  describe: (part: AreaPart) => string
  shade: (part: AreaPart) => { fill: string; text: string }
  linkTo: (code: string) => string
}

const edge = 6

function ringsOf(shape: AreaShapes['features'][number]): Ring[] {
  return shape.geometry.type === 'Polygon' ? shape.geometry.coordinates : shape.geometry.coordinates.flat()
}

/** Longitude narrowed by the cosine of the middle latitude: true enough over two degrees, and no library is needed. */
function projection(shapes: AreaShapes, width: number) {
  let west = 180,
    east = -180,
    south = 90,
    north = -90
  for (const shape of shapes.features)
    for (const ring of ringsOf(shape))
      for (const [x, y] of ring) {
        west = Math.min(west, x)
        east = Math.max(east, x)
        south = Math.min(south, y)
        north = Math.max(north, y)
      }
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180)
  const scale = (width - 2 * edge) / ((east - west) * narrow)
  const place = ([x, y]: readonly [number, number]): [number, number] => [
    edge + (x - west) * narrow * scale,
    edge + (north - y) * scale,
  ]
  return { place, height: Math.round((north - south) * scale + 2 * edge) }
}

function useWidth() {
  const ref = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const box = ref.current
    if (!box) return
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.min(Math.round(entry.contentRect.width), 640))
    })
    observer.observe(box)
    return () => {
      observer.disconnect()
    }
  }, [])
  return [ref, width] as const
}

export function AreaMap({ shapes, parts, label, describe, shade, linkTo }: Props) {
  const { t } = useWords()
  const [ref, width] = useWidth()
  const drawn = useMemo(() => {
    if (width < 100) return null
    const { place, height } = projection(shapes, width)
    const areas = shapes.features.map((shape) => ({
      ...shape.properties,
      at: place(shape.properties.center),
      path: ringsOf(shape)
        .map(
          (ring) =>
            `M${ring
              .map((p) =>
                place(p)
                  .map((n) => n.toFixed(1))
                  .join(','),
              )
              .join('L')}Z`,
        )
        .join(''),
    }))
    return { height, areas }
  }, [shapes, width])
  const partOf = new Map(parts.map((part) => [part.division.code, part]))

  return (
    <div ref={ref} className="k-overview-map">
      {drawn && (
        <svg width={width} height={drawn.height} role="group" aria-label={label}>
          {drawn.areas.map((area) => {
            const part = partOf.get(area.code)
            const colour = part ? shade(part) : noShade
            const shape = (
              <>
                <title>{part ? describe(part) : `${area.name}: ${t('no_figure')}`}</title>
                <path d={area.path} fill={colour.fill} className="k-overview-county" />
              </>
            )
            return part ? (
              <Link key={area.code} to={linkTo(area.code)} aria-label={describe(part)}>
                {shape}
              </Link>
            ) : (
              <g key={area.code}>{shape}</g>
            )
          })}
          {drawn.areas.map((area) => {
            const part = partOf.get(area.code)
            const colour = part ? shade(part) : noShade
            return (
              <text
                key={area.code}
                x={area.at[0]}
                y={area.at[1] + 4}
                textAnchor="middle"
                fontSize={width < 480 ? 11 : 13}
                fill={colour.text}
                stroke={colour.fill}
                className="k-overview-county-name"
                aria-hidden
                data-content
              >
                {width < 480 ? area.name.slice(0, 2) : area.name}
              </text>
            )
          })}
        </svg>
      )}
    </div>
  )
}
