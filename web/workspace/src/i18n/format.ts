import { currentLocale, t } from './index'

const MINUTE = 60_000
const DAY = 86_400_000

// Short age for rows: "now", "9m", "3h", "2d", then a date.
export function shortAge(at: string, now = Date.now()): string {
  const age = now - Date.parse(at)
  if (age < MINUTE) return t('time.now')
  if (age < 60 * MINUTE) return t('time.minutes', { n: Math.floor(age / MINUTE) })
  if (age < DAY) return t('time.hours', { n: Math.floor(age / (60 * MINUTE)) })
  if (age < 7 * DAY) return t('time.days', { n: Math.floor(age / DAY) })
  return dayMonth(at, now)
}

function dayMonth(at: string, now: number): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return new Intl.DateTimeFormat(
    currentLocale(),
    sameYear ? { day: 'numeric', month: 'short' } : { day: 'numeric', month: 'short', year: 'numeric' },
  ).format(new Date(at))
}

// Time for messages: "09:17" today, "Yesterday, 09:17", else date and time.
export function messageTime(at: string, now = Date.now()): string {
  const date = new Date(at)
  const clock = new Intl.DateTimeFormat(currentLocale(), { hour: '2-digit', minute: '2-digit' }).format(date)
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY)
  if (days === 0) return t('time.today', { clock })
  if (days === 1) return t('time.yesterday', { clock })
  return `${dayMonth(at, now)}, ${clock}`
}

export const exactTime = (at: string): string =>
  new Intl.DateTimeFormat(currentLocale(), { dateStyle: 'full', timeStyle: 'short' }).format(new Date(at))

export const shortDate = (at: string): string =>
  new Intl.DateTimeFormat(currentLocale(), { dateStyle: 'medium' }).format(new Date(at))

export function fileSize(bytes: number): string {
  if (bytes < 1000) return t('size.bytes', { n: bytes })
  if (bytes < 999_500) return t('size.kb', { n: Math.round(bytes / 1000) })
  return t('size.mb', { n: (bytes / 1_000_000).toFixed(1) })
}

// Counts beside views: above 9,999 as "10k+".
export function shortCount(n: number): string {
  return n > 9999 ? t('count.many', { n: Math.floor(n / 1000) }) : n.toLocaleString(currentLocale())
}
