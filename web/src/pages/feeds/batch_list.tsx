// The files that came in, newest first.
import { Select } from 'antd'
import { useApiPages } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { useLanguage } from '../../app/language'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { ResponsiveTable, type Column } from '../../parts/responsive_table'
import { DateText, DivisionPath } from '../../parts/texts'
import { useCodes } from '../../parts/use_codes'
import { useFormat } from '../../parts/use_format'
import { BadRows } from './bad_rows'
import { useWords } from './words'

type Batch = Schemas['Batch']

const PAGE = 20

export function BatchList({ feed, choose }: { feed: string | undefined; choose: (feed: string | undefined) => void }) {
  const { t } = useWords()
  const format = useFormat()
  const codes = useCodes()
  const language = useLanguage()
  const batches = useApiPages('/api/batches', { query: { feed, limit: PAGE } }, { keepPrevious: true })
  const columns: Column<Batch>[] = [
    { key: 'file', title: t('file'), isMain: true, render: (b) => b.file_name || '—' },
    { key: 'feed', title: t('feed'), render: (b) => b.source.title },
    { key: 'area', title: t('area'), render: (b) => <DivisionPath of={b.division} /> },
    { key: 'received', title: t('received'), render: (b) => <DateText at={b.received_at} withTime /> },
    { key: 'as_of', title: t('as_of_day'), render: (b) => (b.as_of ? <DateText at={b.as_of} /> : '–') },
    { key: 'rows', title: t('rows'), isNumber: true, render: (b) => format.number(b.rows) },
    { key: 'records', title: t('records'), isNumber: true, isDeskOnly: true, render: (b) => format.number(b.records) },
    {
      key: 'bad',
      title: t('rows_bad'),
      isNumber: true,
      render: (b) => (
        <span className="k-feed-bad">
          {format.number(b.rows_bad)}
          {b.has_bad_rows && <BadRows batch={b.id} fileName={b.file_name} />}
        </span>
      ),
    },
  ]
  const title = feed ? t('batches_of', { feed: codes.word('feeds', feed) }) : t('batches_title')
  return (
    <section id="batches">
      <div className="k-toolbar k-feeds-heading">
        <h2>{title}</h2>
        <Select
          aria-label={t('show_of')}
          value={feed ?? ''}
          onChange={(value) => choose(value || undefined)}
          popupMatchSelectWidth={false}
          options={[
            { value: '', label: t('all_feeds') },
            ...codes.list('feeds').map((word) => ({ value: word.code, label: word[language] })),
          ]}
        />
      </div>
      <AsyncView of={batches} isEmpty={() => batches.items.length === 0} empty={<EmptyView text={t('batches_none')} />}>
        {() => (
          <ResponsiveTable
            label={title}
            columns={columns}
            rows={batches.items}
            rowKey={(batch) => batch.id}
            more={batches}
          />
        )}
      </AsyncView>
    </section>
  )
}
