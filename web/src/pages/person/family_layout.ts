// Where everybody of a family tree stands: a row for each generation, couples side by side, children below their parents.
import type { Schemas } from '../../api/types'

type Tree = Schemas['FamilyTree']
type Node = Schemas['FamilyNode']
type Edge = Schemas['FamilyEdge']

export const BOX = { width: 148, height: 74, gapX: 28, gapY: 70 }
const SWEEPS = 12

export interface Placed {
  node: Node
  x: number
  y: number
}
export interface Line {
  path: string
  isChosen: boolean
}
export interface Drawing {
  rows: { generation: number; placed: Placed[] }[]
  lines: Line[]
  width: number
  height: number
}

/** Neighbours of each by one kind of edge, both ways. */
function neighbours(edges: Edge[]): Map<string, string[]> {
  const map = new Map<string, string[]>()
  const add = (a: string, b: string) => map.set(a, [...(map.get(a) ?? []), b])
  for (const edge of edges) {
    add(edge.from, edge.to)
    add(edge.to, edge.from)
  }
  return map
}

/** Those of one row who belong side by side (spouses, parents of one child) as units, in the order of the row. */
function unitsOf(row: Node[], beside: Map<string, string[]>): string[][] {
  const inRow = new Set(row.map((node) => node.person.id))
  const seen = new Set<string>()
  const units: string[][] = []
  for (const { person } of row) {
    if (seen.has(person.id)) continue
    const unit = [person.id]
    seen.add(person.id)
    // A spouse stands right beside; one more at the other side; further ones after them.
    for (let i = 0; i < unit.length; i++) {
      for (const other of beside.get(unit[i] ?? '') ?? []) {
        if (!inRow.has(other) || seen.has(other)) continue
        seen.add(other)
        unit.push(other)
      }
    }
    units.push(unit)
  }
  return units
}

function mean(values: number[]): number | null {
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : null
}

/** Put units as near to where they want to be as their order and width allow. */
function settle(units: string[][], wanted: (unit: string[]) => number | null, x: Map<string, number>) {
  const step = BOX.width + BOX.gapX
  const targets = units.map((unit) => {
    const now = mean(unit.map((id) => x.get(id) ?? 0)) ?? 0
    return { unit, at: wanted(unit) ?? now }
  })
  targets.sort((a, b) => a.at - b.at)
  // Units that push each other form a block, which stands at the mean of what its units want.
  const blocks: { members: typeof targets; width: number; left: number }[] = []
  for (const target of targets) {
    const width = target.unit.length * step
    let block = { members: [target], width, left: target.at - width / 2 }
    for (let before = blocks.at(-1); before && before.left + before.width > block.left; before = blocks.at(-1)) {
      blocks.pop()
      const members = [...before.members, ...block.members]
      let offset = 0
      const lefts = members.map((m) => {
        const left = m.at - (m.unit.length * step) / 2 - offset
        offset += m.unit.length * step
        return left
      })
      block = { members, width: before.width + block.width, left: mean(lefts) ?? 0 }
    }
    blocks.push(block)
  }
  for (const block of blocks) {
    let at = block.left + step / 2
    for (const { unit } of block.members) {
      for (const id of unit) {
        x.set(id, at)
        at += step
      }
    }
  }
}

/** In a couple the one whose parents stand further left stands left. */
function orient(units: string[][], parents: Map<string, string[]>, x: Map<string, number>) {
  for (const unit of units) {
    if (unit.length !== 2) continue
    const [a = '', b = ''] = unit
    const left = mean((parents.get(a) ?? []).map((p) => x.get(p) ?? 0))
    const right = mean((parents.get(b) ?? []).map((p) => x.get(p) ?? 0))
    const here = x.get(a) ?? 0
    if ((left ?? here) > (right ?? here)) unit.reverse()
  }
}

