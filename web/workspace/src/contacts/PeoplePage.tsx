import { Button, Modal, TextInput } from '@mantine/core'
import { IconBuilding, IconUsers } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api } from '../api/client'
import { queryClient, useMay, usePages } from '../api/queries'
import type { Contact, Organization } from '../api/types'
import { t } from '../i18n'
import { Avatar } from '../ui/Avatar'
import { PageFrame, Table } from '../ui/DataPage'
import { Age } from '../ui/Time'
import { useDelayed } from '../ui/useDelayed'
import { useForm } from '../ui/useForm'
import './contacts.css'

function Frame({
  title,
  query,
  setQuery,
  add,
  children,
}: {
  title: string
  query: string
  setQuery: (text: string) => void
  add: ReactNode
  children: ReactNode
}) {
  return (
    <main className="page" id="main" tabIndex={-1}>
      <PageFrame title={title} wide action={add}>
        <div className="people-bar">
          <nav className="tabs-nav" aria-label={t('people.kinds')}>
            <Link to="/contacts" activeProps={{ 'aria-current': 'page' }}>
              {t('nav.contacts')}
            </Link>
            <Link to="/organizations" activeProps={{ 'aria-current': 'page' }}>
              {t('nav.organizations')}
            </Link>
          </nav>
          <TextInput
            className="grow"
            aria-label={t('people.find')}
            placeholder={t('people.find')}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        </div>
        {children}
      </PageFrame>
    </main>
  )
}

export function ContactsPage() {
  const may = useMay()
  const [text, setText] = useState('')
  const [adding, setAdding] = useState(false)
  const contacts = usePages<Contact>(['contacts'], '/contacts', { q: useDelayed(text, 200) })
  return (
    <Frame
      title={t('nav.contacts')}
      query={text}
      setQuery={setText}
      add={may('contact.write') && <Button onClick={() => setAdding(true)}>{t('contact.new')}</Button>}
    >
      <Table
        source={contacts}
        items={contacts.items}
        caption={t('nav.contacts')}
        columns={[
          { label: t('field.person') },
          { label: t('field.email') },
          { label: t('field.organization') },
          { label: t('field.created'), num: true },
        ]}
        empty={{
          icon: <IconUsers size={32} stroke={1.4} />,
          title: text ? t('search.none') : t('contact.none'),
          text: t('contact.none_text'),
        }}
        row={(contact) => (
          <tr key={contact.id}>
            <td>
              <span className="row-flex">
                <Avatar name={contact.name || contact.email} size="small" />
                <Link to="/contacts/$id" params={{ id: contact.id }} dir="auto">
                  {contact.name || contact.email}
                </Link>
                {contact.blocked && (
                  <span className="chip" data-tone="red">
                    {t('contact.blocked')}
                  </span>
                )}
              </span>
            </td>
            <td>
              <bdi>{contact.email}</bdi>
            </td>
            <td>
              {contact.organization && (
                <Link to="/organizations/$id" params={{ id: contact.organization.id }}>
                  {contact.organization.name}
                </Link>
              )}
            </td>
            <td className="num">
              <Age at={contact.created_at} />
            </td>
          </tr>
        )}
      />
      {adding && <AddContact close={() => setAdding(false)} />}
    </Frame>
  )
}

function AddContact({ close }: { close: () => void }) {
  const navigate = useNavigate()
  const form = useForm({ name: '', email: '' })
  return (
    <Modal opened onClose={close} title={t('contact.new')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void form.submit(async (values) => {
            const contact = await api.post<Contact>('/contacts', values)
            void queryClient.invalidateQueries({ queryKey: ['contacts'] })
            void navigate({ to: '/contacts/$id', params: { id: contact.id } })
            return undefined
          })
        }}
      >
        <TextInput
          label={t('field.person')}
          data-autofocus
          value={form.values.name}
          error={form.errors.name}
          onChange={(event) => form.set({ name: event.target.value })}
        />
        <TextInput
          label={t('field.email')}
          type="email"
          value={form.values.email}
          error={form.errors.email}
          onChange={(event) => form.set({ email: event.target.value })}
        />
        <Button type="submit" loading={form.busy}>
          {t('contact.create')}
        </Button>
      </form>
    </Modal>
  )
}

export function OrganizationsPage() {
  const may = useMay()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [adding, setAdding] = useState(false)
  const form = useForm({ name: '' })
  const organizations = usePages<Organization>(['organizations'], '/organizations', { q: useDelayed(text, 200) })
  return (
    <Frame
      title={t('nav.organizations')}
      query={text}
      setQuery={setText}
      add={may('contact.write') && <Button onClick={() => setAdding(true)}>{t('organization.new')}</Button>}
    >
      <Table
        source={organizations}
        items={organizations.items}
        caption={t('nav.organizations')}
        columns={[{ label: t('field.person') }, { label: t('field.domains') }, { label: t('field.created'), num: true }]}
        empty={{
          icon: <IconBuilding size={32} stroke={1.4} />,
          title: text ? t('search.none') : t('organization.none'),
          text: t('organization.none_text'),
        }}
        row={(one) => (
          <tr key={one.id}>
            <td>
              <Link to="/organizations/$id" params={{ id: one.id }} dir="auto">
                {one.name}
              </Link>
            </td>
            <td>
              <bdi>{one.domains.join(', ')}</bdi>
            </td>
            <td className="num">
              <Age at={one.created_at} />
            </td>
          </tr>
        )}
      />
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('organization.new')}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            void form.submit(async (values) => {
              const made = await api.post<Organization>('/organizations', values)
              void navigate({ to: '/organizations/$id', params: { id: made.id } })
              return undefined
            })
          }}
        >
          <TextInput
            label={t('field.person')}
            data-autofocus
            required
            value={form.values.name}
            error={form.errors.name}
            onChange={(event) => form.set({ name: event.target.value })}
          />
          <Button type="submit" loading={form.busy}>
            {t('contact.create')}
          </Button>
        </form>
      </Modal>
    </Frame>
  )
}
