import { Button, Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { queryClient, rolesQuery, useMay } from '../api/queries'
import type { Role } from '../api/types'
import { t } from '../i18n'
import { ConfirmDelete } from '../ui/ConfirmDelete'
import { PageFrame } from '../ui/DataPage'
import { Failed, Lines } from '../ui/State'
import { toastError } from '../ui/toast'
import { useForm } from '../ui/useForm'
import { PERMISSIONS } from './permissions'

const refresh = () => void queryClient.invalidateQueries({ queryKey: ['roles'] })

export function RolesPage() {
  const may = useMay()
  const roles = useQuery(rolesQuery)
  const [adding, setAdding] = useState(false)
  const write = may('user.write')
  if (roles.error && !roles.data) return <Failed error={roles.error} retry={() => void roles.refetch()} />
  if (!roles.data) return <Lines count={6} />
  const toggle = (role: Role, name: string) =>
    api
      .patch(`/roles/${role.id}`, {
        permissions: role.permissions.includes(name)
          ? role.permissions.filter((one) => one !== name)
          : [...role.permissions, name],
        expected_version: role.version,
      })
      .then(refresh, toastError)
  return (
    <PageFrame
      title={t('settings.roles')}
      text={t('role.text')}
      wide
      action={write && <Button onClick={() => setAdding(true)}>{t('role.new')}</Button>}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard */}
      <div className="table-wrap" role="region" aria-label={t('settings.roles')} tabIndex={0}>
        <table className="table matrix">
          <thead>
            <tr>
              <th scope="col">{t('role.may')}</th>
              {roles.data.map((role) => (
                <th key={role.id} scope="col">
                  {role.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {PERMISSIONS.map(({ name, label }) => (
              <tr key={name}>
                <td>{label()}</td>
                {roles.data.map((role) => (
                  <td key={role.id}>
                    <input
                      type="checkbox"
                      checked={role.permissions.includes(name)}
                      disabled={!write || role.builtin}
                      onChange={() => void toggle(role, name)}
                      aria-label={t('role.cell', { role: role.name, permission: label() })}
                    />
                  </td>
                ))}
              </tr>
            ))}
            <tr>
              <td>{t('role.own_teams')}</td>
              {roles.data.map((role) => (
                <td key={role.id}>
                  <input
                    type="checkbox"
                    checked={role.only_own_teams}
                    disabled={!write || role.builtin}
                    onChange={() =>
                      void api
                        .patch(`/roles/${role.id}`, { only_own_teams: !role.only_own_teams, expected_version: role.version })
                        .then(refresh, toastError)
                    }
                    aria-label={t('role.cell', { role: role.name, permission: t('role.own_teams') })}
                  />
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </div>
      {write &&
        roles.data
          .filter((role) => !role.builtin)
          .map((role) => (
            <ConfirmDelete
              key={role.id}
              name={role.name}
              label={t('role.delete', { name: role.name })}
              run={() => void api.del(`/roles/${role.id}`).then(refresh, toastError)}
            />
          ))}
      {adding && <Add close={() => setAdding(false)} />}
    </PageFrame>
  )
}

function Add({ close }: { close: () => void }) {
  const form = useForm({ name: '' })
  return (
    <Modal opened onClose={close} title={t('role.new')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void form.submit(async ({ name }) => {
            await api.post('/roles', { name, permissions: ['ticket.read'] })
            refresh()
            close()
            return undefined
          })
        }}
      >
        <TextInput
          label={t('field.person')}
          required
          data-autofocus
          value={form.values.name}
          error={form.errors.name}
          onChange={(event) => form.set({ name: event.target.value })}
        />
        <Button type="submit" loading={form.busy}>
          {t('contact.create')}
        </Button>
      </form>
    </Modal>
  )
}
