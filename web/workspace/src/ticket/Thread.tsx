// Messages and what happened between them, oldest first; older pages load without a jump.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { api } from '../api/client'
import { ticketEventsQuery, useMay, usersQuery } from '../api/queries'
import type { Event, Message, Page, TicketFull } from '../api/types'
import { t } from '../i18n'
import { exactTime } from '../i18n/format'
import { toastError } from '../ui/toast'
import { eventText } from './changes'
import { MessageCard } from './MessageCard'

interface Props {
  ticket: TicketFull
  message: string | undefined
  unreadFrom: string | undefined
  undo: (message: Message) => void
  quote: (text: string) => void
}

export function Thread({ ticket, message: anchor, unreadFrom, undo, quote }: Props) {
  const may = useMay()
  useQuery({ ...usersQuery, enabled: may('user.read') })
  const { data: events } = useQuery(ticketEventsQuery(ticket.id))
  const [older, setOlder] = useState<Message[]>([])
  const [cursor, setCursor] = useState(ticket.messages_cursor)
  const [loading, setLoading] = useState(false)
  const scroller = useRef<HTMLDivElement>(null)
  const keep = useRef<number | null>(null)
  const messages = useMemo(() => {
    const known = new Set(ticket.messages.map((one) => one.id))
    return [...older.filter((one) => !known.has(one.id)), ...ticket.messages]
  }, [older, ticket.messages])
  const items = useMemo(() => weave(messages, events ?? []), [messages, events])
  const firstUnread = unreadFrom
    ? messages.find((one) => one.author.kind === 'contact' && one.created_at > unreadFrom)?.id
    : undefined
  const last = messages.at(-1)?.id

  async function loadOlder() {
    setLoading(true)
    try {
      const page = await api.get<Page<Message>>(`/tickets/${ticket.id}/messages`, { cursor })
      keep.current = scroller.current!.scrollHeight - scroller.current!.scrollTop
      setOlder((old) => [...page.items.toReversed(), ...old])
      setCursor(page.next_cursor)
    } catch (error) {
      toastError(error)
    }
    setLoading(false)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when older messages stand in the document
  useLayoutEffect(() => {
    if (keep.current !== null && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight - keep.current
    keep.current = null
  }, [older])
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the opening of the ticket places the thread
  useEffect(() => {
    const box = scroller.current
    if (!box) return
    const target =
      (anchor && box.querySelector(`#message-${CSS.escape(anchor)}`)) ||
      (firstUnread && box.querySelector(`#message-${CSS.escape(firstUnread)}`))
    if (target) target.scrollIntoView({ block: 'start' })
    else box.scrollTop = box.scrollHeight
  }, [anchor])
  useStickToEnd(scroller, last)

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard
    <div className="msgs" ref={scroller} tabIndex={0} role="region" aria-label={t('ticket.messages')}>
      {ticket.merged_into && (
        <p className="event">
          <Link to="/tickets/$id" params={{ id: ticket.merged_into }}>
            {t('ticket.merged')}
          </Link>
        </p>
      )}
      {ticket.follow_up_of && (
        <p className="event">
          <Link to="/tickets/$id" params={{ id: ticket.follow_up_of }}>
            {t('ticket.follow_up')}
          </Link>
        </p>
      )}
      {cursor && (
        <button type="button" className="older" onClick={() => void loadOlder()} disabled={loading}>
          {t('ticket.older', { n: Math.max(1, ticket.message_count - messages.length) })}
        </button>
      )}
      {items.map((item) =>
        item.kind === 'message' ? (
          <Fragment key={item.message.id}>
            {item.message.id === firstUnread && messages[0]?.id !== firstUnread && (
              <p className="unread-line">{t('ticket.unread')}</p>
            )}
            <MessageCard message={item.message} latest={item.message.id === last} undo={() => undo(item.message)} quote={quote} />
          </Fragment>
        ) : (
          <p key={item.key} className="event" title={exactTime(item.at)}>
            <bdi>{item.text}</bdi>
          </p>
        ),
      )}
      <div role="status" className="vh">
        {messages.at(-1)?.author.kind === 'contact' ? t('ticket.latest', { name: messages.at(-1)!.author.name }) : ''}
      </div>
    </div>
  )
}

// New messages, and mails that grow while they load, keep the end in view only for the reader who is there already.
function useStickToEnd(scroller: React.RefObject<HTMLDivElement | null>, last: string | undefined): void {
  const atEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when a message was added
  useEffect(() => {
    if (atEnd.current && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight
  }, [last])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message is a new child to observe
  useEffect(() => {
    const box = scroller.current
    if (!box) return
    const listen = () => {
      atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 120
    }
    const observer = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight
    })
    listen()
    observer.observe(box)
    for (const child of box.children) observer.observe(child)
    box.addEventListener('scroll', listen, { passive: true })
    return () => {
      observer.disconnect()
      box.removeEventListener('scroll', listen)
    }
  }, [scroller, last])
}

type Item = { kind: 'message'; message: Message } | { kind: 'event'; key: string; at: string; text: string }

export function weave(messages: Message[], events: Event[]): Item[] {
  const from = messages[0]?.created_at ?? ''
  const lines = events.flatMap((event): (Item & { at: string })[] => {
    const text = event.type === 'ticket.created' ? null : eventText(event)
    return text && event.at >= from ? [{ kind: 'event', key: `event-${event.seq}`, at: event.at, text }] : []
  })
  const all = [...messages.map((message) => ({ kind: 'message' as const, message, at: message.created_at })), ...lines]
  return all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}
