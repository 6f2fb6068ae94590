// Every page and what its URL holds.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { ApiError, api } from '../api/client'
import { queryClient, sessionQuery } from '../api/queries'
import { InboxPage } from '../inbox/InboxPage'
import { readInboxSearch } from '../inbox/views'
import { Failed } from '../ui/State'
import { AppShell } from './AppShell'
import { NotFound } from './NotFound'

const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound })

const signin = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: (search): { next?: string } => ({ ...(text(search.next) ? { next: text(search.next)! } : {}) }),
  component: lazyRouteComponent(() => import('../signin/SignInPage'), 'SignInPage'),
})
const link = createRoute({
  getParentRoute: () => root,
  path: '/links/$secret',
  component: lazyRouteComponent(() => import('../signin/LinkPage'), 'LinkPage'),
})
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: (search): { secret?: string; step?: string } => ({
    ...(text(search.secret) ? { secret: text(search.secret)! } : {}),
    ...(text(search.step) ? { step: text(search.step)! } : {}),
  }),
  component: lazyRouteComponent(() => import('../setup/SetupPage'), 'SetupPage'),
})

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: AppShell,
  errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(sessionQuery)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      const { needed } = await api.get<{ needed: boolean }>('/setup').catch(() => ({ needed: false }))
      throw needed
        ? redirect({ to: '/setup' })
        : redirect({ to: '/signin', search: location.href === '/' ? {} : { next: location.href } })
    }
  },
})
const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/inbox/$view', params: { view: 'open' } })
  },
})
const inbox = createRoute({
  getParentRoute: () => shell,
  path: '/inbox/$view',
  validateSearch: readInboxSearch,
  component: InboxPage,
})
const ticket = createRoute({
  getParentRoute: () => shell,
  path: '/tickets/$id',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/inbox/$view', params: { view: 'unresolved' }, search: { ticket: params.id } })
  },
})
const search = createRoute({
  getParentRoute: () => shell,
  path: '/search',
  validateSearch: (search): { q?: string } => ({ ...(text(search.q) ? { q: text(search.q)! } : {}) }),
  component: lazyRouteComponent(() => import('../search/SearchPage'), 'SearchPage'),
})
const contacts = createRoute({
  getParentRoute: () => shell,
  path: '/contacts',
  component: lazyRouteComponent(() => import('../contacts/PeoplePage'), 'ContactsPage'),
})
const contact = createRoute({
  getParentRoute: () => shell,
  path: '/contacts/$id',
  component: lazyRouteComponent(() => import('../contacts/ContactPage'), 'ContactPage'),
})
const organizations = createRoute({
  getParentRoute: () => shell,
  path: '/organizations',
  component: lazyRouteComponent(() => import('../contacts/PeoplePage'), 'OrganizationsPage'),
})
const organization = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$id',
  component: lazyRouteComponent(() => import('../contacts/OrganizationPage'), 'OrganizationPage'),
})

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('../settings/SettingsLayout'), 'SettingsLayout'),
})
const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/profile' })
  },
})
const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => settings, path, component })
const settingsPages = [
  page(
    'profile',
    lazyRouteComponent(() => import('../settings/ProfilePage'), 'ProfilePage'),
  ),
  page(
    'account',
    lazyRouteComponent(() => import('../settings/AccountPage'), 'AccountPage'),
  ),
  page(
    'mailboxes',
    lazyRouteComponent(() => import('../settings/MailboxesPage'), 'MailboxesPage'),
  ),
  page(
    'mailboxes/$id',
    lazyRouteComponent(() => import('../settings/MailboxPage'), 'MailboxPage'),
  ),
  page(
    'users',
    lazyRouteComponent(() => import('../settings/UsersPage'), 'UsersPage'),
  ),
  page(
    'teams',
    lazyRouteComponent(() => import('../settings/TeamsPage'), 'TeamsPage'),
  ),
  page(
    'roles',
    lazyRouteComponent(() => import('../settings/RolesPage'), 'RolesPage'),
  ),
  page(
    'tokens',
    lazyRouteComponent(() => import('../settings/TokensPage'), 'TokensPage'),
  ),
  page(
    'tags',
    lazyRouteComponent(() => import('../settings/TagsPage'), 'TagsPage'),
  ),
  page(
    'mail-log',
    lazyRouteComponent(() => import('../settings/MailLogPage'), 'MailLogPage'),
  ),
  page(
    'suppressions',
    lazyRouteComponent(() => import('../settings/SuppressionsPage'), 'SuppressionsPage'),
  ),
  page(
    'jobs',
    lazyRouteComponent(() => import('../settings/JobsPage'), 'JobsPage'),
  ),
] as const

export const router = createRouter({
  routeTree: root.addChildren([
    signin,
    link,
    setup,
    shell.addChildren([
      home,
      inbox,
      ticket,
      search,
      contacts,
      contact,
      organizations,
      organization,
      settings.addChildren([settingsHome, ...settingsPages]),
    ]),
  ]),
  defaultPreload: 'intent',
  // Plain strings in the address, also for ids that look like numbers.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(
      Object.entries(search).filter(([, value]) => value !== undefined && value !== '') as [string, string][],
    ).toString()
    return text && `?${text}`
  },
  scrollRestoration: true,
})
declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
