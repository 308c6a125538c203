// Twelve-digit area codes: two digits each for province, prefecture and county, three each for township and village.
const ends = [2, 4, 6, 9, 12] as const
const whole = '000000000000'

function head(code: string): string {
  for (const end of ends) if (/^0*$/.test(code.slice(end))) return code.slice(0, end)
  return code
}

export function isWhole(code: string): boolean {
  return code === whole
}

/** A village has digits of its own at the end. */
export function isVillage(code: string | undefined): boolean {
  return code !== undefined && !code.endsWith('000')
}

/** Whether `code` is `area` or lies in it. */
export function liesIn(code: string, area: string): boolean {
  return isWhole(area) || code.startsWith(head(area))
}

/** The map that draws the parts of an area, named after the area; only prefectures may have one. */
export function mapOf(codes: readonly string[]): string | null {
  const first = codes[0]
  if (first === undefined) return null
  const prefecture = first.slice(0, 4)
  const areCounties = codes.every((c) => c.startsWith(prefecture) && c.endsWith('000000') && c.slice(4, 6) !== '00')
  return areCounties ? `/maps/${prefecture}00.json` : null
}
