// What a view and its filters mean, and how the URL holds them.
import type { Query } from '../api/client'
import type { Counts } from '../api/types'
import { t } from '../i18n'

export const VIEWS = ['mine', 'unassigned', 'open', 'pending', 'on_hold', 'unresolved', 'resolved', 'closed', 'spam'] as const
export type View = (typeof VIEWS)[number]
export const SORTS = ['-activity', 'activity', '-created', 'created'] as const

export interface InboxSearch {
  ticket?: string
  message?: string
  priority?: string
  tag?: string
  assignee?: string
  channel?: string
  mailbox?: string
  sort?: string
}
const KEYS = ['ticket', 'message', 'priority', 'tag', 'assignee', 'channel', 'mailbox', 'sort'] as const
export const FILTERS = ['priority', 'assignee', 'tag', 'mailbox'] as const

export function readInboxSearch(search: Record<string, unknown>): InboxSearch {
  const found: InboxSearch = {}
  for (const key of KEYS) {
    const value = search[key]
    if (typeof value === 'string' || typeof value === 'number') found[key] = String(value)
  }
  return found
}

const VIEW_QUERY: Record<View, Query> = {
  mine: { assignee_id: 'me', status: 'unresolved' },
  unassigned: { assignee_id: 'none', status: 'new,open' },
  open: { status: 'new,open' },
  pending: { status: 'pending' },
  on_hold: { status: 'on_hold' },
  unresolved: { status: 'unresolved' },
  resolved: { status: 'resolved' },
  closed: { status: 'closed' },
  spam: { spam: true },
}

export function listQuery(view: string, search: InboxSearch): Query {
  const base: Query = view.startsWith('team-')
    ? { team_id: view.slice(5), status: 'new,open' }
    : (VIEW_QUERY[view as View] ?? VIEW_QUERY.open)
  return {
    ...base,
    ...(search.priority ? { priority: search.priority } : {}),
    ...(search.tag ? { tag: search.tag } : {}),
    ...(search.assignee ? { assignee_id: search.assignee } : {}),
    ...(search.channel ? { channel: search.channel } : {}),
    ...(search.mailbox ? { mailbox_id: search.mailbox } : {}),
    ...(search.sort && search.sort !== '-activity' ? { sort: search.sort } : {}),
  }
}

export const viewName = (view: View): string =>
  ({
    mine: t('view.mine'),
    unassigned: t('view.unassigned'),
    open: t('view.open'),
    pending: t('view.pending'),
    on_hold: t('view.on_hold'),
    unresolved: t('view.unresolved'),
    resolved: t('view.resolved'),
    closed: t('view.closed'),
    spam: t('view.spam'),
  })[view]

export const viewCount = (view: View, counts: Counts): number => counts[view]

export const sortName = (sort: string): string =>
  sort === 'activity'
    ? t('sort.oldest')
    : sort === '-created'
      ? t('sort.created')
      : sort === 'created'
        ? t('sort.created_first')
        : t('sort.newest')