export function layOut(tree: Tree): Drawing {
  const spouses = tree.edges.filter((edge) => edge.kind === 'spouse')
  const parental = tree.edges.filter((edge) => edge.kind !== 'spouse')
  const parents = new Map<string, string[]>()
  const children = new Map<string, string[]>()
  for (const { from, to } of parental) {
    parents.set(from, [...(parents.get(from) ?? []), to])
    children.set(to, [...(children.get(to) ?? []), from])
  }
  const together = [...parents.values()].flatMap((both) =>
    both.slice(1).map((other) => ({ from: both[0] ?? '', to: other }) as Edge),
  )
  const beside = neighbours([...spouses, ...together])

  const generations = [...new Set(tree.nodes.map((node) => node.generation))].sort((a, b) => a - b)
  const rows = generations.map((generation) => tree.nodes.filter((node) => node.generation === generation))
  const units = rows.map((row) => unitsOf(row, beside))
  const x = new Map<string, number>()
  for (const row of units) settle(row, () => null, x)
  const wants = (near: Map<string, string[]>) => (unit: string[]) =>
    mean(unit.flatMap((id) => near.get(id) ?? []).map((id) => x.get(id) ?? 0))
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const row of units) {
      orient(row, parents, x)
      settle(row, wants(parents), x)
    }
    for (const row of [...units].reverse()) settle(row, wants(children), x)
  }
  return draw(rows, generations, x, spouses, parental, parents)
}

function draw(
  rows: Node[][],
  generations: number[],
  x: Map<string, number>,
  spouses: Edge[],
  parental: Edge[],
  parents: Map<string, string[]>,
): Drawing {
  const left = Math.min(...x.values()) - BOX.width / 2
  const place = (node: Node, row: number): Placed => ({
    node,
    x: (x.get(node.person.id) ?? 0) - left - BOX.width / 2,
    y: row * (BOX.height + BOX.gapY),
  })
  const placed = rows.map((row, i) => row.map((node) => place(node, i)).sort((a, b) => a.x - b.x))
  const at = new Map(placed.flat().map((p) => [p.node.person.id, p]))
  const lines: Line[] = []
  for (const { from, to, is_chosen } of spouses) {
    const [a, b] = [at.get(from), at.get(to)].sort((p, q) => (p?.x ?? 0) - (q?.x ?? 0))
    if (a && b) lines.push({ path: besidePath(a, b), isChosen: is_chosen })
  }
  for (const edge of parental) {
    const child = at.get(edge.from)
    const parent = at.get(edge.to)
    if (!child || !parent) continue
    // From between both parents when they stand side by side, else from the one.
    const both = (parents.get(edge.from) ?? []).map((id) => at.get(id)).filter((p) => p !== undefined)
    const isCouple = both.length === 2 && both[0]?.y === both[1]?.y && areNear(both)
    lines.push({ path: downPath(parent, child, isCouple ? both : [parent]), isChosen: edge.is_chosen })
  }
  return {
    rows: placed.map((row, i) => ({ generation: generations[i] ?? 0, placed: row })),
    lines,
    width: Math.max(...[...at.values()].map((p) => p.x)) + BOX.width,
    height: rows.length * (BOX.height + BOX.gapY) - BOX.gapY,
  }
}

function areNear(both: Placed[]): boolean {
  return Math.abs((both[0]?.x ?? 0) - (both[1]?.x ?? 0)) < BOX.width + BOX.gapX + 1
}

function besidePath(a: Placed, b: Placed): string {
  const y = a.y + BOX.height / 2
  if (areNear([a, b])) return `M${a.x + BOX.width} ${y}H${b.x}`
  // Somebody stands between: below them.
  const low = a.y + BOX.height
  return `M${a.x + BOX.width / 2} ${low}v10H${b.x + BOX.width / 2}v-10`
}

/** From a parent down to a child; a couple's lines meet in the middle between them. */
function downPath(parent: Placed, child: Placed, both: Placed[]): string {
  const middle = both.reduce((sum, p) => sum + p.x + BOX.width / 2, 0) / both.length
  const bend = child.y - BOX.gapY / 2
  const end = `V${bend}H${child.x + BOX.width / 2}V${child.y}`
  if (both.length < 2) return `M${middle} ${parent.y + BOX.height}${end}`
  const edge = parent.x < middle - BOX.width / 2 ? parent.x + BOX.width : parent.x
  return `M${edge} ${parent.y + BOX.height / 2}H${middle}${end}`
}
