// The button that sends a form: while it does, it says so, keeps the focus and takes no second press.
import type { ReactNode } from 'react'

interface Props {
  isSending: boolean
  isLarge?: boolean
  children: ReactNode
}

export function SendButton({ isSending, isLarge, children }: Props) {
  return (
    <button
      type="submit"
      className={isLarge ? 'k-button k-button-first k-button-large' : 'k-button k-button-first'}
      aria-busy={isSending}
      aria-disabled={isSending}
    >
      {children}
    </button>
  )
}
