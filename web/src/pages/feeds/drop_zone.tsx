import { InboxOutlined } from '@ant-design/icons'
import { useState } from 'react'
import { useWords } from './words'

const ACCEPT = '.csv,.txt,.xlsx,.zip'

/** Where files are dropped or chosen; by keyboard too, since it is a file input. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { t } = useWords()
  const [isOver, setOver] = useState(false)
  return (
    <label
      className={isOver ? 'k-drop k-drop-over' : 'k-drop'}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        onFiles([...event.dataTransfer.files])
      }}
    >
      <InboxOutlined aria-hidden />
      <span>{t('drop')}</span>
      <span className="k-faint">{t('drop_hint')}</span>
      <input
        type="file"
        multiple
        accept={ACCEPT}
        className="k-visually-hidden"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
    </label>
  )
}
