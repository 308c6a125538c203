// Making and changing an account: what it may do, and where.
import { Button, Checkbox, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { useApiGet, useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { DivisionPicker, type DivisionRef } from '../../parts/division_picker'
import { ProblemView } from '../../parts/problem_view'
import { useWords } from './words'

const WHOLE = '000000000000'

interface Fields {
  login: string
  name: string
  phone?: string
  roles: string[]
  areas: DivisionRef[]
  is_system?: boolean
}

interface Props {
  /** null makes a new one. */
  account: Schemas['Account'] | null
  onClose: (password: string | null) => void
}

export function AccountForm({ account, onClose }: Props) {
  const { t } = useWords()
  const [form] = Form.useForm<Fields>()
  const roles = useApiGet('/api/roles', {}, { staleTime: Infinity })
  const create = useApiSend('post', '/api/accounts', { onDone: ({ body }) => onClose(body.password) })
  const change = useApiSend('patch', '/api/accounts/{id}', { onDone: () => onClose(null) })
  const problem = create.error ?? change.error
  const send = ({ login, name, phone, roles: given, areas, is_system }: Fields) => {
    const common = { name: name.trim(), phone: phone?.trim() || null, roles: given, areas: areas.map((a) => a.code) }
    if (account) change.mutate({ path: { id: account.id }, body: common, etag: `"${account.version}"` })
    else create.mutate({ body: { ...common, login: login.trim().toLowerCase(), is_system: !!is_system } })
  }
  const rules = [{ required: true, message: t('needed') }]
  return (
    <Modal
      open
      title={account ? <span data-content>{t('edit_title', { login: account.login })}</span> : t('new')}
      okText={t('save')}
      cancelText={t('cancel')}
      okButtonProps={{ loading: create.isPending || change.isPending }}
      onOk={form.submit}
      onCancel={() => onClose(null)}
      mask={{ closable: false }}
    >
      <Form
        form={form}
        layout="vertical"
        onFinish={send}
        initialValues={
          account
            ? {
                login: account.login,
                name: account.name,
                phone: account.phone ?? '',
                roles: account.roles.map((r) => r.code),
                areas: account.areas,
              }
            : { roles: [], areas: [] }
        }
      >
        {!account && (
          <Form.Item name="login" label={t('login')} extra={t('login_hint')} rules={[...rules, { min: 2 }]}>
            <Input maxLength={40} autoComplete="off" autoCapitalize="none" />
          </Form.Item>
        )}
        <Form.Item name="name" label={t('name')} rules={rules}>
          <Input maxLength={80} autoComplete="off" />
        </Form.Item>
        <Form.Item name="phone" label={t('phone')}>
          <Input maxLength={40} inputMode="tel" autoComplete="off" />
        </Form.Item>
        <Form.Item name="roles" label={t('roles')} rules={[{ type: 'array', min: 1, message: t('needed') }]}>
          <Checkbox.Group
            className="k-account-roles"
            options={(roles.data?.items ?? []).map((role) => ({ value: role.name, label: role.title }))}
          />
        </Form.Item>
        <Form.Item name="areas" label={t('areas')} rules={rules}>
          <Areas />
        </Form.Item>
        {!account && (
          <Form.Item name="is_system" valuePropName="checked">
            <Checkbox>
              {t('system')} <span className="k-faint">{t('system_hint')}</span>
            </Checkbox>
          </Form.Item>
        )}
      </Form>
      {problem && <ProblemView problem={problem} isSmall />}
    </Modal>
  )
}

function Areas({ value = [], onChange }: { value?: DivisionRef[]; onChange?: (areas: DivisionRef[]) => void }) {
  const { t } = useWords()
  const [turn, setTurn] = useState(0)
  const add = (area: DivisionRef | null) => {
    if (!area) return
    if (!value.some((a) => a.code === area.code)) onChange?.([...value, area])
    setTurn(turn + 1)
  }
  return (
    <>
      <ul className="k-account-areas">
        {value.map((area) => (
          <li key={area.code}>
            <span data-content>{area.path || area.name || t('area_whole')}</span>
            <Button
              type="text"
              size="small"
              aria-label={t('remove', { name: area.name })}
              onClick={() => onChange?.(value.filter((a) => a.code !== area.code))}
            >
              ×
            </Button>
          </li>
        ))}
      </ul>
      <div className="k-account-marks">
        <DivisionPicker key={turn} label={t('area_add')} placeholder={t('area_add')} onChange={add} />
        <Button onClick={() => add({ code: WHOLE, name: t('area_whole'), path: t('area_whole') })}>
          {t('area_whole')}
        </Button>
      </div>
    </>
  )
}
