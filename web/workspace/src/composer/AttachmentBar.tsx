import { IconPaperclip, IconRefresh, IconX } from '@tabler/icons-react'
import type { Attachment } from '../api/types'
import { t } from '../i18n'
import { fileSize } from '../i18n/format'
import type { Upload } from './useUploads'

interface Props {
  attachments: Attachment[]
  uploads: Upload[]
  remove: (attachment: Attachment) => void
}

export function AttachmentBar({ attachments, uploads, remove }: Props) {
  if (!attachments.length && !uploads.length) return null
  return (
    <ul className="pending-files" aria-label={t('message.attachments')}>
      {attachments.map((one) => (
        <li key={one.id} className="file-chip">
          <IconPaperclip size={14} aria-hidden="true" />
          <bdi className="ellipsis">{one.file_name}</bdi>
          <span className="dim">{fileSize(one.size)}</span>
          <button
            type="button"
            className="iconbtn"
            onClick={() => remove(one)}
            aria-label={t('composer.remove', { name: one.file_name })}
          >
            <IconX size={13} />
          </button>
        </li>
      ))}
      {uploads.map((one) => (
        <li key={one.key} className="file-chip" data-error={one.error ? true : undefined}>
          <bdi className="ellipsis">{one.file.name}</bdi>
          {one.error ? (
            <span>{one.error}</span>
          ) : (
            <progress value={one.share} aria-label={t('composer.progress', { name: one.file.name })} />
          )}
          {one.error && (
            <button type="button" className="iconbtn" onClick={one.retry} aria-label={t('action.retry')}>
              <IconRefresh size={13} />
            </button>
          )}
          <button
            type="button"
            className="iconbtn"
            onClick={one.cancel}
            aria-label={t('composer.remove', { name: one.file.name })}
          >
            <IconX size={13} />
          </button>
        </li>
      ))}
    </ul>
  )
}
