// Who asks, what the ticket is, what came before.
import { IconChevronDown, IconMail, IconPlus, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api } from '../api/client'
import { contactQuery, tagsQuery, ticketEventsQuery, useMay } from '../api/queries'
import { type Page, PRIORITIES, type Ticket, type TicketFull, TYPES } from '../api/types'
import { t } from '../i18n'
import { Avatar } from '../ui/Avatar'
import { CopyButton } from '../ui/CopyButton'
import { priorityName, StatusDot, statusName, typeName } from '../ui/labels'
import { Picker } from '../ui/Picker'
import { Age } from '../ui/Time'
import { eventText, fieldName, valueName } from './changes'
import type { ChangeTicket, Menu } from './TicketHeader'

interface Props {
  ticket: TicketFull
  change: ChangeTicket
  open: boolean
  toggle: () => void
  menu: Menu
  setMenu: (menu: Menu) => void
}

export function Details({ ticket, change, open, toggle, menu, setMenu }: Props) {
  return (
    <aside className="details" aria-label={t('details.title')} data-open={open || undefined}>
      <button type="button" className="iconbtn details-close" onClick={toggle} aria-label={t('details.close')}>
        <IconX size={17} />
      </button>
      <Person ticket={ticket} />
      <Section name="ticket" title={t('details.ticket')}>
        <Properties ticket={ticket} change={change} menu={menu} setMenu={setMenu} />
      </Section>
      <Section name="tags" title={t('field.tags')}>
        <Tags ticket={ticket} change={change} menu={menu} setMenu={setMenu} />
      </Section>
      {(ticket.participants?.length ?? 0) > 0 && (
        <Section name="participants" title={t('details.participants')}>
          <ul className="plain-list">
            {ticket.participants!.map(({ contact, role }) => (
              <li key={contact.id}>
                <Link to="/contacts/$id" params={{ id: contact.id }} className="ellipsis">
                  {contact.name || contact.email}
                </Link>
                <span className="tm">{role === 'cc' ? t('field.cc') : t('details.past')}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section name="previous" title={t('details.previous')}>
        <Previous ticket={ticket} />
      </Section>
      <Section name="history" title={t('details.history')} closed>
        <History id={ticket.id} />
      </Section>
    </aside>
  )
}

function Section({ name, title, closed, children }: { name: string; title: string; closed?: boolean; children: ReactNode }) {
  const key = `cairn.section.${name}`
  const [open, setOpen] = useState(() => (localStorage.getItem(key) ?? (closed ? 'no' : 'yes')) === 'yes')
  return (
    <section className="dsection">
      <h3>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => {
            localStorage.setItem(key, open ? 'no' : 'yes')
            setOpen(!open)
          }}
        >
          {title}
          <IconChevronDown size={15} aria-hidden="true" />
        </button>
      </h3>
      {open && <div className="dbody">{children}</div>}
    </section>
  )
}

function Person({ ticket }: { ticket: TicketFull }) {
  const may = useMay()
  const { requester } = ticket
  const { data: contact } = useQuery({ ...contactQuery(requester.id), enabled: may('contact.read') })
  const name = requester.name || requester.email
  return (
    <div className="person">
      <Avatar name={name} size="large" />
      <div className="grow">
        <h2 className="ellipsis" dir="auto">
          {may('contact.read') ? (
            <Link to="/contacts/$id" params={{ id: requester.id }}>
              {name}
            </Link>
          ) : (
            name
          )}
        </h2>
        {requester.organization && (
          <p className="small ellipsis">
            <Link to="/organizations/$id" params={{ id: requester.organization.id }}>
              {requester.organization.name}
            </Link>
          </p>
        )}
        <p className="row-flex small">
          <IconMail size={14} aria-hidden="true" />
          <bdi className="ellipsis grow">{requester.email}</bdi>
          <CopyButton text={requester.email} label={t('details.copy_email')} />
        </p>
        {contact?.notes && (
          <p className="person-notes" dir="auto">
            {contact.notes}
          </p>
        )}
        {contact?.blocked && (
          <span className="chip" data-tone="red">
            {t('contact.blocked')}
          </span>
        )}
      </div>
    </div>
  )
}

function Properties({ ticket, change, menu, setMenu }: Pick<Props, 'ticket' | 'change' | 'menu' | 'setMenu'>) {
  const may = useMay()
  const write = may('ticket.write')
  return (
    <dl className="attrs">
      <div>
        <dt>{t('field.priority')}</dt>
        <dd>
          <Picker
            className="pick plain-pick"
            label={t('field.priority')}
            disabled={!write}
            opened={menu === 'priority'}
            onOpenChange={(opened) => setMenu(opened ? 'priority' : null)}
            chosen={[ticket.priority]}
            choices={PRIORITIES.map((value) => ({ value, label: priorityName(value) }))}
            onPick={(value) => void change({ priority: value as Ticket['priority'] })}
          >
            {priorityName(ticket.priority)}
          </Picker>
        </dd>
      </div>
      <div>
        <dt>{t('field.type')}</dt>
        <dd>
          <Picker
            className="pick plain-pick"
            label={t('field.type')}
            disabled={!write}
            chosen={[ticket.type]}
            choices={TYPES.map((value) => ({ value, label: typeName(value) }))}
            onPick={(value) => void change({ type: value as Ticket['type'] })}
          >
            {typeName(ticket.type)}
          </Picker>
        </dd>
      </div>
      {ticket.severity && (
        <div>
          <dt>{t('field.severity')}</dt>
          <dd>{ticket.severity}</dd>
        </div>
      )}
      {ticket.mailbox && (
        <div>
          <dt>{t('field.mailbox')}</dt>
          <dd>
            <bdi>{ticket.mailbox.address}</bdi>
          </dd>
        </div>
      )}
      {ticket.reopened_count > 0 && (
        <div>
          <dt>{t('details.reopened')}</dt>
          <dd>{t('details.times', { n: ticket.reopened_count })}</dd>
        </div>
      )}
      {Object.entries(ticket.fields).map(([key, value]) => (
        <div key={key}>
          <dt>{fieldName(key)}</dt>
          <dd dir="auto">{valueName(key, value)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Tags({ ticket, change, menu, setMenu }: Pick<Props, 'ticket' | 'change' | 'menu' | 'setMenu'>) {
  const may = useMay()
  const write = may('ticket.write')
  const { data: tags } = useQuery(tagsQuery)
  const set = (next: string[]) => void change({ tags: next })
  const without = (name: string) => set(ticket.tags.filter((tag) => tag !== name))
  return (
    <div className="tags">
      {ticket.tags.map((tag) => (
        <span key={tag} className="chip removable">
          <bdi>{tag}</bdi>
          {write && (
            <button type="button" onClick={() => without(tag)} aria-label={t('tags.remove', { name: tag })}>
              <IconX size={12} />
            </button>
          )}
        </span>
      ))}
      {write && (
        <Picker
          className="linkbtn"
          action
          label={t('tags.add')}
          multiple
          opened={menu === 'tags'}
          onOpenChange={(opened) => setMenu(opened ? 'tags' : null)}
          chosen={ticket.tags}
          choices={(tags ?? []).map((tag) => ({ value: tag.name, label: tag.name }))}
          create={(name) => set([...ticket.tags, name])}
          onPick={(name) => (ticket.tags.includes(name) ? without(name) : set([...ticket.tags, name]))}
        >
          <IconPlus size={14} />
          {t('tags.add')}
        </Picker>
      )}
    </div>
  )
}

function Previous({ ticket }: { ticket: TicketFull }) {
  const { data } = useQuery({
    queryKey: ['tickets-of', ticket.requester.id],
    queryFn: () => api.get<Page<Ticket>>('/tickets', { requester_id: ticket.requester.id, limit: 10 }),
  })
  const others = data?.items.filter((one) => one.id !== ticket.id) ?? []
  if (data && !others.length) return <p className="dim">{t('details.no_previous')}</p>
  return (
    <ul className="plain-list">
      {others.map((one) => (
        <li key={one.id}>
          <span title={statusName(one.status)}>
            <StatusDot status={one.status} />
          </span>
          <Link to="/tickets/$id" params={{ id: one.id }} className="ellipsis" dir="auto">
            {one.subject}
          </Link>
          <Age at={one.activity_at} />
        </li>
      ))}
    </ul>
  )
}

function History({ id }: { id: string }) {
  const { data: events } = useQuery(ticketEventsQuery(id))
  return (
    <ol className="history">
      {(events ?? []).map((event) => {
        const text = eventText(event)
        return text ? (
          <li key={event.seq}>
            <bdi className="grow">{text}</bdi> <Age at={event.at} />
          </li>
        ) : null
      })}
    </ol>
  )
}
