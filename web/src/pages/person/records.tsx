// The departments' records that were found to be this person's, each with why.
import { Collapse } from 'antd'
import { useApiGet } from '../../api/hooks'
import type { Schemas } from '../../api/types'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { formatBits } from '../../parts/format'
import { DateText, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useValueWords } from '../../parts/use_value_words'
import { WaterfallChart } from '../../parts/waterfall_chart'
import { useWords } from './words'

type PersonRecord = Schemas['PersonRecord']

export function Records({ id }: { id: string }) {
  const { t } = useWords()
  const records = useApiGet('/api/persons/{id}/records', { path: { id } })
  return (
    <AsyncView
      of={records}
      isEmpty={(found) => found.items.length === 0}
      empty={<EmptyView text={t('records_none')} />}
    >
      {({ items, model }) => (
        <>
          <Collapse
            className="k-records"
            items={items.map((item) => ({
              key: item.record.id,
              label: <Head item={item} />,
              children: <Body item={item} isOnly={items.length === 1} />,
            }))}
          />
          {model && (
            <p className="k-faint" data-content>
              {t('records_model', { model })}
            </p>
          )}
        </>
      )}
    </AsyncView>
  )
}

function Head({ item }: { item: PersonRecord }) {
  const { t } = useWords()
  const { record } = item
  return (
    <span className="k-record-head">
      <strong>{record.source.title}</strong>
      {record.recorded_on && <DateText at={record.recorded_on} />}
      {item.is_decided ? (
        <Mark tone="info">{t('record_decided')}</Mark>
      ) : (
        item.waterfall && <Mark>{t('record_weight', { bits: formatBits(item.weight) })}</Mark>
      )}
    </span>
  )
}

function Body({ item, isOnly }: { item: PersonRecord; isOnly: boolean }) {
  const { t } = useWords()
  const format = useFormat()
  const wordsOf = useValueWords()
  const { record, peer, waterfall } = item
  return (
    <div className="k-record-body">
      <div>
        <dl className="k-facts">
          {record.fields.map((field) => (
            <div key={field.field}>
              <dt>{field.title}</dt>
              <dd data-content>{wordsOf(field.field, field.value)}</dd>
            </div>
          ))}
        </dl>
        <p className="k-faint k-file" data-content>
          {t('record_from', { file: record.file_name, row: format.number(record.row) })}
        </p>
      </div>
      <div>
        {waterfall ? (
          <>
            <h3>{t('record_why')}</h3>
            {peer && <p className="k-faint">{t('record_peer', { title: peer.title })}</p>}
            <WaterfallChart of={waterfall} />
          </>
        ) : (
          <p className="k-faint">{item.is_decided ? t('record_decided') : isOnly ? t('record_only') : null}</p>
        )}
      </div>
    </div>
  )
}
