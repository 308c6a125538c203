// What this browser keeps about its reader from one visit to the next.

export type Language = 'zh' | 'en'

const LANGUAGE = 'kindred.language'
const SIGNED_IN = 'kindred.signed-in'

export function keptLanguage(): Language {
  const kept = localStorage.getItem(LANGUAGE)
  if (kept === 'zh' || kept === 'en') return kept
  return navigator.language.startsWith('en') ? 'en' : 'zh'
}

export function keepLanguage(language: Language) {
  localStorage.setItem(LANGUAGE, language)
}

/** Whether somebody was signed in here when last seen. Only a guess at what to load first: the server knows. */
export function wasSignedIn(): boolean {
  return localStorage.getItem(SIGNED_IN) !== null
}

export function keepSignedIn(is: boolean) {
  if (is) localStorage.setItem(SIGNED_IN, '1')
  else localStorage.removeItem(SIGNED_IN)
}
