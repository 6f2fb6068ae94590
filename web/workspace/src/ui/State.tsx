// The three states that every view has beside its content: loading, empty, failed.
import { Button } from '@mantine/core'
import { IconAlertTriangle, IconLock } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client'
import { t } from '../i18n'
import { CopyButton } from './CopyButton'

export function Empty({ icon, title, text, action }: { icon?: ReactNode; title: string; text?: string; action?: ReactNode }) {
  return (
    <div className="state">
      {icon}
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {action}
    </div>
  )
}

export function errorText(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 0) return t('error.offline')
    if (error.message) return error.message
  }
  return t('error.unknown')
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const forbidden = error instanceof ApiError && error.status === 403
  const missing = error instanceof ApiError && error.status === 404
  const title = forbidden ? t('error.no_access') : missing ? t('error.not_found') : t('error.failed')
  const requestId = error instanceof ApiError ? error.requestId : null
  return (
    <div className="state" role="alert">
      {forbidden ? <IconLock size={28} stroke={1.5} /> : <IconAlertTriangle size={28} stroke={1.5} />}
      <h2>{title}</h2>
      <p>{missing ? t('error.not_found_text') : errorText(error)}</p>
      {retry && !forbidden && !missing && (
        <Button size="xs" variant="default" onClick={retry}>
          {t('action.retry')}
        </Button>
      )}
      {requestId && (
        <p className="small row-flex">
          {t('error.request', { id: requestId })} <CopyButton text={requestId} label={t('action.copy_request')} />
        </p>
      )}
    </div>
  )
}

export const Lines = ({ count = 3, height = 16 }: { count?: number; height?: number }) => (
  <div className="stack" aria-hidden="true" style={{ padding: 20 }}>
    {Array.from({ length: count }, (_, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: the lines have no identity
      <div key={i} className="skeleton" style={{ blockSize: height, inlineSize: `${90 - (i % 3) * 18}%` }} />
    ))}
  </div>
)
