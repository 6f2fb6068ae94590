// Views, list, ticket, details side by side; which are seen follows from the URL and the width.

import { IconInbox } from '@tabler/icons-react'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect } from 'react'
import { useSession } from '../api/queries'
import { t } from '../i18n'
import { TicketPane } from '../ticket/TicketPane'
import { useKeys } from '../ui/keys'
import { Empty } from '../ui/State'
import './inbox.css'
import { usePanel } from './panels'
import { openSeen } from './seen'
import { TicketList } from './TicketList'
import { ViewsNav } from './ViewsNav'
import type { InboxSearch } from './views'

export function InboxPage() {
  const { user } = useSession()
  openSeen(user.id)
  const { view } = useParams({ from: '/shell/inbox/$view' })
  const search = useSearch({ from: '/shell/inbox/$view' })
  const navigate = useNavigate({ from: '/inbox/$view' })
  const [viewsOpen, toggleViews] = usePanel('views', true)
  const [detailsOpen, toggleDetails] = usePanel('details', true)
  const change = useCallback(
    (part: Partial<InboxSearch>, replace = false) => void navigate({ search: (old) => clean({ ...old, ...part }), replace }),
    [navigate],
  )
  const open = useCallback((ticket: string | undefined) => change({ ticket: ticket!, message: undefined! }), [change])
  useKeys({ '[': toggleViews, ']': toggleDetails })
  useEffect(() => {
    document.title = t('title.inbox')
  }, [])
  return (
    <div
      className="inbox"
      data-views={viewsOpen || undefined}
      data-details={detailsOpen || undefined}
      data-ticket={search.ticket ? true : undefined}
    >
      <ViewsNav
        view={view}
        // On narrower screens the views lie over the list, where the switch works the other way round.
        chosen={() => {
          if (!viewsOpen && matchMedia('(max-width: 1280px)').matches) toggleViews()
        }}
      />
      <TicketList view={view} search={search} change={change} open={open} toggleViews={toggleViews} />
      {search.ticket ? (
        <TicketPane
          key={search.ticket}
          id={search.ticket}
          message={search.message}
          detailsOpen={detailsOpen}
          toggleDetails={toggleDetails}
          close={() => open(undefined)}
        />
      ) : (
        <main className="thread" id="main" tabIndex={-1}>
          <h1 className="vh">{t('title.inbox')}</h1>
          <Empty icon={<IconInbox size={34} stroke={1.3} />} title={t('inbox.none')} text={t('inbox.none_text')} />
        </main>
      )}
    </div>
  )
}

function clean(search: InboxSearch): InboxSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value))
}
