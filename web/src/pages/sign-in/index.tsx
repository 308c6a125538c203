import { useEffect } from 'react'
import { Navigate, useSearchParams } from 'react-router'
import { LanguageChoice } from '../../app/language_choice'
import { useSessionState } from '../../app/session'
import { SignInForm } from '../../app/sign_in_form'
import { useWords as useAppWords } from '../../app/words'
import { ProblemView } from '../../parts/problem_view'
import './sign_in.css'
import { useWords } from './words'

/** Only an address of this console: nobody is sent elsewhere by a link to the sign-in page. */
function within(back: string | null): string {
  return back && /^\/(?![/\\])/.test(back) && !back.startsWith('/sign-in') ? back : '/'
}

export default function SignInPage() {
  const { t } = useWords()
  const { t: app } = useAppWords()
  const [search] = useSearchParams()
  const { session, error, refresh, signedIn } = useSessionState()
  const title = `${t('title')} · ${app('product')}`
  useEffect(() => {
    document.title = title
  }, [title])
  if (session) return <Navigate to={within(search.get('back'))} replace />
  return (
    <main className="k-sign-in">
      <div className="k-sign-in-box">
        <header>
          <img src="/icon.svg" alt="" width={48} height={48} />
          <h1>{app('product')}</h1>
          <p>{t('about')}</p>
        </header>
        {error ? <ProblemView problem={error} retry={refresh} /> : <SignInForm onDone={signedIn} />}
        <p className="k-faint">{t('help')}</p>
        <LanguageChoice />
      </div>
    </main>
  )
}
