import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { t } from '../i18n'
import { PublicFrame } from './PublicFrame'
import { useSignIn } from './useSignIn'

export function SignInPage() {
  const { next } = useSearch({ from: '/signin' })
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const { signIn, busy, error } = useSignIn()
  useEffect(() => {
    document.title = t('title.signin')
  }, [])
  return (
    <PublicFrame title={t('signin.title')}>
      <form
        className="stack"
        onSubmit={async (event) => {
          event.preventDefault()
          if (await signIn(email, password)) location.assign(next?.startsWith('/') && !next.startsWith('//') ? next : '/')
        }}
      >
        {error && (
          <p className="form-error" role="alert">
            {error}
          </p>
        )}
        <TextInput
          label={t('field.email')}
          type="email"
          autoComplete="username"
          required
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <PasswordInput
          label={t('field.password')}
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" loading={busy} fullWidth>
          {t('signin.do')}
        </Button>
        <p className="dim small">{t('signin.forgot')}</p>
      </form>
    </PublicFrame>
  )
}
