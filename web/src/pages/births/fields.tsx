// The sections of a declaration. Nothing here asks for more than the contract has a place for.
import { Button, Checkbox, Input, InputNumber, Radio } from 'antd'
import { useId, type ReactNode } from 'react'
import type { Schemas } from '../../api/types'
import { useSession } from '../../app/session'
import { DivisionPicker } from '../../parts/division_picker'
import { Parent } from './parent'
import type { Declaration } from './use_draft'
import { useWords } from './words'

const PRECISIONS = ['exact', 'month', 'year', 'about'] as const
const PLACES = ['hospital', 'home', 'elsewhere', 'abroad', 'found'] as const
const DECLARANTS = ['mother', 'father', 'relative', 'guardian', 'institution', 'proxy'] as const
const CHILDREN_MOST = 8
const WEIGHT_MOST = 9999

interface Props {
  value: Declaration
  onChange: (declaration: Declaration) => void
  remarks: Schemas['BirthRemark'][]
}

export function Fields({ value, onChange, remarks }: Props) {
  const { t } = useWords()
  const { areas } = useSession()
  const set = (change: Partial<Declaration>) => onChange({ ...value, ...change })
  const place = value.place ?? {}
  const declarant = value.declarant ?? {}
  const remarkOf = (pointer: string) => remarks.find((remark) => remark.field === pointer)?.text
  return (
    <>
      <Section title={t('section_child')}>
        <Row>
          <Field label={t('born')} remark={remarkOf('/birth_date')}>
            {(id) => (
              <Input
                id={id}
                type="date"
                data-testid="birth-date"
                value={value.birth_date ?? ''}
                onChange={(event) =>
                  set({ birth_date: event.target.value || null, precision: value.precision ?? 'exact' })
                }
              />
            )}
          </Field>
          <Field label={t('time')} remark={remarkOf('/birth_time')}>
            {(id) => (
              <Input
                id={id}
                type="time"
                value={value.birth_time ?? ''}
                onChange={(event) => set({ birth_time: event.target.value || null })}
              />
            )}
          </Field>
        </Row>
        <Choice
          label={t('precision')}
          value={value.precision ?? 'exact'}
          options={PRECISIONS.map((one) => ({ value: one, label: t(`precision_${one}`) }))}
          onChange={(precision) => set({ precision })}
        />
        <Children value={value.children ?? [{}]} onChange={(children) => set({ children })} />
      </Section>
      <Section title={t('section_place')}>
        <Choice
          label={t('place')}
          value={place.kind ?? undefined}
          testId="place"
          options={PLACES.map((one) => ({ value: one, label: t(`place_${one}`) }))}
          onChange={(kind) => set({ place: { ...place, kind } })}
        />
        {place.kind !== 'abroad' && (
          <Field label={t('division')} remark={remarkOf('/place') ?? remarkOf('/place/division')}>
            {(id) => (
              <DivisionPicker
                id={id}
                within={areas.map((area) => area)}
                value={place.division ?? null}
                data-testid="place-division"
                onChange={(area) => set({ place: { ...place, division: area?.code ?? null } })}
              />
            )}
          </Field>
        )}
        <Row>
          {place.kind === 'hospital' && (
            <Field label={t('institution')}>
              {(id) => (
                <Input
                  id={id}
                  value={place.institution ?? ''}
                  maxLength={200}
                  onChange={(event) => set({ place: { ...place, institution: event.target.value || null } })}
                />
              )}
            </Field>
          )}
          <Field label={t('place_text')} remark={remarkOf('/place/text')}>
            {(id) => (
              <Input
                id={id}
                value={place.text ?? ''}
                maxLength={400}
                onChange={(event) => set({ place: { ...place, text: event.target.value || null } })}
              />
            )}
          </Field>
        </Row>
      </Section>
      <Section title={t('section_parents')}>
        <Parent role="mother" value={value.mother ?? null} onChange={(mother) => set({ mother })} />
        <Parent role="father" value={value.father ?? null} onChange={(father) => set({ father })} />
      </Section>
      <Section title={t('section_declarant')}>
        <Choice
          label={t('declarant_kind')}
          value={declarant.kind ?? undefined}
          testId="declarant"
          options={DECLARANTS.map((one) => ({ value: one, label: t(`declarant_${one}`) }))}
          onChange={(kind) => set({ declarant: withName({ ...declarant, kind }, value) })}
        />
        <Row>
          <Field label={t('declarant_name')} remark={remarkOf('/declarant') ?? remarkOf('/declarant/name')}>
            {(id) => (
              <Input
                id={id}
                data-testid="declarant-name"
                value={declarant.name ?? ''}
                maxLength={120}
                autoComplete="off"
                onChange={(event) => set({ declarant: { ...declarant, name: event.target.value || null } })}
              />
            )}
          </Field>
          <Field label={t('phone')} remark={remarkOf('/declarant/phone')}>
            {(id) => (
              <Input
                id={id}
                inputMode="tel"
                value={declarant.phone ?? ''}
                maxLength={40}
                autoComplete="off"
                onChange={(event) => set({ declarant: { ...declarant, phone: event.target.value || null } })}
              />
            )}
          </Field>
        </Row>
        <Checkbox
          checked={declarant.is_commitment ?? false}
          onChange={(event) => set({ declarant: { ...declarant, is_commitment: event.target.checked } })}
        >
          {t('commitment')}
        </Checkbox>
      </Section>
      <Section title={t('section_home')}>
        <Row>
          <Field label={t('home')}>
            {(id) => (
              <DivisionPicker
                id={id}
                within={areas.map((area) => area)}
                value={value.residence_division ?? null}
                onChange={(area) => set({ residence_division: area?.code ?? null })}
              />
            )}
          </Field>
          <Field label={t('address')}>
            {(id) => (
              <Input
                id={id}
                value={value.residence_address ?? ''}
                maxLength={400}
                onChange={(event) => set({ residence_address: event.target.value || null })}
              />
            )}
          </Field>
        </Row>
        <Field label={t('note')}>
          {(id) => (
            <Input.TextArea
              id={id}
              autoSize={{ minRows: 1, maxRows: 5 }}
              value={value.note ?? ''}
              maxLength={2000}
              onChange={(event) => set({ note: event.target.value || null })}
            />
          )}
        </Field>
      </Section>
    </>
  )
}

