import { Button, Menu as Dropdown } from '@mantine/core'
import {
  IconArrowLeft,
  IconArrowMerge,
  IconCheck,
  IconDots,
  IconLayoutSidebarRight,
  IconLink,
  IconPrinter,
  IconRotate,
  IconShieldX,
  IconUser,
  IconUsers,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { teamsQuery, useMay, usersQuery } from '../api/queries'
import { STATUSES, type Ticket, type TicketFull } from '../api/types'
import { t } from '../i18n'
import { exactTime, shortAge } from '../i18n/format'
import { copyText } from '../ui/CopyButton'
import { StatusDot, statusHint, statusName } from '../ui/labels'
import { Picker } from '../ui/Picker'
import { toast } from '../ui/toast'
import type { Change } from './useTicketActions'

export type Menu = 'status' | 'assignee' | 'team' | 'tags' | 'priority' | null
export type ChangeTicket = (part: Change, preview?: Partial<Ticket>) => Promise<boolean>
interface Props {
  ticket: TicketFull
  change: ChangeTicket
  menu: Menu
  setMenu: (menu: Menu) => void
  resolve: () => void
  reopen: () => void
  merge: () => void
  copyNumber: () => void
  close: () => void
  toggleDetails: () => void
}

export function TicketHeader({ ticket, change, menu, setMenu, resolve, reopen, merge, copyNumber, close, toggleDetails }: Props) {
  const may = useMay()
  const write = may('ticket.write')
  const { data: users } = useQuery({ ...usersQuery, enabled: may('user.read') })
  const { data: teams } = useQuery({ ...teamsQuery, enabled: may('user.read') })
  const done = ticket.status === 'resolved' || ticket.status === 'closed'
  const opens = (name: Menu) => ({ opened: menu === name, onOpenChange: (opened: boolean) => setMenu(opened ? name : null) })
  return (
    <header className="thead">
      <button type="button" className="iconbtn back" onClick={close} aria-label={t('ticket.back')} title={t('ticket.back')}>
        <IconArrowLeft size={18} className="flip" />
      </button>
      <div className="thead-title">
        <Subject ticket={ticket} change={change} editable={write} />
        <p className="small dim ellipsis">
          <button type="button" className="number" onClick={copyNumber} title={`${t('help.copy')} (.)`}>
            #{ticket.number}
          </button>{' '}
          · {ticket.mailbox?.name ?? ticket.channel} ·{' '}
          <time title={exactTime(ticket.created_at)}>{t('ticket.opened', { age: shortAge(ticket.created_at) })}</time>
        </p>
      </div>
      <div className="thead-actions">
        <Picker
          label={t('field.status')}
          {...opens('status')}
          disabled={!write || ticket.status === 'closed'}
          chosen={[ticket.status]}
          choices={STATUSES.filter((status) => status !== 'new' || ticket.status === 'new').map((status) => ({
            value: status,
            label: statusName(status),
            hint: statusHint(status),
            icon: <StatusDot status={status} />,
          }))}
          onPick={(status) => void change({ status: status as Ticket['status'] })}
        >
          <StatusDot status={ticket.status} />
          {statusName(ticket.status)}
        </Picker>
        <Picker
          label={t('field.assignee')}
          {...opens('assignee')}
          disabled={!write}
          chosen={[ticket.assignee?.id ?? '']}
          choices={[
            { value: '', label: t('row.unassigned') },
            ...(users ?? [])
              .filter((user) => user.status === 'active')
              .map((user) => ({ value: user.id, label: user.name || user.email, hint: user.email })),
          ]}
          onPick={(id) => {
            const user = users?.find((one) => one.id === id)
            void change({ assignee_id: id || null }, { assignee: user ? { id, name: user.name } : null })
          }}
        >
          <IconUser size={15} />
          <span className="ellipsis">{ticket.assignee?.name ?? t('row.unassigned')}</span>
        </Picker>
        {(teams?.length ?? 0) > 0 && (
          <Picker
            label={t('field.team')}
            {...opens('team')}
            disabled={!write}
            className="pick team-pick"
            chosen={[ticket.team?.id ?? '']}
            choices={[
              { value: '', label: t('value.no_team') },
              ...teams!
                .filter((team) => !team.archived)
                .map((team) => ({ value: team.id, label: team.name, hint: team.description })),
            ]}
            onPick={(id) => {
              const team = teams?.find((one) => one.id === id)
              void change({ team_id: id || null }, { team: team ? { id, name: team.name } : null })
            }}
          >
            <IconUsers size={15} />
            <span className="ellipsis">{ticket.team?.name ?? t('value.no_team')}</span>
          </Picker>
        )}
        {write &&
          (done ? (
            ticket.status === 'resolved' && (
              <Button size="xs" variant="default" leftSection={<IconRotate size={15} />} onClick={reopen} title="Shift O">
                {t('help.reopen')}
              </Button>
            )
          ) : (
            <Button size="xs" leftSection={<IconCheck size={15} />} onClick={resolve} title="e">
              {t('help.resolve')}
            </Button>
          ))}
        <More ticket={ticket} change={change} merge={merge} />
        <button
          type="button"
          className="iconbtn"
          onClick={toggleDetails}
          aria-label={t('ticket.details')}
          title={`${t('ticket.details')} (])`}
        >
          <IconLayoutSidebarRight size={18} className="flip" />
        </button>
      </div>
    </header>
  )
}

function More({ ticket, change, merge }: Pick<Props, 'ticket' | 'change' | 'merge'>) {
  const may = useMay()
  return (
    <Dropdown position="bottom-end" width={230}>
      <Dropdown.Target>
        <button type="button" className="iconbtn" aria-label={t('ticket.more')}>
          <IconDots size={18} />
        </button>
      </Dropdown.Target>
      <Dropdown.Dropdown>
        <Dropdown.Item
          leftSection={<IconLink size={16} />}
          onClick={() => void copyText(`${location.origin}/tickets/${ticket.id}`).then(() => toast(t('ticket.link_copied')))}
        >
          {t('ticket.copy_link')}
        </Dropdown.Item>
        <Dropdown.Item leftSection={<IconPrinter size={16} />} onClick={() => print()}>
          {t('ticket.print')}
        </Dropdown.Item>
        {may('ticket.write') && (
          <Dropdown.Item leftSection={<IconArrowMerge size={16} />} onClick={merge}>
            {t('palette.merge')}
          </Dropdown.Item>
        )}
        {may('ticket.delete') && (
          <Dropdown.Item leftSection={<IconShieldX size={16} />} onClick={() => void change({ spam: !ticket.spam })}>
            {ticket.spam ? t('ticket.not_spam') : t('ticket.spam')}
          </Dropdown.Item>
        )}
      </Dropdown.Dropdown>
    </Dropdown>
  )
}

function Subject({ ticket, change, editable }: Pick<Props, 'ticket' | 'change'> & { editable: boolean }) {
  const [text, setText] = useState<string | null>(null)
  if (text === null)
    return (
      <h1 className="ellipsis" dir="auto" title={ticket.subject}>
        {editable ? (
          <button type="button" className="subject" onClick={() => setText(ticket.subject)} title={t('ticket.edit_subject')}>
            {ticket.subject}
          </button>
        ) : (
          ticket.subject
        )}
      </h1>
    )
  const save = () => {
    setText(null)
    if (text.trim() && text.trim() !== ticket.subject) void change({ subject: text.trim() })
  }
  return (
    <input
      className="subject-input"
      // biome-ignore lint/a11y/noAutofocus: it replaces the heading that was just clicked
      autoFocus
      aria-label={t('field.subject')}
      value={text}
      dir="auto"
      maxLength={500}
      onChange={(event) => setText(event.target.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return
        if (event.key === 'Enter') save()
        if (event.key === 'Escape') {
          event.stopPropagation()
          setText(null)
        }
      }}
    />
  )
}
