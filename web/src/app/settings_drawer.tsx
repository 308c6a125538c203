// The choices on a phone, behind the button at the head.
import { Drawer } from 'antd'
import { AccountMenu, AreaChoice, PurposeChoice } from './choices'
import { LanguageChoice } from './language_choice'
import { useWords } from './words'

export default function SettingsDrawer({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useWords()
  return (
    <Drawer open={isOpen} onClose={onClose} title={t('settings')} size="min(360px, 88vw)">
      <div className="k-settings">
        <AreaChoice isWide />
        <PurposeChoice isWide />
        <LanguageChoice isWide />
        <AccountMenu isList onGo={onClose} />
      </div>
    </Drawer>
  )
}
