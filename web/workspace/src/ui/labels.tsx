import type { Message, Priority, Status, TicketType } from '../api/types'
import { t } from '../i18n'

export type Tone = 'red' | 'orange' | 'green' | 'blue' | 'violet' | 'gray'
const STATUS_TONE: Record<Status, Tone> = {
  new: 'blue',
  open: 'orange',
  pending: 'violet',
  on_hold: 'gray',
  resolved: 'green',
  closed: 'gray',
}

export const statusName = (status: Status): string =>
  ({
    new: t('status.new'),
    open: t('status.open'),
    pending: t('status.pending'),
    on_hold: t('status.on_hold'),
    resolved: t('status.resolved'),
    closed: t('status.closed'),
  })[status]
export const statusHint = (status: Status): string =>
  ({
    new: t('status.new_hint'),
    open: t('status.open_hint'),
    pending: t('status.pending_hint'),
    on_hold: t('status.on_hold_hint'),
    resolved: t('status.resolved_hint'),
    closed: t('status.closed_hint'),
  })[status]
export const priorityName = (priority: Priority): string =>
  ({ urgent: t('priority.urgent'), high: t('priority.high'), normal: t('priority.normal'), low: t('priority.low') })[priority]
export const typeName = (type: TicketType): string =>
  ({
    question: t('type.question'),
    incident: t('type.incident'),
    problem: t('type.problem'),
    task: t('type.task'),
    feature_request: t('type.feature_request'),
  })[type]
export const deliveryName = (delivery: Message['delivery']): string =>
  ({
    none: '',
    held: t('delivery.held'),
    queued: t('delivery.queued'),
    sent: t('delivery.sent'),
    failed: t('delivery.failed'),
    bounced: t('delivery.bounced'),
    cancelled: t('delivery.cancelled'),
  })[delivery]

export const statusTone = (status: Status): Tone => STATUS_TONE[status]
export const priorityTone = (priority: Priority): Tone =>
  priority === 'urgent' ? 'red' : priority === 'high' ? 'orange' : 'gray'
export const StatusDot = ({ status }: { status: Status }) => (
  <span className="dot" data-tone={STATUS_TONE[status]} aria-hidden="true" />
)
export const StatusChip = ({ status }: { status: Status }) => (
  <span className="chip" data-tone={STATUS_TONE[status]}>
    {statusName(status)}
  </span>
)
