import { Link } from 'react-router'
import { EmptyView } from '../../parts/async_view'
import { Page } from '../../parts/page'
import { useWords } from './words'

export default function NotFoundPage() {
  const { t } = useWords()
  return (
    <Page title={t('title')}>
      <EmptyView text={t('text')}>
        <Link to="/">{t('home')}</Link>
      </EmptyView>
    </Page>
  )
}
