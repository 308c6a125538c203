// One file: on its way, then as it would be read, then imported.
import { Button, Progress } from 'antd'
import { callApi } from '../../api/hooks'
import { formatBytes } from '../../parts/format'
import { ProblemView } from '../../parts/problem_view'
import { Incoming } from './incoming'
import type { Sending } from './uploads'
import { useWords } from './words'

interface Props {
  of: Sending
  stop: (key: string) => void
  again: (key: string) => void
  remove: (key: string) => void
}

export function SendingRow({ of, stop, again, remove }: Props) {
  const { t } = useWords()
  const isOnItsWay = of.state === 'waiting' || of.state === 'sending'
  const drop = () => {
    // What is not dropped here is dropped by the server in time: a failure needs no word.
    if (of.upload) void callApi('delete', '/api/uploads/{id}', { path: { id: of.upload.id } }).catch(() => undefined)
    remove(of.key)
  }
  return (
    <li className="k-panel k-incoming">
      <p className="k-incoming-head">
        <strong data-content>{of.file.name}</strong>
        <span className="k-faint k-nowrap">{formatBytes(of.file.size)}</span>
        {isOnItsWay && <span className="k-faint">{t(of.state === 'sending' ? 'sending' : 'waiting')}</span>}
        {of.state === 'stopped' && <span className="k-faint">{t('stopped')}</span>}
        <span className="k-incoming-buttons">
          {isOnItsWay && <Button onClick={() => stop(of.key)}>{t('stop')}</Button>}
          {(of.state === 'stopped' || of.state === 'failed') && (
            <Button onClick={() => again(of.key)}>{t('again')}</Button>
          )}
          {!isOnItsWay && <Button onClick={drop}>{t('drop_file')}</Button>}
        </span>
      </p>
      {of.state === 'sending' && (
        <Progress percent={of.file.size > 0 ? Math.floor((100 * of.sent) / of.file.size) : 100} />
      )}
      {of.problem && <ProblemView problem={of.problem} isSmall />}
      {of.upload && <Incoming upload={of.upload} />}
    </li>
  )
}
