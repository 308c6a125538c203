// A line to type in, with its label and what is wrong with it: plain HTML, for what must be there at once.
import { useId, useState, type InputHTMLAttributes, type ReactNode, type Ref } from 'react'
import { EyeSign, ShutEyeSign } from './signs'
import './text_field.css'
import { useWords } from './words'

interface Props extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value'> {
  label: string
  value: string
  onChange: (value: string) => void
  hint?: string
  fault: string | null
  ref?: Ref<HTMLInputElement>
  /** Stands at the end of the line. */
  beside?: ReactNode
}

export function TextField({ label, value, onChange, hint, fault, beside, ...rest }: Props) {
  const id = useId()
  return (
    <div className="k-text-field">
      <label htmlFor={id}>{label}</label>
      <span>
        <input
          id={id}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          spellCheck={false}
          aria-invalid={!!fault}
          aria-describedby={hint ? `${id}-fault ${id}-hint` : `${id}-fault`}
          {...rest}
        />
        {beside}
      </span>
      <p id={`${id}-fault`} className="k-text-field-fault" role={fault ? 'alert' : undefined}>
        {fault}
      </p>
      {hint && (
        <p id={`${id}-hint`} className="k-faint">
          {hint}
        </p>
      )}
    </div>
  )
}

/** A password, to be seen by who asks for it. */
export function SecretField(props: Props) {
  const { t } = useWords()
  const [isShown, setShown] = useState(false)
  return (
    <TextField
      maxLength={200}
      autoCapitalize="none"
      {...props}
      type={isShown ? 'text' : 'password'}
      beside={
        <button type="button" aria-label={t('password_show')} aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? <EyeSign /> : <ShutEyeSign />}
        </button>
      }
    />
  )
}
