// A permission in words.
import { useWords } from './permission_words'

/** The name itself where there is no word for it: a pack may have more. */
export function usePermissionWords() {
  const { t } = useWords()
  return (permission: string) => {
    const key = `may_${permission}`
    const words = t(key as 'may_person.read')
    return words === key ? permission : words
  }
}
