// Until when each ticket was read on this device. Tickets older than the first visit count as read.
import { useSyncExternalStore } from 'react'
import type { Ticket } from '../api/types'

const LIMIT = 3000
let key = ''
let since = ''
let seen = new Map<string, string>()
let version = 0
const listeners = new Set<() => void>()

export function openSeen(userId: string): void {
  if (key === `cairn.seen.${userId}`) return
  key = `cairn.seen.${userId}`
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? '{}') as { since?: string; seen?: [string, string][] }
    since = stored.since ?? new Date(Date.now() - 86_400_000).toISOString()
    seen = new Map(stored.seen ?? [])
  } catch {
    since = new Date().toISOString()
    seen = new Map()
  }
}

// Unread: the customer wrote after the last look at it.
export function isUnread(ticket: Pick<Ticket, 'id' | 'customer_at' | 'agent_at'>): boolean {
  if (!ticket.customer_at) return false
  const last = seen.get(ticket.id) ?? since
  return ticket.customer_at > last && !(ticket.agent_at && ticket.agent_at > ticket.customer_at)
}
export const seenAt = (id: string): string | undefined => seen.get(id)

export function markSeen(id: string, at: string | null): void {
  if (!at || (seen.get(id) ?? '') >= at) return
  seen.delete(id)
  seen.set(id, at)
  save()
}
export function markUnseen(id: string): void {
  seen.set(id, '')
  save()
}

function save(): void {
  if (seen.size > LIMIT) seen = new Map([...seen].slice(-LIMIT))
  version++
  for (const listener of listeners) listener()
  try {
    localStorage.setItem(key, JSON.stringify({ since, seen: [...seen] }))
  } catch {
    // A full store loses only the bold type.
  }
}

export function useSeenVersion(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => version,
  )
}
