import { Menu } from '@mantine/core'
import { IconFilter, IconMenu2, IconSortDescending } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { countsQuery, mailboxesQuery, tagsQuery, teamsQuery, useMay, usersQuery } from '../api/queries'
import { PRIORITIES } from '../api/types'
import { t } from '../i18n'
import { priorityName } from '../ui/labels'
import { FILTERS, type InboxSearch, SORTS, sortName, VIEWS, type View, viewCount, viewName } from './views'

interface Props {
  view: string
  search: InboxSearch
  change: (part: Partial<InboxSearch>) => void
  loaded: number
  more: boolean
  toggleViews: () => void
  selectAll: () => void
}

export function ListHead({ view, search, change, loaded, more, toggleViews, selectAll }: Props) {
  const filtered = FILTERS.some((key) => search[key])
  const [open, setOpen] = useState(filtered)
  const may = useMay()
  const { data: counts } = useQuery(countsQuery)
  const { data: teams } = useQuery({ ...teamsQuery, enabled: may('user.read') })
  const Heading = search.ticket ? 'h2' : 'h1'
  const known = VIEWS.includes(view as View)
  const title = known ? viewName(view as View) : (teams?.find((team) => `team-${team.id}` === view)?.name ?? viewName('open'))
  const total =
    filtered || !counts
      ? undefined
      : known
        ? viewCount(view as View, counts)
        : counts.teams.find((team) => `team-${team.team_id}` === view)?.open
  return (
    <>
      <header className="listhead">
        <button
          type="button"
          className="iconbtn views-toggle"
          onClick={toggleViews}
          aria-label={t('inbox.toggle_views')}
          title={`${t('inbox.toggle_views')} ([)`}
        >
          <IconMenu2 size={17} />
        </button>
        <input
          type="checkbox"
          className="list-all"
          checked={false}
          onChange={selectAll}
          disabled={!loaded}
          aria-label={t('inbox.select_all')}
          title={t('inbox.select_all')}
        />
        <Heading className="view-name grow ellipsis">
          {title} <span className="dim">{total?.toLocaleString() ?? (more ? `${loaded}+` : loaded)}</span>
        </Heading>
        <button
          type="button"
          className="iconbtn"
          aria-pressed={open || filtered}
          aria-label={t('inbox.filters')}
          title={t('inbox.filters')}
          onClick={() => setOpen(!open)}
        >
          <IconFilter size={17} />
        </button>
        <Menu position="bottom-end">
          <Menu.Target>
            <button
              type="button"
              className="iconbtn"
              aria-label={t('inbox.sort', { by: sortName(search.sort ?? '-activity') })}
              title={sortName(search.sort ?? '-activity')}
            >
              <IconSortDescending size={17} />
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            {SORTS.map((sort) => (
              <Menu.Item
                key={sort}
                rightSection={(search.sort ?? '-activity') === sort ? '✓' : null}
                onClick={() => change({ sort: sort === '-activity' ? undefined! : sort })}
              >
                {sortName(sort)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </header>
      {open && <FilterBar search={search} change={change} view={view} />}
    </>
  )
}

function FilterBar({ search, change, view }: Pick<Props, 'search' | 'change' | 'view'>) {
  const may = useMay()
  const { data: users } = useQuery({ ...usersQuery, enabled: may('user.read') })
  const { data: tags } = useQuery(tagsQuery)
  const { data: boxes } = useQuery({ ...mailboxesQuery, enabled: may('mailbox.read') })
  const filter = (key: (typeof FILTERS)[number], label: string, any: string, options: [string, string][]) => (
    <select
      className="select"
      aria-label={label}
      value={search[key] ?? ''}
      onChange={(event) => change({ [key]: event.target.value || undefined })}
    >
      <option value="">{any}</option>
      {options.map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </select>
  )
  return (
    <div className="filterbar" role="group" aria-label={t('inbox.filters')}>
      {filter(
        'priority',
        t('field.priority'),
        t('filter.priority'),
        PRIORITIES.map((priority) => [priority, priorityName(priority)]),
      )}
      {view !== 'mine' &&
        view !== 'unassigned' &&
        filter('assignee', t('field.assignee'), t('filter.assignee'), [
          ['me', t('filter.me')],
          ['none', t('row.unassigned')],
          ...(users ?? []).map((user) => [user.id, user.name || user.email] as [string, string]),
        ])}
      {filter(
        'tag',
        t('field.tag'),
        t('filter.tag'),
        (tags ?? []).map((tag) => [tag.name, tag.name]),
      )}
      {(boxes?.length ?? 0) > 1 &&
        filter(
          'mailbox',
          t('field.mailbox'),
          t('filter.mailbox'),
          boxes!.map((box) => [box.id, box.name]),
        )}
    </div>
  )
}
