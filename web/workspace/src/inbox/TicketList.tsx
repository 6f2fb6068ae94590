// The virtual list with its header, filters, selection and keys; live events refresh it without a jump.

import { IconArrowUp, IconConfetti, IconMailbox, IconZoomReset } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { api } from '../api/client'
import { useLiveEvents } from '../api/live'
import { mailboxesQuery, ticketQuery, useMay, useTickets } from '../api/queries'
import type { Ticket } from '../api/types'
import { t } from '../i18n'
import { useKeys } from '../ui/keys'
import { Empty, Failed } from '../ui/State'
import { BulkBar } from './BulkBar'
import { ListHead } from './ListHead'
import { isUnread, markUnseen, useSeenVersion } from './seen'
import { useSelection } from './selection'
import { TicketRow } from './TicketRow'
import { FILTERS, type InboxSearch, listQuery } from './views'

interface Props {
  view: string
  search: InboxSearch
  change: (part: Partial<InboxSearch>, replace?: boolean) => void
  open: (id: string | undefined) => void
  toggleViews: () => void
}
const ROW = 104
const SEVERAL_STATUSES = new Set(['mine', 'unresolved', 'spam'])

export function TicketList({ view, search, change, open, toggleViews }: Props) {
  const client = useQueryClient()
  const query = useMemo(() => listQuery(view, search), [view, search])
  const tickets = useTickets(query)
  const { items, hasNextPage, isFetchingNextPage, fetchNextPage } = tickets
  const scroller = useRef<HTMLDivElement>(null)
  const [cursor, setCursor] = useState<string | undefined>(search.ticket)
  const fresh = useFresh(items, scroller)
  useSeenVersion()
  const selection = useSelection(items, view)
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    getItemKey: (i) => items[i]!.id,
  })
  const shown = rows.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= items.length - 15) void fetchNextPage()
  }, [last, items.length, hasNextPage, isFetchingNextPage, fetchNextPage])
  useEffect(() => {
    if (search.ticket) setCursor(search.ticket)
  }, [search.ticket])
  // Each view keeps its own place.
  useEffect(() => {
    scroller.current?.scrollTo(0, places.get(view) ?? 0)
  }, [view])

  const step = (by: number) => {
    const at = items.findIndex((ticket) => ticket.id === cursor)
    const next = items[at < 0 ? 0 : Math.min(items.length - 1, Math.max(0, at + by))]
    if (!next) return
    setCursor(next.id)
    rows.scrollToIndex(items.indexOf(next), { align: 'auto' })
    if (search.ticket) open(next.id)
    const after = items[items.indexOf(next) + by]
    if (after) void client.prefetchQuery(ticketQuery(after.id))
  }
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => cursor && open(cursor),
    o: () => cursor && open(cursor),
    u: () => open(undefined),
    Escape: () => (selection.ids.size ? selection.clear() : open(undefined)),
    x: () => cursor && selection.toggle(cursor, false),
    'shift+U': () => {
      if (!cursor) return
      markUnseen(cursor)
      open(undefined)
    },
  })
  const onCheck = useCallback((id: string, range: boolean) => selection.toggle(id, range), [selection])
  const rowSearch = useMemo(() => ({ ...search, message: undefined! }), [search])

  return (
    <section className="list" aria-label={t('inbox.tickets')}>
      {selection.ids.size ? (
        <BulkBar tickets={selection.tickets} clear={selection.clear} />
      ) : (
        <ListHead
          view={view}
          search={search}
          change={change}
          loaded={items.length}
          more={hasNextPage}
          toggleViews={toggleViews}
          selectAll={selection.all}
        />
      )}
      <div className="list-body">
        {fresh.count > 0 && (
          <button type="button" className="pill" onClick={fresh.show}>
            <IconArrowUp size={14} /> {t('inbox.fresh', { n: fresh.count })}
          </button>
        )}
        <div className="scroller" ref={scroller} onScroll={(event) => places.set(view, event.currentTarget.scrollTop)}>
          {tickets.isPending ? (
            <RowSkeletons />
          ) : tickets.isError && !items.length ? (
            <Failed error={tickets.error} retry={() => void tickets.refetch()} />
          ) : items.length ? (
            <div role="list" style={{ blockSize: rows.getTotalSize(), position: 'relative' }}>
              {shown.map(({ index, start, key }) => {
                const ticket = items[index]!
                return (
                  <div
                    key={key}
                    className="vrow"
                    role="presentation"
                    style={{ blockSize: ROW, transform: `translateY(${start}px)` }}
                  >
                    <TicketRow
                      ticket={ticket}
                      view={view}
                      search={rowSearch}
                      active={ticket.id === search.ticket}
                      cursor={ticket.id === cursor}
                      checked={selection.ids.has(ticket.id)}
                      unread={isUnread(ticket)}
                      showStatus={SEVERAL_STATUSES.has(view)}
                      position={index + 1}
                      total={hasNextPage ? -1 : items.length}
                      onCheck={onCheck}
                    />
                  </div>
                )
              })}
            </div>
          ) : (
            <EmptyView view={view} search={search} change={change} />
          )}
        </div>
      </div>
    </section>
  )
}

