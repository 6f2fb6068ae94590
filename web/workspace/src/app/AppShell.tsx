// The frame of the signed-in workspace: rail, banners, palette, shortcut help, the session's end.
import { useQuery } from '@tanstack/react-query'
import { Outlet, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { onSessionExpired } from '../api/client'
import { LiveProvider } from '../api/live'
import { sessionQuery } from '../api/queries'
import { t } from '../i18n'
import { useKeys, usePrefixKeys } from '../ui/keys'
import { ConnectionBanner } from './ConnectionBanner'
import { PaletteContext, type PaletteSource } from './palette-context'
import { Rail } from './Rail'

const Palette = lazy(() => import('./Palette'))
const ShortcutHelp = lazy(() => import('./ShortcutHelp'))
const SignInAgain = lazy(() => import('../signin/SignInAgain'))
const NewTicket = lazy(() => import('../ticket/NewTicket'))

export function AppShell() {
  const navigate = useNavigate()
  const { data: session } = useQuery(sessionQuery)
  const [layer, setLayer] = useState<'palette' | 'help' | 'new' | null>(null)
  const [expired, setExpired] = useState(false)
  const [source] = useState<PaletteSource>(() => ({
    current: null,
    open: () => setLayer('palette'),
    compose: () => setLayer('new'),
  }))
  useEffect(() => onSessionExpired(() => setExpired(true)), [])
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (
        (event.ctrlKey || event.metaKey) &&
        !event.shiftKey &&
        !event.altKey &&
        event.key.toLowerCase() === 'k' &&
        !event.defaultPrevented
      ) {
        event.preventDefault()
        setLayer('palette')
      }
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
  const goInbox = (view: string) => void navigate({ to: '/inbox/$view', params: { view } })
  useKeys({
    '/': () => void navigate({ to: '/search' }),
    '?': () => setLayer('help'),
    c: () => session?.permissions.includes('ticket.write') && setLayer('new'),
    'g i': () => goInbox('open'),
    'g m': () => goInbox('mine'),
    'g u': () => goInbox('unassigned'),
    'g c': () => goInbox('resolved'),
    'g p': () => void navigate({ to: '/contacts' }),
    'g ,': () => void navigate({ to: '/settings/profile' }),
  })
  usePrefixKeys()
  if (!session) return null
  return (
    <LiveProvider>
      <PaletteContext value={source}>
        <a className="skip" href="#main">
          {t('shell.skip')}
        </a>
        <div className="shell">
          <Rail />
          <div className="shell-body">
            <ConnectionBanner />
            <Outlet />
          </div>
        </div>
        <Suspense>
          {layer === 'palette' && <Palette source={source} close={() => setLayer(null)} help={() => setLayer('help')} />}
          {layer === 'help' && <ShortcutHelp close={() => setLayer(null)} />}
          {layer === 'new' && <NewTicket close={() => setLayer(null)} />}
          {expired && <SignInAgain email={session.user.email} done={() => setExpired(false)} />}
        </Suspense>
      </PaletteContext>
    </LiveProvider>
  )
}
