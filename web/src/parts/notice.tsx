// Something the reader must know, said where it holds.
import type { ReactNode } from 'react'
import './notice.css'
import { FaultSign, InfoSign } from './signs'

interface Props {
  tone: 'info' | 'error'
  title: string
  /** In a form, beside what it is about. */
  isSmall?: boolean | undefined
  action?: ReactNode
  children?: ReactNode
}

export function Notice({ tone, title, isSmall, action, children }: Props) {
  return (
    <div
      role={tone === 'error' ? 'alert' : 'note'}
      className={`k-notice k-notice-${tone}${isSmall ? ' k-notice-small' : ''}`}
    >
      {tone === 'error' ? <FaultSign /> : <InfoSign />}
      <div className="k-notice-text">
        <strong>{title}</strong>
        {children}
      </div>
      {action}
    </div>
  )
}
