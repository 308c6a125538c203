// What is shown when a page fails to load or to draw.
import { Component, type ReactNode } from 'react'
import { useWords } from './words'

export function Crash() {
  const { t } = useWords()
  return (
    <section className="k-crash" role="alert">
      <h1>{t('crash_title')}</h1>
      <p>{t('crash_text')}</p>
      <button type="button" className="k-button k-button-first" onClick={() => window.location.reload()}>
        {t('reload')}
      </button>
    </section>
  )
}

/** For what fails outside of the router, the loading of the console itself first of all. */
export class CrashGuard extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false }
  static getDerivedStateFromError() {
    return { hasFailed: true }
  }
  override render() {
    return this.state.hasFailed ? <Crash /> : this.props.children
  }
}
