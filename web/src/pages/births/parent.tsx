// A parent: found in the register, typed, or not given. Neither is ever needed.
import { Button, Input } from 'antd'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { callApi } from '../../api/hooks'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { ProblemView } from '../../parts/problem_view'
import { DateText, DivisionPath, PersonFacts } from '../../parts/texts'
import { useSettled } from '../../parts/use_screen'
import { DayInput } from './day_input'
import { Choice, Field, Row } from './field'
import { useWords } from './words'

type Given = Schemas['BirthParent']

interface Props {
  role: 'mother' | 'father'
  value: Given | null
  onChange: (parent: Given | null) => void
}

export function Parent({ role, value, onChange }: Props) {
  const { t } = useWords()
  const set = (change: Given) => onChange({ ...value, ...change })
  return (
    <fieldset className="k-birth-child">
      <legend>{t(role)}</legend>
      <Choice
        label={t(role)}
        at={`/${role}`}
        isLabelHidden
        value={value ? 'known' : 'unknown'}
        testId={role}
        options={[
          { value: 'known', label: t('parent_known') },
          { value: 'unknown', label: t('parent_unknown') },
        ]}
        onChange={(choice) => onChange(choice === 'known' ? {} : null)}
      />
      {value && (
        <>
          {value.person_id ? (
            <p className="k-birth-chosen">
              {t('parent_chosen')} <strong data-content>{value.name ?? t('name_unknown')}</strong>{' '}
              <Button size="small" onClick={() => set({ person_id: null })}>
                {t('parent_clear')}
              </Button>
            </p>
          ) : (
            <Find role={role} onChoose={(person) => set(chosen(person))} />
          )}
          <Row>
            <Field label={t('name')} at={`/${role}/name`}>
              {(wired) => (
                <Input
                  {...wired}
                  data-testid={`${role}-name`}
                  value={value.name ?? ''}
                  maxLength={120}
                  autoComplete="off"
                  onChange={({ target }) => set({ name: target.value || null })}
                />
              )}
            </Field>
            <Field label={t('identity')} at={`/${role}/identity_number`}>
              {(wired) => (
                <Input
                  {...wired}
                  value={value.identity_number ?? ''}
                  maxLength={40}
                  autoComplete="off"
                  onChange={({ target }) => set({ identity_number: target.value || null })}
                />
              )}
            </Field>
          </Row>
          <Row>
            <Field label={t('parent_born')} at={`/${role}/birth_date`}>
              {(wired) => (
                <DayInput {...wired} isWhole value={value.birth_date} onChange={(birth_date) => set({ birth_date })} />
              )}
            </Field>
            <Field label={t('phone')} at={`/${role}/phone`}>
              {(wired) => (
                <Input
                  {...wired}
                  inputMode="tel"
                  value={value.phone ?? ''}
                  maxLength={40}
                  autoComplete="off"
                  onChange={({ target }) => set({ phone: target.value || null })}
                />
              )}
            </Field>
          </Row>
        </>
      )}
    </fieldset>
  )
}

function chosen(person: Schemas['PersonBrief']): Given {
  return {
    person_id: person.id,
    name: person.name,
    birth_date: person.birth_date,
    division: person.division?.code ?? null,
  }
}

const FOUND_MOST = 8
const REST_MS = 200

function Find({ role, onChoose }: { role: Props['role']; onChoose: (person: Schemas['PersonBrief']) => void }) {
  const { t } = useWords()
  const [text, setText] = useState('')
  const asked = useSettled(text.trim(), REST_MS)
  const found = useQuery<Schemas['PersonHits'], Problem>({
    queryKey: ['/api/persons/lookup', 'parent', asked],
    queryFn: async ({ signal }) =>
      (await callApi('post', '/api/persons/lookup', { body: { text: asked, limit: FOUND_MOST }, signal })).body,
    enabled: asked !== '',
    placeholderData: keepPreviousData,
    gcTime: 0,
  })
  const hits = asked === '' ? [] : (found.data?.items ?? [])
  return (
    <Field label={t('parent_find')} at={`/${role}/person_id`}>
      {(wired) => (
        <>
          <Input
            {...wired}
            type="search"
            data-testid={`${role}-find`}
            value={text}
            maxLength={100}
            autoComplete="off"
            placeholder={t('parent_find_hint')}
            onChange={({ target }) => setText(target.value)}
          />
          {found.error && asked !== '' && <ProblemView problem={found.error} isSmall />}
          {hits.length > 0 && (
            <ul className="k-birth-found">
              {hits.map(({ person }) => (
                <li key={person.id}>
                  <button type="button" onClick={() => onChoose(person)}>
                    <span>
                      <strong data-content>{person.name ?? t('name_unknown')}</strong> <PersonFacts person={person} />
                    </span>
                    <span className="k-faint">
                      <DateText at={person.birth_date} /> · <DivisionPath of={person.division} />
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          )}
          <p className="k-faint" role="status">
            {asked !== '' && found.data?.items.length === 0 && !found.isFetching ? t('parent_none') : ''}
          </p>
        </>
      )}
    </Field>
  )
}
