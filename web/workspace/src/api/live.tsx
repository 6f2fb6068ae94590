// Turns the event stream into fresh screens: which queries an event makes stale, gathered so that a burst costs one refetch.
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react'
import type { StreamState } from './connection'
import { openStream } from './stream'
import type { Event } from './types'

type Listener = (events: Event[]) => void
interface Live {
  state: StreamState
  subscribe: (listener: Listener) => () => void
}
const LiveContext = createContext<Live>({ state: 'open', subscribe: () => () => {} })
export const useLive = (): Live => useContext(LiveContext)

export function useLiveEvents(listener: Listener): void {
  const { subscribe } = useLive()
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => subscribe((events) => latest.current(events)), [subscribe])
}

// What to refetch for a batch of events; lists of tickets decide themselves (see TicketList).
export function staleKeys(events: Event[]): unknown[][] {
  const keys = new Map<string, unknown[]>()
  const add = (...key: unknown[]) => keys.set(key.join('/'), key)
  for (const { type, ticket_id, subject_id } of events) {
    const area = type.slice(0, type.indexOf('.'))
    if (ticket_id) {
      add('ticket', ticket_id)
      add('ticket-events', ticket_id)
      add('counts')
    }
    if (area === 'user' || area === 'team' || area === 'role' || area === 'tag' || area === 'token') add(`${area}s`)
    if (area === 'mailbox') add('mailboxes')
    if (area === 'mail') add('mail-log')
    if (area === 'contact' && subject_id) add('contact', subject_id)
    if (area === 'organization' && subject_id) add('organization', subject_id)
    if (area === 'account') add('session')
  }
  return [...keys.values()]
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [state, setState] = useState<StreamState>('connecting')
  const listeners = useRef(new Set<Listener>())
  useEffect(() => {
    let batch: Event[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const flush = () => {
      timer = undefined
      const events = batch
      batch = []
      for (const queryKey of staleKeys(events)) void client.invalidateQueries({ queryKey })
      for (const listener of listeners.current) listener(events)
    }
    let opened = false
    const close = openStream((message) => {
      if (message.kind === 'state') {
        setState(message.state)
        // What happened between the first answer and the opening of the stream was not told to anybody.
        if (message.state === 'open' && !opened)
          for (const key of ['tickets', 'counts']) void client.invalidateQueries({ queryKey: [key] })
        opened ||= message.state === 'open'
      } else if (message.kind === 'resync') void client.invalidateQueries()
      else {
        batch.push(message.event)
        timer ??= setTimeout(flush, 200)
      }
    })
    return () => {
      clearTimeout(timer)
      close()
    }
  }, [client])
  const live = useMemo<Live>(
    () => ({
      state,
      subscribe(listener) {
        listeners.current.add(listener)
        return () => listeners.current.delete(listener)
      },
    }),
    [state],
  )
  return <LiveContext value={live}>{children}</LiveContext>
}
