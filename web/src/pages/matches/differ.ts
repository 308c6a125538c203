// Where two short texts differ, character by character, English ones word by word: by the longest sequence both have in common.
export interface Piece {
  text: string
  isSame: boolean
}

const LONGEST = 200

/** Words for codes are other words, however many letters they share. */
export function differWhole(a: string, b: string): [Piece[], Piece[]] {
  const isSame = a === b
  return [[{ text: a, isSame }], [{ text: b, isSame }]]
}

function push(pieces: Piece[], text: string, isSame: boolean) {
  const last = pieces.at(-1)
  if (last?.isSame === isSame) last.text += text
  else pieces.push({ text, isSame })
}

function cut(text: string): string[] {
  return /[a-z]{2}/.test(text) ? text.split(/(?<=\s)|(?=\s)/) : [...text]
}

export function differ(a: string, b: string): [Piece[], Piece[]] {
  const left = cut(a)
  const right = cut(b)
  if (a === b || left.length > LONGEST || right.length > LONGEST) return differWhole(a, b)
  const width = right.length + 1
  const common = new Uint16Array((left.length + 1) * width)
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      common[i * width + j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const first: Piece[] = []
  const second: Piece[] = []
  let i = 0
  let j = 0
  while (i < left.length || j < right.length) {
    const l = left[i]
    const r = right[j]
    if (l !== undefined && l === r) {
      push(first, l, true)
      push(second, l, true)
      i++
      j++
    } else if (l !== undefined && (r === undefined || at(i + 1, j) >= at(i, j + 1))) {
      push(first, l, false)
      i++
    } else if (r !== undefined) {
      push(second, r, false)
      j++
    }
  }
  return [first, second]
}
