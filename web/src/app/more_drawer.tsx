// Pages for which the tabs of a phone have no room.
import { Drawer } from 'antd'
import { NavLink } from 'react-router'
import type { Entry } from './menu'
import { useWords } from './words'

interface Props {
  isOpen: boolean
  entries: Entry[]
  onClose: () => void
}

export default function MoreDrawer({ isOpen, entries, onClose }: Props) {
  const { t } = useWords()
  return (
    <Drawer open={isOpen} onClose={onClose} title={t('more')} placement="bottom" size="auto">
      <div className="k-side k-side-more">
        {entries.map((entry) => (
          <NavLink key={entry.path} to={entry.path} onClick={onClose}>
            {entry.icon}
            <span>{t(entry.word)}</span>
          </NavLink>
        ))}
      </div>
    </Drawer>
  )
}
