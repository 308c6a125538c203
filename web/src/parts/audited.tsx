// What was done and to what, as the audit log keeps it: in words where there are some, else as it stands there.
import { useWords } from './action_words'

export function Action({ of: action }: { of: string }) {
  const { t } = useWords()
  const key = `did_${action}`
  const words = t(key as 'did_person.read')
  return words === key ? <code>{action}</code> : words
}

/** Something named by its kind and id: match/0sasvcvx35m00. */
const NAMED = /^([a-z]+)(?:\/([0-9a-hjkmnp-tv-z]{13}))?$/i

export function Audited({ of: object }: { of: string | null }) {
  const { t } = useWords()
  if (!object) return '—'
  const [, kind, id] = NAMED.exec(object) ?? []
  const key = `of_${kind}`
  const words = t(key as 'of_person')
  if (!kind || words === key) return <code>{object}</code>
  return (
    <>
      {words} {id && <code>{id.toUpperCase()}</code>}
    </>
  )
}
