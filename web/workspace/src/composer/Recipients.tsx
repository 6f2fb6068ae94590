// To whom a reply goes: by the server's rule until the agent changes it, with its warnings.
import { IconAlertTriangle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import type { Recipients as Planned, TicketFull } from '../api/types'
import { t } from '../i18n'
import type { Draft } from './drafts'
import { RecipientField } from './RecipientField'

interface Props {
  ticket: TicketFull
  draft: Draft
  update: (part: Partial<Draft>) => void
}

export function Recipients({ ticket, draft, update }: Props) {
  const [open, setOpen] = useState(draft.to !== null || draft.cc !== null || draft.bcc.length > 0)
  const { data: planned } = useQuery({
    queryKey: ['recipients', ticket.id, ticket.message_count, draft.to?.join(','), draft.cc?.join(',')],
    queryFn: () =>
      api.get<Planned>(`/tickets/${ticket.id}/recipients`, {
        visibility: 'public',
        to: draft.to?.join(','),
        cc: draft.cc?.join(','),
      }),
    placeholderData: (old) => old,
  })
  const to = draft.to ?? planned?.to.map((one) => one.address) ?? [ticket.requester.email]
  const cc = draft.cc ?? planned?.cc.map((one) => one.address) ?? []
  return (
    <div className="rcpts">
      {open ? (
        <>
          <RecipientField label={t('field.to')} addresses={to} change={(next) => update({ to: next })} />
          <RecipientField label={t('field.cc')} addresses={cc} change={(next) => update({ cc: next })} />
          <RecipientField label={t('field.bcc')} addresses={draft.bcc} change={(next) => update({ bcc: next })} />
        </>
      ) : (
        <button type="button" className="rcpt-summary" onClick={() => setOpen(true)} title={t('composer.edit_recipients')}>
          <span className="dim">{t('field.to')}</span> <bdi className="ellipsis">{to.join(', ')}</bdi>
          {cc.length > 0 && (
            <>
              <span className="dim">{t('field.cc')}</span> <bdi className="ellipsis">{cc.join(', ')}</bdi>
            </>
          )}
          <span className="dim rcpt-edit">{t('composer.cc_bcc')}</span>
        </button>
      )}
      {planned?.warnings.map((warning) => (
        <p key={`${warning.code}${warning.address}`} className="rcpt-warning">
          <IconAlertTriangle size={14} aria-hidden="true" />
          <span>{warning.text}</span>
        </p>
      ))}
    </div>
  )
}
