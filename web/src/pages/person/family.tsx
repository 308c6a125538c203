// The family as a tree: boxes are a list for those who cannot see it, lines are drawn behind them.
import { useEffect, useMemo, useRef } from 'react'
import { Link } from 'react-router'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { useFormat } from '../../parts/use_format'
import { useWords as usePartsWords } from '../../parts/words'
import { BOX, layOut, type Placed } from './family_layout'
import { useWords } from './words'

const MARGIN = 12

export function Family({ id }: { id: string }) {
  const { t } = useWords()
  const family = useApiGet('/api/persons/{id}/family', { path: { id } })
  return (
    <AsyncView of={family} isEmpty={(tree) => tree.nodes.length < 2} empty={<EmptyView text={t('family_none')} />}>
      {(tree) => <Tree tree={tree} id={id} />}
    </AsyncView>
  )
}

function Tree({ tree, id }: { tree: Schemas['FamilyTree']; id: string }) {
  const { t } = useWords()
  const drawing = useMemo(() => layOut(tree), [tree])
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // On a narrow screen the person is what one sees first.
    const self = drawing.rows.flatMap((row) => row.placed).find((p) => p.node.person.id === id)
    if (frame.current && self) frame.current.scrollLeft = self.x + BOX.width / 2 - frame.current.clientWidth / 2
  }, [drawing, id])
  const hasDoubt = tree.edges.some((edge) => !edge.is_chosen)
  return (
    <div className="k-panel">
      <div className="k-family" ref={frame} tabIndex={0} role="region" aria-label={t('family_tree')}>
        <div
          className="k-family-sheet"
          style={{ width: drawing.width + 2 * MARGIN, height: drawing.height + 2 * MARGIN }}
        >
          <svg width={drawing.width} height={drawing.height} style={{ left: MARGIN, top: MARGIN }} aria-hidden="true">
            {drawing.lines.map((line, i) => (
              <path key={i} d={line.path} className={line.isChosen ? undefined : 'k-family-doubt'} />
            ))}
          </svg>
          {drawing.rows.map(({ generation, placed }) => (
            <ul key={generation} aria-label={generationWord(generation)}>
              {placed.map((one) => (
                <Relative key={one.node.person.id} one={one} tree={tree} isSelf={one.node.person.id === id} />
              ))}
            </ul>
          ))}
        </div>
      </div>
      {hasDoubt && <p className="k-faint k-family-legend">{t('family_legend')}</p>}
    </div>
  )

  function generationWord(generation: number): string {
    return t(`generation_${Math.max(-2, Math.min(2, generation)) as -2 | -1 | 0 | 1 | 2}`)
  }
}

function Relative({ one, tree, isSelf }: { one: Placed; tree: Schemas['FamilyTree']; isSelf: boolean }) {
  const { t } = useWords()
  const { t: parts } = usePartsWords()
  const format = useFormat()
  const { person, is_open } = one.node
  const name = person.name ?? parts('unnamed')
  const year = person.birth_date?.slice(0, 4)
  const age = person.birth_date ? format.age(person.birth_date) : null
  // What the lines say, for those who hear the list.
  const said = tree.edges
    .filter((edge) => edge.from === person.id)
    .map((edge) => {
      const other = tree.nodes.find((node) => node.person.id === edge.to)?.person.name ?? parts('unnamed')
      return t(`relation_${edge.kind}`, { name: other })
    })
    .join('; ')
  const inside = (
    <>
      <strong title={name}>{name}</strong>
      <span className="k-visually-hidden">{said}</span>
      <small>{is_open ? [year, age].filter(Boolean).join(' · ') || parts('not_known') : t('family_closed')}</small>
    </>
  )
  const looks = ['k-relative', `k-sex-${person.sex}`, isSelf && 'k-relative-self'].filter(Boolean).join(' ')
  return (
    <li style={{ left: one.x + MARGIN, top: one.y + MARGIN, width: BOX.width, height: BOX.height }}>
      {is_open && !isSelf ? (
        <Link to={`/persons/${person.id}?tab=family`} className={looks} data-content>
          {inside}
        </Link>
      ) : (
        <div className={looks} aria-current={isSelf || undefined} data-content>
          {isSelf && <span className="k-visually-hidden">{t('is_self')}</span>}
          {inside}
        </div>
      )}
    </li>
  )
}
