// One box for whatever is known of a person. What is typed goes in the body of a request, never in an address.
import { useQuery, keepPreviousData } from '@tanstack/react-query'
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react'
import { Link } from 'react-router'
import { callApi } from '../../api/hooks'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { useArea, useSession } from '../../app/session'
import { AsyncView, EmptyView } from '../../parts/async_view'
import { DivisionPicker, type DivisionRef } from '../../parts/division_picker'
import { Page } from '../../parts/page'
import { recent } from '../../parts/recent'
import { DateText, Mark, Masked, PersonFacts } from '../../parts/texts'
import { useSettled } from '../../parts/use_screen'
import { useWords as usePartsWords } from '../../parts/words'
import './find.css'
import { Highlighted } from './highlight'
import { useWords } from './words'

const PAUSE_MS = 150
const LIMIT = 20
const LONGEST = 100

// For who comes back from a person. Lives as long as the page: signing out ends it.
const last = { text: '', within: null as DivisionRef | null }

function useFound(text: string, division: string | undefined) {
  return useQuery<Schemas['PersonHits'], Problem>({
    queryKey: ['/api/persons/lookup', text, division ?? null],
    queryFn: async ({ signal }) =>
      (await callApi('post', '/api/persons/lookup', { body: { text, division, limit: LIMIT }, signal })).body,
    enabled: text !== '',
    placeholderData: keepPreviousData,
    gcTime: 60_000,
  })
}

/** Up and down go through the results and back to the box. */
function moveFocus(event: KeyboardEvent<HTMLElement>, box: HTMLInputElement | null) {
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('.k-hits a')]
  const at = links.indexOf(document.activeElement as HTMLElement)
  const isInBox = document.activeElement === box
  if (event.key === 'ArrowDown' && (isInBox || at >= 0)) links[Math.min(at + 1, links.length - 1)]?.focus()
  else if (event.key === 'ArrowUp' && at > 0) links[at - 1]?.focus()
  else if ((event.key === 'ArrowUp' && at === 0) || (event.key === 'Escape' && at >= 0)) box?.focus()
  else if (event.key === 'Enter' && isInBox && !event.nativeEvent.isComposing) links[0]?.click()
  else return
  event.preventDefault()
}

export default function FindPage() {
  const { t } = useWords()
  const { areas } = useSession()
  const { area } = useArea()
  const [text, setText] = useState(last.text)
  const [chosen, setChosen] = useState(last.within)
  const box = useRef<HTMLInputElement>(null)
  const id = useId()
  useEffect(() => {
    last.text = text
    last.within = chosen
  }, [text, chosen])
  const within = chosen ?? area
  const asked = useSettled(text.trim(), PAUSE_MS)
  const found = useFound(asked, within?.code)
  return (
    <Page title={t('title')}>
      <div onKeyDown={(event) => moveFocus(event, box.current)}>
        <div className="k-find-box" role="search">
          <label htmlFor={id}>{t('label')}</label>
          <input
            id={id}
            ref={box}
            type="search"
            value={text}
            onChange={(event) => setText(event.target.value)}
            maxLength={LONGEST}
            autoFocus
            autoComplete="off"
            autoCorrect="off"
            autoCapitalize="none"
            spellCheck={false}
            enterKeyHint="search"
            aria-describedby={`${id}-keys`}
          />
          <div className="k-find-where">
            <DivisionPicker
              label={t('where')}
              value={within}
              within={areas}
              placeholder={t('where_all')}
              onChange={setChosen}
            />
            <span id={`${id}-keys`} className="k-faint k-find-keys">
              {t('keys')}
            </span>
          </div>
        </div>
        {asked === '' ? (
          <Recent />
        ) : (
          <AsyncView
            of={found}
            isEmpty={(hits) => hits.items.length === 0}
            empty={
              <EmptyView text={<span data-content>{t('none', { text: asked })}</span>}>
                <p className="k-faint">{t('none_hint')}</p>
              </EmptyView>
            }
            lines={4}
          >
            {(hits) => <Hits items={hits.items} typed={asked} isOld={found.isPlaceholderData} />}
          </AsyncView>
        )}
      </div>
    </Page>
  )
}

function Hits({ items, typed, isOld }: { items: Schemas['PersonHit'][]; typed: string; isOld: boolean }) {
  const { t } = useWords()
  return (
    <>
      <p className="k-faint" role="status">
        {t(items.length < LIMIT ? 'found' : 'found_many', { count: items.length })}
      </p>
      <ul className="k-hits" aria-busy={isOld}>
        {items.map((hit) => (
          <li key={hit.person.id}>
            <Hit hit={hit} typed={typed} />
          </li>
        ))}
      </ul>
    </>
  )
}

function Hit({ hit, typed }: { hit: Schemas['PersonHit']; typed: string }) {
  const { t } = useWords()
  const { t: parts } = usePartsWords()
  const { person, matched } = hit
  return (
    <Link to={`/persons/${person.id}`} className="k-hit">
      <span className="k-hit-head">
        <strong data-content>
          {person.name ? <Highlighted name={person.name} typed={typed} matched={matched} /> : parts('unnamed')}
        </strong>
        <PersonFacts person={person} />
        {matched !== 'name' && <Mark tone="info">{t(`by_${matched}`)}</Mark>}
      </span>
      <span className="k-hit-facts">
        {person.birth_date && <DateText at={person.birth_date} />}
        {hit.identity_number && <Masked text={hit.identity_number} />}
        {hit.phone && <Masked text={hit.phone} />}
        {person.division && <span data-content>{person.division.path}</span>}
      </span>
    </Link>
  )
}

function Recent() {
  const { t } = useWords()
  const { t: parts } = usePartsWords()
  const seen = recent()
  if (seen.length === 0) return <EmptyView text={t('start')} />
  return (
    <section>
      <h2>{t('recent')}</h2>
      <ul className="k-hits">
        {seen.map(({ id, person }) => (
          <li key={id}>
            <Link to={`/persons/${id}`} className="k-hit">
              <span className="k-hit-head">
                <strong data-content>{person ? (person.name ?? parts('unnamed')) : t('recent_id', { id })}</strong>
                {person && <PersonFacts person={person} />}
              </span>
              {person?.division && (
                <span className="k-hit-facts" data-content>
                  {person.division.path}
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
