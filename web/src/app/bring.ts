// What comes after signing in: the console, its frame and its first page.

export const loadConsole = () => import('./console')
export const loadLayout = () => import('./layout')
export const loadToday = () => import('../pages/today')

/** Makes it ready to be shown. What cannot be loaded is told where it is shown. */
export function bringConsole() {
  void Promise.allSettled([loadConsole(), loadLayout(), loadToday()])
}

/** Fetches it and runs nothing of it yet, so that somebody who is typing does not feel it. */
export function fetchConsole() {
  const later = document.querySelector<HTMLTemplateElement>('template#later')
  if (later) document.head.append(later.content)
}
