// When, and who: the date as far as it is known, and each child born.
import { Button, Checkbox, Input, InputNumber } from 'antd'
import { useState } from 'react'
import type { Schemas } from '../../api/types'
import { DayInput, TimeInput } from './day_input'
import { Choice, Field, Row } from './field'
import type { StepProps } from './fields'
import { useWords } from './words'

type Child = Schemas['BirthChild']

const CHILDREN_MOST = 8
const WEIGHT_MOST = 9999
const LENGTH_MOST_CM = 99.9
const SEXES = ['1', '2', '0'] as const

export function ChildStep({ value, set }: StepProps) {
  const { t } = useWords()
  const precision = value.precision ?? 'exact'
  const isWholeDay = precision === 'exact' || precision === 'about'
  return (
    <>
      <Row>
        <Field label={t(value.place?.kind === 'found' ? 'born_found' : 'born')} at="/birth_date">
          {(wired) => (
            <DayInput
              {...wired}
              testId="birth-date"
              value={value.birth_date}
              precision={precision}
              onChange={(birth_date, typed) =>
                set({ birth_date, precision: typed === 'exact' && precision === 'about' ? 'about' : typed })
              }
            />
          )}
        </Field>
        <Field label={t('time')} at="/birth_time">
          {(wired) => <TimeInput {...wired} value={value.birth_time} onChange={(birth_time) => set({ birth_time })} />}
        </Field>
      </Row>
      {isWholeDay && (
        <Checkbox
          checked={precision === 'about'}
          onChange={({ target }) => set({ precision: target.checked ? 'about' : 'exact' })}
        >
          {t('precision_about')}
        </Checkbox>
      )}
      <Children value={value.children?.length ? value.children : [{}]} onChange={(children) => set({ children })} />
    </>
  )
}

function Children({ value, onChange }: { value: Child[]; onChange: (children: Child[]) => void }) {
  const { t } = useWords()
  const isMany = value.length > 1
  /** Only those born together are numbered, and only among each other. */
  const numbered = (children: Child[]) =>
    children.map((child, i) => ({ ...child, birth_order: children.length > 1 ? i + 1 : null }))
  return (
    <>
      {value.map((child, i) => (
        <OneChild
          key={`${i} of ${value.length}`}
          at={i}
          isMany={isMany}
          child={child}
          set={(change) => onChange(value.map((one, k) => (k === i ? { ...one, ...change } : one)))}
          remove={() => onChange(numbered(value.filter((_, k) => k !== i)))}
        />
      ))}
      {value.length < CHILDREN_MOST && (
        <Button className="k-birth-add" data-testid="child-add" onClick={() => onChange(numbered([...value, {}]))}>
          {t('child_add')}
        </Button>
      )}
    </>
  )
}

interface OneChildProps {
  at: number
  isMany: boolean
  child: Child
  set: (change: Child) => void
  remove: () => void
}

function OneChild({ at, isMany, child, set, remove }: OneChildProps) {
  const { t } = useWords()
  const [hasDied, setDied] = useState(!!child.death_date)
  return (
    <fieldset className="k-birth-child">
      <legend>{isMany ? t('child_n', { n: at + 1 }) : t('child')}</legend>
      <Row>
        <Field label={t('name')} at={`/children/${at}/name`}>
          {(wired) => (
            <Input
              {...wired}
              data-testid={`child-name-${at}`}
              value={child.name ?? ''}
              maxLength={120}
              autoComplete="off"
              placeholder={t('name_later')}
              onChange={({ target }) => set({ name: target.value || null })}
            />
          )}
        </Field>
        <Choice
          label={t('sex')}
          at={`/children/${at}/sex`}
          testId={`sex-${at}`}
          value={String(child.sex ?? 0) as '0'}
          options={SEXES.map((sex) => ({ value: sex, label: t(`sex_${sex}`) }))}
          onChange={(sex) => set({ sex: Number(sex) as 0 | 1 | 2 })}
        />
      </Row>
      <Row>
        <Field label={t('weight')} at={`/children/${at}/weight_g`}>
          {(wired) => (
            <InputNumber
              {...wired}
              controls={false}
              min={0}
              max={WEIGHT_MOST}
              precision={0}
              value={child.weight_g ?? null}
              onChange={(weight_g) => set({ weight_g })}
            />
          )}
        </Field>
        <Field label={t('length')} at={`/children/${at}/length_mm`}>
          {(wired) => (
            <InputNumber
              {...wired}
              controls={false}
              min={0}
              max={LENGTH_MOST_CM}
              precision={1}
              value={child.length_mm ? child.length_mm / 10 : null}
              onChange={(cm) => set({ length_mm: cm ? Math.round(cm * 10) : null })}
            />
          )}
        </Field>
        <Field label={t('certificate')} at={`/children/${at}/certificate_no`}>
          {(wired) => (
            <Input
              {...wired}
              value={child.certificate_no ?? ''}
              maxLength={40}
              autoComplete="off"
              onChange={({ target }) => set({ certificate_no: target.value || null })}
            />
          )}
        </Field>
      </Row>
      <Checkbox
        checked={hasDied}
        onChange={({ target }) => {
          setDied(target.checked)
          if (!target.checked) set({ death_date: null })
        }}
      >
        {t('died')}
      </Checkbox>
      {hasDied && (
        <Field label={t('died_on')} at={`/children/${at}/death_date`}>
          {(wired) => (
            <>
              <DayInput {...wired} isWhole value={child.death_date} onChange={(death_date) => set({ death_date })} />
              <p className="k-faint k-birth-gentle">{t('died_hint')}</p>
            </>
          )}
        </Field>
      )}
      {isMany && (
        <Button className="k-birth-add" onClick={remove}>
          {t('child_remove')}
        </Button>
      )}
    </fieldset>
  )
}
