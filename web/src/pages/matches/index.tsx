// Doubtful pairs, the most valuable first, decided one after the other with the keyboard or a thumb.
import { LeftOutlined, RightOutlined } from '@ant-design/icons'
import { App, Button, Segmented } from 'antd'
import { useState } from 'react'
import { callApi, useApiPages, useApiSend } from '../../api/hooks'
import { isProblem, type Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { useArea, useMay } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { LinkRun } from '../../parts/link_run'
import { Page } from '../../parts/page'
import { Mark } from '../../parts/texts'
import { useFormat } from '../../parts/use_format'
import { useIsPhone } from '../../parts/use_screen'
import { type Decision, type Said, useDecisions } from './decisions'
import { type Command, KeyHelp, KeyLegend, useCommands } from './keys'
import './matches.css'
import { Quality } from './quality'
import { Queue } from './queue'
import { Review } from './review'
import { useWords } from './words'

type Brief = Schemas['MatchBrief']

const PAGE = 20
const AHEAD = 3

export default function MatchesPage() {
  const { t } = useWords()
  const may = useMay()
  const format = useFormat()
  const isPhone = useIsPhone()
  const { code } = useArea()
  const [isOpenOnly, setOpenOnly] = useState(true)
  const [isHelp, setHelp] = useState(false)
  const decisions = useDecisions()
  const waiting = decisions.list.filter((d) => d.said !== 'unknown').length
  const pairs = useApiPages(
    '/api/matches',
    { query: { division: code, open: isOpenOnly, limit: PAGE } },
    { staleTime: Infinity },
  )
  return (
    <Page
      title={t('title')}
      extra={
        <>
          <Segmented
            aria-label={t('which')}
            value={isOpenOnly}
            onChange={setOpenOnly}
            options={[
              { value: true, label: t('open') },
              { value: false, label: t('all') },
            ]}
          />
          {!isPhone && may('match.decide') && <Button onClick={() => setHelp(true)}>{t('key_help')}</Button>}
        </>
      }
    >
      {waiting > 0 && (
        <div className="k-panel k-waits" role="status">
          <div>
            <strong>{t('waits', { n: format.number(waiting) })}</strong>
            <p className="k-faint">{t('waits_hint')}</p>
          </div>
          <LinkRun onDone={decisions.clear} />
        </div>
      )}
      <AsyncView
        of={pairs}
        isEmpty={() => pairs.items.length === 0}
        empty={
          <EmptyView text={t('none')}>
            <p className="k-faint">{t('none_text')}</p>
          </EmptyView>
        }
        lines={10}
      >
        {() => (
          <Work
            key={`${code} ${isOpenOnly}`}
            pairs={pairs.items}
            hasMore={pairs.hasMore}
            loadMore={pairs.loadMore}
            decisions={decisions}
            isHelp={isHelp}
            setHelp={setHelp}
          />
        )}
      </AsyncView>
      <Quality />
    </Page>
  )
}

interface WorkProps {
  pairs: Brief[]
  hasMore: boolean
  loadMore: () => void
  decisions: ReturnType<typeof useDecisions>
  isHelp: boolean
  setHelp: (isHelp: boolean) => void
}

/** The list stays as it was loaded while one decides, so that nothing moves under the hand. */
function Work({ pairs, hasMore, loadMore, decisions, isHelp, setHelp }: WorkProps) {
  const { t } = useWords()
  const { message } = App.useApp()
  const may = useMay()
  const isPhone = useIsPhone()
  const [at, setAt] = useState(0)
  const [note, setNote] = useState('')
  const [problem, setProblem] = useState<Problem | null>(null)
  const [isUndoing, setUndoing] = useState(false)
  const send = useApiSend('post', '/api/matches/{id}/decision', { refresh: ['/api/matches/quality'] })
  const brief = pairs[Math.min(at, pairs.length - 1)]
  const ofMatch = new Map(decisions.list.map((d) => [d.match, d]))
  const saidOf = (pair: Brief) => ofMatch.get(pair.id)?.said ?? pair.said

  const go = (to: number) => {
    if (to < 0 || to >= pairs.length) return
    setAt(to)
    setProblem(null)
    setNote('')
    if (hasMore && to >= pairs.length - AHEAD) loadMore()
  }
  const decide = (said: Said) => {
    if (!brief || send.isPending || saidOf(brief)) return
    const trimmed = note.trim()
    send.mutate(
      { path: { id: brief.id }, body: { said, ...(trimmed ? { note: trimmed } : {}) } },
      {
        onSuccess: ({ body }) => {
          decisions.add({ match: brief.id, decision: body.decision_id, said })
          go(at + 1)
        },
        onError: setProblem,
      },
    )
  }
  const undo = async (decision: Decision) => {
    if (!decision.decision || isUndoing) return
    setUndoing(true)
    try {
      await callApi('delete', '/api/decisions/{id}', { path: { id: decision.decision } })
      decisions.remove(decision.match)
      const back = pairs.findIndex((pair) => pair.id === decision.match)
      if (back >= 0) go(back)
      void message.success(t('undone'))
    } catch (error) {
      if (!isProblem(error)) throw error
      setProblem(error)
    } finally {
      setUndoing(false)
    }
  }
  const last = decisions.list.find((d) => d.decision)
  const commands: Record<Command, () => void> = {
    next: () => go(at + 1),
    previous: () => go(at - 1),
    same: () => decide('same'),
    different: () => decide('different'),
    unknown: () => decide('unknown'),
    undo: () => {
      if (last && may('decision.undo')) void undo(last)
    },
    help: () => setHelp(true),
  }
  useCommands(!isHelp && may('match.decide'), (command) => commands[command]())
  if (!brief) return null
  const decided = ofMatch.get(brief.id)
  return (
    <>
      {!isPhone && may('match.decide') && <KeyLegend />}
      <KeyHelp isOpen={isHelp} onClose={() => setHelp(false)} />
      <div className="k-matches">
        <div className="k-matches-side">
          {!isPhone && <Queue pairs={pairs} at={at} go={go} saidOf={saidOf} />}
          <p className="k-matches-steps">
            <Button
              icon={<LeftOutlined />}
              aria-label={t('key_previous')}
              onClick={() => go(at - 1)}
              disabled={at === 0}
            />
            <span className="k-faint" role="status">
              {t('position', { at: at + 1, of: pairs.length })}
              {hasMore && ` · ${t('more')}`}
            </span>
            <Button
              icon={<RightOutlined />}
              aria-label={t('key_next')}
              onClick={() => go(at + 1)}
              disabled={at >= pairs.length - 1}
            />
          </p>
        </div>
        <Review
          key={brief.id}
          brief={brief}
          said={saidOf(brief)}
          note={note}
          setNote={setNote}
          decide={decide}
          isBusy={send.isPending || isUndoing}
          problem={problem}
          undo={decided?.decision && may('decision.undo') ? () => void undo(decided) : null}
        />
      </div>
      {may('decision.undo') && (
        <Decided
          list={decisions.list}
          nameOf={(match) => pairs.find((pair) => pair.id === match)}
          undo={(d) => void undo(d)}
        />
      )}
    </>
  )
}

const SHOWN = 8

function Decided(props: {
  list: Decision[]
  nameOf: (match: string) => Brief | undefined
  undo: (d: Decision) => void
}) {
  const { t } = useWords()
  return (
    <section className="k-panel">
      <h2>{t('decided')}</h2>
      {props.list.length === 0 && <p className="k-faint">{t('decided_none')}</p>}
      <ul className="k-decided">
        {props.list.slice(0, SHOWN).map((d) => {
          const pair = props.nameOf(d.match)
          const names = pair && [pair.a, pair.b].map((r) => r.fields.find((f) => f.field === 'name')?.value ?? '?')
          return (
            <li key={d.match}>
              <span data-content>{names ? names.join(' / ') : t('decided_pair', { id: d.match })}</span>
              <Mark>{t(`said_${d.said}`)}</Mark>
              {d.decision && <Button onClick={() => props.undo(d)}>{t('undo')}</Button>}
            </li>
          )
        })}
      </ul>
    </section>
  )
}
