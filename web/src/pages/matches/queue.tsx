// The loaded pairs, by both names; what is decided already is marked.
import { CheckOutlined } from '@ant-design/icons'
import { useEffect, useRef } from 'react'
import type { Schemas } from '../../api/types'
import { formatBits } from '../../parts/format'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

type Brief = Schemas['MatchBrief']

function nameOf(record: Schemas['SourceRecord']): string {
  return record.fields.find((field) => field.field === 'name')?.value ?? record.source.title
}

interface Props {
  pairs: Brief[]
  at: number
  go: (to: number) => void
  saidOf: (pair: Brief) => string | null
}

export function Queue({ pairs, at, go, saidOf }: Props) {
  const { t } = useWords()
  const format = useFormat()
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' })
  }, [at])
  return (
    <>
      <p className="k-faint">
        {t('queue')} · {t('queue_order')}
      </p>
      <ol className="k-queue" ref={list} aria-label={t('queue')}>
        {pairs.map((pair, i) => {
          const said = saidOf(pair)
          return (
            <li key={pair.id}>
              <button type="button" aria-current={i === at} onClick={() => go(i)} data-content>
                <span className="k-queue-names">
                  {nameOf(pair.a)} / {nameOf(pair.b)}
                </span>
                <small className="k-faint">
                  {said ? (
                    <>
                      <CheckOutlined aria-hidden /> {t(`said_${said as 'same'}`)}
                    </>
                  ) : (
                    <>
                      {t('value', { n: format.number(pair.value) })} · {formatBits(pair.weight)}
                    </>
                  )}
                </small>
              </button>
            </li>
          )
        })}
      </ol>
    </>
  )
}
