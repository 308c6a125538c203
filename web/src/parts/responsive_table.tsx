// A list: a table at the desk, cards on the phone. More of it by the cursor.
import { Button } from 'antd'
import type { ReactNode } from 'react'
import './responsive_table.css'
import { useIsPhone } from './use_screen'
import { useWords } from './words'

export interface Column<T> {
  key: string
  title: string
  render: (row: T) => ReactNode
  /** Heads the card; at the desk it is the head of its row. */
  isMain?: boolean
  /** Numbers stand at the right. */
  isNumber?: boolean
  isDeskOnly?: boolean
  width?: number | string
}

interface Props<T> {
  /** What the list is, for those who cannot see it. */
  label: string
  columns: Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string
  isSelected?: (row: T) => boolean
  /** A click anywhere on the row; a link or button in it must do the same for the keyboard. */
  onRow?: (row: T) => void
  more?: { hasMore: boolean; loadMore: () => void; isLoadingMore: boolean }
}

export function ResponsiveTable<T>(props: Props<T>) {
  const isPhone = useIsPhone()
  return (
    <>
      {isPhone ? <Cards {...props} /> : <Table {...props} />}
      {props.more && <More count={props.rows.length} {...props.more} />}
    </>
  )
}

function clicked<T>(row: T, onRow: ((row: T) => void) | undefined) {
  if (!onRow) return undefined
  return (event: React.MouseEvent) => {
    const isOnControl = (event.target as Element).closest('a, button, input, label, textarea')
    if (!isOnControl && !window.getSelection()?.toString()) onRow(row)
  }
}

function Table<T>({ label, columns, rows, rowKey, isSelected, onRow }: Props<T>) {
  return (
    // A table wider than the page scrolls by itself, by keyboard too.
    <div className="k-table-frame" role="region" aria-label={label} tabIndex={0}>
      <table className="k-table">
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.key} scope="col" className={c.isNumber ? 'k-number' : undefined} style={{ width: c.width }}>
                {c.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              className={rowClass(isSelected?.(row), !!onRow)}
              aria-selected={isSelected?.(row)}
              onClick={clicked(row, onRow)}
            >
              {columns.map((c) =>
                c.isMain ? (
                  <th key={c.key} scope="row" className="k-main" data-content>
                    {c.render(row)}
                  </th>
                ) : (
                  <td key={c.key} className={c.isNumber ? 'k-number' : undefined}>
                    {c.render(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function rowClass(isSelected: boolean | undefined, isClickable: boolean) {
  return [isSelected && 'k-selected', isClickable && 'k-clickable'].filter(Boolean).join(' ') || undefined
}

function Cards<T>({ label, columns, rows, rowKey, isSelected, onRow }: Props<T>) {
  const main = columns.filter((c) => c.isMain)
  const rest = columns.filter((c) => !c.isMain && !c.isDeskOnly)
  return (
    <ul className="k-cards" aria-label={label}>
      {rows.map((row) => (
        <li
          key={rowKey(row)}
          className={['k-card', rowClass(isSelected?.(row), !!onRow)].filter(Boolean).join(' ')}
          onClick={clicked(row, onRow)}
        >
          {main.map((c) => (
            <div key={c.key} className="k-card-main" data-content>
              {c.render(row)}
            </div>
          ))}
          <dl>
            {rest.map((c) => (
              <div key={c.key}>
                <dt>{c.title}</dt>
                <dd>{c.render(row)}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  )
}

function More({ count, hasMore, loadMore, isLoadingMore }: NonNullable<Props<unknown>['more']> & { count: number }) {
  const { t } = useWords()
  if (count === 0) return null
  return (
    <div className="k-more">
      <span className="k-faint" role="status">
        {t('shown', { count })}
      </span>
      {hasMore && (
        <Button onClick={loadMore} loading={isLoadingMore}>
          {t('load_more')}
        </Button>
      )}
    </div>
  )
}
