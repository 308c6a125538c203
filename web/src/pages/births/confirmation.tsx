// The one-page confirmation: fetched with the purpose, which an address in a page cannot carry, then opened from memory.
import { PrinterOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import { standardHeaders } from '../../api/client'
import { isProblem, offline, problemOf, type Problem } from '../../api/problem'
import { ProblemView } from '../../parts/problem_view'
import { useWords } from './words'

const KEPT_MS = 60_000

export function Confirmation({ birth, child }: { birth: string; child: number }) {
  const { t } = useWords()
  const [problem, setProblem] = useState<Problem | null>(null)
  const [isBusy, setBusy] = useState(false)
  const open = async () => {
    // Opened by the click itself: browsers refuse what comes later.
    const tab = window.open('', '_blank')
    setBusy(true)
    setProblem(null)
    try {
      const response = await fetch(`/api/births/${birth}/confirmation?child=${child}`, {
        credentials: 'same-origin',
        headers: standardHeaders(),
      })
      if (!response.ok) throw await problemOf(response)
      const url = URL.createObjectURL(await response.blob())
      if (tab) tab.location.replace(url)
      else window.location.assign(url)
      setTimeout(() => URL.revokeObjectURL(url), KEPT_MS)
    } catch (error) {
      tab?.close()
      setProblem(isProblem(error) ? error : offline())
    }
    setBusy(false)
  }
  return (
    <>
      <Button
        type="primary"
        size="large"
        icon={<PrinterOutlined />}
        loading={isBusy}
        data-testid="confirmation"
        onClick={() => void open()}
      >
        {t('confirmation')}
      </Button>
      {problem && <ProblemView problem={problem} isSmall />}
    </>
  )
}
