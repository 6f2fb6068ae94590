// Names for fields and values in the history and in conflicts.
import { queryClient } from '../api/queries'
import type { Event, Named, Priority, Status, TicketType } from '../api/types'
import { t } from '../i18n'
import { priorityName, statusName, typeName } from '../ui/labels'

export const fieldName = (key: string): string =>
  ({
    subject: t('field.subject'),
    status: t('field.status'),
    priority: t('field.priority'),
    severity: t('field.severity'),
    type: t('field.type'),
    team_id: t('field.team'),
    assignee_id: t('field.assignee'),
    requester_id: t('field.requester'),
    mailbox_id: t('field.mailbox'),
    tags: t('field.tags'),
    cc: t('field.cc'),
    spam: t('field.spam'),
    fields: t('field.fields'),
    merged_into: t('field.merged_into'),
  })[key] ?? key

const named = (key: string, id: unknown): string | undefined =>
  queryClient.getQueryData<Named[]>([key])?.find((one) => one.id === String(id))?.name

export function valueName(key: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return key === 'assignee_id' ? t('row.unassigned') : t('value.none')
  if (Array.isArray(value)) return value.length ? value.map(String).join(', ') : t('value.none')
  if (typeof value === 'boolean') return value ? t('value.yes') : t('value.no')
  if (typeof value === 'object') return 'name' in value ? String((value as Named).name) : JSON.stringify(value)
  if (key === 'status') return statusName(value as Status) ?? String(value)
  if (key === 'priority') return priorityName(value as Priority) ?? String(value)
  if (key === 'type') return typeName(value as TicketType) ?? String(value)
  if (key === 'assignee_id') return named('users', value) ?? t('value.somebody')
  if (key === 'team_id') return named('teams', value) ?? t('value.team')
  return String(value)
}

const who = (event: Event): string =>
  event.actor.kind === 'user'
    ? (named('users', event.actor.id) ?? t('value.somebody'))
    : event.actor.kind === 'contact'
      ? t('event.customer')
      : t('event.system')

// One line for the thread and the history; null for what the thread shows anyway.
export function eventText(event: Event): string | null {
  const actor = who(event)
  if (event.type === 'ticket.created') return t('event.created', { actor })
  if (event.type === 'ticket.reopened') return t('event.reopened')
  if (event.type === 'ticket.merged') return t('event.merged', { actor })
  if (event.type !== 'ticket.changed') return null
  const parts = Object.entries(event.data).flatMap(([key, change]) => {
    if (!Array.isArray(change) || change.length !== 2) return []
    const to = change[1]
    if (key === 'assignee_id') return to ? t('event.assigned', { name: valueName(key, to) }) : t('event.unassigned')
    if (key === 'status') return t('event.status', { status: valueName(key, to) })
    return t('event.field', { field: fieldName(key), value: valueName(key, to) })
  })
  return parts.length ? t('event.line', { actor, what: parts.join(', ') }) : null
}
