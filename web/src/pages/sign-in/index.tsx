import { useEffect } from 'react'
import type { Problem } from '../../api/problem'
import { bringConsole, fetchConsole } from '../../app/bring'
import { LanguageChoice } from '../../app/language_choice'
import type { Session } from '../../app/read_session'
import { SignInForm } from '../../app/sign_in_form'
import { useWords as useAppWords } from '../../app/words'
import { ProblemView } from '../../parts/problem_view'
import './sign_in.css'
import { useWords } from './words'

interface Props {
  /** Why it is not known whether somebody is signed in. */
  problem: Problem | null
  retry: () => unknown
  onDone: (session: Session) => void
}

export default function SignInPage({ problem, retry, onDone }: Props) {
  const { t } = useWords()
  const { t: app } = useAppWords()
  const title = `${t('title')} · ${app('product')}`
  useEffect(() => {
    document.title = title
  }, [title])
  // While the reader types, the line is free.
  useEffect(() => {
    const timer = setTimeout(fetchConsole, 100)
    return () => clearTimeout(timer)
  }, [])
  return (
    <main className="k-sign-in">
      <div className="k-sign-in-box">
        <header>
          <img src="/icon.svg" alt="" width={48} height={48} />
          <h1>{app('product')}</h1>
          <p>{t('about')}</p>
        </header>
        {problem ? (
          <ProblemView problem={problem} retry={retry} />
        ) : (
          <SignInForm onSend={bringConsole} onDone={onDone} />
        )}
        <p className="k-faint">{t('help')}</p>
        <LanguageChoice />
      </div>
    </main>
  )
}
