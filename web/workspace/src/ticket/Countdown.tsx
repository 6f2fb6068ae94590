import { useEffect, useState } from 'react'
import { t } from '../i18n'

import { messageTime } from '../i18n/format'

export function Countdown({ until }: { until: string | null }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])
  const left = until ? Math.ceil((Date.parse(until) - now) / 1000) : 0
  if (left <= 0) return <span>{t('delivery.sending')}</span>
  if (left > 120) return <span>{t('delivery.later', { at: messageTime(until!) })}</span>
  return <span>{t('delivery.countdown', { n: left })}</span>
}
