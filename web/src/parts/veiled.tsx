// A number that bystanders at the counter need not read: hidden in part until it is asked for.
import { Button } from 'antd'
import { useState } from 'react'
import { useWords } from './words'

const HEAD = 3
const TAIL = 4

function veil(text: string): string {
  const hidden = text.length - HEAD - TAIL
  return hidden > 0 ? text.slice(0, HEAD) + '*'.repeat(hidden) + text.slice(-TAIL) : text
}

export function Veiled({ text, label }: { text: string; label: string }) {
  const { t } = useWords()
  const [isShown, setShown] = useState(false)
  return (
    <span className="k-nowrap">
      <span className="k-digits" data-content>
        {isShown ? text : veil(text)}
      </span>{' '}
      <Button
        type="link"
        size="small"
        className="k-no-print"
        aria-label={`${t(isShown ? 'veil' : 'unveil')} ${label}`}
        aria-pressed={isShown}
        onClick={() => setShown(!isShown)}
      >
        {t(isShown ? 'veil' : 'unveil')}
      </Button>
    </span>
  )
}
