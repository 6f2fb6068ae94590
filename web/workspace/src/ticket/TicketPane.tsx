// One ticket: header, thread, composer and details, with the keys that act on it.

import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { ticketQuery, useMay, useSession } from '../api/queries'
import type { Message, TicketFull } from '../api/types'
import { useOffer } from '../app/palette-context'
import type { ComposerHandle } from '../composer/Composer'
import { t } from '../i18n'
import { markSeen, seenAt } from '../inbox/seen'
import { copyText } from '../ui/CopyButton'
import { useKeys } from '../ui/keys'
import { Failed } from '../ui/State'
import { toast, toastUndo } from '../ui/toast'
import { ConflictDialog } from './ConflictDialog'
import { Details } from './Details'
import { Skeleton } from './Skeleton'
import { Thread } from './Thread'
import { type Menu, TicketHeader } from './TicketHeader'
import './ticket.css'
import { MergeDialog } from './MergeDialog'
import { takeBack } from './takeBack'
import { useTicketActions } from './useTicketActions'

const Composer = lazy(() => import('../composer/Composer'))

interface Props {
  id: string
  message: string | undefined
  detailsOpen: boolean
  toggleDetails: () => void
  close: () => void
}

export function TicketPane(props: Props) {
  const { data: ticket, error, refetch } = useQuery(ticketQuery(props.id))
  if (error && !ticket)
    return (
      <main className="thread" id="main" tabIndex={-1}>
        <Failed error={error} retry={() => void refetch()} />
      </main>
    )
  return ticket ? <Loaded {...props} ticket={ticket} /> : <Skeleton />
}

function Loaded({ ticket, message, detailsOpen, toggleDetails, close }: Props & { ticket: TicketFull }) {
  const may = useMay()
  const { user } = useSession()
  const actions = useTicketActions(ticket.id)
  const composer = useRef<ComposerHandle>(null)
  const [menu, setMenu] = useState<Menu>(null)
  const [merging, setMerging] = useState(false)
  const [unreadFrom] = useState(() => seenAt(ticket.id))
  const { change } = actions
  useEffect(() => markSeen(ticket.id, ticket.customer_at), [ticket.id, ticket.customer_at])
  useEffect(() => {
    document.title = `#${ticket.number} ${ticket.subject} – Cairn`
  }, [ticket.number, ticket.subject])

  const write = may('ticket.write')
  const setStatus = (status: TicketFull['status']) => {
    const was = ticket.status
    void change({ status }).then((done) => {
      if (done && status === 'resolved')
        toastUndo(t('ticket.resolved', { number: String(ticket.number) }), () => void change({ status: was }))
    })
  }
  const assignMe = () => void change({ assignee_id: user.id }, { assignee: { id: user.id, name: user.name } })
  const held = ticket.messages.filter((one) => one.delivery === 'held' && one.author.id === user.id).at(-1)
  const undo = (one: Message | undefined) => one && void takeBack(one).then((back) => back && composer.current?.restore(back))
  const copyNumber = () =>
    void copyText(`#${ticket.number}`).then(() => toast(t('ticket.copied', { number: String(ticket.number) })))
  useKeys({
    r: () => composer.current?.focus('public'),
    i: () => composer.current?.focus('internal'),
    e: () => write && setStatus('resolved'),
    'shift+O': () => write && setStatus('open'),
    s: () => write && setMenu('status'),
    a: () => write && setMenu('assignee'),
    'shift+A': () => write && assignMe(),
    t: () => write && setMenu('team'),
    l: () => write && setMenu('tags'),
    'shift+P': () => write && setMenu('priority'),
    z: () => undo(held),
    '.': copyNumber,
    n: () => stepMessage(1),
    p: () => stepMessage(-1),
  })
  useOffer(`#${ticket.number} ${ticket.subject}`, [
    { id: 'reply', label: t('help.reply'), keys: 'r', run: () => composer.current?.focus('public') },
    { id: 'note', label: t('help.note'), keys: 'i', run: () => composer.current?.focus('internal') },
    ...(write
      ? [
          { id: 'resolve', label: t('help.resolve'), keys: 'e', words: 'close done', run: () => setStatus('resolved') },
          { id: 'assign-me', label: t('help.assign_me'), keys: 'Shift A', words: 'take', run: assignMe },
          { id: 'assign', label: t('palette.assign'), keys: 'a', run: () => setMenu('assignee') },
          { id: 'status', label: t('palette.status'), keys: 's', run: () => setMenu('status') },
          { id: 'team', label: t('palette.team'), keys: 't', run: () => setMenu('team') },
          { id: 'tags', label: t('palette.tags'), keys: 'l', words: 'label', run: () => setMenu('tags') },
          { id: 'priority', label: t('palette.priority'), keys: 'Shift P', run: () => setMenu('priority') },
          { id: 'merge', label: t('palette.merge'), run: () => setMerging(true) },
        ]
      : []),
    { id: 'copy', label: t('help.copy'), keys: '.', run: copyNumber },
  ])

  return (
    <div className="pane" data-details={detailsOpen || undefined}>
      <main className="thread" id="main" tabIndex={-1}>
        <TicketHeader
          ticket={ticket}
          change={change}
          menu={menu}
          setMenu={setMenu}
          resolve={() => setStatus('resolved')}
          reopen={() => setStatus('open')}
          merge={() => setMerging(true)}
          copyNumber={copyNumber}
          close={close}
          toggleDetails={toggleDetails}
        />
        <Thread
          ticket={ticket}
          message={message}
          unreadFrom={unreadFrom}
          undo={undo}
          quote={(text) => composer.current?.quote(text)}
        />
        <Suspense fallback={<div className="composer-space" />}>
          <Composer ref={composer} ticket={ticket} />
        </Suspense>
      </main>
      <Details ticket={ticket} change={change} open={detailsOpen} toggle={toggleDetails} menu={menu} setMenu={setMenu} />
      {actions.conflict && (
        <ConflictDialog
          conflict={actions.conflict}
          apply={() => void change(actions.conflict!.mine, undefined, actions.conflict!.current.version)}
          close={actions.dismissConflict}
        />
      )}
      {merging && <MergeDialog ticket={ticket} close={() => setMerging(false)} />}
    </div>
  )
}

function stepMessage(by: number): void {
  const all = [...document.querySelectorAll<HTMLElement>('.msg')]
  const at = all.indexOf(document.activeElement as HTMLElement)
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}
