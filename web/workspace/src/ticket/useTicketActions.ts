// Every change of a ticket: shown at once, sent with the version it was made against, taken back when refused.
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiError, api } from '../api/client'
import { useTicketCache } from '../api/queries'
import type { Id, Ticket, TicketFull } from '../api/types'
import { toastError } from '../ui/toast'

export type Change = Partial<
  Pick<Ticket, 'subject' | 'status' | 'priority' | 'severity' | 'type' | 'tags' | 'spam' | 'fields'>
> & {
  team_id?: Id | null
  assignee_id?: Id | null
  cc?: string[]
}
export interface Conflict {
  mine: Change
  current: Ticket
}

export function useTicketActions(id: Id) {
  const client = useQueryClient()
  const cache = useTicketCache()
  const [conflict, setConflict] = useState<Conflict | null>(null)

  async function change(part: Change, preview: Partial<Ticket> = part as Partial<Ticket>, version?: number): Promise<boolean> {
    const before = client.getQueryData<TicketFull>(['ticket', id])
    if (!before) return false
    client.setQueryData<TicketFull>(['ticket', id], { ...before, ...preview })
    try {
      cache.put(await api.patch<Ticket>(`/tickets/${id}`, { ...part, expected_version: version ?? before.version }))
      return true
    } catch (error) {
      client.setQueryData(['ticket', id], before)
      if (error instanceof ApiError && error.status === 409 && error.body.current) {
        const current = error.body.current as Ticket
        cache.put(current)
        void cache.refresh(id)
        // Somebody else changed other things: ours still stands. Only the same field needs a decision.
        if (touches(part, before, current)) setConflict({ mine: part, current })
        else return change(part, preview, current.version)
      } else toastError(error)
      return false
    }
  }
  return { change, conflict, dismissConflict: () => setConflict(null) }
}

export function touches(part: Change, before: Ticket, now: Ticket): boolean {
  return Object.keys(part).some((key) => {
    if (key === 'assignee_id') return before.assignee?.id !== now.assignee?.id
    if (key === 'team_id') return before.team?.id !== now.team?.id
    if (key === 'cc') return JSON.stringify(before.participants) !== JSON.stringify(now.participants ?? before.participants)
    return JSON.stringify(before[key as keyof Ticket]) !== JSON.stringify(now[key as keyof Ticket])
  })
}
