// Login and password. Used by the page for it and over a page whose session has ended.
import { useMutation } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { callApi } from '../api/hooks'
import type { Problem } from '../api/problem'
import { ProblemView } from '../parts/problem_view'
import type { Session } from './session'
import { useWords } from './words'

interface Props {
  login?: string
  onDone: (session: Session) => void
}

export function SignInForm({ login, onDone }: Props) {
  const { t } = useWords()
  const send = useMutation<Session, Problem, { login: string; password: string }>({
    mutationFn: async (body) => (await callApi('post', '/api/session', { body })).body,
    onSuccess: onDone,
  })
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      initialValues={{ login }}
      onFinish={send.mutate}
      disabled={send.isPending}
    >
      <Form.Item name="login" label={t('login')} rules={[{ required: true, message: t('login_needed') }]}>
        <Input
          autoComplete="username"
          autoFocus={!login}
          autoCapitalize="none"
          spellCheck={false}
          maxLength={80}
          size="large"
        />
      </Form.Item>
      <Form.Item name="password" label={t('password')} rules={[{ required: true, message: t('password_needed') }]}>
        <Input.Password autoComplete="current-password" autoFocus={!!login} maxLength={200} size="large" />
      </Form.Item>
      {send.error && <ProblemView problem={send.error} isSmall />}
      <Button type="primary" htmlType="submit" size="large" block loading={send.isPending}>
        {t('sign_in')}
      </Button>
    </Form>
  )
}
