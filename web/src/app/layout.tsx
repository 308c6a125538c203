// The frame of every page: menu at the side on a desk, tabs at the foot of a phone; area, purpose, language, account.
import { EllipsisOutlined, MenuOutlined } from '@ant-design/icons'
import { Drawer } from 'antd'
import { useState } from 'react'
import { NavLink, Outlet, ScrollRestoration, useNavigation } from 'react-router'
import { useIsOnline, useIsPhone } from '../parts/use_screen'
import { AccountMenu, AreaChoice, PurposeChoice } from './choices'
import { LanguageChoice } from './language_choice'
import { useMenu } from './menu'
import { useSession } from './session'
import { useWords } from './words'

const TABS = 4

export function Layout() {
  const { t } = useWords()
  const isPhone = useIsPhone()
  const isOnline = useIsOnline()
  const isMoving = useNavigation().state !== 'idle'
  return (
    <div className={isPhone ? 'k-frame k-phone' : 'k-frame k-desk'}>
      <a href="#content" className="k-skip">
        {t('skip')}
      </a>
      {isPhone ? <PhoneHead /> : <DeskHead />}
      {!isPhone && <SideMenu />}
      <main id="content" tabIndex={-1} aria-busy={isMoving}>
        {!isOnline && (
          <p className="k-offline" role="status">
            {t('offline')}
          </p>
        )}
        <Outlet />
      </main>
      {isPhone && <TabBar />}
      <ScrollRestoration />
    </div>
  )
}

function Brand() {
  const { t } = useWords()
  const { register } = useSession()
  return (
    <NavLink to="/" className="k-brand">
      <img src="/icon.svg" alt="" width={28} height={28} />
      <strong>{t('product')}</strong>
      <span data-content>{register}</span>
    </NavLink>
  )
}

function DeskHead() {
  return (
    <header className="k-head">
      <Brand />
      <div className="k-head-choices">
        <AreaChoice />
        <PurposeChoice />
        <LanguageChoice />
        <AccountMenu />
      </div>
    </header>
  )
}

function SideMenu() {
  const { t } = useWords()
  return (
    <nav className="k-side" aria-label={t('menu')}>
      {useMenu().map((entry) => (
        <NavLink key={entry.path} to={entry.path} end={entry.path === '/'}>
          {entry.icon}
          <span>{t(entry.word)}</span>
        </NavLink>
      ))}
    </nav>
  )
}

function PhoneHead() {
  const { t } = useWords()
  const [isOpen, setOpen] = useState(false)
  return (
    <header className="k-head">
      <Brand />
      <button type="button" className="k-icon-button" aria-label={t('settings')} onClick={() => setOpen(true)}>
        <MenuOutlined />
      </button>
      <Drawer open={isOpen} onClose={() => setOpen(false)} title={t('settings')} size="min(360px, 88vw)">
        <div className="k-settings">
          <AreaChoice isWide />
          <PurposeChoice isWide />
          <LanguageChoice isWide />
          <AccountMenu isList onGo={() => setOpen(false)} />
        </div>
      </Drawer>
    </header>
  )
}

function TabBar() {
  const { t } = useWords()
  const [isOpen, setOpen] = useState(false)
  const entries = useMenu()
  const fits = entries.length <= TABS + 1
  const shown = fits ? entries : entries.slice(0, TABS)
  return (
    <nav className="k-tabs" aria-label={t('menu')}>
      {shown.map((entry) => (
        <NavLink key={entry.path} to={entry.path} end={entry.path === '/'}>
          {entry.icon}
          <span>{t(entry.word)}</span>
        </NavLink>
      ))}
      {!fits && (
        <button type="button" onClick={() => setOpen(true)} aria-expanded={isOpen}>
          <EllipsisOutlined />
          <span>{t('more')}</span>
        </button>
      )}
      <Drawer open={isOpen} onClose={() => setOpen(false)} title={t('more')} placement="bottom" size="auto">
        <div className="k-side k-side-more">
          {entries.slice(shown.length).map((entry) => (
            <NavLink key={entry.path} to={entry.path} onClick={() => setOpen(false)}>
              {entry.icon}
              <span>{t(entry.word)}</span>
            </NavLink>
          ))}
        </div>
      </Drawer>
    </nav>
  )
}
