// Login and password. Used by the page for it and over a page whose session has ended. Plain inputs: it is the first thing
// a phone loads, and a form library would be the largest part of it.
import { EyeInvisibleOutlined, EyeOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Button } from 'antd'
import { useId, useState, type FormEvent } from 'react'
import { callApi } from '../api/hooks'
import type { Problem } from '../api/problem'
import { ProblemView } from '../parts/problem_view'
import type { Session } from './session'
import './sign_in_form.css'
import { useWords } from './words'

interface Props {
  login?: string
  onDone: (session: Session) => void
}

export function SignInForm({ login: known = '', onDone }: Props) {
  const { t } = useWords()
  const [login, setLogin] = useState(known)
  const [password, setPassword] = useState('')
  const [isShown, setShown] = useState(false)
  const [isTried, setTried] = useState(false)
  const id = useId()
  const send = useMutation<Session, Problem, { login: string; password: string }>({
    mutationFn: async (body) => (await callApi('post', '/api/session', { body })).body,
    onSuccess: onDone,
  })
  const loginFault = isTried && login.trim() === '' ? t('login_needed') : null
  const passwordFault = isTried && password === '' ? t('password_needed') : null
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (login.trim() !== '' && password !== '') send.mutate({ login: login.trim(), password })
  }
  return (
    <form className="k-sign-in-form" onSubmit={submit} noValidate>
      <label htmlFor={`${id}-login`}>{t('login')}</label>
      <input
        id={`${id}-login`}
        value={login}
        onChange={(event) => setLogin(event.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        autoFocus={known === ''}
        spellCheck={false}
        maxLength={80}
        aria-invalid={!!loginFault}
        aria-describedby={`${id}-login-fault`}
      />
      <Fault id={`${id}-login-fault`} text={loginFault} />
      <label htmlFor={`${id}-password`}>{t('password')}</label>
      <span className="k-sign-in-secret">
        <input
          id={`${id}-password`}
          type={isShown ? 'text' : 'password'}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          autoComplete="current-password"
          autoFocus={known !== ''}
          maxLength={200}
          aria-invalid={!!passwordFault}
          aria-describedby={`${id}-password-fault`}
        />
        <button type="button" aria-label={t('password_show')} aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? <EyeOutlined /> : <EyeInvisibleOutlined />}
        </button>
      </span>
      <Fault id={`${id}-password-fault`} text={passwordFault} />
      {send.error && <ProblemView problem={send.error} isSmall />}
      <Button type="primary" htmlType="submit" size="large" block loading={send.isPending}>
        {t('sign_in')}
      </Button>
    </form>
  )
}

function Fault({ id, text }: { id: string; text: string | null }) {
  return (
    <p id={id} className="k-sign-in-fault" role={text ? 'alert' : undefined}>
      {text}
    </p>
  )
}
