import { Button, Modal, Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { queryClient, teamsQuery, useMay, usersQuery } from '../api/queries'
import type { Team, User } from '../api/types'
import { t } from '../i18n'
import { PageFrame, Table } from '../ui/DataPage'
import { useForm } from '../ui/useForm'

export function TeamsPage() {
  const may = useMay()
  const teams = useQuery(teamsQuery)
  const { data: users } = useQuery(usersQuery)
  const [open, setOpen] = useState<Team | 'new' | null>(null)
  const write = may('user.write')
  const nameOf = (id: string) => users?.find((user) => user.id === id)?.name ?? ''
  return (
    <PageFrame
      title={t('settings.teams')}
      text={t('team.text')}
      action={write && <Button onClick={() => setOpen('new')}>{t('team.new')}</Button>}
    >
      <Table
        source={teams}
        items={teams.data}
        caption={t('settings.teams')}
        columns={[{ label: t('field.person') }, { label: t('team.members') }]}
        empty={{ title: t('team.none'), text: t('team.none_text') }}
        row={(team) => (
          <tr key={team.id}>
            <td>
              {write ? (
                <button type="button" className="linkbtn" onClick={() => setOpen(team)}>
                  {team.name}
                </button>
              ) : (
                team.name
              )}{' '}
              {team.archived && <span className="chip">{t('team.archived')}</span>}
              <div className="dim small">{team.description}</div>
            </td>
            <td>{team.member_ids.map(nameOf).filter(Boolean).join(', ')}</td>
          </tr>
        )}
      />
      {open && <Edit team={open === 'new' ? null : open} users={users ?? []} close={() => setOpen(null)} />}
    </PageFrame>
  )
}

function Edit({ team, users, close }: { team: Team | null; users: User[]; close: () => void }) {
  const form = useForm({
    name: team?.name ?? '',
    description: team?.description ?? '',
    archived: team?.archived ?? false,
    member_ids: team?.member_ids ?? [],
  })
  const { values, set, errors } = form
  return (
    <Modal opened onClose={close} title={team?.name ?? t('team.new')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void form.submit(async ({ archived, ...all }) => {
            await (team
              ? api.patch(`/teams/${team.id}`, { ...all, archived, expected_version: team.version })
              : api.post('/teams', all))
            void queryClient.invalidateQueries({ queryKey: ['teams'] })
            void queryClient.invalidateQueries({ queryKey: ['users'] })
            close()
            return undefined
          })
        }}
      >
        <TextInput
          label={t('field.person')}
          required
          data-autofocus
          value={values.name}
          error={errors.name}
          onChange={(event) => set({ name: event.target.value })}
        />
        <TextInput
          label={t('team.description')}
          value={values.description}
          error={errors.description}
          onChange={(event) => set({ description: event.target.value })}
        />
        <fieldset className="bare-set">
          <legend>{t('team.members')}</legend>
          {users
            .filter((user) => user.status !== 'disabled')
            .map((user) => (
              <label key={user.id} className="choice">
                <input
                  type="checkbox"
                  checked={values.member_ids.includes(user.id)}
                  onChange={(event) =>
                    set({
                      member_ids: event.target.checked
                        ? [...values.member_ids, user.id]
                        : values.member_ids.filter((id) => id !== user.id),
                    })
                  }
                />
                {user.name || user.email}
              </label>
            ))}
        </fieldset>
        {team && (
          <Switch
            label={t('team.archived')}
            checked={values.archived}
            onChange={(event) => set({ archived: event.currentTarget.checked })}
          />
        )}
        <Button type="submit" loading={form.busy}>
          {t('form.save')}
        </Button>
      </form>
    </Modal>
  )
}
