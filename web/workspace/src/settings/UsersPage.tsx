import { Button, Menu, Modal, TextInput } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, fullUrl } from '../api/client'
import { queryClient, rolesQuery, useMay, usersQuery, useSession } from '../api/queries'
import type { User } from '../api/types'
import { t } from '../i18n'
import { Avatar } from '../ui/Avatar'
import { CopyButton } from '../ui/CopyButton'
import { PageFrame, Table } from '../ui/DataPage'
import { Field } from '../ui/Field'
import { Age } from '../ui/Time'
import { toastError } from '../ui/toast'
import { useForm } from '../ui/useForm'

const refresh = () => void queryClient.invalidateQueries({ queryKey: ['users'] })
const statusOf = (user: User) =>
  user.status === 'invited' ? (
    <span className="chip" data-tone="blue">
      {t('user.invited')}
    </span>
  ) : user.status === 'disabled' ? (
    <span className="chip">{t('user.disabled')}</span>
  ) : (
    <span className="chip" data-tone="green">
      {t('user.active')}
    </span>
  )

export function UsersPage() {
  const may = useMay()
  const me = useSession().user
  const users = useQuery(usersQuery)
  const { data: roles } = useQuery(rolesQuery)
  const [inviting, setInviting] = useState(false)
  const [link, setLink] = useState<{ email: string; url: string } | null>(null)
  const write = may('user.write')
  const change = (user: User, part: object) =>
    api.patch(`/users/${user.id}`, { ...part, expected_version: user.version }).then(refresh, toastError)
  const again = (user: User) =>
    api
      .post<{ invite_url: string }>(`/users/${user.id}/invite`)
      .then(({ invite_url }) => setLink({ email: user.email, url: fullUrl(invite_url) }), toastError)
  return (
    <PageFrame
      title={t('settings.users')}
      text={t('user.text')}
      wide
      action={write && <Button onClick={() => setInviting(true)}>{t('user.invite')}</Button>}
    >
      <Table
        source={users}
        items={users.data}
        caption={t('settings.users')}
        columns={[
          { label: t('field.person') },
          { label: t('field.role') },
          { label: t('field.status') },
          { label: t('user.seen'), num: true },
          { label: t('field.actions'), hidden: true },
        ]}
        empty={{ title: t('user.none') }}
        row={(user) => (
          <tr key={user.id}>
            <td>
              <span className="row-flex">
                <Avatar name={user.name || user.email} size="small" />
                <span>
                  <span dir="auto">{user.name || user.email}</span>
                  <br />
                  <bdi className="dim small">{user.email}</bdi>
                </span>
              </span>
            </td>
            <td>
              {write && user.id !== me.id ? (
                <select
                  className="select"
                  aria-label={t('user.role_of', { name: user.name || user.email })}
                  value={user.role.id}
                  onChange={(event) => void change(user, { role_id: event.target.value })}
                >
                  {roles?.map((role) => (
                    <option key={role.id} value={role.id}>
                      {role.name}
                    </option>
                  ))}
                </select>
              ) : (
                user.role.name
              )}
            </td>
            <td>{statusOf(user)}</td>
            <td className="num">{user.last_seen_at ? <Age at={user.last_seen_at} /> : '–'}</td>
            <td className="num">
              {write && user.id !== me.id && (
                <Menu position="bottom-end">
                  <Menu.Target>
                    <button type="button" className="iconbtn" aria-label={t('user.more', { name: user.name || user.email })}>
                      <IconDots size={17} />
                    </button>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item onClick={() => void again(user)}>
                      {user.status === 'invited' ? t('user.invite_again') : t('user.reset')}
                    </Menu.Item>
                    {user.status === 'disabled' ? (
                      <Menu.Item onClick={() => void change(user, { status: 'active' })}>{t('user.enable')}</Menu.Item>
                    ) : (
                      <Menu.Item color="red" onClick={() => void change(user, { status: 'disabled' })}>
                        {t('user.disable')}
                      </Menu.Item>
                    )}
                  </Menu.Dropdown>
                </Menu>
              )}
            </td>
          </tr>
        )}
      />
      {inviting && <Invite close={() => setInviting(false)} done={setLink} />}
      {link && (
        <Modal opened onClose={() => setLink(null)} title={t('invite.link', { email: link.email })}>
          <div className="stack">
            <p>{t('invite.link_text')}</p>
            <div className="secret">
              <code className="mono">{link.url}</code>
              <CopyButton text={link.url} label={t('invite.copy', { email: link.email })} />
            </div>
          </div>
        </Modal>
      )}
    </PageFrame>
  )
}

function Invite({ close, done }: { close: () => void; done: (link: { email: string; url: string }) => void }) {
  const { data: roles } = useQuery(rolesQuery)
  const form = useForm({ email: '', name: '', role_id: '' })
  const { values, set, errors } = form
  return (
    <Modal opened onClose={close} title={t('user.invite')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void form.submit(async ({ email, name, role_id }) => {
            const user = await api.post<User>('/users', { email, ...(name ? { name } : {}), ...(role_id ? { role_id } : {}) })
            refresh()
            close()
            if (user.invite_url) done({ email, url: fullUrl(user.invite_url) })
            return undefined
          })
        }}
      >
        <TextInput
          label={t('field.email')}
          type="email"
          required
          data-autofocus
          value={values.email}
          error={errors.email}
          onChange={(event) => set({ email: event.target.value })}
        />
        <TextInput
          label={t('field.person')}
          value={values.name}
          error={errors.name}
          onChange={(event) => set({ name: event.target.value })}
        />
        <Field label={t('field.role')}>
          <select className="select" value={values.role_id} onChange={(event) => set({ role_id: event.target.value })}>
            <option value="">{t('user.usual_role')}</option>
            {roles?.map((role) => (
              <option key={role.id} value={role.id}>
                {role.name}
              </option>
            ))}
          </select>
        </Field>
        <Button type="submit" loading={form.busy}>
          {t('user.make_link')}
        </Button>
      </form>
    </Modal>
  )
}
