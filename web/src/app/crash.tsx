// What is shown when a page fails to load or to draw.
import { Button } from 'antd'
import { useWords } from './words'

export function Crash() {
  const { t } = useWords()
  return (
    <section className="k-crash" role="alert">
      <h1>{t('crash_title')}</h1>
      <p>{t('crash_text')}</p>
      <Button type="primary" onClick={() => window.location.reload()}>
        {t('reload')}
      </Button>
    </section>
  )
}
