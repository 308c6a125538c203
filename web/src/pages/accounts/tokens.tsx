// Tokens of other systems: what each may do, how long, how often; a new secret without a gap.
import { Alert, Button, Checkbox, Form, Input, InputNumber, Modal, Popconfirm, Select } from 'antd'
import { useState } from 'react'
import { useApiGet, useApiPages, useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { ProblemView } from '../../parts/problem_view'
import { type Column, ResponsiveTable } from '../../parts/responsive_table'
import { DateText, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { usePermissionWords } from './permissions'
import { ShownOnce } from './shown_once'
import { useWords } from './words'

type Token = Schemas['Token']
const DAYS = 90
const DAYS_MOST = 366
const RATE = 600
const RATE_MOST = 100_000

export function Tokens() {
  const { t } = useWords()
  const format = useFormat()
  const permissionWords = usePermissionWords()
  const tokens = useApiGet('/api/tokens', {})
  const [isNew, setNew] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const columns: Column<Token>[] = [
    { key: 'title', title: t('token_title'), isMain: true, render: (k) => <span data-content>{k.title}</span> },
    { key: 'account', title: t('token_account'), render: (k) => <span data-content>{k.account.name}</span> },
    {
      key: 'scopes',
      title: t('token_scopes'),
      render: (k) => k.scopes.map(permissionWords).join(' · '),
    },
    { key: 'rate', title: t('token_rate'), isNumber: true, render: (k) => format.number(k.rate_per_minute) },
    {
      key: 'expires',
      title: t('token_expires'),
      render: (k) =>
        k.revoked_at ? <Mark tone="bad">{t('token_ended')}</Mark> : <DateText at={k.expires_at} withTime />,
    },
    {
      key: 'used',
      title: t('token_used'),
      isDeskOnly: true,
      render: (k) => (k.last_used_at ? <DateText at={k.last_used_at} withTime /> : t('never')),
    },
    { key: 'do', title: t('edit'), render: (k) => !k.revoked_at && <Doing token={k} show={setSecret} /> },
  ]
  return (
    <>
      <div className="k-toolbar">
        <Button type="primary" onClick={() => setNew(true)}>
          {t('token_new')}
        </Button>
      </div>
      <AsyncView of={tokens} isEmpty={({ items }) => items.length === 0} empty={<EmptyView text={t('token_none')} />}>
        {({ items }) => <ResponsiveTable label={t('tab_tokens')} columns={columns} rows={items} rowKey={(k) => k.id} />}
      </AsyncView>
      {isNew && (
        <TokenForm
          onClose={(made) => {
            setNew(false)
            if (made) setSecret(made)
          }}
        />
      )}
      <ShownOnce secret={secret} title={t('secret_title')} text={t('secret_text')} onClose={() => setSecret(null)} />
    </>
  )
}

function Doing({ token, show }: { token: Token; show: (secret: string) => void }) {
  const { t } = useWords()
  const rotate = useApiSend('post', '/api/tokens/{id}/rotate', { onDone: ({ body }) => show(body.secret) })
  const revoke = useApiSend('delete', '/api/tokens/{id}')
  const path = { id: token.id }
  const problem = rotate.error ?? revoke.error
  return (
    <span className="k-account-marks">
      <Popconfirm
        title={t('rotate')}
        description={t('rotate_text')}
        onConfirm={() => rotate.mutate({ path, body: {} })}
      >
        <Button size="small" loading={rotate.isPending}>
          {t('rotate')}
        </Button>
      </Popconfirm>
      <Popconfirm title={t('revoke')} description={t('revoke_text')} onConfirm={() => revoke.mutate({ path })}>
        <Button size="small" danger loading={revoke.isPending}>
          {t('revoke')}
        </Button>
      </Popconfirm>
      {problem && <ProblemView problem={problem} isSmall />}
    </span>
  )
}

interface Fields {
  account_id: string
  title: string
  scopes: string[]
  days: number
  rate_per_minute: number
}

function TokenForm({ onClose }: { onClose: (secret: string | null) => void }) {
  const { t } = useWords()
  const [form] = Form.useForm<Fields>()
  const accounts = useApiPages('/api/accounts', { query: { limit: 200 } })
  const roles = useApiGet('/api/roles', {}, { staleTime: Infinity })
  const permissionWords = usePermissionWords()
  const create = useApiSend('post', '/api/tokens', { onDone: ({ body }) => onClose(body.secret) })
  const chosen = Form.useWatch('account_id', form)
  const systems = accounts.items.filter((account) => account.is_system && account.is_active)
  const names = systems.find((account) => account.id === chosen)?.roles.map((role) => role.code) ?? []
  const scopes = [
    ...new Set((roles.data?.items ?? []).filter((r) => names.includes(r.name)).flatMap((r) => r.permissions)),
  ]
  const rules = [{ required: true, message: t('needed') }]
  return (
    <Modal
      open
      title={t('token_new')}
      okText={t('save')}
      cancelText={t('cancel')}
      okButtonProps={{ loading: create.isPending }}
      onOk={form.submit}
      onCancel={() => onClose(null)}
      mask={{ closable: false }}
    >
      {!accounts.isPending && systems.length === 0 && <Alert type="info" showIcon title={t('no_systems')} />}
      <Form
        form={form}
        layout="vertical"
        initialValues={{ days: DAYS, rate_per_minute: RATE, scopes: [] }}
        onFinish={(body) => create.mutate({ body })}
      >
        <Form.Item name="account_id" label={t('token_account')} rules={rules}>
          <Select
            options={systems.map((account) => ({ value: account.id, label: `${account.name} (${account.login})` }))}
          />
        </Form.Item>
        <Form.Item name="title" label={t('token_title')} rules={rules}>
          <Input maxLength={80} />
        </Form.Item>
        <Form.Item name="scopes" label={t('token_scopes')} rules={rules}>
          <Checkbox.Group options={scopes.map((scope) => ({ value: scope, label: permissionWords(scope) }))} />
        </Form.Item>
        <Form.Item name="days" label={t('token_days')} rules={rules}>
          <InputNumber min={1} max={DAYS_MOST} precision={0} />
        </Form.Item>
        <Form.Item name="rate_per_minute" label={t('token_rate')} rules={rules}>
          <InputNumber min={1} max={RATE_MOST} precision={0} />
        </Form.Item>
      </Form>
      {create.error && <ProblemView problem={create.error} isSmall />}
    </Modal>
  )
}
