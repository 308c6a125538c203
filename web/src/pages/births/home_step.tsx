// Where the family lives, wherever that is, and a note.
import { Button, Input } from 'antd'
import { DivisionPicker } from '../../parts/division_picker'
import { Field, Row } from './field'
import type { StepProps } from './fields'
import { useWords } from './words'

export function HomeStep({ value, set }: StepProps) {
  const { t } = useWords()
  const parent = value.mother?.division ? value.mother : value.father?.division ? value.father : null
  const isSame = parent?.division === value.residence_division
  return (
    <>
      {parent && !isSame && (
        <Button
          className="k-birth-add"
          onClick={() =>
            set({ residence_division: parent.division ?? null, residence_address: parent.address ?? null })
          }
        >
          {t('home_of', { parent: t(parent === value.mother ? 'mother' : 'father') })}
        </Button>
      )}
      <Row>
        <Field label={t('home')} at="/residence_division">
          {({ id }) => (
            <DivisionPicker
              id={id}
              value={value.residence_division ?? null}
              onChange={(area) => set({ residence_division: area?.code ?? null })}
            />
          )}
        </Field>
        <Field label={t('address')} at="/residence_address">
          {(wired) => (
            <Input
              {...wired}
              value={value.residence_address ?? ''}
              maxLength={400}
              onChange={({ target }) => set({ residence_address: target.value || null })}
            />
          )}
        </Field>
      </Row>
      <Field label={t('note')} at="/note">
        {(wired) => (
          <Input.TextArea
            {...wired}
            autoSize={{ minRows: 1, maxRows: 5 }}
            value={value.note ?? ''}
            maxLength={2000}
            onChange={({ target }) => set({ note: target.value || null })}
          />
        )}
      </Field>
    </>
  )
}
