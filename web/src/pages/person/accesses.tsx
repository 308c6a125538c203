// Who has looked at this person, when and why: what a resident may ask.
import { useApiPages } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { Action } from '../../parts/audited'
import { ResponsiveTable, type Column } from '../../parts/responsive_table'
import { DateText, Mark } from '../../parts/texts'
import { useCodes } from '../../parts/use_codes'
import { useWords } from './words'

type Access = Schemas['Access']

export function Accesses({ id }: { id: string }) {
  const { t } = useWords()
  const codes = useCodes()
  const pages = useApiPages('/api/persons/{id}/accesses', { path: { id } })
  const columns: Column<Access>[] = [
    { key: 'who', title: t('who'), isMain: true, render: (look) => look.name },
    { key: 'at', title: t('at'), render: (look) => <DateText at={look.at} withTime /> },
    { key: 'role', title: t('role'), render: (look) => codes.word('roles', look.role) },
    { key: 'purpose', title: t('purpose'), render: (look) => codes.word('purposes', look.purpose) },
    { key: 'action', title: t('action'), render: (look) => <Action of={look.action} /> },
    {
      key: 'outcome',
      title: t('outcome'),
      render: (look) => (
        <Mark tone={look.is_allowed ? 'plain' : 'bad'}>{t(look.is_allowed ? 'allowed' : 'denied')}</Mark>
      ),
    },
  ]
  return (
    <>
      <p className="k-faint">{t('accesses_hint')}</p>
      <AsyncView of={pages} isEmpty={() => pages.items.length === 0} empty={<EmptyView text={t('accesses_none')} />}>
        {() => (
          <ResponsiveTable
            label={t('accesses_label')}
            columns={columns}
            rows={pages.items}
            rowKey={(look) => `${look.at} ${look.name} ${look.action}`}
            more={pages}
          />
        )}
      </AsyncView>
    </>
  )
}
