// A place to drop a file. It is sent as it is, with its progress, and can be stopped.
import { InboxOutlined } from '@ant-design/icons'
import { Button, Progress } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { standardHeaders } from '../api/client'
import { offline, Problem } from '../api/problem'
import type { Schemas } from '../api/types'
import { formatBytes } from './format'
import { ProblemView } from './problem_view'
import { useWords } from './words'

interface Props {
  /** As the accept of a file input: ".csv,.xlsx". */
  accept?: string
  hint?: string
  onDone: (upload: Schemas['Upload']) => void
}

interface Sending {
  name: string
  bytes: number
  percent: number
}

function problemFrom(request: XMLHttpRequest): Problem {
  const after = Number(request.getResponseHeader('Retry-After')) || undefined
  try {
    return new Problem(JSON.parse(request.responseText) as Schemas['Problem'], after)
  } catch {
    return new Problem(
      { type: 'about:blank', title: request.statusText, status: request.status, request_id: '' },
      after,
    )
  }
}

export function UploadDrop({ accept, hint, onDone }: Props) {
  const { t } = useWords()
  const [isOver, setOver] = useState(false)
  const [sending, setSending] = useState<Sending | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const request = useRef<XMLHttpRequest | null>(null)
  useEffect(() => () => request.current?.abort(), [])

  const send = (file: File | undefined) => {
    if (!file || sending) return
    // fetch tells no progress of what it sends.
    const xhr = new XMLHttpRequest()
    request.current = xhr
    setProblem(null)
    setSending({ name: file.name, bytes: file.size, percent: 0 })
    xhr.open('POST', `/api/uploads?name=${encodeURIComponent(file.name)}`)
    for (const [name, value] of Object.entries(standardHeaders())) xhr.setRequestHeader(name, value)
    xhr.setRequestHeader('Content-Type', 'application/octet-stream')
    xhr.upload.onprogress = (event) => {
      setSending({ name: file.name, bytes: file.size, percent: event.total ? (100 * event.loaded) / event.total : 0 })
    }
    xhr.onloadend = () => setSending(null)
    xhr.onerror = () => setProblem(offline())
    xhr.onload = () => {
      if (xhr.status === 201) onDone(JSON.parse(xhr.responseText) as Schemas['Upload'])
      else setProblem(problemFrom(xhr))
    }
    xhr.send(file)
  }

  return (
    <div>
      {problem && <ProblemView problem={problem} isSmall />}
      {sending ? (
        <div className="k-drop k-drop-busy" role="status">
          <p data-content>
            {t('upload_sending', { name: sending.name })} · {formatBytes(sending.bytes)}
          </p>
          <Progress percent={Math.floor(sending.percent)} />
          <Button onClick={() => request.current?.abort()}>{t('upload_stop')}</Button>
        </div>
      ) : (
        <label
          className={isOver ? 'k-drop k-drop-over' : 'k-drop'}
          onDragOver={(event) => {
            event.preventDefault()
            setOver(true)
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault()
            setOver(false)
            send(event.dataTransfer.files[0])
          }}
        >
          <InboxOutlined aria-hidden />
          <span>{t('upload_drop')}</span>
          {hint && <span className="k-faint">{hint}</span>}
          <input
            type="file"
            className="k-visually-hidden"
            accept={accept}
            onChange={(event) => {
              send(event.target.files?.[0])
              event.target.value = ''
            }}
          />
        </label>
      )}
    </div>
  )
}
