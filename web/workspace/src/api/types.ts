// The wire contract (/api/v1) as types. Ids are strings, times RFC 3339 or null.
export type Id = string
export type Status = 'new' | 'open' | 'pending' | 'on_hold' | 'resolved' | 'closed'
export type Priority = 'urgent' | 'high' | 'normal' | 'low'
export type TicketType = 'question' | 'incident' | 'problem' | 'task' | 'feature_request'
export type Channel = 'email' | 'web' | 'api' | 'import'
export const STATUSES: Status[] = ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed']
export const PRIORITIES: Priority[] = ['urgent', 'high', 'normal', 'low']
export const TYPES: TicketType[] = ['question', 'incident', 'problem', 'task', 'feature_request']

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}
export interface Named {
  id: Id
  name: string
}
export interface Address {
  name: string
  address: string
}

export interface Account {
  id: Id
  name: string
  settings: Record<string, unknown>
  version: number
  created_at: string
}
export interface User {
  id: Id
  name: string
  email: string
  status: 'active' | 'invited' | 'disabled'
  role: Named
  team_ids: Id[]
  signature: string
  locale: string
  time_zone: string
  last_seen_at: string | null
  created_at: string
  version: number
  invite_url?: string
}
export interface Role {
  id: Id
  name: string
  permissions: string[]
  only_own_teams: boolean
  builtin: boolean
  version: number
}
export interface Session {
  user: User
  account: Account
  permissions: string[]
  csrf_token: string
  role: Role
}
export interface Team {
  id: Id
  name: string
  description: string
  archived: boolean
  member_ids: Id[]
  version: number
  created_at: string
}
export interface Token {
  id: Id
  name: string
  prefix: string
  permissions: string[] | null
  created_at: string
  last_used_at: string | null
  expires_at: string | null
  revoked_at: string | null
  token?: string
}

export interface Organization {
  id: Id
  name: string
  domains: string[]
  notes: string
  fields: Record<string, unknown>
  created_at: string
  updated_at: string
  version: number
}
export interface Contact {
  id: Id
  name: string
  email: string
  identities: { id: Id; kind: string; value: string; primary: boolean }[]
  organization: Named | null
  language: string | null
  time_zone: string | null
  notes: string
  fields: Record<string, unknown>
  blocked: boolean
  created_at: string
  updated_at: string
  version: number
}

export interface Attachment {
  id: Id
  file_name: string
  content_type: string
  size: number
  inline: boolean
  content_id: string | null
  created_at: string
}
export interface Message {
  id: Id
  ticket_id: Id
  visibility: 'public' | 'internal'
  author: { kind: 'contact' | 'user' | 'system'; id: Id | null; name: string; email: string | null }
  channel: Channel
  automatic: boolean
  subject: string | null
  text: string
  html: string | null
  quoted_text: string | null
  quoted_html: string | null
  from: Address | null
  to: Address[]
  cc: Address[]
  bcc: Address[]
  attachments: Attachment[]
  mail_id: Id | null
  delivery: 'none' | 'held' | 'queued' | 'sent' | 'failed' | 'bounced' | 'cancelled'
  delivery_detail: string | null
  send_at: string | null
  created_at: string
  version: number
}
export interface Ticket {
  id: Id
  number: number
  version: number
  subject: string
  status: Status
  priority: Priority
  severity: string | null
  type: TicketType
  channel: Channel
  team: Named | null
  assignee: Named | null
  requester: { id: Id; name: string; email: string; organization: Named | null }
  participants: { contact: { id: Id; name: string; email: string }; role: 'cc' | 'past' }[] | null
  mailbox: { id: Id; name: string; address: string } | null
  tags: string[]
  fields: Record<string, unknown>
  spam: boolean
  merged_into: Id | null
  follow_up_of: Id | null
  preview: string
  message_count: number
  created_at: string
  updated_at: string
  activity_at: string
  customer_at: string | null
  agent_at: string | null
  first_reply_at: string | null
  first_resolved_at: string | null
  resolved_at: string | null
  closed_at: string | null
  reopened_count: number
}
export interface TicketFull extends Ticket {
  messages: Message[]
  messages_cursor: string | null
}
export interface Counts {
  mine: number
  unassigned: number
  open: number
  pending: number
  on_hold: number
  unresolved: number
  resolved: number
  closed: number
  spam: number
  teams: { team_id: Id; open: number }[]
}
export interface Recipients {
  to: Address[]
  cc: Address[]
  from: Address | null
  warnings: { code: 'outsider' | 'dropped' | 'list'; address: string; text: string }[]
}
export interface Tag {
  id: Id
  name: string
  uses: number
}
export interface Event {
  seq: number
  at: string
  type: string
  ticket_id: Id | null
  team_id: Id | null
  assignee_id: Id | null
  subject_id: Id | null
  actor: { kind: string; id: Id | null }
  data: Record<string, unknown>
}
export interface Hit {
  kind: 'ticket' | 'message' | 'contact'
  ticket: Pick<Ticket, 'id' | 'number' | 'subject' | 'status'> | null
  message_id: Id | null
  contact: { id: Id; name: string; email: string } | null
  title: string
  snippet: string
  marks: [number, number][]
  at: string
}
export interface Mail {
  id: Id
  direction: 'in' | 'out'
  state: string
  verdict: string | null
  evidence: { kind: string; text: string; score: number | null }[]
  rule: string | null
  score: number | null
  source: string
  source_ref: string | null
  mailbox: Named | null
  size: number
  message_id_header: string | null
  from: string | null
  to: string[]
  subject: string
  detail: string | null
  attempts: number
  ticket: { id: Id; number: number } | null
  message_id: Id | null
  duplicate_of: Id | null
  created_at: string
  updated_at: string
}
export interface Suppression {
  id: Id
  address: string
  reason: string
  detail: string | null
  created_at: string
}
export interface Job {
  id: Id
  kind: string
  state: string
  attempts: number
  error: string | null
  last_error?: string | null
  created_at: string
  updated_at?: string
}

export type Security = 'tls' | 'starttls' | 'none'
export interface Incoming {
  kind: 'imap' | 'pop3' | 'none'
  host: string
  port: number
  security: Security
  auth: 'password' | 'xoauth2'
  user: string
  folder: string
  trusted_host: string
  has_password?: boolean
  password?: string
}
export interface Outgoing {
  kind: 'smtp' | 'none'
  host: string
  port: number
  security: Security
  auth: 'password' | 'xoauth2' | 'none'
  user: string
  has_password?: boolean
  password?: string
}
export interface Mailbox {
  id: Id
  name: string
  address: string
  from_name: string
  team_id: Id | null
  active: boolean
  incoming: Incoming
  outgoing: Outgoing
  oauth: { token_url: string; client_id: string; has_secret?: boolean; has_refresh_token?: boolean } | null
  dkim: { domain: string; selector: string; has_key?: boolean } | null
  signature: string
  quote_history: boolean
  undo_seconds: number
  backfill_since: string | null
  state: 'unknown' | 'ok' | 'failing'
  state_detail: string | null
  state_at: string | null
  created_at: string
  updated_at: string
  version: number
}
export interface TestResult {
  incoming: { ok: boolean; detail: string; field: string | null } | null
  outgoing: { ok: boolean; detail: string; field: string | null } | null
}
