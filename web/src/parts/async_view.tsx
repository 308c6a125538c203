// The four states of what is loaded: on its way, failed, empty, there.
import { Empty, Skeleton } from 'antd'
import type { ReactNode } from 'react'
import type { Problem } from '../api/problem'
import { ProblemView } from './problem_view'
import { useWords } from './words'

interface Props<A> {
  of: { data: A | undefined; error: Problem | null; isPending: boolean; refetch: () => unknown }
  isEmpty?: ((data: A) => boolean) | undefined
  empty?: ReactNode
  /** Lines of the grey picture while it loads. */
  lines?: number
  children: (data: A) => ReactNode
}

export function AsyncView<A>({ of, isEmpty, empty, lines = 6, children }: Props<A>) {
  const { t } = useWords()
  const { data, error, refetch } = of
  if (data === undefined) {
    if (error) return <ProblemView problem={error} retry={refetch} />
    return (
      <div role="status" aria-label={t('loading')}>
        <Skeleton active title={false} paragraph={{ rows: lines }} />
      </div>
    )
  }
  return (
    <>
      {error && <ProblemView problem={error} retry={refetch} isSmall />}
      {isEmpty?.(data) ? (empty ?? <EmptyView />) : children(data)}
    </>
  )
}

export function EmptyView({ text, children }: { text?: ReactNode; children?: ReactNode }) {
  const { t } = useWords()
  return (
    <Empty className="k-empty" image={Empty.PRESENTED_IMAGE_SIMPLE} description={text ?? t('empty')}>
      {children}
    </Empty>
  )
}
