// Ctrl+K: actions of the open ticket first, then places, then what the server finds.
import { Modal } from '@mantine/core'
import { IconInbox, IconPlus, IconSearch, IconSettings, IconTicket, IconUser, IconUsers } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/queries'
import type { Hit, Page } from '../api/types'
import { t } from '../i18n'
import { VIEWS, viewName } from '../inbox/views'
import { settingsPages } from '../settings/pages'
import { fuzzy } from '../ui/fuzzy'
import { useDelayed } from '../ui/useDelayed'
import type { Action, PaletteSource } from './palette-context'

interface Group {
  title: string
  actions: Action[]
}

export default function Palette({ source, close, help }: { source: PaletteSource; close: () => void; help: () => void }) {
  const navigate = useNavigate()
  const may = useMay()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const offered = useRef(source.current)
  const delayed = useDelayed(text.trim(), 150)
  const { data: hits } = useQuery({
    queryKey: ['palette', delayed],
    queryFn: ({ signal }) => api.get<Page<Hit>>('/search', { q: delayed, limit: 6 }, signal),
    enabled: delayed.length > 1,
    placeholderData: (old) => old,
  })
  const places: Action[] = [
    ...(may('ticket.write')
      ? [{ id: 'new', label: t('palette.new'), keys: 'c', icon: <IconPlus size={17} />, run: source.compose }]
      : []),
    ...VIEWS.map((view) => ({
      id: `view-${view}`,
      label: viewName(view),
      icon: <IconInbox size={17} />,
      run: () => void navigate({ to: '/inbox/$view', params: { view } }),
    })),
    ...(may('contact.read')
      ? [
          {
            id: 'contacts',
            label: t('nav.contacts'),
            keys: 'g p',
            icon: <IconUsers size={17} />,
            run: () => void navigate({ to: '/contacts' }),
          },
          {
            id: 'organizations',
            label: t('nav.organizations'),
            icon: <IconUsers size={17} />,
            run: () => void navigate({ to: '/organizations' }),
          },
        ]
      : []),
    ...settingsPages(may).map((page) => ({
      id: page.to,
      label: t('palette.settings', { page: page.label }),
      icon: <IconSettings size={17} />,
      run: () => void navigate({ to: page.to }),
    })),
    { id: 'help', label: t('nav.shortcuts'), keys: '?', icon: <IconSearch size={17} />, run: help },
  ]
  const match = (actions: Action[]) => actions.filter((action) => fuzzy(`${action.label} ${action.words ?? ''}`, text))
  const found: Action[] =
    text.trim().length > 1
      ? [
          ...(hits?.items ?? []).map((hit, i) =>
            hitAction(
              hit,
              i,
              (id) => void navigate({ to: '/tickets/$id', params: { id } }),
              (id) => void navigate({ to: '/contacts/$id', params: { id } }),
            ),
          ),
          {
            id: 'all',
            label: t('palette.search', { text: text.trim() }),
            icon: <IconSearch size={17} />,
            run: () => void navigate({ to: '/search', search: { q: text.trim() } }),
          },
        ]
      : []
  const groups: Group[] = [
    { title: offered.current?.title ?? '', actions: match(offered.current?.actions ?? []) },
    { title: t('palette.go'), actions: match(places) },
    { title: t('palette.found'), actions: found },
  ].filter((group) => group.actions.length)
  const flat = groups.flatMap((group) => group.actions)
  const run = (action: Action | undefined) => {
    if (!action) return
    close()
    // After the dialog has given the focus back.
    setTimeout(action.run, 0)
  }
  return (
    <Modal.Root opened onClose={close} padding={0} size={600} yOffset="9vh">
      <Modal.Overlay />
      <Modal.Content aria-label={t('help.palette')}>
        <label className="palette-input">
          <IconSearch size={18} aria-hidden="true" />
          <input
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={flat[at] ? `palette-${at}` : undefined}
            aria-label={t('palette.placeholder')}
            placeholder={t('palette.placeholder')}
            data-autofocus
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setAt(0)
            }}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return
              if (event.key === 'ArrowDown') setAt((n) => (n + 1) % Math.max(1, flat.length))
              else if (event.key === 'ArrowUp') setAt((n) => (n + flat.length - 1) % Math.max(1, flat.length))
              else if (event.key === 'Enter') run(flat[at])
              else return
              event.preventDefault()
            }}
          />
        </label>
        <PaletteList groups={groups} at={at} setAt={setAt} run={run} />
        {!flat.length && <p className="pick-none">{t('picker.none')}</p>}
      </Modal.Content>
    </Modal.Root>
  )
}

function hitAction(hit: Hit, i: number, openTicket: (id: string) => void, openContact: (id: string) => void): Action {
  const contact = hit.kind === 'contact' && hit.contact
  const label = contact ? `${hit.contact!.name} · ${hit.contact!.email}` : `#${hit.ticket?.number ?? ''} ${hit.title}`
  const icon: ReactNode = contact ? <IconUser size={17} /> : <IconTicket size={17} />
  return {
    id: `hit-${i}`,
    label,
    icon,
    run: () => (contact ? openContact(hit.contact!.id) : hit.ticket && openTicket(hit.ticket.id)),
  }
}

interface ListProps {
  groups: Group[]
  at: number
  setAt: (at: number) => void
  run: (action: Action) => void
}
function PaletteList({ groups, at, setAt, run }: ListProps) {
  const list = useRef<HTMLDivElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the marked row follows the number
  useEffect(() => {
    list.current?.querySelector('[data-at]')?.scrollIntoView({ block: 'nearest' })
  }, [at])
  let n = -1
  return (
    <div role="listbox" id="palette-list" className="palette-list" aria-label={t('help.palette')} ref={list}>
      {groups.map((group) => (
        <div role="group" key={group.title} aria-label={group.title}>
          <div className="palette-title" aria-hidden="true">
            {group.title}
          </div>
          {group.actions.map((action) => {
            const i = ++n
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the combobox that owns this list
              <div
                key={action.id}
                id={`palette-${i}`}
                role="option"
                tabIndex={-1}
                aria-selected={i === at}
                data-at={i === at || undefined}
                className="palette-item"
                onMouseMove={() => setAt(i)}
                onClick={() => run(action)}
              >
                <span className="palette-icon">{action.icon}</span>
                <span className="grow ellipsis" dir="auto">
                  {action.label}
                </span>
                {action.keys && <kbd>{action.keys}</kbd>}
              </div>
            )
          })}
        </div>
      ))}
    </div>
  )
}
