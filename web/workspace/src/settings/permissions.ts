import { t } from '../i18n'

export const PERMISSIONS: { name: string; label: () => string }[] = [
  { name: 'ticket.read', label: () => t('permission.ticket_read') },
  { name: 'ticket.write', label: () => t('permission.ticket_write') },
  { name: 'ticket.reply', label: () => t('permission.ticket_reply') },
  { name: 'ticket.delete', label: () => t('permission.ticket_delete') },
  { name: 'contact.read', label: () => t('permission.contact_read') },
  { name: 'contact.write', label: () => t('permission.contact_write') },
  { name: 'tag.write', label: () => t('permission.tag_write') },
  { name: 'user.read', label: () => t('permission.user_read') },
  { name: 'user.write', label: () => t('permission.user_write') },
  { name: 'mailbox.read', label: () => t('permission.mailbox_read') },
  { name: 'mailbox.write', label: () => t('permission.mailbox_write') },
  { name: 'mail_log.read', label: () => t('permission.mail_log_read') },
  { name: 'account.write', label: () => t('permission.account_write') },
  { name: 'event.read', label: () => t('permission.event_read') },
  { name: 'token.write', label: () => t('permission.token_write') },
  { name: 'job.read', label: () => t('permission.job_read') },
]
