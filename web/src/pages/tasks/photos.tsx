// Photos of a paper or a place. A phone's picture is made smaller before it goes over a poor network.
import { CameraOutlined } from '@ant-design/icons'
import { Alert, Button } from 'antd'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { standardHeaders } from '../../api/client'
import { isProblem, offline, problemOf, type Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { ProblemView } from '../../parts/problem_view'
import { useWords } from './words'

const LONGEST_SIDE = 1600
const QUALITY = 0.8

class Unreadable extends Error {}

async function madeSmaller(file: File): Promise<Blob> {
  const picture = await createImageBitmap(file).catch(() => {
    throw new Unreadable()
  })
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * scale)
  canvas.height = Math.round(picture.height * scale)
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY))
  if (!blob) throw new Unreadable()
  return blob
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, {
    ...init,
    credentials: 'same-origin',
    headers: { ...standardHeaders(), ...init.headers },
  }).catch((error: unknown) => {
    throw error instanceof DOMException && error.name === 'AbortError' ? error : offline()
  })
  if (!response.ok) throw await problemOf(response)
  return response
}

interface Props {
  task: string
  photos: Schemas['Attachment'][]
  mayAdd: boolean
}

export function Photos({ task, photos, mayAdd }: Props) {
  const { t } = useWords()
  const queries = useQueryClient()
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<Problem | 'unreadable' | null>(null)
  const [isBusy, setBusy] = useState(false)
  if (photos.length === 0 && !mayAdd) return null
  const add = async (file: File | undefined) => {
    if (!file) return
    setBusy(true)
    setProblem(null)
    try {
      const body = await madeSmaller(file)
      await request(`/api/tasks/${task}/photos`, { method: 'POST', body, headers: { 'Content-Type': 'image/jpeg' } })
      await queries.invalidateQueries({ queryKey: ['/api/tasks/{id}'] })
    } catch (error) {
      setProblem(isProblem(error) ? error : error instanceof Unreadable ? 'unreadable' : offline())
    }
    setBusy(false)
  }
  return (
    <section className="k-panel k-task-photos">
      <h2>{t('photos')}</h2>
      <div>
        {photos.map((photo, i) => (
          <Photo key={photo.id} id={photo.id} alt={t('photo_alt', { n: i + 1 })} />
        ))}
        {mayAdd && (
          <>
            <input
              ref={input}
              type="file"
              accept="image/jpeg,image/png,image/webp"
              capture="environment"
              hidden
              aria-label={t('photo_add')}
              onChange={(event) => {
                void add(event.target.files?.[0])
                event.target.value = ''
              }}
            />
            <Button icon={<CameraOutlined />} loading={isBusy} onClick={() => input.current?.click()}>
              {t('photo_add')}
            </Button>
          </>
        )}
      </div>
      {problem === 'unreadable' && <Alert type="error" showIcon title={t('photo_too_large')} />}
      {problem !== null && problem !== 'unreadable' && <ProblemView problem={problem} isSmall />}
    </section>
  )
}

/** Fetched with the purpose, which an address in a page cannot carry. */
function Photo({ id, alt }: { id: string; alt: string }) {
  const { data: blob } = useQuery({
    queryKey: ['/api/attachments/{id}', id],
    queryFn: async ({ signal }) => (await request(`/api/attachments/${id}`, { signal })).blob(),
    staleTime: Infinity,
  })
  const url = useMemo(() => (blob ? URL.createObjectURL(blob) : null), [blob])
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url])
  return url ? (
    <a href={url} target="_blank" rel="noreferrer">
      <img src={url} alt={alt} />
    </a>
  ) : null
}
