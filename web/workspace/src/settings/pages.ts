// The settings' pages, in order, each only for those who may use it.
import { t } from '../i18n'

export interface SettingsPage {
  to: string
  label: string
  group: string
}

export function settingsPages(may: (permission: string) => boolean): SettingsPage[] {
  const mine = t('settings.mine')
  const people = t('settings.people')
  const desk = t('settings.desk')
  const health = t('settings.health')
  const page = (to: string, label: string, group: string, permission?: string): SettingsPage[] =>
    permission && !may(permission) ? [] : [{ to, label, group }]
  return [
    ...page('/settings/profile', t('settings.profile'), mine),
    ...page('/settings/tokens', t('settings.tokens'), mine, 'token.write'),
    ...page('/settings/account', t('settings.account'), desk, 'account.write'),
    ...page('/settings/mailboxes', t('settings.mailboxes'), desk, 'mailbox.read'),
    ...page('/settings/tags', t('settings.tags'), desk),
    ...page('/settings/users', t('settings.users'), people, 'user.read'),
    ...page('/settings/teams', t('settings.teams'), people, 'user.read'),
    ...page('/settings/roles', t('settings.roles'), people, 'user.read'),
    ...page('/settings/mail-log', t('settings.mail_log'), health, 'mail_log.read'),
    ...page('/settings/suppressions', t('settings.suppressions'), health, 'mail_log.read'),
    ...page('/settings/jobs', t('settings.jobs'), health, 'job.read'),
  ]
}
