import { Button, Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { queryClient, useSession } from '../api/queries'
import type { Page, Token } from '../api/types'
import { t } from '../i18n'
import { shortDate } from '../i18n/format'
import { CopyButton } from '../ui/CopyButton'
import { PageFrame, Table } from '../ui/DataPage'
import { Age } from '../ui/Time'
import { toastError } from '../ui/toast'
import { useForm } from '../ui/useForm'
import { PERMISSIONS } from './permissions'

const refresh = () => void queryClient.invalidateQueries({ queryKey: ['tokens'] })

export function TokensPage() {
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: () => api.get<Page<Token>>('/tokens') })
  const [adding, setAdding] = useState(false)
  return (
    <PageFrame
      title={t('settings.tokens')}
      text={t('token.text')}
      wide
      action={<Button onClick={() => setAdding(true)}>{t('token.new')}</Button>}
    >
      <Table
        source={tokens}
        items={tokens.data?.items}
        caption={t('settings.tokens')}
        columns={[
          { label: t('field.person') },
          { label: t('token.begins') },
          { label: t('token.used') },
          { label: t('token.expires') },
          { label: t('field.actions'), hidden: true },
        ]}
        empty={{ title: t('token.none') }}
        row={(token) => (
          <tr key={token.id}>
            <td>{token.name}</td>
            <td className="mono">{token.prefix}…</td>
            <td>{token.last_used_at ? <Age at={token.last_used_at} /> : t('token.never')}</td>
            <td>{token.expires_at ? shortDate(token.expires_at) : t('token.never')}</td>
            <td className="num">
              {token.revoked_at ? (
                <span className="chip">{t('token.revoked')}</span>
              ) : (
                <button
                  type="button"
                  className="linkbtn"
                  onClick={() => void api.del(`/tokens/${token.id}`).then(refresh, toastError)}
                >
                  {t('token.revoke')}
                </button>
              )}
            </td>
          </tr>
        )}
      />
      {adding && <Add close={() => setAdding(false)} />}
    </PageFrame>
  )
}

function Add({ close }: { close: () => void }) {
  const { permissions } = useSession()
  const form = useForm({ name: '', expires: '', permissions: [] as string[] })
  const [secret, setSecret] = useState('')
  const { values, set, errors } = form
  if (secret)
    return (
      <Modal opened onClose={close} title={t('token.made')}>
        <div className="stack">
          <p>{t('token.once')}</p>
          <div className="secret">
            <code className="mono">{secret}</code>
            <CopyButton text={secret} label={t('token.copy')} />
          </div>
        </div>
      </Modal>
    )
  return (
    <Modal opened onClose={close} title={t('token.new')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void form.submit(async (all) => {
            const made = await api.post<Token>('/tokens', {
              name: all.name,
              ...(all.permissions.length ? { permissions: all.permissions } : {}),
              ...(all.expires ? { expires_at: `${all.expires}T00:00:00Z` } : {}),
            })
            refresh()
            setSecret(made.token ?? '')
            return undefined
          })
        }}
      >
        <TextInput
          label={t('token.for')}
          required
          data-autofocus
          value={values.name}
          error={errors.name}
          onChange={(event) => set({ name: event.target.value })}
        />
        <TextInput
          type="date"
          label={t('token.expires')}
          value={values.expires}
          error={errors.expires_at}
          onChange={(event) => set({ expires: event.target.value })}
        />
        <fieldset className="bare-set">
          <legend>{t('token.may')}</legend>
          {PERMISSIONS.filter(({ name }) => permissions.includes(name)).map(({ name, label }) => (
            <label key={name} className="choice">
              <input
                type="checkbox"
                checked={values.permissions.includes(name)}
                onChange={(event) =>
                  set({
                    permissions: event.target.checked
                      ? [...values.permissions, name]
                      : values.permissions.filter((one) => one !== name),
                  })
                }
              />
              {label()}
            </label>
          ))}
        </fieldset>
        <Button type="submit" loading={form.busy}>
          {t('contact.create')}
        </Button>
      </form>
    </Modal>
  )
}
