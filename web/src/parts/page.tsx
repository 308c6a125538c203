// The frame of a page: its heading, which takes the focus when one comes from another page, and what can be done there.
import { useEffect, useRef, type ReactNode } from 'react'
import { Link, NavigationType, useLocation, useNavigate, useNavigationType } from 'react-router'
import { BackSign } from './signs'
import { useWords } from './words'
import { useWords as useAppWords } from '../app/words'

interface Props {
  title: string
  /** Set when the title is content of the register, not a word of the console. */
  isContent?: boolean
  /** The list it belongs to, for who came from nowhere; anyone else goes back to where they were. */
  back?: string | undefined
  extra?: ReactNode
  children: ReactNode
}

export function Page({ title, isContent, back, extra, children }: Props) {
  const { t } = useWords()
  const { t: say } = useAppWords()
  const heading = useRef<HTMLHeadingElement>(null)
  const cameBy = useNavigationType()
  const navigate = useNavigate()
  const isFirst = useLocation().key === 'default'
  const product = say('product')
  useEffect(() => {
    // The name of a person stays out of the browser's history.
    document.title = isContent ? product : `${title} · ${product}`
  }, [title, isContent, product])
  useEffect(() => {
    const isBusy = document.activeElement instanceof HTMLInputElement
    if (cameBy === NavigationType.Push && !isBusy) heading.current?.focus({ preventScroll: true })
  }, [cameBy])
  return (
    <article className="k-page">
      <header className="k-page-head">
        <div className="k-page-title">
          {back && (
            <Link
              to={back}
              className="k-back"
              aria-label={t('back')}
              onClick={(event) => {
                if (isFirst || event.metaKey || event.ctrlKey) return
                event.preventDefault()
                void navigate(-1)
              }}
            >
              <BackSign />
            </Link>
          )}
          <h1 ref={heading} tabIndex={-1} data-content={isContent || undefined}>
            {title}
          </h1>
        </div>
        {extra && <div className="k-page-extra">{extra}</div>}
      </header>
      {children}
    </article>
  )
}