/** Who declares as the mother or the father has that parent's name, unless another stands there. */
function withName(declarant: NonNullable<Declaration['declarant']>, of: Declaration) {
  const parent = declarant.kind === 'mother' ? of.mother : declarant.kind === 'father' ? of.father : null
  return declarant.name || !parent?.name ? declarant : { ...declarant, name: parent.name, phone: parent.phone ?? null }
}

function Children({
  value,
  onChange,
}: {
  value: Schemas['BirthChild'][]
  onChange: (children: Schemas['BirthChild'][]) => void
}) {
  const { t } = useWords()
  const set = (at: number, change: Schemas['BirthChild']) =>
    onChange(value.map((child, i) => (i === at ? { ...child, ...change } : child)))
  const many = value.length > 1
  return (
    <>
      {value.map((child, i) => (
        <fieldset key={i} className="k-birth-child">
          <legend>{many ? t('child_n', { n: i + 1 }) : t('child')}</legend>
          <Row>
            <Field label={t('name')}>
              {(id) => (
                <Input
                  id={id}
                  data-testid={`child-name-${i}`}
                  value={child.name ?? ''}
                  maxLength={120}
                  autoComplete="off"
                  placeholder={t('name_later')}
                  onChange={(event) => set(i, { name: event.target.value || null })}
                />
              )}
            </Field>
            <Field label={t('weight')}>
              {(id) => (
                <InputNumber
                  id={id}
                  min={0}
                  max={WEIGHT_MOST}
                  precision={0}
                  value={child.weight_g ?? null}
                  onChange={(weight) => set(i, { weight_g: weight })}
                />
              )}
            </Field>
            <Field label={t('certificate')}>
              {(id) => (
                <Input
                  id={id}
                  value={child.certificate_no ?? ''}
                  maxLength={40}
                  autoComplete="off"
                  onChange={(event) => set(i, { certificate_no: event.target.value || null })}
                />
              )}
            </Field>
          </Row>
          <Choice
            label={t('sex')}
            value={String(child.sex ?? 0)}
            options={['1', '2', '0'].map((one) => ({ value: one, label: t(`sex_${one as '1'}`) }))}
            onChange={(sex) => set(i, { sex: Number(sex) as 0 | 1 | 2 })}
          />
          <Checkbox
            checked={!!child.death_date}
            onChange={(event) =>
              set(i, { death_date: event.target.checked ? new Date().toISOString().slice(0, 10) : null })
            }
          >
            {t('died')}
          </Checkbox>
          {child.death_date && (
            <Field label={t('died_on')}>
              {(id) => (
                <Input
                  id={id}
                  type="date"
                  value={child.death_date ?? ''}
                  onChange={(event) => set(i, { death_date: event.target.value || null })}
                />
              )}
            </Field>
          )}
          {many && (
            <Button size="small" onClick={() => onChange(value.filter((_, at) => at !== i))}>
              {t('child_remove')}
            </Button>
          )}
        </fieldset>
      ))}
      {value.length < CHILDREN_MOST && (
        <Button onClick={() => onChange([...value, {}].map((child, i) => ({ ...child, birth_order: i + 1 })))}>
          {t('child_add')}
        </Button>
      )}
    </>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="k-panel k-birth-section" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

function Row({ children }: { children: ReactNode }) {
  return <div className="k-birth-row">{children}</div>
}

interface FieldProps {
  label: string
  remark?: string | undefined
  children: (id: string) => ReactNode
}

export function Field({ label, remark, children }: FieldProps) {
  const id = useId()
  return (
    <div className="k-birth-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {remark && <p className="k-birth-remark">{remark}</p>}
    </div>
  )
}

interface ChoiceProps<V extends string> {
  label: string
  /** The heading above says it already. */
  isLabelHidden?: boolean
  value: V | undefined
  testId?: string
  options: { value: V; label: string }[]
  onChange: (value: V) => void
}

export function Choice<V extends string>({ label, isLabelHidden, value, testId, options, onChange }: ChoiceProps<V>) {
  const id = useId()
  return (
    <div className="k-birth-field">
      <span id={id} className={isLabelHidden ? 'k-visually-hidden' : 'k-label'}>
        {label}
      </span>
      <Radio.Group aria-labelledby={id} value={value ?? null} onChange={(event) => onChange(event.target.value as V)}>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} data-testid={testId && `${testId}-${option.value}`}>
            {option.label}
          </Radio>
        ))}
      </Radio.Group>
    </div>
  )
}
