// How the register came to hold what it holds of this person.
import { Link } from 'react-router'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { ResponsiveTable, type Column } from '../../parts/responsive_table'
import { DateText } from '../../parts/texts'
import { useCodes } from '../../parts/use_codes'
import { useWords } from './words'

type Event = Schemas['PersonEvent']

export function History({ id }: { id: string }) {
  const { t } = useWords()
  const codes = useCodes()
  const history = useApiGet('/api/persons/{id}/history', { path: { id } })
  const columns: Column<Event>[] = [
    { key: 'at', title: t('at'), render: (event) => <DateText at={event.at} withTime />, width: 200 },
    {
      key: 'what',
      title: t('what'),
      render: (event) => (
        <>
          {event.title}
          {event.attribute && <span className="k-faint"> · {codes.word('attributes', event.attribute)}</span>}
        </>
      ),
    },
    { key: 'change', title: t('change'), render: (event) => <Change event={event} /> },
    { key: 'by', title: t('by'), render: (event) => <span data-content>{event.by ?? t('by_system')}</span> },
  ]
  return (
    <AsyncView
      of={history}
      isEmpty={(found) => found.items.length === 0}
      empty={<EmptyView text={t('history_none')} />}
    >
      {({ items }) => <ResponsiveTable label={t('history_label')} columns={columns} rows={items} rowKey={keyOf} />}
    </AsyncView>
  )
}

function keyOf(event: Event): string {
  return [event.at, event.kind, event.attribute, event.other_id].join(' ')
}

function Change({ event }: { event: Event }) {
  const { t } = useWords()
  const has = event.old !== null || event.new !== null
  return (
    <>
      {has && (
        <span data-content>
          {t('change_to', { old: event.old ?? t('change_none'), new: event.new ?? t('change_none') })}
        </span>
      )}{' '}
      {event.other_id && event.kind.startsWith('merge') && (
        <Link to={`/persons/${event.other_id}`}>{t('other_person')}</Link>
      )}
    </>
  )
}
