// The selected tickets of a view. Those that leave the view by a live change stay selected.
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Ticket } from '../api/types'

export function useSelection(items: Ticket[], view: string) {
  const [chosen, setChosen] = useState<Map<string, Ticket>>(new Map())
  const latest = useRef(items)
  latest.current = items
  const anchor = useRef<string | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view begins with nothing selected
  useEffect(() => setChosen(new Map()), [view])
  return useMemo(
    () => ({
      ids: chosen,
      tickets: [...chosen.values()].map((ticket) => latest.current.find((row) => row.id === ticket.id) ?? ticket),
      clear: () => setChosen(new Map()),
      all: () => setChosen(new Map(latest.current.map((ticket) => [ticket.id, ticket]))),
      toggle(id: string, range: boolean) {
        const rows = latest.current
        const to = rows.findIndex((ticket) => ticket.id === id)
        const from = range && anchor.current ? rows.findIndex((ticket) => ticket.id === anchor.current) : to
        anchor.current = id
        if (to < 0) return
        setChosen((old) => {
          const next = new Map(old)
          if (from === to && next.delete(id)) return next
          for (const ticket of rows.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1)) next.set(ticket.id, ticket)
          return next
        })
      },
    }),
    [chosen],
  )
}
