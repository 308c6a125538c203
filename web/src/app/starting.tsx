// Shown until there is something to see. index.html has the same, for the time before this.
import { useWords } from './words'

export function Starting() {
  const { t } = useWords()
  return (
    <div className="k-starting" role="status" aria-label={t('starting')}>
      <span />
    </div>
  )
}
