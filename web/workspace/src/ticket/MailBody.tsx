// A mail's HTML: cleaned again here, shown in a frame without scripts; pictures from elsewhere stay away until asked for.
import { IconPhotoOff } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { apiUrl } from '../api/client'
import type { Message } from '../api/types'
import { t } from '../i18n'
import { mailDocument } from './mailDocument'

const shownMessages = new Set<string>()

export function MailBody({ message, html }: { message: Message; html: string }) {
  const frame = useRef<HTMLIFrameElement>(null)
  const [pictures, setPictures] = useState(shownMessages.has(message.id))
  const [height, setHeight] = useState(60)
  const body = useMemo(
    () =>
      mailDocument(html, {
        origin: location.origin,
        pictures,
        inline: (id) => {
          const part = message.attachments.find((one) => one.content_id === id)
          return part ? apiUrl(`/attachments/${part.id}/content`) : null
        },
        proxy: (url) => apiUrl(`/messages/${message.id}/remote-image`, { url }),
      }),
    [html, pictures, message.id, message.attachments],
  )
  useEffect(() => {
    const element = frame.current
    if (!element) return
    let observer: ResizeObserver | undefined
    const measure = () => {
      const root = element.contentDocument?.documentElement
      if (!root) return
      const update = () => setHeight(Math.min(12_000, Math.max(24, element.contentDocument!.body.scrollHeight + 2)))
      observer?.disconnect()
      observer = new ResizeObserver(update)
      observer.observe(element.contentDocument!.body)
      update()
    }
    element.addEventListener('load', measure)
    return () => {
      element.removeEventListener('load', measure)
      observer?.disconnect()
    }
  }, [])
  return (
    <>
      {body.blocked > 0 && (
        <p className="blocked">
          <IconPhotoOff size={14} aria-hidden="true" />
          {t('message.blocked', { n: body.blocked })}
          <button
            type="button"
            className="linkbtn"
            onClick={() => {
              shownMessages.add(message.id)
              setPictures(true)
            }}
          >
            {t('message.show_pictures')}
          </button>
        </p>
      )}
      <iframe
        ref={frame}
        className="mail-frame"
        title={t('message.frame')}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        srcDoc={body.document}
        style={{ blockSize: height }}
        data-coloured={body.coloured || undefined}
      />
    </>
  )
}
