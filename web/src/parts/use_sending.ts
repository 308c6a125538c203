// A form on its way to the server, where nothing else of the page depends on the answer.
import { useState } from 'react'
import { isProblem, type Problem } from '../api/problem'

export function useSending<A>(onDone: (answer: A) => void) {
  const [isSending, setSending] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const send = async (request: () => Promise<A>) => {
    if (isSending) return
    setSending(true)
    setProblem(null)
    try {
      onDone(await request())
    } catch (error) {
      if (!isProblem(error)) throw error
      setProblem(error)
    } finally {
      setSending(false)
    }
  }
  return { isSending, problem, send }
}
