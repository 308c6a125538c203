// A file behind the purpose header, which a plain link cannot send.
import { standardHeaders } from '../../api/client'
import { offline, problemOf } from '../../api/problem'

export async function download(address: string, name: string): Promise<void> {
  const response = await fetch(address, { headers: standardHeaders() }).catch(() => {
    throw offline()
  })
  if (!response.ok) throw await problemOf(response)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
