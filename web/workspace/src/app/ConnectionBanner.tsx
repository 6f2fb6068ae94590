import { IconPlugConnectedX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useLive } from '../api/live'
import { t } from '../i18n'

// Only an interruption that lasts is worth a word.
const PATIENCE_MS = 3000

export function ConnectionBanner() {
  const { state } = useLive()
  const [late, setLate] = useState(false)
  const open = state === 'open'
  useEffect(() => {
    if (open) {
      setLate(false)
      return
    }
    const timer = setTimeout(() => setLate(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [open])
  return (
    <div role="status">
      {late && (
        <div className="banner">
          <IconPlugConnectedX size={16} aria-hidden="true" />
          {t('live.lost')}
        </div>
      )}
    </div>
  )
}
