// The frame of every page: menu at the side on a desk, tabs at the foot of a phone; area, purpose, language, account.
import { EllipsisOutlined, MenuOutlined } from '@ant-design/icons'
import { App } from 'antd'
import { lazy, Suspense, useEffect, useState } from 'react'
import { NavLink, Outlet, ScrollRestoration, useNavigation } from 'react-router'
import { useIsOnline, useIsPhone } from '../parts/use_screen'
import { Dress } from './dress'
import { takeFarewell } from './farewell'
import './layout.css'
import { useMenu } from './menu'
import { useSession } from './session'
import { useWords } from './words'

const TABS = 4

/** What a page that was left has still to say. */
function FarewellMessage() {
  const { message } = App.useApp()
  useEffect(() => {
    const words = takeFarewell()
    if (words) void message.success(words)
  }, [message])
  return null
}

// What is not needed to read a page comes after it.
const DeskChoices = lazy(() => import('./desk_choices'))
const SettingsDrawer = lazy(() => import('./settings_drawer'))
const MoreDrawer = lazy(() => import('./more_drawer'))

export default function Layout() {
  return (
    <Dress>
      <Frame />
    </Dress>
  )
}

function Frame() {
  const { t } = useWords()
  const isPhone = useIsPhone()
  const isOnline = useIsOnline()
  const isMoving = useNavigation().state !== 'idle'
  return (
    <App className={isPhone ? 'k-frame k-phone' : 'k-frame k-desk'}>
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
      <FarewellMessage />
    </App>
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
      <Suspense>
        <DeskChoices />
      </Suspense>
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
  const [isOpen, setOpen] = useState<boolean | null>(null)
  return (
    <header className="k-head">
      <Brand />
      <button type="button" className="k-icon-button" aria-label={t('settings')} onClick={() => setOpen(true)}>
        <MenuOutlined />
      </button>
      {isOpen !== null && (
        <Suspense>
          <SettingsDrawer isOpen={isOpen} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </header>
  )
}

function TabBar() {
  const { t } = useWords()
  const [isOpen, setOpen] = useState<boolean | null>(null)
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
        <button type="button" onClick={() => setOpen(true)} aria-expanded={isOpen === true}>
          <EllipsisOutlined />
          <span>{t('more')}</span>
        </button>
      )}
      {isOpen !== null && (
        <Suspense>
          <MoreDrawer isOpen={isOpen} entries={entries.slice(shown.length)} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </nav>
  )
}
