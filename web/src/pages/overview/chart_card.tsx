// A chart that is also a table: for those who read rather than look, and for copying.
import { App, Button, Segmented, Skeleton } from 'antd'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { EmptyView } from '../../parts/async_view'
import { useWords } from './words'

interface Props {
  title: string
  hint?: string
  /** Why there is nothing to show; null when there is. */
  why: string | null
  isLoading?: boolean
  extra?: ReactNode
  columns: string[]
  rows: ReactNode[][]
  /** The rows as copied: bare numbers, so that a spreadsheet can reckon with them. */
  plain: (string | number)[][]
  children: ReactNode
}

export function ChartCard({ title, hint, why, isLoading = false, extra, columns, rows, plain, children }: Props) {
  const { t } = useWords()
  const { message } = App.useApp()
  const [view, setView] = useState<'chart' | 'table'>('chart')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText([columns, ...plain].map((row) => row.join('\t')).join('\n'))
      void message.success(t('copied'))
    } catch {
      void message.warning(t('copy_failed'))
    }
  }
  return (
    <section className="k-panel k-overview-card" aria-label={title}>
      <h2>{title}</h2>
      {hint && <p className="k-faint">{hint}</p>}
      {why === null && (
        <div className="k-toolbar">
          {extra}
          <Segmented
            aria-label={t('view_of', { title })}
            value={view}
            onChange={setView}
            options={[
              { value: 'chart', label: t('chart') },
              { value: 'table', label: t('table') },
            ]}
          />
          {view === 'table' && <Button onClick={() => void copy()}>{t('copy')}</Button>}
        </div>
      )}
      {isLoading ? (
        <Skeleton active />
      ) : why !== null ? (
        <EmptyView text={why} />
      ) : view === 'chart' ? (
        children
      ) : (
        <div className="k-overview-table-box" tabIndex={0} role="region" aria-label={title}>
          <table className="k-overview-table">
            <caption className="k-visually-hidden">{title}</caption>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, i) => (
                <tr key={i}>
                  {row.map((cell, j) =>
                    j === 0 ? (
                      <th key={j} scope="row" data-content>
                        {cell}
                      </th>
                    ) : (
                      <td key={j}>{cell}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
