import { t } from '../i18n'
import { modKey } from '../ui/keys'

export const shortcuts = (): { title: string; keys: [string, string][] }[] => [
  {
    title: t('help.list'),
    keys: [
      ['j / k', t('help.next')],
      ['Enter', t('help.open')],
      ['Esc', t('help.back')],
      ['x', t('help.select')],
      ['c', t('help.new')],
      ['/', t('help.search')],
    ],
  },
  {
    title: t('help.ticket'),
    keys: [
      ['r', t('help.reply')],
      ['i', t('help.note')],
      ['e', t('help.resolve')],
      ['Shift O', t('help.reopen')],
      ['s', t('help.status')],
      ['a', t('help.assign')],
      ['Shift A', t('help.assign_me')],
      ['t', t('help.team')],
      ['l', t('help.tags')],
      ['Shift P', t('help.priority')],
      ['.', t('help.copy')],
      ['z', t('help.undo')],
      ['n / p', t('help.messages')],
      ['[ / ]', t('help.panels')],
    ],
  },
  {
    title: t('help.composer'),
    keys: [
      [`${modKey} Enter`, t('help.send')],
      [`${modKey} Shift Enter`, t('help.send_resolve')],
      [`${modKey} Alt Enter`, t('help.send_pending')],
      [`${modKey} B, I, U`, t('help.format')],
    ],
  },
  {
    title: t('help.go'),
    keys: [
      [`${modKey} K`, t('help.palette')],
      ['g i', t('help.go_inbox')],
      ['g m', t('help.go_mine')],
      ['g u', t('help.go_unassigned')],
      ['g p', t('help.go_contacts')],
      ['g ,', t('help.go_settings')],
      ['?', t('help.help')],
    ],
  },
]
