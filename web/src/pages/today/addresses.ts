// Where the work of each kind is done.
import type { Schemas } from '../../api/types'

export function addressOf({ kind, key, overdue }: Schemas['TodayItem']): string {
  switch (kind) {
    case 'task':
      return `/tasks?${new URLSearchParams({ kind: key, ...(overdue > 0 ? { overdue: 'true' } : {}) }).toString()}`
    case 'delivery':
      return '/births?show=deliveries'
    case 'draft':
      return '/births?show=drafts'
    case 'notice':
      return '/births?show=notices'
    case 'match':
      return '/matches'
    case 'feed':
      return `/feeds?${new URLSearchParams({ feed: key }).toString()}`
    case 'job':
      return '/feeds'
    default:
      return '/tasks'
  }
}
