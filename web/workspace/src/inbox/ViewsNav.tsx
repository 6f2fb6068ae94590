import {
  IconAlarm,
  IconArchive,
  IconCircleCheck,
  IconClockPause,
  IconInbox,
  IconPlus,
  IconSearch,
  IconShieldX,
  IconStack2,
  IconUser,
  IconUserQuestion,
  IconUsers,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { countsQuery, mailboxesQuery, teamsQuery, useMay } from '../api/queries'
import { usePalette } from '../app/palette-context'
import { t } from '../i18n'
import { shortCount } from '../i18n/format'
import { modKey } from '../ui/keys'
import { VIEWS, type View, viewCount, viewName } from './views'

const ICONS: Record<View, typeof IconInbox> = {
  mine: IconUser,
  unassigned: IconUserQuestion,
  open: IconInbox,
  pending: IconAlarm,
  on_hold: IconClockPause,
  unresolved: IconStack2,
  resolved: IconCircleCheck,
  closed: IconArchive,
  spam: IconShieldX,
}

export function ViewsNav({ view, chosen }: { view: string; chosen: () => void }) {
  const palette = usePalette()
  const may = useMay()
  const { data: counts } = useQuery(countsQuery)
  const { data: teams } = useQuery({ ...teamsQuery, enabled: may('user.read') })
  const item = (name: string, label: string, Icon: typeof IconInbox, count: number | undefined) => (
    <Link
      key={name}
      to="/inbox/$view"
      params={{ view: name }}
      className="vlink"
      onClick={chosen}
      aria-current={view === name ? 'page' : undefined}
    >
      <Icon size={17} stroke={1.7} aria-hidden="true" />
      <span className="grow ellipsis">{label}</span>
      {count ? <span className="cnt">{shortCount(count)}</span> : null}
    </Link>
  )
  const active = teams?.filter((team) => !team.archived) ?? []
  return (
    <nav className="views" aria-label={t('inbox.views')}>
      <div className="views-head">
        <h2>{t('nav.inbox')}</h2>
        {may('ticket.write') && (
          <button
            type="button"
            className="iconbtn boxed"
            aria-label={t('palette.new')}
            title={`${t('palette.new')} (c)`}
            onClick={palette.compose}
          >
            <IconPlus size={16} />
          </button>
        )}
      </div>
      <button type="button" className="searchbox" onClick={palette.open} aria-label={`${t('inbox.jump')} ${modKey} K`}>
        <IconSearch size={15} aria-hidden="true" />
        <span>{t('inbox.jump')}</span>
        <kbd>{modKey} K</kbd>
      </button>
      {VIEWS.map((name) => item(name, viewName(name), ICONS[name], counts && viewCount(name, counts)))}
      {active.length > 0 && <h2 className="vhead">{t('inbox.teams')}</h2>}
      {active.map((team) =>
        item(`team-${team.id}`, team.name, IconUsers, counts?.teams.find((count) => count.team_id === team.id)?.open),
      )}
      <FailingMailboxes />
    </nav>
  )
}

function FailingMailboxes() {
  const may = useMay()
  const { data } = useQuery({ ...mailboxesQuery, enabled: may('mailbox.read') })
  const failing = data?.filter((box) => box.active && box.state === 'failing') ?? []
  return failing.map((box) => (
    <Link key={box.id} className="view-alert" to="/settings/mailboxes/$id" params={{ id: box.id }}>
      {t('inbox.mailbox_failing', { name: box.name })}
    </Link>
  ))
}
