import { IconDownload, IconFile, IconFileTypePdf, IconPhoto } from '@tabler/icons-react'
import { apiUrl } from '../api/client'
import type { Attachment } from '../api/types'
import { t } from '../i18n'
import { fileSize } from '../i18n/format'

const isPicture = (one: Attachment) => /^image\/(png|jpe?g|gif|webp|avif)$/.test(one.content_type)

export function Attachments({ attachments }: { attachments: Attachment[] }) {
  const shown = attachments.filter((one) => !one.inline)
  if (!shown.length) return null
  return (
    <ul className="atts" aria-label={t('message.attachments')}>
      {shown.map((one) => {
        const Icon = isPicture(one) ? IconPhoto : one.content_type === 'application/pdf' ? IconFileTypePdf : IconFile
        return (
          <li key={one.id} className="att">
            <a
              href={apiUrl(
                `/attachments/${one.id}/content`,
                isPicture(one) || one.content_type === 'application/pdf' ? {} : { download: true },
              )}
              target="_blank"
              rel="noopener"
              className="att-main"
            >
              {isPicture(one) ? (
                <img src={apiUrl(`/attachments/${one.id}/content`)} alt="" loading="lazy" />
              ) : (
                <Icon size={18} stroke={1.6} aria-hidden="true" />
              )}
              <span className="att-name">
                <bdi className="ellipsis">{one.file_name}</bdi>
                <span className="dim small">{fileSize(one.size)}</span>
              </span>
            </a>
            <a
              className="iconbtn"
              href={apiUrl(`/attachments/${one.id}/content`, { download: true })}
              aria-label={t('message.download', { name: one.file_name })}
            >
              <IconDownload size={15} />
            </a>
          </li>
        )
      })}
    </ul>
  )
}
