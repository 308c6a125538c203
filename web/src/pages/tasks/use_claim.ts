// Holds the task while it is open on this screen, so that two people never work on it unaware.
import { useEffect, useState } from 'react'
import { callApi } from '../../api/hooks'
import { isProblem } from '../../api/problem'

const RENEW_MS = 4 * 60_000
const ASK_AGAIN_MS = 20_000

interface Claimed {
  /** Who else holds it; null when it is ours or nobody may hold it. */
  holder: string | null
  until: string | null
}

export function useClaim(id: string, wants: boolean): Claimed {
  const [claimed, setClaimed] = useState<Claimed>({ holder: null, until: null })
  useEffect(() => {
    if (!wants) return
    let isOver = false
    let isOurs = false
    let timer: ReturnType<typeof setTimeout>
    const take = async () => {
      try {
        const { body } = await callApi('put', '/api/tasks/{id}/claim', { path: { id } })
        isOurs = body.is_mine
        if (!isOver) setClaimed(body.is_mine ? { holder: null, until: null } : { holder: body.name, until: body.until })
      } catch (error) {
        isOurs = false
        const holder = isProblem(error) && error.status === 409 ? (error.told.holder ?? '?') : null
        if (!isOver) setClaimed({ holder, until: null })
      }
      if (isOver && isOurs) void letGo()
      if (!isOver) timer = setTimeout(() => void take(), isOurs ? RENEW_MS : ASK_AGAIN_MS)
    }
    const letGo = async () => {
      try {
        await callApi('delete', '/api/tasks/{id}/claim', { path: { id } })
      } catch {
        // It ends by itself after a while.
      }
    }
    void take()
    return () => {
      isOver = true
      clearTimeout(timer)
      if (isOurs) void letGo()
    }
  }, [id, wants])
  return claimed
}
