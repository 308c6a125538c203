// A secret that is shown one time only.
import { App, Button, Modal } from 'antd'
import { useWords } from './words'

interface Props {
  secret: string | null
  title: string
  text: string
  onClose: () => void
}

export function ShownOnce({ secret, title, text, onClose }: Props) {
  const { t } = useWords()
  const { message } = App.useApp()
  const copy = async () => {
    await navigator.clipboard.writeText(secret ?? '')
    void message.success(t('copied'))
  }
  return (
    <Modal
      open={secret !== null}
      title={title}
      mask={{ closable: false }}
      closable={false}
      keyboard={false}
      footer={
        <>
          <Button onClick={() => void copy()}>{t('copy')}</Button>
          <Button type="primary" onClick={onClose}>
            {t('close')}
          </Button>
        </>
      }
    >
      <p>{text}</p>
      <p className="k-secret" data-testid="secret" data-content>
        {secret}
      </p>
    </Modal>
  )
}
