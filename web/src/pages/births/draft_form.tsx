// The form at the counter: short sections on one page, remarks beside their fields, kept as one types.
import { Alert, Button } from 'antd'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { callApi } from '../../api/hooks'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { ProblemView } from '../../parts/problem_view'
import { DivisionPath, DateText, Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useSettled } from '../../parts/use_screen'
import './births.css'
import { Fields } from './fields'
import { type Declaration, type Kept, useDraft } from './use_draft'
import { useWords } from './words'

const REVIEW_MS = 500

export function useReview(declaration: Declaration) {
  const settled = useSettled(declaration, REVIEW_MS)
  return useQuery<Schemas['BirthReview'], Problem>({
    queryKey: ['/api/births/review', JSON.stringify(settled)],
    queryFn: async ({ signal }) => (await callApi('post', '/api/births/review', { body: settled, signal })).body,
    placeholderData: (before) => before,
    gcTime: 0,
  })
}

interface Props {
  draft: Kept | null
  start: Declaration
}

export function DraftForm({ draft, start }: Props) {
  const { t } = useWords()
  const format = useFormat()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { declaration, setDeclaration, flush, savedAt, isSaving, problem } = useDraft(start, draft)
  const [sameAs, setSameAs] = useState<string | null>(null)
  const [settledChild, setSettledChild] = useState(false)
  const review = useReview(declaration)
  const key = useRef(crypto.randomUUID())
  const register = useMutation<string, Problem>({
    mutationFn: async () => {
      const kept = await flush(declaration)
      if (!kept) throw new Error('nothing was kept')
      const headers: Record<string, string> = { 'Idempotency-Key': key.current }
      if (kept.etag) headers['If-Match'] = kept.etag
      await callApi('post', '/api/births/{id}/register', {
        path: { id: kept.id },
        body: sameAs ? { same_as: [sameAs] } : {},
        headers,
      })
      return kept.id
    },
    onSuccess: async (id) => {
      await queries.invalidateQueries()
      void navigate(`/births/${id}`, { replace: true })
    },
  })
  const remarks = review.data?.remarks ?? []
  const blocking = remarks.filter((remark) => remark.is_blocking)
  const isReady = review.data !== undefined && blocking.length === 0
  return (
    <div className="k-birth-form">
      <p className="k-faint">{t('form_text')}</p>
      <Fields value={declaration} onChange={setDeclaration} remarks={remarks} />
      <section className="k-panel" aria-labelledby="k-birth-check">
        <h2 id="k-birth-check">{t('section_check')}</h2>
        <Candidates
          found={settledChild ? [] : (review.data?.candidates ?? [])}
          onSame={(id) => {
            setSameAs(id)
            setSettledChild(true)
          }}
          onOther={() => setSettledChild(true)}
        />
        <Remarks remarks={remarks} isReady={isReady} />
        {problem && <ProblemView problem={problem} isSmall />}
        {register.error && <ProblemView problem={register.error} isSmall />}
        <div className="k-birth-buttons">
          <Button
            type="primary"
            size="large"
            data-testid="register"
            disabled={!isReady}
            loading={register.isPending}
            onClick={() => register.mutate()}
          >
            {t('register')}
          </Button>
          <Button
            size="large"
            onClick={() =>
              void flush(declaration)
                .then(() => navigate('/births?show=drafts'))
                .catch(() => undefined)
            }
          >
            {t('later')}
          </Button>
          <span className="k-faint" role="status">
            {isSaving ? t('saving') : savedAt ? t('saved', { at: format.instant(savedAt) }) : t('not_saved')}
          </span>
        </div>
      </section>
    </div>
  )
}

export function Remarks({ remarks, isReady }: { remarks: Schemas['BirthRemark'][]; isReady: boolean }) {
  const { t } = useWords()
  const blocking = remarks.filter((remark) => remark.is_blocking)
  const hints = remarks.filter((remark) => !remark.is_blocking)
  const list = (of: Schemas['BirthRemark'][]) => (
    <ul className="k-birth-remarks">
      {of.map((remark, i) => (
        <li key={i}>{remark.text}</li>
      ))}
    </ul>
  )
  return (
    <>
      {blocking.length > 0 && <Alert type="warning" showIcon title={t('needed')} description={list(blocking)} />}
      {hints.length > 0 && <Alert type="info" showIcon title={t('hints')} description={list(hints)} />}
      {isReady && hints.length === 0 && <Alert type="success" showIcon title={t('all_right')} />}
    </>
  )
}

interface CandidatesProps {
  found: Schemas['BirthCandidate'][]
  onSame: (person: string) => void
  onOther: () => void
}

function Candidates({ found, onSame, onOther }: CandidatesProps) {
  const { t } = useWords()
  const format = useFormat()
  if (found.length === 0) return null
  return (
    <section className="k-birth-candidates" aria-label={t('candidates')}>
      <h3>{t('candidates')}</h3>
      <ul>
        {found.map((one) => (
          <li key={`${one.person_id ?? ''}${one.birth_id ?? ''}`}>
            <strong data-content>{one.name ?? t('unnamed')}</strong> <DateText at={one.birth_date} />{' '}
            <DivisionPath of={one.division} /> <Mark tone="warn">{format.percent(one.probability)}</Mark>
            <span className="k-faint">{one.why}</span>
            {one.person_id && (
              <Button size="small" onClick={() => one.person_id && onSame(one.person_id)}>
                {t('same_child')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Button onClick={onOther}>{t('other_child')}</Button>
    </section>
  )
}
