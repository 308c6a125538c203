// Files on their way to the server. XMLHttpRequest, since fetch tells nothing of how far an upload has come.
import { useCallback, useEffect, useReducer, useRef } from 'react'
import { standardHeaders } from '../../api/client'
import { offline, Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'

export type SendingState = 'waiting' | 'sending' | 'kept' | 'failed' | 'stopped'
export interface Sending {
  key: string
  file: File
  state: SendingState
  sent: number
  upload: Schemas['Upload'] | null
  problem: Problem | null
}

type Change =
  | { kind: 'add'; sendings: Sending[] }
  | { kind: 'set'; key: string; values: Partial<Sending> }
  | { kind: 'remove'; key: string }

function reduce(list: Sending[], change: Change): Sending[] {
  if (change.kind === 'add') return [...list, ...change.sendings]
  if (change.kind === 'remove') return list.filter((s) => s.key !== change.key)
  return list.map((s) => (s.key === change.key ? { ...s, ...change.values } : s))
}

function problemOfText(request: XMLHttpRequest): Problem {
  try {
    return new Problem(JSON.parse(request.responseText) as Schemas['Problem'])
  } catch {
    return new Problem({ type: 'about:blank', title: request.statusText, status: request.status, request_id: '' })
  }
}

/** One file after the other: the line is shared with those who work at the counter. */
export function useUploads() {
  const [list, change] = useReducer(reduce, [])
  const running = useRef<{ key: string; request: XMLHttpRequest } | null>(null)

  const begin = useCallback((sending: Sending) => {
    const request = new XMLHttpRequest()
    const set = (values: Partial<Sending>) => change({ kind: 'set', key: sending.key, values })
    const end = (values: Partial<Sending>) => {
      running.current = null
      set(values)
    }
    running.current = { key: sending.key, request }
    request.open('POST', `/api/uploads?name=${encodeURIComponent(sending.file.name)}`)
    for (const [name, value] of Object.entries(standardHeaders())) request.setRequestHeader(name, value)
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.upload.onprogress = (event) => set({ sent: event.loaded })
    request.onload = () => {
      if (request.status !== 201) return end({ state: 'failed', problem: problemOfText(request) })
      try {
        const upload = JSON.parse(request.responseText) as Schemas['Upload']
        end({ state: 'kept', sent: sending.file.size, upload })
      } catch {
        end({ state: 'failed', problem: offline() })
      }
    }
    request.onerror = () => end({ state: 'failed', problem: offline() })
    request.onabort = () => end({ state: 'stopped' })
    set({ state: 'sending', sent: 0, problem: null })
    request.send(sending.file)
  }, [])

  useEffect(() => {
    const next = list.find((s) => s.state === 'waiting')
    if (next && !running.current) begin(next)
  }, [list, begin])

  useEffect(() => () => running.current?.request.abort(), [])

  const add = useCallback((files: File[]) => {
    const sendings = files.map((file): Sending => ({
      key: crypto.randomUUID(),
      file,
      state: 'waiting',
      sent: 0,
      upload: null,
      problem: null,
    }))
    change({ kind: 'add', sendings })
  }, [])
  const stop = useCallback((key: string) => {
    if (running.current?.key === key) running.current.request.abort()
    else change({ kind: 'set', key, values: { state: 'stopped' } })
  }, [])
  const again = useCallback((key: string) => {
    change({ kind: 'set', key, values: { state: 'waiting', sent: 0, problem: null } })
  }, [])
  const remove = useCallback((key: string) => change({ kind: 'remove', key }), [])
  return { list, add, stop, again, remove }
}
