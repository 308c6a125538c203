// What one chooses for all pages, area and purpose; and the own account.
import { DownOutlined, KeyOutlined, LogoutOutlined, UserOutlined } from '@ant-design/icons'
import { App, Button, Dropdown, Select, Tooltip } from 'antd'
import { useId } from 'react'
import { useNavigate } from 'react-router'
import { DivisionPicker } from '../parts/division_picker'
import { useWordOf } from './language'
import { useSession, useSessionState } from './session'
import { useWords } from './words'

interface Wide {
  /** In the drawer of a phone: full width, with its label to be seen. */
  isWide?: boolean
}

export function AreaChoice({ isWide }: Wide) {
  const { t } = useWords()
  const { areas } = useSession()
  const { area, setArea } = useSessionState()
  const id = useId()
  const only = areas.length === 1 ? areas[0] : undefined
  return (
    <div className={isWide ? 'k-choice k-choice-wide' : 'k-choice'}>
      <label htmlFor={id}>{t('area')}</label>
      <DivisionPicker
        id={id}
        value={area}
        within={areas}
        placeholder={only?.name ?? t('area_all')}
        onChange={(next) => setArea(next && next.code !== only?.code ? next : null)}
      />
    </div>
  )
}

export function PurposeChoice({ isWide }: Wide) {
  const { t } = useWords()
  const { purposes } = useSession()
  const { purpose, setPurpose } = useSessionState()
  const wordOf = useWordOf()
  const id = useId()
  if (purposes.length === 0) return null
  return (
    <div className={isWide ? 'k-choice k-choice-wide' : 'k-choice'}>
      <label htmlFor={id}>{t('purpose')}</label>
      <Tooltip title={isWide ? undefined : t('purpose_hint')} placement="bottom">
        <Select
          id={id}
          value={purpose}
          onChange={setPurpose}
          popupMatchSelectWidth={false}
          options={purposes.map((p) => ({ value: p.code, label: wordOf(p) }))}
        />
      </Tooltip>
      {isWide && <p className="k-faint">{t('purpose_hint')}</p>}
    </div>
  )
}

interface AccountMenuProps {
  isList?: boolean
  onGo?: () => void
}

export function AccountMenu({ isList, onGo }: AccountMenuProps) {
  const { t } = useWords()
  const { account, roles } = useSession()
  const { signOut } = useSessionState()
  const { message } = App.useApp()
  const navigate = useNavigate()
  const wordOf = useWordOf()
  const who = roles.map(wordOf).join(t('list_comma'))

  const leave = () => void signOut().catch((error: Error) => message.error(error.message || t('offline')))
  const change = () => {
    onGo?.()
    void navigate('/password')
  }
  if (isList) {
    return (
      <div className="k-choice k-choice-wide">
        <span className="k-label">{t('account')}</span>
        <p>
          <strong data-content>{account.name}</strong> <span className="k-faint">{who}</span>
        </p>
        <Button block icon={<KeyOutlined />} onClick={change}>
          {t('change_password')}
        </Button>
        <Button block icon={<LogoutOutlined />} onClick={leave}>
          {t('sign_out')}
        </Button>
      </div>
    )
  }
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'who', type: 'group', label: who },
          { key: 'password', icon: <KeyOutlined />, label: t('change_password'), onClick: change },
          { key: 'leave', icon: <LogoutOutlined />, label: t('sign_out'), onClick: leave },
        ],
      }}
    >
      <Button type="text" icon={<UserOutlined />} className="k-account" data-content>
        <span>{account.name}</span>
        <DownOutlined />
      </Button>
    </Dropdown>
  )
}
