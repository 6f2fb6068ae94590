import { Menu, useMantineColorScheme } from '@mantine/core'
import {
  IconDeviceDesktop,
  IconInbox,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSettings,
  IconSun,
  IconUser,
  IconUsers,
} from '@tabler/icons-react'
import { Link, useRouterState } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { api } from '../api/client'
import { useMay, useSession } from '../api/queries'
import { t } from '../i18n'
import { Avatar } from '../ui/Avatar'
import { Logo } from '../ui/Logo'

function Item({ to, label, icon, on }: { to: string; label: string; icon: ReactNode; on: boolean }) {
  return (
    <Link to={to} className="rail-item" aria-label={label} title={label} aria-current={on ? 'page' : undefined}>
      {icon}
      <span className="rail-label" aria-hidden="true">
        {label}
      </span>
    </Link>
  )
}

export function Rail() {
  const path = useRouterState({ select: (state) => state.location.pathname })
  const may = useMay()
  return (
    <nav className="rail" aria-label={t('shell.main')}>
      <span className="rail-logo">
        <Logo />
      </span>
      <Item to="/inbox/open" label={t('nav.inbox')} icon={<IconInbox size={20} stroke={1.7} />} on={path.startsWith('/inbox')} />
      <Item to="/search" label={t('nav.search')} icon={<IconSearch size={20} stroke={1.7} />} on={path === '/search'} />
      {may('contact.read') && (
        <Item
          to="/contacts"
          label={t('nav.contacts')}
          icon={<IconUsers size={20} stroke={1.7} />}
          on={/^\/(contacts|organizations)/.test(path)}
        />
      )}
      <Item
        to="/settings/profile"
        label={t('nav.settings')}
        icon={<IconSettings size={20} stroke={1.7} />}
        on={path.startsWith('/settings')}
      />
      <span className="rail-gap" />
      <UserMenu />
    </nav>
  )
}

function UserMenu() {
  const { user } = useSession()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const schemes = [
    ['light', t('scheme.light'), <IconSun key="s" size={16} />],
    ['dark', t('scheme.dark'), <IconMoon key="m" size={16} />],
    ['auto', t('scheme.auto'), <IconDeviceDesktop key="d" size={16} />],
  ] as const
  return (
    <Menu position="right-end" width={220}>
      <Menu.Target>
        <button type="button" className="rail-me">
          <span className="vh">{t('nav.me', { name: user.name })}</span>
          <Avatar name={user.name} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{user.email}</Menu.Label>
        <Menu.Item component={Link} to="/settings/profile" leftSection={<IconUser size={16} />}>
          {t('nav.profile')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconKeyboard size={16} />}
          onClick={() => dispatchEvent(new KeyboardEvent('keydown', { key: '?' }))}
        >
          {t('nav.shortcuts')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('scheme.title')}</Menu.Label>
        {schemes.map(([value, label, icon]) => (
          <Menu.Item
            key={value}
            leftSection={icon}
            rightSection={colorScheme === value ? '✓' : null}
            onClick={() => setColorScheme(value)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} />}
          onClick={() => api.del('/session').finally(() => location.assign('/signin'))}
        >
          {t('nav.signout')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
