// Where the usual providers keep their servers.
import type { Mailbox } from '../api/types'

export type MailboxDraft = Pick<
  Mailbox,
  | 'name'
  | 'address'
  | 'from_name'
  | 'team_id'
  | 'active'
  | 'incoming'
  | 'outgoing'
  | 'signature'
  | 'quote_history'
  | 'undo_seconds'
> & { id?: string; version?: number }

export const newMailbox = (): MailboxDraft => ({
  name: '',
  address: '',
  from_name: '',
  team_id: null,
  active: true,
  incoming: {
    kind: 'imap',
    host: '',
    port: 993,
    security: 'tls',
    auth: 'password',
    user: '',
    folder: 'INBOX',
    trusted_host: '',
  },
  outgoing: { kind: 'smtp', host: '', port: 465, security: 'tls', auth: 'password', user: '' },
  signature: '',
  quote_history: true,
  undo_seconds: 10,
})

interface Preset {
  name: string
  domains: string[]
  imap: string
  smtp: string
  smtpPort: number
  note?: 'app_password'
}
export const PRESETS: Preset[] = [
  {
    name: 'Gmail',
    domains: ['gmail.com', 'googlemail.com'],
    imap: 'imap.gmail.com',
    smtp: 'smtp.gmail.com',
    smtpPort: 465,
    note: 'app_password',
  },
  {
    name: 'Microsoft 365',
    domains: ['outlook.com', 'hotmail.com', 'live.com'],
    imap: 'outlook.office365.com',
    smtp: 'smtp.office365.com',
    smtpPort: 587,
  },
  {
    name: 'iCloud',
    domains: ['icloud.com', 'me.com'],
    imap: 'imap.mail.me.com',
    smtp: 'smtp.mail.me.com',
    smtpPort: 587,
    note: 'app_password',
  },
  {
    name: 'Fastmail',
    domains: ['fastmail.com', 'fastmail.fm'],
    imap: 'imap.fastmail.com',
    smtp: 'smtp.fastmail.com',
    smtpPort: 465,
    note: 'app_password',
  },
  {
    name: 'Yahoo',
    domains: ['yahoo.com'],
    imap: 'imap.mail.yahoo.com',
    smtp: 'smtp.mail.yahoo.com',
    smtpPort: 465,
    note: 'app_password',
  },
  { name: 'Zoho', domains: ['zoho.com'], imap: 'imap.zoho.com', smtp: 'smtp.zoho.com', smtpPort: 465 },
]

export const presetFor = (address: string): Preset | undefined =>
  PRESETS.find((preset) => preset.domains.includes(address.split('@')[1]?.toLowerCase() ?? ''))

export function withPreset(box: MailboxDraft, preset: Preset): MailboxDraft {
  return {
    ...box,
    incoming: {
      ...box.incoming,
      kind: 'imap',
      host: preset.imap,
      port: 993,
      security: 'tls',
      user: box.incoming.user || box.address,
    },
    outgoing: {
      ...box.outgoing,
      kind: 'smtp',
      host: preset.smtp,
      port: preset.smtpPort,
      security: preset.smtpPort === 465 ? 'tls' : 'starttls',
      user: box.outgoing.user || box.address,
    },
  }
}

// The usual names at an own domain, offered when no provider is known.
export function guessed(box: MailboxDraft): MailboxDraft {
  const domain = box.address.split('@')[1]
  if (!domain) return box
  return {
    ...box,
    incoming: { ...box.incoming, host: box.incoming.host || `imap.${domain}`, user: box.incoming.user || box.address },
    outgoing: { ...box.outgoing, host: box.outgoing.host || `smtp.${domain}`, user: box.outgoing.user || box.address },
  }
}
