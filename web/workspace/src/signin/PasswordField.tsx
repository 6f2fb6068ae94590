import { PasswordInput } from '@mantine/core'
import { t } from '../i18n'
import { strength } from './strength'

interface Props {
  value: string
  change: (value: string) => void
  error?: string | undefined
  label?: string
}

export function PasswordField({ value, change, error, label }: Props) {
  const level = strength(value)
  return (
    <div>
      <PasswordInput
        label={label ?? t('field.password')}
        description={t('password.hint')}
        autoComplete="new-password"
        required
        minLength={10}
        error={error}
        value={value}
        onChange={(event) => change(event.target.value)}
      />
      {value && (
        <div
          className="meter"
          role="img"
          aria-label={[t('password.weak'), t('password.fair'), t('password.strong')][level - 1]}
          style={{ marginBlockStart: 6 }}
        >
          <span data-level={level} style={{ inlineSize: `${level * 33.4}%` }} />
        </div>
      )}
    </div>
  )
}
