// Words for codes (sex, ethnicity, kinds of task, attributes, feeds), asked once.
import { useApiGet } from '../api/hooks'
import type { Schemas } from '../api/types'
import { useLanguage } from '../app/language'

export type CodeGroup = keyof Schemas['Codes']

export function useCodes() {
  const language = useLanguage()
  const { data } = useApiGet('/api/codes', {}, { staleTime: Infinity })
  return {
    list: (group: CodeGroup) => data?.[group] ?? [],
    /** The word for a code; the code itself when there is none. */
    word: (group: CodeGroup, code: string) => data?.[group].find((w) => w.code === code)?.[language] ?? code,
  }
}
