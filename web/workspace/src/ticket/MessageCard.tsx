// One message: who, when, to whom, what became of it; plain elements only.

import { Menu } from '@mantine/core'
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconChevronDown,
  IconClock,
  IconCode,
  IconDots,
  IconLock,
  IconQuote,
  IconRefresh,
} from '@tabler/icons-react'
import { lazy, memo, Suspense, useState } from 'react'
import { api } from '../api/client'
import { queryClient, withMessage } from '../api/queries'
import type { Address, Message, TicketFull } from '../api/types'
import { t } from '../i18n'
import { Avatar } from '../ui/Avatar'
import { deliveryName } from '../ui/labels'
import { When } from '../ui/Time'
import { toastError } from '../ui/toast'
import { Attachments } from './Attachments'
import { Countdown } from './Countdown'
import { MailBody } from './MailBody'

const SourceDialog = lazy(() => import('./SourceDialog'))

interface Props {
  message: Message
  latest: boolean
  undo: () => void
  quote: (text: string) => void
}

export const MessageCard = memo(function MessageCard({ message, latest, undo, quote }: Props) {
  const [source, setSource] = useState(false)
  const kind =
    message.visibility === 'internal'
      ? 'note'
      : message.author.kind === 'user'
        ? 'agent'
        : message.author.kind === 'system'
          ? 'system'
          : 'customer'
  const name = message.author.name || message.author.email || t('event.system')
  return (
    <article
      className="msg"
      data-kind={kind}
      data-delivery={message.delivery}
      id={`message-${message.id}`}
      tabIndex={-1}
      aria-label={t('message.label', { kind, name })}
    >
      <Avatar name={name} />
      <div className="bub">
        <header className="mh">
          <strong className="ellipsis" dir="auto">
            {name}
          </strong>
          {kind === 'note' && (
            <span className="chip" data-tone="note">
              <IconLock size={11} aria-hidden="true" /> {t('help.note')}
            </span>
          )}
          {message.automatic && <span className="chip">{t('message.automatic')}</span>}
          <When at={message.created_at} />
          <Menu position="bottom-end">
            <Menu.Target>
              <button type="button" className="iconbtn msg-more" aria-label={t('message.more')}>
                <IconDots size={16} />
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconQuote size={16} />} onClick={() => quote(message.text)}>
                {t('message.quote')}
              </Menu.Item>
              {message.mail_id && (
                <Menu.Item leftSection={<IconCode size={16} />} onClick={() => setSource(true)}>
                  {t('message.source')}
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        </header>
        <Recipients message={message} />
        {message.html ? (
          <MailBody message={message} html={message.html} />
        ) : (
          <div className="mb plain" dir="auto">
            <Linked text={message.text} />
          </div>
        )}
        <Quoted message={message} open={false} />
        <Attachments attachments={message.attachments} />
        <Delivery message={message} undo={undo} latest={latest} />
      </div>
      {source && (
        <Suspense>
          <SourceDialog
            title={t('message.source_title')}
            path={`/messages/${message.id}/source`}
            close={() => setSource(false)}
          />
        </Suspense>
      )}
    </article>
  )
})

const addresses = (list: Address[]) => list.map((one) => (one.name ? `${one.name} <${one.address}>` : one.address)).join(', ')

function Recipients({ message }: { message: Message }) {
  const [open, setOpen] = useState(false)
  if (!message.to.length && !message.cc.length && !message.bcc.length) return null
  const count = message.cc.length + message.bcc.length
  const to = message.to.map((one) => one.name || one.address).join(', ')
  return (
    <div className="recipients">
      <button type="button" className="recipients-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="ellipsis">
          {t('message.to', { to })}
          {count > 0 && ` ${t('message.more_recipients', { n: count })}`}
        </span>
        <IconChevronDown size={13} aria-hidden="true" />
      </button>
      {open && (
        <dl className="attrs">
          {message.from && (
            <div>
              <dt>{t('field.from')}</dt>
              <dd>{addresses([message.from])}</dd>
            </div>
          )}
          <div>
            <dt>{t('field.to')}</dt>
            <dd>{addresses(message.to)}</dd>
          </div>
          {message.cc.length > 0 && (
            <div>
              <dt>{t('field.cc')}</dt>
              <dd>{addresses(message.cc)}</dd>
            </div>
          )}
          {message.bcc.length > 0 && (
            <div>
              <dt>{t('field.bcc')}</dt>
              <dd>{addresses(message.bcc)}</dd>
            </div>
          )}
          {message.subject && (
            <div>
              <dt>{t('field.subject')}</dt>
              <dd dir="auto">{message.subject}</dd>
            </div>
          )}
        </dl>
      )}
    </div>
  )
}

function Quoted({ message, open: initially }: { message: Message; open: boolean }) {
  const [open, setOpen] = useState(initially)
  if (!message.quoted_text && !message.quoted_html) return null
  return (
    <>
      <button
        type="button"
        className="quoted-toggle"
        aria-expanded={open}
        aria-label={t('message.quoted')}
        title={t('message.quoted')}
        onClick={() => setOpen(!open)}
      >
        …
      </button>
      {open && (
        <div className="quoted">
          {message.quoted_html ? (
            <MailBody message={message} html={message.quoted_html} />
          ) : (
            <div className="mb plain" dir="auto">
              {message.quoted_text}
            </div>
          )}
        </div>
      )}
    </>
  )
}

const URLS = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'])/g

function Linked({ text }: { text: string }) {
  return text.split(URLS).map((part, i) =>
    i % 2 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of one fixed text
      <a key={i} href={part} target="_blank" rel="noopener noreferrer nofollow">
        {part}
      </a>
    ) : (
      part
    ),
  )
}

function Delivery({ message, undo }: { message: Message; undo: () => void; latest: boolean }) {
  const [busy, setBusy] = useState(false)
  if (message.delivery === 'none') {
    const unsent =
      message.author.kind === 'user' && message.visibility === 'public' && !message.mail_id && message.channel !== 'import'
    return unsent ? <p className="delivery">{t('delivery.none')}</p> : null
  }
  if (message.delivery === 'held')
    return (
      <p className="delivery" data-tone="held">
        <IconClock size={14} aria-hidden="true" />
        <Countdown until={message.send_at} />
        <button type="button" className="linkbtn" onClick={undo}>
          <IconArrowBackUp size={14} /> {t('action.undo')}
        </button>
      </p>
    )
  const broken = message.delivery === 'failed' || message.delivery === 'bounced'
  async function retry() {
    setBusy(true)
    try {
      const next = await api.post<Message>(`/tickets/${message.ticket_id}/messages/${message.id}/delivery`)
      queryClient.setQueryData<TicketFull>(
        ['ticket', message.ticket_id],
        (old) => old && { ...old, messages: withMessage(old.messages, next) },
      )
    } catch (error) {
      toastError(error)
    }
    setBusy(false)
  }
  return (
    <p className="delivery" data-tone={broken ? 'red' : undefined}>
      {broken && <IconAlertTriangle size={14} aria-hidden="true" />}
      <span>
        {deliveryName(message.delivery)}
        {message.delivery_detail && broken ? `: ${message.delivery_detail}` : ''}
      </span>
      {message.delivery === 'failed' && (
        <button type="button" className="linkbtn" disabled={busy} onClick={() => void retry()}>
          <IconRefresh size={14} /> {t('action.retry')}
        </button>
      )}
    </p>
  )
}
