import { Button, Group, Modal, Switch, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api } from '../api/client'
import { contactQuery, queryClient, useMay } from '../api/queries'
import type { Contact, Organization, Page } from '../api/types'
import { t } from '../i18n'
import { Avatar } from '../ui/Avatar'
import { Field } from '../ui/Field'
import { SaveBar } from '../ui/SaveBar'
import { Failed, Lines } from '../ui/State'
import { toast, toastError } from '../ui/toast'
import { useDelayed } from '../ui/useDelayed'
import { useForm } from '../ui/useForm'
import './contacts.css'
import { TicketsOf } from './TicketsOf'

export function ContactPage() {
  const { id } = useParams({ from: '/shell/contacts/$id' })
  const { data, error, refetch } = useQuery(contactQuery(id))
  useEffect(() => {
    if (data) document.title = `${data.name || data.email} – Cairn`
  }, [data])
  return (
    <main className="page" id="main" tabIndex={-1}>
      {error && !data ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : data ? (
        <Card key={data.id} contact={data} />
      ) : (
        <Lines count={6} />
      )}
    </main>
  )
}

function Card({ contact }: { contact: Contact }) {
  const may = useMay()
  const write = may('contact.write')
  const [merging, setMerging] = useState(false)
  const { data: organizations } = useQuery({
    queryKey: ['organizations-all'],
    queryFn: () => api.get<Page<Organization>>('/organizations', { limit: 100 }),
  })
  const form = useForm(
    {
      name: contact.name,
      organization_id: contact.organization?.id ?? '',
      notes: contact.notes,
      blocked: contact.blocked,
      add: '',
    },
    ['name', 'organization_id', 'notes', 'add_identities'],
  )
  const { values, set, errors } = form
  const save = () =>
    void form
      .submit(async (all) => {
        const next = await api.patch<Contact>(`/contacts/${contact.id}`, {
          name: all.name,
          organization_id: all.organization_id || null,
          notes: all.notes,
          blocked: all.blocked,
          ...(all.add.trim() ? { add_identities: [{ kind: 'email', value: all.add.trim() }] } : {}),
          expected_version: contact.version,
        })
        queryClient.setQueryData(['contact', contact.id], next)
        return { ...all, add: '' }
      })
      .then((done) => done && toast(t('form.saved')))
  const remove = (identity: string) =>
    api
      .patch<Contact>(`/contacts/${contact.id}`, { remove_identity_ids: [identity], expected_version: contact.version })
      .then((next) => queryClient.setQueryData(['contact', contact.id], next), toastError)
  return (
    <div className="page-inner" data-wide>
      <header className="page-head">
        <Avatar name={contact.name || contact.email} size="large" />
        <div className="grow">
          <h1 dir="auto">{contact.name || contact.email}</h1>
          <p>
            <bdi>{contact.email}</bdi>
            {contact.organization && (
              <>
                {' · '}
                <Link to="/organizations/$id" params={{ id: contact.organization.id }}>
                  {contact.organization.name}
                </Link>
              </>
            )}
          </p>
        </div>
        {write && (
          <Button variant="default" onClick={() => setMerging(true)}>
            {t('contact.merge')}
          </Button>
        )}
      </header>
      <section className="card" aria-label={t('contact.card')}>
        <fieldset disabled={!write} className="bare stack">
          <div className="fields">
            <TextInput
              label={t('field.person')}
              value={values.name}
              error={errors.name}
              onChange={(event) => set({ name: event.target.value })}
            />
            <Field label={t('field.organization')}>
              <select
                className="select"
                value={values.organization_id}
                onChange={(event) => set({ organization_id: event.target.value })}
              >
                <option value="">{t('value.none')}</option>
                {organizations?.items.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                ))}
              </select>
            </Field>
          </div>
          <div>
            <h2>{t('contact.identities')}</h2>
            <ul className="identities">
              {contact.identities.map((one) => (
                <li key={one.id}>
                  <bdi className="grow">{one.value}</bdi>
                  <span className="dim">{one.primary ? t('contact.primary') : one.kind}</span>
                  {write && !one.primary && (
                    <button type="button" className="linkbtn" onClick={() => void remove(one.id)}>
                      {t('contact.remove')}
                    </button>
                  )}
                </li>
              ))}
            </ul>
            <TextInput
              aria-label={t('contact.add_address')}
              placeholder={t('contact.add_address')}
              value={values.add}
              error={Object.entries(errors).find(([key]) => key.startsWith('add_identities'))?.[1]}
              onChange={(event) => set({ add: event.target.value })}
            />
          </div>
          <Textarea
            label={t('field.notes')}
            description={t('contact.notes_hint')}
            autosize
            minRows={2}
            value={values.notes}
            onChange={(event) => set({ notes: event.target.value })}
          />
          <Switch
            label={t('contact.block')}
            checked={values.blocked}
            onChange={(event) => set({ blocked: event.currentTarget.checked })}
          />
        </fieldset>
        {write && <SaveBar dirty={form.dirty} busy={form.busy} save={save} reset={() => form.reset()} />}
      </section>
      <h2>{t('inbox.tickets')}</h2>
      <TicketsOf query={{ requester_id: contact.id }} />
      {merging && <MergeContact contact={contact} close={() => setMerging(false)} />}
    </div>
  )
}

function MergeContact({ contact, close }: { contact: Contact; close: () => void }) {
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [into, setInto] = useState<Contact | null>(null)
  const wanted = useDelayed(text.trim(), 200)
  const { data } = useQuery({
    queryKey: ['contacts-merge', wanted],
    queryFn: () => api.get<Page<Contact>>('/contacts', { q: wanted, limit: 10 }),
    enabled: wanted.length > 0,
  })
  const merge = () =>
    api.post(`/contacts/${contact.id}/merge`, { into_id: into!.id }).then(() => {
      void queryClient.invalidateQueries()
      close()
      void navigate({ to: '/contacts/$id', params: { id: into!.id } })
    }, toastError)
  return (
    <Modal opened onClose={close} title={t('contact.merge_title', { name: contact.name || contact.email })}>
      <div className="stack">
        <p className="dim">{t('contact.merge_text')}</p>
        <TextInput label={t('people.find')} value={text} onChange={(event) => setText(event.target.value)} data-autofocus />
        <div role="radiogroup" aria-label={t('nav.contacts')}>
          {data?.items
            .filter((one) => one.id !== contact.id)
            .map((one) => (
              <label key={one.id} className="choice">
                <input type="radio" name="into" checked={into?.id === one.id} onChange={() => setInto(one)} />
                <span className="grow ellipsis">
                  {one.name} <span className="dim">{one.email}</span>
                </span>
              </label>
            ))}
        </div>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button color="red" disabled={!into} onClick={() => void merge()}>
            {t('merge.do')}
          </Button>
        </Group>
      </div>
    </Modal>
  )
}
