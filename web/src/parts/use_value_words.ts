// What stands in a record or is held of a person, as people read it: days written out, codes in words.
import { useCodes, type CodeGroup } from './use_codes'
import { useFormat } from './use_format'

const GROUPS: readonly CodeGroup[] = ['ethnicity', 'marital_status', 'education', 'household_relation']

const WORDS = new Set<string>([...GROUPS, 'sex', 'status'])

/** What stands there is one of a few words, not a text with letters to compare. */
export function isWord(field: string): boolean {
  return WORDS.has(field)
}

export function useValueWords() {
  const codes = useCodes()
  const format = useFormat()
  return (field: string, text: string): string => {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return format.date(text)
    const group = GROUPS.find((name) => name === field)
    return group ? codes.word(group, text) : text
  }
}
