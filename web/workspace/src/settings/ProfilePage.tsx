import { PasswordInput, Textarea, TextInput } from '@mantine/core'
import { api } from '../api/client'
import { queryClient, sessionQuery, useSession } from '../api/queries'
import type { User } from '../api/types'
import { t } from '../i18n'
import { PasswordField } from '../signin/PasswordField'
import { PageFrame } from '../ui/DataPage'
import { SaveBar } from '../ui/SaveBar'
import { toast } from '../ui/toast'
import { useForm } from '../ui/useForm'

export function ProfilePage() {
  const { user } = useSession()
  const form = useForm({ name: user.name, signature: user.signature, time_zone: user.time_zone, current: '', new: '' }, [
    'name',
    'signature',
    'time_zone',
    'password',
  ])
  const { values, set, errors } = form
  const zones = Intl.supportedValuesOf('timeZone')
  const save = () =>
    void form
      .submit(async (all) => {
        const next = await api.patch<User>('/session/user', {
          name: all.name,
          signature: all.signature,
          time_zone: all.time_zone,
          ...(all.new ? { password: { current: all.current, new: all.new } } : {}),
        })
        queryClient.setQueryData(sessionQuery.queryKey, (old) => old && { ...old, user: next })
        return { ...all, current: '', new: '' }
      })
      .then((done) => done && toast(t('form.saved')))
  return (
    <PageFrame title={t('settings.profile')} text={t('profile.text')}>
      <section className="card">
        <div className="fields">
          <TextInput
            label={t('field.name')}
            autoComplete="name"
            value={values.name}
            error={errors.name}
            onChange={(event) => set({ name: event.target.value })}
          />
          <TextInput
            label={t('field.email')}
            value={user.email}
            readOnly
            description={t('profile.role', { role: user.role.name })}
          />
          <TextInput
            label={t('field.time_zone')}
            list="zones"
            value={values.time_zone}
            error={errors.time_zone}
            onChange={(event) => set({ time_zone: event.target.value })}
          />
          <datalist id="zones">
            {zones.map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </div>
        <Textarea
          label={t('field.signature')}
          description={t('profile.signature_hint')}
          autosize
          minRows={3}
          value={values.signature}
          error={errors.signature}
          onChange={(event) => set({ signature: event.target.value })}
        />
      </section>
      <section className="card">
        <h2>{t('profile.password')}</h2>
        <div className="fields">
          <PasswordInput
            label={t('profile.current')}
            autoComplete="current-password"
            value={values.current}
            error={errors['password.current']}
            onChange={(event) => set({ current: event.target.value })}
          />
          <PasswordField
            label={t('profile.new')}
            value={values.new}
            change={(next) => set({ new: next })}
            error={errors['password.new']}
          />
        </div>
      </section>
      <SaveBar dirty={form.dirty} busy={form.busy} save={save} reset={() => form.reset()} />
    </PageFrame>
  )
}
