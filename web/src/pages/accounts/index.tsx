// Who may do what, and where: accounts, what roles give, tokens of systems.
import { Button, Input, Popconfirm } from 'antd'
import { useState } from 'react'
import { useApiGet, useApiPages, useApiSend } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useWordOf } from '../../app/language'
import { useMay } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { ProblemView } from '../../parts/problem_view'
import { type Column, ResponsiveTable } from '../../parts/responsive_table'
import { TabSet } from '../../parts/tab_set'
import { DateText, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useSettled } from '../../parts/use_screen'
import { AccountForm } from './account_form'
import './accounts.css'
import { usePermissionWords } from './permissions'
import { ShownOnce } from './shown_once'
import { Tokens } from './tokens'
import { useWords } from './words'

type Account = Schemas['Account']

export default function AccountsPage() {
  const { t } = useWords()
  const may = useMay()
  const [tab, setTab] = useState('accounts')
  const tabs = [
    { key: 'accounts', label: t('tab_accounts'), render: () => <Accounts /> },
    { key: 'roles', label: t('tab_roles'), render: () => <Roles /> },
    ...(may('token.write') ? [{ key: 'tokens', label: t('tab_tokens'), render: () => <Tokens /> }] : []),
  ]
  return (
    <Page title={t('title')}>
      <TabSet label={t('title')} tabs={tabs} active={tab} onChange={setTab} />
    </Page>
  )
}

function Accounts() {
  const { t } = useWords()
  const may = useMay()
  const wordOf = useWordOf()
  const format = useFormat()
  const [text, setText] = useState('')
  const [edited, setEdited] = useState<Account | 'new' | null>(null)
  const [password, setPassword] = useState<string | null>(null)
  const q = useSettled(text.trim(), 200)
  const accounts = useApiPages('/api/accounts', { query: q ? { q } : {} }, { keepPrevious: true })
  const mayWrite = may('account.write')
  const columns: Column<Account>[] = [
    {
      key: 'login',
      title: t('login'),
      isMain: true,
      render: (a) =>
        mayWrite ? (
          <Button type="link" size="small" onClick={() => setEdited(a)}>
            <span data-content>{a.login}</span>
          </Button>
        ) : (
          <span data-content>{a.login}</span>
        ),
    },
    { key: 'name', title: t('name'), render: (a) => <span data-content>{a.name}</span> },
    { key: 'roles', title: t('roles'), render: (a) => a.roles.map(wordOf).join(' · ') },
    {
      key: 'areas',
      title: t('areas'),
      render: (a) => <span data-content>{a.areas.map((area) => area.path || area.name).join(' · ')}</span>,
    },
    {
      key: 'state',
      title: t('state'),
      render: (a) => (
        <span className="k-account-marks">
          <Mark tone={a.is_active ? 'good' : 'bad'}>{t(a.is_active ? 'active' : 'inactive')}</Mark>
          {a.is_system && <Mark tone="info">{t('system')}</Mark>}
          {a.must_change_password && <Mark tone="warn">{t('must_change')}</Mark>}
          {a.locked_until && <Mark tone="bad">{t('locked', { at: format.instant(a.locked_until) })}</Mark>}
        </span>
      ),
    },
    {
      key: 'seen',
      title: t('seen'),
      isDeskOnly: true,
      render: (a) => (a.last_seen_at ? <DateText at={a.last_seen_at} withTime /> : t('never')),
    },
    ...(mayWrite
      ? [{ key: 'do', title: t('edit'), render: (a: Account) => <Doing account={a} show={setPassword} /> }]
      : []),
  ]
  return (
    <>
      <div className="k-toolbar">
        <Input
          type="search"
          aria-label={t('search')}
          placeholder={t('search')}
          value={text}
          maxLength={100}
          allowClear
          className="k-account-search"
          onChange={(event) => setText(event.target.value)}
        />
        {mayWrite && (
          <Button type="primary" onClick={() => setEdited('new')}>
            {t('new')}
          </Button>
        )}
      </div>
      <AsyncView of={accounts} isEmpty={() => accounts.items.length === 0} empty={<EmptyView text={t('none')} />}>
        {() => (
          <ResponsiveTable
            label={t('tab_accounts')}
            columns={columns}
            rows={accounts.items}
            rowKey={(a) => a.id}
            more={accounts}
          />
        )}
      </AsyncView>
      {edited && (
        <AccountForm
          account={edited === 'new' ? null : edited}
          onClose={(made) => {
            setEdited(null)
            if (made) setPassword(made)
          }}
        />
      )}
      <ShownOnce
        secret={password}
        title={t('password_title')}
        text={t('password_text')}
        onClose={() => setPassword(null)}
      />
    </>
  )
}

function Doing({ account, show }: { account: Account; show: (password: string) => void }) {
  const { t } = useWords()
  const reset = useApiSend('post', '/api/accounts/{id}/reset', { onDone: ({ body }) => show(body.password) })
  const change = useApiSend('patch', '/api/accounts/{id}')
  const path = { id: account.id }
  const isActive = account.is_active
  const turn = () => change.mutate({ path, body: { is_active: !isActive }, etag: `"${account.version}"` })
  const problem = reset.error ?? change.error
  return (
    <span className="k-account-marks">
      {!account.is_system && (
        <Popconfirm title={t('reset')} description={t('reset_text')} onConfirm={() => reset.mutate({ path })}>
          <Button size="small" loading={reset.isPending}>
            {t('reset')}
          </Button>
        </Popconfirm>
      )}
      {isActive ? (
        <Popconfirm title={t('deactivate')} description={t('deactivate_text')} onConfirm={turn}>
          <Button size="small" danger loading={change.isPending}>
            {t('deactivate')}
          </Button>
        </Popconfirm>
      ) : (
        <Button size="small" loading={change.isPending} onClick={turn}>
          {t('activate')}
        </Button>
      )}
      {problem && <ProblemView problem={problem} isSmall />}
    </span>
  )
}

function Roles() {
  const { t } = useWords()
  const wordOf = useWordOf()
  const permissionWords = usePermissionWords()
  const roles = useApiGet('/api/roles', {}, { staleTime: Infinity })
  return (
    <AsyncView of={roles}>
      {({ items }) => (
        <ul className="k-roles">
          {items.map((role) => (
            <li key={role.name} className="k-panel">
              <h2>{role.title}</h2>
              <h3>{t('may')}</h3>
              <ul>
                {role.permissions.map((permission) => (
                  <li key={permission}>{permissionWords(permission)}</li>
                ))}
              </ul>
              <h3>{t('purposes')}</h3>
              <p>{role.purposes.length ? role.purposes.map(wordOf).join(' · ') : t('purposes_none')}</p>
            </li>
          ))}
        </ul>
      )}
    </AsyncView>
  )
}
