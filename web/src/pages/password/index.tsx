// The own password; also where the first sign-in leads, before anything else.
import { useRef, useState, type FormEvent } from 'react'
import { useNavigate } from 'react-router'
import { callApi } from '../../api/call'
import { sayFarewell } from '../../app/farewell'
import { LanguageChoice } from '../../app/language_choice'
import { useSession, useSessionState } from '../../app/session'
import { Notice } from '../../parts/notice'
import { Page } from '../../parts/page'
import { ProblemView } from '../../parts/problem_view'
import { SendButton } from '../../parts/send_button'
import { SecretField } from '../../parts/text_field'
import { useSending } from '../../parts/use_sending'
import './password.css'
import { useWords } from './words'

const NAMES = ['old', 'new', 'again'] as const
type Name = (typeof NAMES)[number]
type Fields = Record<Name, string>

type Fault = 'old_needed' | 'new_needed' | 'new_same' | 'again_needed' | 'again_differs'

/** What is wrong with a field as it stands; what is merely not there yet counts only when the form was sent. */
function faultOf(name: Name, fields: Fields, isSent: boolean): Fault | null {
  if (fields[name] === '') return isSent ? `${name}_needed` : null
  if (name === 'new' && fields.new === fields.old) return 'new_same'
  if (name === 'again' && fields.again !== fields.new) return 'again_differs'
  return null
}

export default function PasswordPage() {
  const { t } = useWords()
  const { account, must_change_password: isForced } = useSession()
  const { refresh, signOut } = useSessionState()
  const navigate = useNavigate()
  const [fields, setFields] = useState<Fields>({ old: '', new: '', again: '' })
  const [left, setLeft] = useState<Partial<Record<Name, boolean>>>({})
  const [isTried, setTried] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const { isSending, problem, send } = useSending(() => {
    sayFarewell(t('done'))
    void refresh().then(() => navigate('/', { replace: true }))
  })

  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    const wrong = NAMES.find((name) => faultOf(name, fields, true))
    if (wrong) return form.current?.querySelector<HTMLInputElement>(`input[name="${wrong}"]`)?.focus()
    void send(() => callApi('post', '/api/session/password', { body: { old: fields.old, new: fields.new } }))
  }
  const propsOf = (name: Name) => {
    const fault = isTried || left[name] ? faultOf(name, fields, isTried) : null
    return {
      name,
      label: t(name),
      value: fields[name],
      onChange: (value: string) => setFields({ ...fields, [name]: value }),
      onBlur: () => setLeft({ ...left, [name]: true }),
      fault: fault && t(fault),
    }
  }
  return (
    <main className="k-password">
      <Page title={t('title')} back={isForced ? undefined : '/'}>
        <div className="k-panel">
          {isForced && <Notice tone="info" title={t('forced')} />}
          <form ref={form} onSubmit={submit} noValidate>
            {/* Tells a password manager whose password it is. */}
            <input type="text" name="username" autoComplete="username" value={account.login} readOnly hidden />
            <SecretField {...propsOf('old')} autoComplete="current-password" />
            <SecretField {...propsOf('new')} autoComplete="new-password" hint={t('new_hint')} />
            <SecretField {...propsOf('again')} autoComplete="new-password" />
            <p className="k-faint">{t('others')}</p>
            {problem && <ProblemView problem={problem} isSmall />}
            <div className="k-password-actions">
              <SendButton isSending={isSending}>{t('change')}</SendButton>
              {isForced && (
                <button type="button" className="k-button" onClick={() => void signOut()}>
                  {t('sign_out')}
                </button>
              )}
            </div>
          </form>
        </div>
        <LanguageChoice />
      </Page>
    </main>
  )
}
