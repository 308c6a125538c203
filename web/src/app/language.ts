// The reader's language: kept in the browser, sent to the server, and the words of every page in it.
import i18next from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'
import { keepLanguage, keptLanguage, type Language } from './kept'

export type { Language }

function show(language: Language) {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
}

void i18next.use(initReactI18next).init({
  lng: keptLanguage(),
  supportedLngs: ['zh', 'en'],
  fallbackLng: false,
  resources: {},
  interpolation: { escapeValue: false },
  keySeparator: false,
  nsSeparator: false,
})
show(keptLanguage())

export function currentLanguage(): Language {
  return i18next.language === 'en' ? 'en' : 'zh'
}

export function setLanguage(language: Language) {
  keepLanguage(language)
  show(language)
  void i18next.changeLanguage(language)
}

// Chosen in another tab.
window.addEventListener('storage', () => {
  if (keptLanguage() !== currentLanguage()) setLanguage(keptLanguage())
})

/** For what is no component and must know. */
export function onLanguage(told: () => void) {
  i18next.on('languageChanged', told)
}

export function useLanguage(): Language {
  return useTranslation().i18n.language === 'en' ? 'en' : 'zh'
}

/** What the server calls by a code, in both languages. */
export function useWordOf() {
  const language = useLanguage()
  return (word: { zh: string; en: string }) => word[language]
}

type Base<K> = K extends `${infer B}_one` | `${infer B}_other` ? B : K
export type Say<K> = (key: K, values?: Record<string, string | number>) => string

/**
 * The words of one page as a hook. Keys are flat and typed; `key_one` and `key_other` are one key in the plural, told by `count`.
 * That both languages have the same keys, and none too many, is held by scripts/check_words.mjs.
 */
export function namespace<Z extends Record<string, string>>(
  name: string,
  words: { zh: Z; en: Record<string, string> },
) {
  i18next.addResourceBundle('zh', name, words.zh)
  i18next.addResourceBundle('en', name, words.en)
  return function useWords() {
    const { t } = useTranslation(name)
    return { t: t as unknown as Say<Base<keyof Z & string>> }
  }
}
