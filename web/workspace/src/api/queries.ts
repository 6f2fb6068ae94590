// Query keys and hooks. Everything read from the server passes here, so that live events know what to refresh.
import { QueryClient, queryOptions, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { ApiError, api, type Query, setCsrfToken } from './client'
import type {
  Contact,
  Counts,
  Event,
  Id,
  Mailbox,
  Message,
  Organization,
  Page,
  Role,
  Session,
  Tag,
  Team,
  Ticket,
  TicketFull,
  User,
} from './types'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      refetchOnWindowFocus: false,
    },
  },
})

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async () => {
    const session = await api.get<Session>('/session')
    setCsrfToken(session.csrf_token)
    return session
  },
  staleTime: 300_000,
})

export function useSession(): Session {
  const { data } = useQuery(sessionQuery)
  if (!data) throw new Error('used outside of a session')
  return data
}
export function useMay(): (permission: string) => boolean {
  const { permissions } = useSession()
  return (permission) => permissions.includes(permission)
}

// Small lists that every screen needs whole.
async function all<T>(path: string, query: Query = {}): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const page: Page<T> = await api.get<Page<T>>(path, { ...query, cursor })
    items.push(...page.items)
    cursor = page.next_cursor
  } while (cursor && items.length < 1000)
  return items
}
const list = <T>(key: string, path: string) => queryOptions({ queryKey: [key], queryFn: () => all<T>(path), staleTime: 60_000 })
export const usersQuery = list<User>('users', '/users')
export const teamsQuery = list<Team>('teams', '/teams')
export const rolesQuery = list<Role>('roles', '/roles')
export const tagsQuery = list<Tag>('tags', '/tags')
export const mailboxesQuery = list<Mailbox>('mailboxes', '/mailboxes')

export const countsQuery = queryOptions({ queryKey: ['counts'], queryFn: () => api.get<Counts>('/tickets/counts') })
export const ticketQuery = (id: Id) =>
  queryOptions({ queryKey: ['ticket', id], queryFn: () => api.get<TicketFull>(`/tickets/${id}`) })
export const ticketEventsQuery = (id: Id) =>
  queryOptions({ queryKey: ['ticket-events', id], queryFn: () => all<Event>(`/tickets/${id}/events`) })
export const contactQuery = (id: Id) =>
  queryOptions({ queryKey: ['contact', id], queryFn: () => api.get<Contact>(`/contacts/${id}`) })
export const organizationQuery = (id: Id) =>
  queryOptions({ queryKey: ['organization', id], queryFn: () => api.get<Organization>(`/organizations/${id}`) })

export function usePages<T>(key: readonly unknown[], path: string, query: Query = {}, enabled = true) {
  const result = useInfiniteQuery({
    queryKey: [...key, query],
    queryFn: ({ pageParam, signal }) => api.get<Page<T>>(path, { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    enabled,
  })
  return { ...result, items: result.data?.pages.flatMap((page) => page.items) ?? [] }
}
export const useTickets = (query: Query) => usePages<Ticket>(['tickets'], '/tickets', query)

export function useTicketCache() {
  const client = useQueryClient()
  return {
    // The server answers with the ticket alone; the messages that are shown stay.
    put(ticket: Ticket) {
      client.setQueryData<TicketFull>(['ticket', ticket.id], (old) =>
        old ? { ...old, ...ticket, participants: ticket.participants ?? old.participants } : old,
      )
      void client.invalidateQueries({ queryKey: ['tickets'] })
      void client.invalidateQueries({ queryKey: ['counts'] })
      void client.invalidateQueries({ queryKey: ['ticket-events', ticket.id] })
    },
    putMessage(message: Message) {
      client.setQueryData<TicketFull>(
        ['ticket', message.ticket_id],
        (old) => old && { ...old, messages: withMessage(old.messages, message) },
      )
    },
    refresh(id: Id) {
      return client.invalidateQueries({ queryKey: ['ticket', id] })
    },
  }
}

export function withMessage(messages: Message[], message: Message): Message[] {
  const at = messages.findIndex((other) => other.id === message.id)
  return at < 0 ? [...messages, message] : messages.with(at, message)
}
