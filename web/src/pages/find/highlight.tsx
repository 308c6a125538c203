// The part of a name that was typed.
import type { Schemas } from '../../api/types'

type Matched = Schemas['PersonHit']['matched']

/** From where to where; initials stand for as many characters from the first. */
function span(name: string, typed: string, matched: Matched): [number, number] {
  if (matched === 'name') {
    const at = name.indexOf(typed)
    return at < 0 ? [0, 0] : [at, at + typed.length]
  }
  if (matched === 'initials') return [0, Math.min([...typed].length, name.length)]
  return matched === 'pinyin' ? [0, name.length] : [0, 0]
}

export function Highlighted({ name, typed, matched }: { name: string; typed: string; matched: Matched }) {
  const [from, to] = span(name, typed.replace(/\s/g, ''), matched)
  if (from === to) return <>{name}</>
  return (
    <>
      {name.slice(0, from)}
      <mark>{name.slice(from, to)}</mark>
      {name.slice(to)}
    </>
  )
}
