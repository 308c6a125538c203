// One adult who declares: any will do, and their word alone is enough.
import { Checkbox, Input } from 'antd'
import { Choice, Field, Row } from './field'
import type { StepProps } from './fields'
import type { Declaration } from './use_draft'
import { useWords } from './words'

export const DECLARANTS = ['mother', 'father', 'relative', 'guardian', 'institution', 'proxy'] as const

export function DeclarantStep({ value, set: change }: StepProps) {
  const { t } = useWords()
  const declarant = value.declarant ?? {}
  const set = (more: typeof declarant) => change({ declarant: { ...declarant, ...more } })
  const { kind } = declarant
  return (
    <>
      <Choice
        label={t('declarant_kind')}
        at="/declarant/kind"
        value={kind ?? undefined}
        testId="declarant"
        options={DECLARANTS.map((one) => ({ value: one, label: t(`declarant_${one}`) }))}
        onChange={(chosen) => change({ declarant: named(chosen, value) })}
      />
      <Row>
        <Field label={t('declarant_name')} at="/declarant/name" also="/declarant">
          {(wired) => (
            <Input
              {...wired}
              data-testid="declarant-name"
              value={declarant.name ?? ''}
              maxLength={120}
              autoComplete="off"
              onChange={({ target }) => set({ name: target.value || null })}
            />
          )}
        </Field>
        <Field label={t('phone')} at="/declarant/phone">
          {(wired) => (
            <Input
              {...wired}
              inputMode="tel"
              value={declarant.phone ?? ''}
              maxLength={40}
              autoComplete="off"
              onChange={({ target }) => set({ phone: target.value || null })}
            />
          )}
        </Field>
        {kind && kind !== 'mother' && kind !== 'father' && (
          <Field label={t('relation')} at="/declarant/relation">
            {(wired) => (
              <Input
                {...wired}
                value={declarant.relation ?? ''}
                maxLength={80}
                placeholder={t('relation_hint')}
                onChange={({ target }) => set({ relation: target.value || null })}
              />
            )}
          </Field>
        )}
      </Row>
      <Checkbox
        checked={declarant.is_commitment ?? false}
        onChange={({ target }) => set({ is_commitment: target.checked })}
      >
        {t('commitment')}
      </Checkbox>
    </>
  )
}

/** Who declares as a parent has that parent's name and phone; a parent's name does not stay with somebody else. */
function named(kind: (typeof DECLARANTS)[number], { declarant, mother, father }: Declaration) {
  const parent = kind === 'mother' ? mother : kind === 'father' ? father : null
  const isParents = [mother?.name, father?.name].some((name) => name && name === declarant?.name)
  const kept = isParents ? { ...declarant, name: null, phone: null } : (declarant ?? {})
  if (!parent?.name || kept.name) return { ...kept, kind }
  return { ...kept, kind, name: parent.name, phone: parent.phone ?? kept.phone ?? null }
}
