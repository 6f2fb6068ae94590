// One row: plain elements, a real link. It is drawn hundreds of times; keep it light.
import { IconApi, IconFileImport, IconMail, IconWorld } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { Channel, Ticket } from '../api/types'
import { hasDraft } from '../composer/drafts'
import { t } from '../i18n'
import { Avatar } from '../ui/Avatar'
import { priorityName, priorityTone, StatusChip } from '../ui/labels'
import { Age } from '../ui/Time'
import type { InboxSearch } from './views'

const CHANNEL: Record<Channel, typeof IconMail> = { email: IconMail, web: IconWorld, api: IconApi, import: IconFileImport }

interface Props {
  ticket: Ticket
  view: string
  search: InboxSearch
  active: boolean
  cursor: boolean
  checked: boolean
  unread: boolean
  showStatus: boolean
  position: number
  total: number
  onCheck: (id: string, range: boolean) => void
}

export const TicketRow = memo(function TicketRow({
  ticket,
  view,
  search,
  active,
  cursor,
  checked,
  unread,
  showStatus,
  position,
  total,
  onCheck,
}: Props) {
  const Icon = CHANNEL[ticket.channel] ?? IconMail
  const name = ticket.requester.name || ticket.requester.email
  const urgent = ticket.priority === 'urgent' || ticket.priority === 'high'
  return (
    <div
      className="row"
      role="listitem"
      aria-setsize={total}
      aria-posinset={position}
      data-active={active || undefined}
      data-cursor={cursor || undefined}
      data-unread={unread || undefined}
    >
      <label className="row-check">
        <Avatar name={name} />
        <input
          type="checkbox"
          checked={checked}
          onChange={(event) => onCheck(ticket.id, (event.nativeEvent as MouseEvent).shiftKey)}
          aria-label={t('row.select', { number: String(ticket.number) })}
        />
      </label>
      <Link
        className="row-link"
        to="/inbox/$view"
        params={{ view }}
        search={{ ...search, ticket: ticket.id }}
        preload={false}
        aria-current={active ? 'true' : undefined}
      >
        <span className="r1">
          <span className="nm" dir="auto">
            {name}
          </span>
          <Icon size={14} stroke={1.8} className="row-icon" aria-hidden="true" />
          <Age at={ticket.activity_at} />
        </span>
        <span className="r2" dir="auto">
          {unread && <span className="vh">{t('row.unread')} </span>}
          {ticket.subject}
        </span>
        <span className="r3">
          <span className="pv" dir="auto">
            {ticket.preview}
          </span>
          {unread && <span className="unread-dot" aria-hidden="true" />}
        </span>
        <span className="r4">
          {showStatus && <StatusChip status={ticket.status} />}
          {urgent && (
            <span className="chip" data-tone={priorityTone(ticket.priority)}>
              {priorityName(ticket.priority)}
            </span>
          )}
          {hasDraft(ticket.id) && (
            <span className="chip" data-draft>
              {t('row.draft')}
            </span>
          )}
          {ticket.tags.slice(0, 2).map((tag) => (
            <span key={tag} className="chip tag">
              {tag}
            </span>
          ))}
          {ticket.tags.length > 2 && <span className="chip">+{ticket.tags.length - 2}</span>}
          <span className="asg">{ticket.assignee ? ticket.assignee.name.split(' ')[0] : t('row.unassigned')}</span>
        </span>
      </Link>
    </div>
  )
})
