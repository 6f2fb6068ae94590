// An invitation or a password link was opened.
import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../api/client'
import type { Session } from '../api/types'
import { t } from '../i18n'
import { Lines } from '../ui/State'
import { useForm } from '../ui/useForm'
import { PasswordField } from './PasswordField'
import { PublicFrame } from './PublicFrame'
import { keepSession } from './useSignIn'

export function LinkPage() {
  const { secret } = useParams({ from: '/links/$secret' })
  const { data: link, error } = useQuery({
    queryKey: ['link', secret],
    queryFn: () => api.get<{ purpose: string; email: string; name: string }>(`/links/${encodeURIComponent(secret)}`),
    retry: false,
  })
  if (error)
    return (
      <PublicFrame title={t('link.gone')} text={t('link.gone_text')}>
        <Link to="/signin">{t('signin.do')}</Link>
      </PublicFrame>
    )
  if (!link)
    return (
      <PublicFrame title="Cairn">
        <Lines />
      </PublicFrame>
    )
  return <Accept secret={secret} link={link} />
}

function Accept({ secret, link }: { secret: string; link: { purpose: string; email: string; name: string } }) {
  const invited = link.purpose !== 'password' && link.purpose !== 'reset'
  const form = useForm({ name: link.name, password: '' })
  const [sent, setSent] = useState(false)
  return (
    <PublicFrame title={invited ? t('link.welcome') : t('link.password')} text={t('link.for', { email: link.email })}>
      <form
        className="stack"
        onSubmit={async (event) => {
          event.preventDefault()
          const done = await form.submit(async (values) => {
            keepSession(
              await api.post<Session>(`/links/${encodeURIComponent(secret)}`, {
                password: values.password,
                ...(invited && values.name ? { name: values.name } : {}),
              }),
            )
            return undefined
          })
          setSent(done)
          if (done) location.assign('/')
        }}
      >
        <input type="hidden" name="username" autoComplete="username" value={link.email} readOnly />
        {invited && (
          <TextInput
            label={t('field.name')}
            autoComplete="name"
            required
            value={form.values.name}
            error={form.errors.name}
            onChange={(event) => form.set({ name: event.target.value })}
          />
        )}
        <PasswordField value={form.values.password} change={(password) => form.set({ password })} error={form.errors.password} />
        <Button type="submit" loading={form.busy || sent}>
          {invited ? t('link.join') : t('link.save')}
        </Button>
      </form>
    </PublicFrame>
  )
}
