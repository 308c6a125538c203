import { DownloadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Button } from 'antd'
import type { Problem } from '../../api/problem'
import { useMay } from '../../app/session'
import { ProblemView } from '../../parts/problem_view'
import { download } from './download'
import { useWords } from './words'

/** The rows that could not be taken as they are, with the reasons, to be put right by who sent them. */
export function BadRows({ batch, fileName }: { batch: string; fileName: string }) {
  const { t } = useWords()
  const may = useMay()
  const get = useMutation<void, Problem>({
    mutationFn: () => download(`/api/batches/${batch}/bad-rows`, `${fileName.replace(/\.\w+$/, '')}.bad.csv`),
  })
  if (!may('feed.import')) return null
  return (
    <>
      <Button icon={<DownloadOutlined />} loading={get.isPending} onClick={() => get.mutate()}>
        {t('bad_rows')}
      </Button>
      {get.error && <ProblemView problem={get.error} isSmall />}
    </>
  )
}
