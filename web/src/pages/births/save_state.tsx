// Whether what is filled in is kept, and what to do when somebody else changed it meanwhile.
import { useQueryClient } from '@tanstack/react-query'
import { Alert, Button } from 'antd'
import { useNavigate } from 'react-router'
import type { Problem } from '../../api/problem'
import { ProblemView } from '../../parts/problem_view'
import { useFormat } from '../../parts/use_format'
import { useWords } from './words'

interface Props {
  id: string | null
  isSaving: boolean
  savedAt: string | null
  problem: Problem | null
  end: () => void
}

export function SaveState({ id, isSaving, savedAt, problem, end }: Props) {
  const { t } = useWords()
  const format = useFormat()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const readAgain = () => {
    end()
    void navigate(`/births/${id}`, { replace: true })
    void queries.resetQueries({ queryKey: ['/api/births/{id}', { id }] })
  }
  if (id && (problem?.status === 412 || problem?.status === 409)) {
    return (
      <Alert
        type="warning"
        showIcon
        title={t('changed_elsewhere')}
        description={t('changed_elsewhere_text')}
        action={<Button onClick={readAgain}>{t('read_again')}</Button>}
      />
    )
  }
  return (
    <div className="k-birth-saved">
      {problem && <ProblemView problem={problem} isSmall />}
      <span className="k-faint" role="status" data-testid="saved">
        {isSaving ? t('saving') : savedAt && !problem ? t('saved', { at: format.instant(savedAt) }) : t('not_saved')}
      </span>
    </div>
  )
}
