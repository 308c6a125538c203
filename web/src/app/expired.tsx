// Asks for the password over a page whose session has ended; the page stays as it is below.
import { Modal } from 'antd'
import { Dress } from './dress'
import { useSession, useSessionState } from './session'
import { SignInForm } from './sign_in_form'
import { useWords } from './words'

export default function Expired() {
  const { t } = useWords()
  const { account } = useSession()
  const { signedIn } = useSessionState()
  return (
    <Dress>
      <Modal open title={t('expired_title')} footer={null} closable={false} keyboard={false} centered>
        <p>{t('expired_text')}</p>
        <SignInForm login={account.login} onDone={signedIn} />
      </Modal>
    </Dress>
  )
}
