// One pair: both records, what the register holds now, where its weight comes from, and the answer.
import { Button, Input } from 'antd'
import { useApiGet } from '../../api/hooks'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { useMay } from '../../app/session'
import { AsyncView } from '../../parts/async_view'
import { formatProbability } from '../../parts/format'
import { ProblemView } from '../../parts/problem_view'
import { Mark, PersonLink } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useIsPhone } from '../../parts/use_screen'
import { WaterfallChart } from '../../parts/waterfall_chart'
import type { Said } from './decisions'
import { Pair } from './pair'
import { useWords } from './words'

const ANSWERS: { said: Said; key: string }[] = [
  { said: 'same', key: 'S' },
  { said: 'different', key: 'D' },
  { said: 'unknown', key: 'U' },
]
const NOTE_LONGEST = 2000

interface Props {
  brief: Schemas['MatchBrief']
  said: string | null
  note: string
  setNote: (note: string) => void
  decide: (said: Said) => void
  isBusy: boolean
  problem: Problem | null
  undo: (() => void) | null
}

export function Review({ brief, said, note, setNote, decide, isBusy, problem, undo }: Props) {
  const { t } = useWords()
  const may = useMay()
  const format = useFormat()
  const isPhone = useIsPhone()
  return (
    <section className="k-review" aria-label={t('side_by_side')}>
      <p className="k-review-head">
        <Mark tone="info">
          {t(brief.is_held_apart ? 'held_apart' : 'probability', { p: formatProbability(brief.probability) })}
        </Mark>
        <span title={t('value_hint')}>
          <Mark>{t('value', { n: format.number(brief.value) })}</Mark>
        </span>
        {brief.division && <span data-content>{brief.division.path}</span>}
      </p>
      <Pair a={brief.a} b={brief.b} />
      {may('match.decide') && (
        <div className="k-decide" role="group" aria-label={t('decide')}>
          {problem && <ProblemView problem={problem} isSmall />}
          {said ? (
            <div className="k-decide-said">
              <Mark tone="good">{t(`said_${said as Said}`)}</Mark>
              {undo && (
                <Button onClick={undo} loading={isBusy}>
                  {t('undo')}
                </Button>
              )}
            </div>
          ) : (
            <>
              <div className="k-decide-buttons">
                {ANSWERS.map((answer) => (
                  <Button key={answer.said} size="large" disabled={isBusy} onClick={() => decide(answer.said)}>
                    {t(`key_${answer.said}`)} {!isPhone && <kbd aria-hidden>{answer.key}</kbd>}
                  </Button>
                ))}
              </div>
              {!isPhone && (
                <Input
                  aria-label={t('note')}
                  placeholder={t('note')}
                  maxLength={NOTE_LONGEST}
                  value={note}
                  onChange={(event) => setNote(event.target.value)}
                />
              )}
            </>
          )}
        </div>
      )}
      <Evidence id={brief.id} isSame={brief.is_same_now} />
    </section>
  )
}

function Evidence({ id, isSame }: { id: string; isSame: boolean }) {
  const { t } = useWords()
  const match = useApiGet('/api/matches/{id}', { path: { id } })
  return (
    <AsyncView of={match} lines={5}>
      {(found) => (
        <>
          <p className="k-review-holds">
            {isSame ? t('holds_same') : t('holds_apart')} <PersonLink person={found.person_a} withFacts />
            {!isSame && (
              <>
                {' '}
                {t('and')} <PersonLink person={found.person_b} withFacts />
              </>
            )}
          </p>
          <h3>{t('why')}</h3>
          <WaterfallChart of={found.waterfall} />
        </>
      )}
    </AsyncView>
  )
}
