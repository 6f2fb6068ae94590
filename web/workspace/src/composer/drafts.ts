// What is being written, per ticket and kind, kept on this device until it is sent.
import type { Attachment } from '../api/types'

export interface Draft {
  html: string
  to: string[] | null
  cc: string[] | null
  bcc: string[]
  attachments: Attachment[]
  at: string
  // The latest message when the writing began: a reply to a conversation that has moved on is stopped.
  baseVersion?: number
  // Of a sending without an answer yet: sent again under the same key, the server takes it once.
  key?: string | undefined
}
export type Kind = 'public' | 'internal'
const PREFIX = 'cairn.draft.'
export const emptyDraft = (): Draft => ({ html: '', to: null, cc: null, bcc: [], attachments: [], at: '' })
export const isBlank = (html: string): boolean => !/<img/i.test(html) && html.replace(/<[^>]*>|&nbsp;|\s/g, '') === ''

let known: Set<string> | null = null
function index(): Set<string> {
  if (!known) {
    known = new Set()
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i)!
      if (key.startsWith(PREFIX)) known.add(key)
    }
  }
  return known
}

export function readDraft(ticketId: string, kind: Kind): Draft {
  try {
    return { ...emptyDraft(), ...(JSON.parse(localStorage.getItem(`${PREFIX}${ticketId}.${kind}`) ?? '{}') as Partial<Draft>) }
  } catch {
    return emptyDraft()
  }
}

export function writeDraft(ticketId: string, kind: Kind, draft: Draft): boolean {
  const key = `${PREFIX}${ticketId}.${kind}`
  if (isBlank(draft.html) && !draft.attachments.length) {
    localStorage.removeItem(key)
    index().delete(key)
    return true
  }
  try {
    localStorage.setItem(key, JSON.stringify(draft))
    index().add(key)
    return true
  } catch {
    return false
  }
}
export const hasDraft = (ticketId: string): boolean =>
  index().has(`${PREFIX}${ticketId}.public`) || index().has(`${PREFIX}${ticketId}.internal`)
