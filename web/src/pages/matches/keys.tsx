// The keys of the review: one hand decides, the other rests.
import { Modal } from 'antd'
import { useEffect, useEffectEvent } from 'react'
import { useWords } from './words'

export type Command = 'next' | 'previous' | 'same' | 'different' | 'unknown' | 'undo' | 'help'

const COMMANDS: Record<string, Command> = {
  j: 'next',
  ArrowDown: 'next',
  k: 'previous',
  ArrowUp: 'previous',
  s: 'same',
  d: 'different',
  u: 'unknown',
  z: 'undo',
  '?': 'help',
}
const LEGEND: [Command, string][] = [
  ['next', 'J ↓'],
  ['previous', 'K ↑'],
  ['same', 'S'],
  ['different', 'D'],
  ['unknown', 'U'],
  ['undo', 'Z'],
  ['help', '?'],
]

/** Letters typed into a field, and arrows that move within a control, are not commands. */
function belongsElsewhere(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return true
  const target = event.target instanceof Element ? event.target : null
  return !!target?.closest('input, textarea, select, [contenteditable="true"], [role="dialog"], [role="combobox"]')
}

export function useCommands(isOn: boolean, run: (command: Command) => void) {
  const hear = useEffectEvent((event: KeyboardEvent) => {
    const command = COMMANDS[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!command || belongsElsewhere(event)) return
    event.preventDefault()
    if (!event.repeat || command === 'next' || command === 'previous') run(command)
  })
  useEffect(() => {
    if (!isOn) return
    document.addEventListener('keydown', hear)
    return () => document.removeEventListener('keydown', hear)
  }, [isOn])
}

export function KeyLegend() {
  const { t } = useWords()
  return (
    <ul className="k-keys" aria-label={t('keys')}>
      {LEGEND.map(([command, keys]) => (
        <li key={command}>
          {keys.split(' ').map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}{' '}
          {t(`key_${command}`)}
        </li>
      ))}
    </ul>
  )
}

export function KeyHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useWords()
  return (
    <Modal
      open={isOpen}
      onCancel={onClose}
      onOk={onClose}
      title={t('help_title')}
      okText={t('understood')}
      cancelButtonProps={{ hidden: true }}
    >
      <p>{t('help_same')}</p>
      <p>{t('help_different')}</p>
      <p>{t('help_unknown')}</p>
      <p>{t('help_effect')}</p>
      <KeyLegend />
    </Modal>
  )
}
