// Login and password. Used by the page for it and over a page whose session has ended.
import { useRef, useState, type FormEvent } from 'react'
import { callApi } from '../api/call'
import { ProblemView } from '../parts/problem_view'
import { SendButton } from '../parts/send_button'
import { SecretField, TextField } from '../parts/text_field'
import { useSending } from '../parts/use_sending'
import type { Session } from './read_session'
import { useWords } from './words'

interface Props {
  login?: string
  /** Told when the form is sent, before the answer. */
  onSend?: () => void
  onDone: (session: Session) => void
}

export function SignInForm({ login: known = '', onSend, onDone }: Props) {
  const { t } = useWords()
  const [login, setLogin] = useState(known)
  const [password, setPassword] = useState('')
  const [isTried, setTried] = useState(false)
  const loginInput = useRef<HTMLInputElement>(null)
  const passwordInput = useRef<HTMLInputElement>(null)
  const { isSending, problem, send } = useSending(onDone)
  const loginFault = isTried && login.trim() === '' ? t('login_needed') : null
  const passwordFault = isTried && password === '' ? t('password_needed') : null
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (login.trim() === '') return loginInput.current?.focus()
    if (password === '') return passwordInput.current?.focus()
    onSend?.()
    void send(async () => (await callApi('post', '/api/session', { body: { login: login.trim(), password } })).body)
  }
  return (
    <form onSubmit={submit} noValidate>
      <TextField
        ref={loginInput}
        label={t('login')}
        value={login}
        onChange={setLogin}
        fault={loginFault}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        autoFocus={known === ''}
        maxLength={80}
      />
      <SecretField
        ref={passwordInput}
        label={t('password')}
        value={password}
        onChange={setPassword}
        fault={passwordFault}
        name="password"
        autoComplete="current-password"
        autoFocus={known !== ''}
      />
      {problem && <ProblemView problem={problem} isSmall />}
      <SendButton isSending={isSending} isLarge>
        {t('sign_in')}
      </SendButton>
    </form>
  )
}
