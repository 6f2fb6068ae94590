// First run: account and administrator, then a mailbox, then colleagues. Every step but the first can be left for later.
import { Button, Group, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { api } from '../api/client'
import { sessionQuery } from '../api/queries'
import type { Session } from '../api/types'
import { t } from '../i18n'
import { MailboxForm } from '../settings/MailboxForm'
import { newMailbox } from '../settings/mailboxDefaults'
import { PasswordField } from '../signin/PasswordField'
import { PublicFrame } from '../signin/PublicFrame'
import { keepSession } from '../signin/useSignIn'
import { Failed, Lines } from '../ui/State'
import { useForm } from '../ui/useForm'
import { InviteStep } from './InviteStep'

type Step = 'admin' | 'mailbox' | 'invite'
const STEPS: Step[] = ['admin', 'mailbox', 'invite']

export function SetupPage() {
  const { secret, step: wanted } = useSearch({ from: '/setup' })
  const navigate = useNavigate()
  const { data: state, error, refetch } = useQuery({ queryKey: ['setup'], queryFn: () => api.get<{ needed: boolean }>('/setup') })
  const { data: session } = useQuery({ ...sessionQuery, enabled: state?.needed === false, retry: false })
  const step: Step =
    !state || state.needed ? 'admin' : STEPS.includes(wanted as Step) && wanted !== 'admin' ? (wanted as Step) : 'mailbox'
  const go = (next: Step) => void navigate({ to: '/setup', search: { step: next } })
  const finish = () => void navigate({ to: '/' })
  useEffect(() => {
    document.title = t('title.setup')
  }, [])
  if (error)
    return (
      <PublicFrame title={t('title.setup')}>
        <Failed error={error} retry={() => void refetch()} />
      </PublicFrame>
    )
  if (!state || (!state.needed && !session))
    return (
      <PublicFrame title={t('title.setup')}>
        <Lines />
        {state && (
          <Button variant="default" onClick={() => void navigate({ to: '/signin', search: { next: '/setup' } })}>
            {t('setup.signin')}
          </Button>
        )}
      </PublicFrame>
    )
  const names: Record<Step, string> = {
    admin: t('setup.step_admin'),
    mailbox: t('setup.step_mailbox'),
    invite: t('setup.step_invite'),
  }
  return (
    <PublicFrame
      wide
      title={step === 'admin' ? t('setup.welcome') : step === 'mailbox' ? t('setup.mailbox') : t('setup.invite')}
      text={step === 'admin' ? t('setup.welcome_text') : step === 'mailbox' ? t('setup.mailbox_text') : t('setup.invite_text')}
    >
      <ol className="steps" aria-label={t('setup.steps')}>
        {STEPS.map((name, i) => (
          <li key={name} aria-current={name === step ? 'step' : undefined} data-done={i < STEPS.indexOf(step) || undefined}>
            {names[name]}
          </li>
        ))}
      </ol>
      {step === 'admin' && <AdminStep secret={secret ?? ''} done={() => void refetch().then(() => go('mailbox'))} />}
      {step === 'mailbox' && (
        <MailboxForm
          mailbox={newMailbox()}
          saved={() => go('invite')}
          saveLabel={t('setup.connect')}
          skip={<Skip onClick={() => go('invite')} />}
        />
      )}
      {step === 'invite' && <InviteStep finish={finish} />}
    </PublicFrame>
  )
}

const Skip = ({ onClick }: { onClick: () => void }) => (
  <Button variant="subtle" color="gray" onClick={onClick}>
    {t('setup.skip')}
  </Button>
)

function AdminStep({ secret, done }: { secret: string; done: () => void }) {
  const form = useForm({ secret, account_name: '', name: '', email: '', password: '' })
  const { values, set, errors } = form
  return (
    <form
      className="stack"
      onSubmit={async (event) => {
        event.preventDefault()
        if (
          await form.submit(async (all) => {
            keepSession(await api.post<Session>('/setup', all))
            return undefined
          })
        )
          done()
      }}
    >
      {!secret && (
        <TextInput
          label={t('setup.secret')}
          description={t('setup.secret_hint')}
          required
          value={values.secret}
          error={errors.secret}
          onChange={(event) => set({ secret: event.target.value })}
        />
      )}
      <TextInput
        label={t('setup.account')}
        required
        value={values.account_name}
        error={errors.account_name}
        onChange={(event) => set({ account_name: event.target.value })}
      />
      <div className="fields">
        <TextInput
          label={t('field.name')}
          autoComplete="name"
          required
          value={values.name}
          error={errors.name}
          onChange={(event) => set({ name: event.target.value })}
        />
        <TextInput
          label={t('field.email')}
          type="email"
          autoComplete="username"
          required
          value={values.email}
          error={errors.email}
          onChange={(event) => set({ email: event.target.value })}
        />
      </div>
      <PasswordField value={values.password} change={(password) => set({ password })} error={errors.password} />
      <Group justify="flex-end">
        <Button type="submit" loading={form.busy}>
          {t('setup.next')}
        </Button>
      </Group>
    </form>
  )
}
