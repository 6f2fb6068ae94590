// The editor's HTML as it goes out: pictures by their Content-ID, no address of this server.
export function outgoingHtml(html: string): string {
  const document = new DOMParser().parseFromString(html, 'text/html')
  for (const picture of document.querySelectorAll('img[data-cid]')) {
    picture.setAttribute('src', `cid:${picture.getAttribute('data-cid')}`)
    picture.removeAttribute('data-cid')
  }
  return document.body.innerHTML
}

export function quoteHtml(text: string): string {
  const escaped = (line: string) => line.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char]!)
  return `<blockquote>${text
    .trim()
    .split(/\n+/)
    .map((line) => `<p>${escaped(line)}</p>`)
    .join('')}</blockquote><p></p>`
}

// "Anna <anna@example.com>, ben@example.com; eve@example.org" → addresses.
export function splitAddresses(text: string): string[] {
  return text
    .split(/[,;\s]+(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((part) => part.replace(/^.*<|>.*$/g, '').trim())
    .filter((part) => part.includes('@'))
}
export const validAddress = (address: string): boolean => /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]+$|^[^\s@<>]+@localhost$/.test(address)

// Warns of the classic: "attached" without a file.
export const mentionsAttachment = (html: string): boolean =>
  /\battach(ed|ment|ments|ing)?\b|\benclosed\b/i.test(
    html.replace(/<blockquote>.*?<\/blockquote>/gs, '').replace(/<[^>]+>/g, ' '),
  )
