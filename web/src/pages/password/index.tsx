// The own password; also where the first sign-in leads, before anything else.
import { Alert, App, Button, Form, Input } from 'antd'
import { useNavigate } from 'react-router'
import { useApiSend } from '../../api/hooks'
import { LanguageChoice } from '../../app/language_choice'
import { useSession, useSessionState } from '../../app/session'
import { Page } from '../../parts/page'
import { ProblemView } from '../../parts/problem_view'
import './password.css'
import { useWords } from './words'

interface Fields {
  old: string
  new: string
  again: string
}

export default function PasswordPage() {
  return (
    <App>
      <PasswordForm />
    </App>
  )
}

function PasswordForm() {
  const { t } = useWords()
  const { must_change_password: isForced } = useSession()
  const { refresh, signOut } = useSessionState()
  const { message } = App.useApp()
  const navigate = useNavigate()
  const send = useApiSend('post', '/api/session/password', {
    refresh: [],
    onDone: () => {
      void message.success(t('done'))
      void refresh().then(() => navigate('/', { replace: true }))
    },
  })
  return (
    <main className="k-password">
      <Page title={t('title')} back={isForced ? undefined : '/'}>
        <div className="k-panel">
          {isForced && <Alert type="info" showIcon title={t('forced')} className="k-problem" />}
          <Form<Fields>
            layout="vertical"
            requiredMark={false}
            disabled={send.isPending}
            onFinish={(fields) => send.mutate({ body: { old: fields.old, new: fields.new } })}
          >
            <Form.Item name="old" label={t('old')} rules={[{ required: true, message: t('old_needed') }]}>
              <Input.Password autoComplete="current-password" maxLength={200} />
            </Form.Item>
            <Form.Item
              name="new"
              label={t('new')}
              extra={t('new_hint')}
              dependencies={['old']}
              rules={[
                { required: true, message: t('new_needed') },
                ({ getFieldValue }) => ({
                  validator: (_, value: string) =>
                    value && value === getFieldValue('old')
                      ? Promise.reject(new Error(t('new_same')))
                      : Promise.resolve(),
                }),
              ]}
            >
              <Input.Password autoComplete="new-password" maxLength={200} />
            </Form.Item>
            <Form.Item
              name="again"
              label={t('again')}
              dependencies={['new']}
              rules={[
                { required: true, message: t('again_needed') },
                ({ getFieldValue }) => ({
                  validator: (_, value: string) =>
                    value && value !== getFieldValue('new')
                      ? Promise.reject(new Error(t('again_differs')))
                      : Promise.resolve(),
                }),
              ]}
            >
              <Input.Password autoComplete="new-password" maxLength={200} />
            </Form.Item>
            <p className="k-faint">{t('others')}</p>
            {send.error && <ProblemView problem={send.error} isSmall />}
            <div className="k-password-actions">
              <Button type="primary" htmlType="submit" loading={send.isPending}>
                {t('change')}
              </Button>
              {isForced && <Button onClick={() => void signOut()}>{t('sign_out')}</Button>}
            </div>
          </Form>
        </div>
        <LanguageChoice />
      </Page>
    </main>
  )
}
