// Every feed: when its last batch came, whether that was in time, and how much of it was wrong.
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { ResponsiveTable, type Column } from '../../parts/responsive_table'
import { DateText, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

type Feed = Schemas['Feed']

export function FeedList({ chosen, choose }: { chosen: string | undefined; choose: (feed: string) => void }) {
  const { t } = useWords()
  const format = useFormat()
  const feeds = useApiGet('/api/feeds', {})
  const columns: Column<Feed>[] = [
    {
      key: 'feed',
      title: t('feed'),
      isMain: true,
      render: (feed) => (
        <button type="button" className="k-feed-name" onClick={() => choose(feed.feed)}>
          {feed.title}
        </button>
      ),
    },
    { key: 'supplier', title: t('supplier'), render: (feed) => <span data-content>{feed.supplier}</span> },
    {
      key: 'last',
      title: t('last_batch'),
      render: (feed) => (feed.last_batch_at ? <DateText at={feed.last_batch_at} withTime /> : t('never')),
    },
    {
      key: 'as_of',
      title: t('as_of_day'),
      render: (feed) => (feed.last_as_of ? <DateText at={feed.last_as_of} /> : '–'),
    },
    { key: 'late', title: t('lateness'), render: (feed) => <Lateness of={feed} /> },
    { key: 'batches', title: t('batches'), isNumber: true, isDeskOnly: true, render: (f) => format.number(f.batches) },
    { key: 'records', title: t('records'), isNumber: true, render: (feed) => format.number(feed.records) },
    { key: 'errors', title: t('error_rate'), width: 190, render: (feed) => <ErrorRate of={feed} /> },
  ]
  return (
    <section>
      <h2 className="k-feeds-heading">{t('feeds')}</h2>
      <AsyncView of={feeds} isEmpty={(data) => data.items.length === 0} empty={<EmptyView text={t('feeds_none')} />}>
        {(data) => (
          <ResponsiveTable
            label={t('feeds')}
            columns={columns}
            rows={data.items}
            rowKey={(feed) => feed.feed}
            isSelected={(feed) => feed.feed === chosen}
            onRow={(feed) => choose(feed.feed)}
          />
        )}
      </AsyncView>
    </section>
  )
}

function Lateness({ of }: { of: Feed }) {
  const { t } = useWords()
  if (!of.last_batch_at) return <Mark>{t('never')}</Mark>
  if (of.days_late === null) return <Mark>{t('no_rhythm')}</Mark>
  if (of.days_late <= 0) return <Mark tone="good">{t('on_time')}</Mark>
  return <Mark tone="bad">{t('late', { count: of.days_late })}</Mark>
}

function ErrorRate({ of }: { of: Feed }) {
  const { t } = useWords()
  const format = useFormat()
  if (of.rows === 0) return '–'
  const share = of.rows_bad / of.rows
  return (
    <>
      <div className="k-feed-bar" aria-hidden>
        <span className="k-feed-bar-problem" style={{ width: `${100 * share}%` }} />
      </div>
      <span className="k-nowrap">
        {t('error_words', {
          bad: format.number(of.rows_bad),
          rows: format.number(of.rows),
          share: format.percent(share, 2),
        })}
      </span>
    </>
  )
}
