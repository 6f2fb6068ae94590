import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useMay } from '../api/queries'
import { t } from '../i18n'
import { fuzzy } from '../ui/fuzzy'
import { settingsPages } from './pages'
import './settings.css'

export function SettingsLayout() {
  const may = useMay()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [text, setText] = useState('')
  const pages = settingsPages(may)
  const current = pages.find((page) => path.startsWith(page.to))
  const body = useRef<HTMLElement>(null)
  useEffect(() => {
    document.title = `${current?.label ?? t('nav.settings')} – Cairn`
    body.current?.scrollTo(0, 0)
  }, [current?.label])
  const shown = pages.filter((page) => fuzzy(page.label, text))
  return (
    <div className="settings">
      <nav className="settings-nav" aria-label={t('nav.settings')}>
        <p className="settings-title">{t('nav.settings')}</p>
        <input
          className="settings-find"
          type="search"
          placeholder={t('settings.find')}
          aria-label={t('settings.find')}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {[...new Set(shown.map((page) => page.group))].map((group) => (
          <div key={group} className="settings-group">
            <p className="vhead">{group}</p>
            {shown
              .filter((page) => page.group === group)
              .map((page) => (
                <Link key={page.to} to={page.to} className="vlink" aria-current={page.to === current?.to ? 'page' : undefined}>
                  {page.label}
                </Link>
              ))}
          </div>
        ))}
      </nav>
      <main className="page" id="main" tabIndex={-1} ref={body}>
        <Outlet />
      </main>
    </div>
  )
}
