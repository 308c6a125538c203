// What is shown when a page fails to load or to draw.
import { Button, Result } from 'antd'
import { useWords } from './words'

export function Crash() {
  const { t } = useWords()
  return (
    <Result
      status="warning"
      title={t('crash_title')}
      subTitle={t('crash_text')}
      extra={
        <Button type="primary" onClick={() => window.location.reload()}>
          {t('reload')}
        </Button>
      }
    />
  )
}
