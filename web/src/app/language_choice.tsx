// Chinese or English, each in its own name.
import { setLanguage, useLanguage, type Language } from './language'
import { useWords } from './words'

const LANGUAGES: { value: Language; label: string }[] = [
  { value: 'zh', label: '中文' },
  { value: 'en', label: 'English' },
]

export function LanguageChoice({ isWide }: { isWide?: boolean }) {
  const { t } = useWords()
  const language = useLanguage()
  return (
    <div className={isWide ? 'k-choice k-choice-wide' : 'k-choice'} role="group" aria-label={t('language')}>
      {isWide && <span className="k-label">{t('language')}</span>}
      <span className="k-languages">
        {LANGUAGES.map(({ value, label }) => (
          <button
            key={value}
            type="button"
            lang={value}
            aria-pressed={value === language}
            onClick={() => setLanguage(value)}
          >
            {label}
          </button>
        ))}
      </span>
    </div>
  )
}
