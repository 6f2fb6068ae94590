import DOMPurify from 'dompurify'

interface Sources {
  origin: string
  pictures: boolean
  inline: (contentId: string) => string | null
  proxy: (url: string) => string
}
export interface MailDocument {
  document: string
  blocked: number
  coloured: boolean
}

// Mail brings own colours: then it is shown as written, on white. Mail without follows the scheme of the page.
const COLOURS = /(?:background|color)\s*[:=]/i

export function mailDocument(html: string, { origin, pictures, inline, proxy }: Sources): MailDocument {
  const body = DOMPurify.sanitize(html, {
    RETURN_DOM: true,
    FORBID_TAGS: [
      'form',
      'input',
      'button',
      'textarea',
      'select',
      'option',
      'audio',
      'video',
      'source',
      'iframe',
      'object',
      'embed',
      'base',
      'link',
      'meta',
      'svg',
      'math',
      'dialog',
    ],
    FORBID_ATTR: ['srcset', 'ping', 'autofocus', 'id', 'name'],
    ALLOW_DATA_ATTR: false,
    ADD_ATTR: ['data-remote-src', 'data-cid'],
  }) as unknown as HTMLElement
  let blocked = 0
  for (const picture of body.querySelectorAll('img')) {
    // The server puts the address of a picture that is not shown at once beside an empty src.
    const part = picture.getAttribute('data-cid')
    const src = part
      ? `cid:${encodeURIComponent(part)}`
      : (picture.getAttribute('data-remote-src') ?? picture.getAttribute('src') ?? '')
    picture.removeAttribute('data-remote-src')
    picture.removeAttribute('data-cid')
    if (/^cid:/i.test(src)) {
      const own = inline(decodeURIComponent(src.slice(4)))
      if (own) picture.setAttribute('src', own)
      else picture.remove()
    } else if (/^https?:/i.test(src)) {
      if (pictures) picture.setAttribute('src', proxy(src))
      else {
        picture.removeAttribute('src')
        picture.setAttribute('data-blocked', '')
        blocked++
      }
    } else if (!/^data:image\/(png|jpe?g|gif|webp);/i.test(src) && !src.startsWith('/api/v1/attachments/')) picture.remove()
    if (!picture.hasAttribute('alt')) picture.setAttribute('alt', '')
  }
  for (const element of body.querySelectorAll<HTMLElement>('[background]')) element.removeAttribute('background')
  for (const element of body.querySelectorAll<HTMLElement>('[style]')) {
    const style = element.getAttribute('style') ?? ''
    if (/url\(|position\s*:|image-set|expression/i.test(style))
      element.setAttribute('style', style.replace(/[^;]*(?:url\(|position\s*:|image-set|expression)[^;]*;?/gi, ''))
  }
  for (const sheet of body.querySelectorAll('style')) if (/url\(|@import|image-set/i.test(sheet.textContent ?? '')) sheet.remove()
  for (const link of body.querySelectorAll('a[href]')) {
    if (!/^(https?:|mailto:|tel:)/i.test(link.getAttribute('href')!)) link.removeAttribute('href')
    link.setAttribute('target', '_blank')
    link.setAttribute('rel', 'noopener noreferrer nofollow')
  }
  const coloured = COLOURS.test(html)
  const policy = `default-src 'none'; img-src ${origin}/api/v1/ data:; style-src 'unsafe-inline' ${origin}/mail.css`
  return {
    blocked,
    coloured,
    document: `<!doctype html><html${coloured ? ' data-coloured' : ''}><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>-</title><link rel="stylesheet" href="${origin}/mail.css"></head><body dir="auto">${body.innerHTML}</body></html>`,
  }
}
