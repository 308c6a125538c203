// Holds the task while it is open on this screen, so that two people never work on it unaware.
import { useEffect, useEffectEvent, useState } from 'react'
import { standardHeaders } from '../../api/client'
import { callApi } from '../../api/hooks'
import { isProblem, type Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'

const RENEW_MS = 4 * 60_000
const ASK_AGAIN_MS = 20_000

interface Claimed {
  isMine: boolean
  /** Who else holds it. */
  holder: string | null
  until: string | null
  /** Why it cannot be held, when nobody else is the reason. */
  problem: Problem | null
}

const FREE: Claimed = { isMine: false, holder: null, until: null, problem: null }

function claimedBy(claim: Schemas['Claim'] | null): Claimed {
  if (!claim || claim.is_mine) return FREE
  return { ...FREE, holder: claim.name, until: claim.until }
}

/** `onFreed`: somebody else had it, so what is shown may be old. */
export function useClaim(
  { task: { id }, claim }: Schemas['TaskDetail'],
  wants: boolean,
  onFreed: () => unknown,
): Claimed {
  const [claimed, setClaimed] = useState<Claimed>(() => claimedBy(claim))
  const freed = useEffectEvent(onFreed)
  useEffect(() => {
    if (!wants) return
    let isOver = false
    let isOurs = false
    let wasHeld = false
    let timer: ReturnType<typeof setTimeout>
    const take = async () => {
      let now: Claimed
      try {
        const { body } = await callApi('put', '/api/tasks/{id}/claim', { path: { id } })
        now = body.is_mine ? { ...FREE, isMine: true } : claimedBy(body)
      } catch (error) {
        const problem = isProblem(error) ? error : null
        now = problem?.status === 409 ? { ...FREE, holder: problem.told.holder ?? '—' } : { ...FREE, problem }
      }
      isOurs = now.isMine
      if (isOver) {
        if (isOurs) void letGo()
        return
      }
      setClaimed(now)
      if (isOurs && wasHeld) freed()
      wasHeld = now.holder !== null
      timer = setTimeout(() => void take(), isOurs ? RENEW_MS : ASK_AGAIN_MS)
    }
    const letGo = async () => {
      try {
        await callApi('delete', '/api/tasks/{id}/claim', { path: { id } })
      } catch {
        // It ends by itself after a while.
      }
    }
    // A tab that is closed waits for no answer.
    const closing = () => {
      if (!isOurs) return
      const init = {
        method: 'DELETE',
        keepalive: true,
        credentials: 'same-origin',
        headers: standardHeaders(),
      } as const
      void fetch(`/api/tasks/${id}/claim`, init).catch(() => undefined)
    }
    void take()
    window.addEventListener('pagehide', closing)
    return () => {
      isOver = true
      clearTimeout(timer)
      window.removeEventListener('pagehide', closing)
      if (isOurs) void letGo()
    }
  }, [id, wants])
  return claimed
}
