// A parent: found in the register, typed, or not given. Neither is ever needed.
import { Button, Input } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { callApi } from '../../api/hooks'
import type { Problem } from '../../api/problem'
import type { Schemas } from '../../api/types'
import { DateText, DivisionPath } from '../../parts/texts'
import { useSettled } from '../../parts/use_screen'
import { Choice, Field } from './fields'
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
            <p>
              <span data-content>{t('parent_chosen', { name: value.name ?? '' })}</span>{' '}
              <Button size="small" onClick={() => set({ person_id: null })}>
                {t('parent_clear')}
              </Button>
            </p>
          ) : (
            <Find onChoose={(person) => set(chosen(person))} />
          )}
          <div className="k-birth-row">
            <Field label={t('name')}>
              {(id) => (
                <Input
                  id={id}
                  data-testid={`${role}-name`}
                  value={value.name ?? ''}
                  maxLength={120}
                  autoComplete="off"
                  onChange={(event) => set({ name: event.target.value || null })}
                />
              )}
            </Field>
            <Field label={t('identity')}>
              {(id) => (
                <Input
                  id={id}
                  value={value.identity_number ?? ''}
                  maxLength={40}
                  autoComplete="off"
                  onChange={(event) => set({ identity_number: event.target.value || null })}
                />
              )}
            </Field>
            <Field label={t('phone')}>
              {(id) => (
                <Input
                  id={id}
                  inputMode="tel"
                  value={value.phone ?? ''}
                  maxLength={40}
                  autoComplete="off"
                  onChange={(event) => set({ phone: event.target.value || null })}
                />
              )}
            </Field>
            <Field label={t('born')}>
              {(id) => (
                <Input
                  id={id}
                  type="date"
                  value={value.birth_date ?? ''}
                  onChange={(event) => set({ birth_date: event.target.value || null })}
                />
              )}
            </Field>
          </div>
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

function Find({ onChoose }: { onChoose: (person: Schemas['PersonBrief']) => void }) {
  const { t } = useWords()
  const [text, setText] = useState('')
  const asked = useSettled(text.trim(), 200)
  const found = useQuery<Schemas['PersonHits'], Problem>({
    queryKey: ['/api/persons/lookup', 'parent', asked],
    queryFn: async ({ signal }) =>
      (await callApi('post', '/api/persons/lookup', { body: { text: asked, limit: FOUND_MOST }, signal })).body,
    enabled: asked !== '',
    gcTime: 0,
  })
  return (
    <Field label={t('parent_find')}>
      {(id) => (
        <>
          <Input
            id={id}
            type="search"
            value={text}
            maxLength={100}
            autoComplete="off"
            onChange={(e) => setText(e.target.value)}
          />
          {asked !== '' && (
            <ul className="k-birth-found">
              {found.data?.items.map(({ person }) => (
                <li key={person.id}>
                  <Button type="link" onClick={() => onChoose(person)}>
                    <span data-content>{person.name}</span>
                  </Button>
                  <DateText at={person.birth_date} /> <DivisionPath of={person.division} />
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </Field>
  )
}
