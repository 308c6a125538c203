// Where: a hospital, a home, a place abroad, or where the child was found. A division, or a few words.
import { Input } from 'antd'
import { DivisionPicker } from '../../parts/division_picker'
import { Choice, Field, Row } from './field'
import type { StepProps } from './fields'
import { useWords } from './words'

export const PLACES = ['hospital', 'home', 'elsewhere', 'abroad', 'found'] as const

export function PlaceStep({ value, set: change }: StepProps) {
  const { t } = useWords()
  const place = value.place ?? {}
  const set = (more: typeof place) => change({ place: { ...place, ...more } })
  const { kind } = place
  return (
    <>
      <Choice
        label={t('place')}
        at="/place/kind"
        value={kind ?? undefined}
        testId="place"
        options={PLACES.map((one) => ({ value: one, label: t(`place_${one}`) }))}
        onChange={(chosen) => set({ kind: chosen, ...(chosen === 'abroad' ? { division: null } : {}) })}
      />
      {kind === 'found' && <p className="k-faint k-birth-gentle">{t('found_hint')}</p>}
      <Row>
        {kind !== 'abroad' && (
          <Field label={t('division')} at="/place/division" also="/place">
            {({ id }) => (
              <DivisionPicker
                id={id}
                value={place.division ?? null}
                data-testid="place-division"
                onChange={(area) => set({ division: area?.code ?? null })}
              />
            )}
          </Field>
        )}
        {kind === 'hospital' && (
          <Field label={t('institution')} at="/place/institution">
            {(wired) => (
              <Input
                {...wired}
                value={place.institution ?? ''}
                maxLength={200}
                onChange={({ target }) => set({ institution: target.value || null })}
              />
            )}
          </Field>
        )}
        <Field
          label={t(kind === 'abroad' ? 'place_country' : kind === 'found' ? 'place_found_at' : 'place_text')}
          at="/place/text"
          {...(kind === 'abroad' ? { also: '/place' } : {})}
        >
          {(wired) => (
            <Input
              {...wired}
              data-testid="place-text"
              value={place.text ?? ''}
              maxLength={400}
              onChange={({ target }) => set({ text: target.value || null })}
            />
          )}
        </Field>
      </Row>
    </>
  )
}
