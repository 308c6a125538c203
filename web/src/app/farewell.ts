// What a page says when it is left for another; the frame shows it there.
let words: string | null = null

export function sayFarewell(said: string) {
  words = said
}

export function takeFarewell(): string | null {
  const said = words
  words = null
  return said
}