const places = new Map<string, number>()

// At the top new tickets come in at once; scrolled down, only the rows on screen change and a pill tells of the others.
function useFresh(items: Ticket[], scroller: React.RefObject<HTMLDivElement | null>) {
  const client = useQueryClient()
  const [ids, setIds] = useState<Set<string>>(new Set())
  const known = useRef(new Set<string>())
  known.current = new Set(items.map((ticket) => ticket.id))
  const refresh = () => {
    setIds(new Set())
    void client.invalidateQueries({ queryKey: ['tickets'] })
  }
  useLiveEvents((events) => {
    const changed = [...new Set(events.flatMap((event) => event.ticket_id ?? []))]
    if (!changed.length) return
    if ((scroller.current?.scrollTop ?? 0) < ROW) return refresh()
    const others = events
      .filter((event) => event.ticket_id && !known.current.has(event.ticket_id))
      .map((event) => event.ticket_id!)
    if (others.length) setIds((old) => new Set([...old, ...others]))
    for (const id of changed.filter((one) => known.current.has(one)).slice(0, 20)) void patchRow(client, id)
  })
  return {
    count: ids.size,
    show() {
      scroller.current?.scrollTo({ top: 0 })
      refresh()
    },
  }
}

async function patchRow(client: ReturnType<typeof useQueryClient>, id: string): Promise<void> {
  const ticket = await api.get<Ticket>(`/tickets/${id}`).catch(() => null)
  if (!ticket) return
  client.setQueriesData<{ pages: { items: Ticket[] }[] }>(
    { queryKey: ['tickets'] },
    (old) =>
      old && {
        ...old,
        pages: old.pages.map((page) => ({ ...page, items: page.items.map((row) => (row.id === id ? ticket : row)) })),
      },
  )
}

function EmptyView({ view, search, change }: Pick<Props, 'view' | 'search' | 'change'>) {
  const may = useMay()
  const { data: boxes } = useQuery({ ...mailboxesQuery, enabled: may('mailbox.read') })
  if (FILTERS.some((key) => search[key]))
    return (
      <Empty
        icon={<IconZoomReset size={32} stroke={1.4} />}
        title={t('inbox.no_match')}
        action={
          <button
            type="button"
            className="linkbtn"
            onClick={() => change(Object.fromEntries(FILTERS.map((key) => [key, undefined])))}
          >
            {t('inbox.clear_filters')}
          </button>
        }
      />
    )
  if (boxes?.length === 0 && may('mailbox.write'))
    return (
      <Empty
        icon={<IconMailbox size={34} stroke={1.3} />}
        title={t('inbox.first')}
        text={t('inbox.first_text')}
        action={
          <Link to="/settings/mailboxes/$id" params={{ id: 'new' }}>
            {t('inbox.connect')}
          </Link>
        }
      />
    )
  const all = view === 'open' || view === 'unassigned'
  return (
    <Empty
      icon={<IconConfetti size={34} stroke={1.3} />}
      title={all ? t('inbox.done') : t('inbox.empty')}
      text={all ? t('inbox.done_text') : t('inbox.empty_text')}
      action={
        view !== 'open' ? (
          <Link to="/inbox/$view" params={{ view: 'open' }}>
            {t('inbox.see_open')}
          </Link>
        ) : undefined
      }
    />
  )
}

const RowSkeletons = () => (
  <div aria-hidden="true">
    {[1, 2, 3, 4, 5, 6, 7].map((n) => (
      <div key={n} className="row" style={{ blockSize: ROW }}>
        <div className="skeleton" style={{ inlineSize: 34, blockSize: 34, borderRadius: 17 }} />
        <div className="stack grow" style={{ gap: 8 }}>
          <div className="skeleton" style={{ blockSize: 12, inlineSize: '45%' }} />
          <div className="skeleton" style={{ blockSize: 12, inlineSize: '80%' }} />
          <div className="skeleton" style={{ blockSize: 12, inlineSize: '65%' }} />
        </div>
      </div>
    ))}
  </div>
)
