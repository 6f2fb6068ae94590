import { Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { api } from '../api/client'
import { organizationQuery, queryClient, useMay, usePages } from '../api/queries'
import type { Contact, Organization } from '../api/types'
import { t } from '../i18n'
import { PageFrame } from '../ui/DataPage'
import { SaveBar } from '../ui/SaveBar'
import { Failed, Lines } from '../ui/State'
import { toast } from '../ui/toast'
import { useForm } from '../ui/useForm'
import './contacts.css'
import { TicketsOf } from './TicketsOf'

export function OrganizationPage() {
  const { id } = useParams({ from: '/shell/organizations/$id' })
  const { data, error, refetch } = useQuery(organizationQuery(id))
  return (
    <main className="page" id="main" tabIndex={-1}>
      {error && !data ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : data ? (
        <Card key={data.id} organization={data} />
      ) : (
        <Lines count={6} />
      )}
    </main>
  )
}

function Card({ organization }: { organization: Organization }) {
  const may = useMay()
  const write = may('contact.write')
  const people = usePages<Contact>(['contacts'], '/contacts', { organization_id: organization.id })
  const form = useForm({ name: organization.name, domains: organization.domains.join(', '), notes: organization.notes })
  const { values, set, errors } = form
  const save = () =>
    void form
      .submit(async (all) => {
        const domains = all.domains.split(/[\s,]+/).filter(Boolean)
        queryClient.setQueryData(
          ['organization', organization.id],
          await api.patch<Organization>(`/organizations/${organization.id}`, {
            name: all.name,
            notes: all.notes,
            domains,
            expected_version: organization.version,
          }),
        )
        return undefined
      })
      .then((done) => done && toast(t('form.saved')))
  return (
    <PageFrame title={organization.name} wide>
      <section className="card" aria-label={t('field.organization')}>
        <fieldset disabled={!write} className="bare stack">
          <div className="fields">
            <TextInput
              label={t('field.person')}
              value={values.name}
              error={errors.name}
              onChange={(event) => set({ name: event.target.value })}
            />
            <TextInput
              label={t('field.domains')}
              description={t('organization.domains_hint')}
              placeholder="example.com"
              value={values.domains}
              error={Object.entries(errors).find(([key]) => key.startsWith('domains'))?.[1]}
              onChange={(event) => set({ domains: event.target.value })}
            />
          </div>
          <Textarea
            label={t('field.notes')}
            autosize
            minRows={2}
            value={values.notes}
            onChange={(event) => set({ notes: event.target.value })}
          />
        </fieldset>
        {write && <SaveBar dirty={form.dirty} busy={form.busy} save={save} reset={() => form.reset()} />}
      </section>
      <h2>{t('organization.people')}</h2>
      <ul className="people">
        {people.items.map((one) => (
          <li key={one.id}>
            <Link to="/contacts/$id" params={{ id: one.id }}>
              {one.name || one.email}
            </Link>{' '}
            <bdi className="dim">{one.email}</bdi>
          </li>
        ))}
      </ul>
      <h2>{t('inbox.tickets')}</h2>
      <TicketsOf query={{ organization_id: organization.id }} />
    </PageFrame>
  )
}
