import { TextInput } from '@mantine/core'
import { api } from '../api/client'
import { queryClient, sessionQuery, useSession } from '../api/queries'
import type { Account } from '../api/types'
import { t } from '../i18n'
import { PageFrame } from '../ui/DataPage'
import { SaveBar } from '../ui/SaveBar'
import { toast } from '../ui/toast'
import { useForm } from '../ui/useForm'

export function AccountPage() {
  const { account } = useSession()
  const form = useForm({ name: account.name })
  const save = () =>
    void form
      .submit(async (all) => {
        const next = await api.patch<Account>('/account', { name: all.name, expected_version: account.version })
        queryClient.setQueryData(sessionQuery.queryKey, (old) => old && { ...old, account: next })
        return undefined
      })
      .then((done) => done && toast(t('form.saved')))
  return (
    <PageFrame title={t('settings.account')} text={t('account.text')}>
      <section className="card">
        <TextInput
          label={t('setup.account')}
          required
          value={form.values.name}
          error={form.errors.name}
          onChange={(event) => form.set({ name: event.target.value })}
        />
      </section>
      <SaveBar dirty={form.dirty} busy={form.busy} save={save} reset={() => form.reset()} />
    </PageFrame>
  )
}
