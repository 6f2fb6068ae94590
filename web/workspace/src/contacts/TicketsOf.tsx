import { Link } from '@tanstack/react-router'
import type { Query } from '../api/client'
import { useTickets } from '../api/queries'
import { t } from '../i18n'
import { Table } from '../ui/DataPage'
import { StatusChip } from '../ui/labels'
import { Age } from '../ui/Time'

export function TicketsOf({ query }: { query: Query }) {
  const tickets = useTickets(query)
  return (
    <Table
      source={tickets}
      items={tickets.items}
      caption={t('inbox.tickets')}
      columns={[
        { label: t('field.subject') },
        { label: t('field.status') },
        { label: t('field.assignee') },
        { label: t('field.activity'), num: true },
      ]}
      empty={{ title: t('tickets.none') }}
      row={(ticket) => (
        <tr key={ticket.id}>
          <td>
            <Link to="/tickets/$id" params={{ id: ticket.id }} dir="auto">
              #{ticket.number} {ticket.subject}
            </Link>
          </td>
          <td>
            <StatusChip status={ticket.status} />
          </td>
          <td>{ticket.assignee?.name ?? <span className="dim">{t('row.unassigned')}</span>}</td>
          <td className="num">
            <Age at={ticket.activity_at} />
          </td>
        </tr>
      )}
    />
  )
}
