// Areas of which no outline is known, as tiles: shaded like the map, a bar beside the largest.
import { Link } from 'react-router'
import type { AreaPart } from './measures'

interface Props {
  parts: AreaPart[]
  label: string
  describe: (part: AreaPart) => string
  shade: (part: AreaPart) => { fill: string; text: string }
  words: (part: AreaPart) => string
  share: (part: AreaPart) => number
  linkTo: (code: string) => string
}

export function AreaTiles({ parts, label, describe, shade, words, share, linkTo }: Props) {
  return (
    <ul className="k-overview-tiles" aria-label={label}>
      {parts.map((part) => {
        const colour = shade(part)
        return (
          <li key={part.division.code}>
            <Link
              to={linkTo(part.division.code)}
              title={describe(part)}
              className="k-overview-tile"
              style={{ background: colour.fill, color: colour.text }}
              data-content
            >
              <span className="k-overview-tile-name">{part.division.name}</span>
              <span className="k-overview-tile-value">{words(part)}</span>
              <span className="k-overview-tile-bar" style={{ width: `${share(part) * 100}%` }} />
            </Link>
          </li>
        )
      })}
    </ul>
  )
}
