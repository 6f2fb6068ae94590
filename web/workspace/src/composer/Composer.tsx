// Reply and note: separate texts, explicit recipients, drafts kept, sending guarded by the ticket's version.
import { Button, Menu } from '@mantine/core'
import { IconChevronDown, IconLock, IconMaximize, IconMinimize, IconPaperclip } from '@tabler/icons-react'
import type { Editor as Tiptap } from '@tiptap/react'
import { type Ref, useCallback, useEffect, useImperativeHandle, useRef, useState } from 'react'
import { ApiError, api, apiUrl, newKey, refused } from '../api/client'
import { useMay, useTicketCache } from '../api/queries'
import type { Attachment, Message, Status, Ticket, TicketFull } from '../api/types'
import { t } from '../i18n'
import { isMac, modKey } from '../ui/keys'
import { StatusDot, statusName } from '../ui/labels'
import { toast, toastError } from '../ui/toast'
import { AttachmentBar } from './AttachmentBar'
import './composer.css'
import { type Draft, emptyDraft, isBlank, type Kind, readDraft, writeDraft } from './drafts'
import { Content, Toolbar, useComposerEditor } from './Editor'
import { mentionsAttachment, outgoingHtml, quoteHtml } from './html'
import { NewerMessages } from './NewerMessages'
import { Recipients } from './Recipients'
import { useUploads } from './useUploads'

export interface ComposerHandle {
  focus: (kind: Kind) => void
  restore: (message: Message) => void
  quote: (text: string) => void
}
const SEND_STATUSES: Status[] = ['open', 'pending', 'on_hold', 'resolved']
const SAVE_MS = 600

export default function Composer({ ticket, ref }: { ticket: TicketFull; ref: Ref<ComposerHandle> }) {
  const may = useMay()
  const kinds: Kind[] = [
    ...(may('ticket.reply') && ticket.status !== 'closed' ? (['public'] as const) : []),
    ...(may('ticket.write') ? (['internal'] as const) : []),
  ]
  return kinds.length ? <Form ticket={ticket} kinds={kinds} ref={ref} /> : null
}

function Form({ ticket, kinds, ref }: { ticket: TicketFull; kinds: Kind[]; ref: Ref<ComposerHandle> }) {
  const cache = useTicketCache()
  const [chosen, setKind] = useState<Kind>(kinds[0]!)
  const kind = kinds.includes(chosen) ? chosen : kinds[0]!
  const [draft, setDraft] = useState<Draft>(() => readDraft(ticket.id, kind))
  const [saved, setSaved] = useState<'' | 'saved' | 'failed'>(draft.html ? 'saved' : '')
  const [full, setFull] = useState(false)
  const [busy, setBusy] = useState(false)
  const [newer, setNewer] = useState<{ messages: Message[]; current: Ticket; then: Status | undefined } | null>(null)
  const [confirmText, setConfirmText] = useState<{ text: string; then: Status | undefined } | null>(null)
  const editorRef = useRef<Tiptap | null>(null)
  const draftRef = useRef(draft)
  const kindRef = useRef(kind)
  const files = useRef<HTMLInputElement>(null)
  kindRef.current = kind

  const update = useCallback((part: Partial<Draft>) => {
    draftRef.current = { ...draftRef.current, ...part, at: new Date().toISOString() }
    setDraft(draftRef.current)
    setSaved('')
  }, [])
  const save = useCallback(
    () =>
      setSaved(
        writeDraft(ticket.id, kindRef.current, draftRef.current) ? (isBlank(draftRef.current.html) ? '' : 'saved') : 'failed',
      ),
    [ticket.id],
  )
  useEffect(() => {
    if (!draft.at) return
    const timer = setTimeout(save, SAVE_MS)
    return () => clearTimeout(timer)
  }, [draft, save])
  useEffect(() => {
    addEventListener('pagehide', save)
    return () => {
      removeEventListener('pagehide', save)
      if (draftRef.current.at) writeDraft(ticket.id, kindRef.current, draftRef.current)
    }
  }, [save, ticket.id])

  const load = (next: Kind, text: Draft) => {
    draftRef.current = text
    setDraft(text)
    setKind(next)
    kindRef.current = next
    setSaved(isBlank(text.html) ? '' : 'saved')
    editorRef.current?.commands.setContent(text.html, { emitUpdate: false })
  }
  const switchTo = (next: Kind) => {
    if (next === kindRef.current || !kinds.includes(next)) return
    writeDraft(ticket.id, kindRef.current, draftRef.current)
    load(next, readDraft(ticket.id, next))
  }
  const { uploads, add } = useUploads((attachment, file) => {
    update({ attachments: [...draftRef.current.attachments, attachment] })
    if (/^image\/(png|jpe?g|gif|webp)$/.test(file.type) && attachment.content_id) insertPicture(editorRef.current, attachment)
  })
  useImperativeHandle(ref, () => ({
    focus(next) {
      switchTo(next)
      // At once: the next key already belongs to the text, not to the shortcuts.
      editorRef.current?.view.focus()
      editorRef.current?.commands.focus('end')
    },
    restore(message) {
      const html =
        message.html ??
        message.text
          .split('\n')
          .map((line) => `<p>${line.replace(/[&<]/g, (char) => (char === '&' ? '&amp;' : '&lt;'))}</p>`)
          .join('')
      const mails = (list: { address: string }[]) => list.map((one) => one.address)
      const back: Draft = {
        html,
        to: mails(message.to),
        cc: mails(message.cc),
        bcc: mails(message.bcc),
        attachments: message.attachments,
        at: new Date().toISOString(),
      }
      load(message.visibility, back)
      writeDraft(ticket.id, message.visibility, back)
      editorRef.current?.commands.focus('end')
    },
    quote(text) {
      editorRef.current?.chain().focus('end').insertContent(quoteHtml(text)).run()
    },
  }))

  function keepKey(key: string | undefined): void {
    draftRef.current = { ...draftRef.current, key }
    writeDraft(ticket.id, kindRef.current, draftRef.current)
  }
  async function send(then: Status | undefined, sure: { version?: number; confirm?: boolean } = {}) {
    const text = draftRef.current
    if (busy || (isBlank(text.html) && !text.attachments.length)) return
    if (uploads.length) return toast(t('composer.uploading'))
    if (!sure.confirm && kind === 'public' && !text.attachments.length && mentionsAttachment(text.html))
      return setConfirmText({ text: t('composer.no_file'), then })
    setBusy(true)
    const key = text.key ?? newKey()
    keepKey(key)
    try {
      const body = {
        html: outgoingHtml(text.html),
        visibility: kind,
        attachments: text.attachments.map((one) => one.id),
        expected_version: sure.version ?? text.baseVersion ?? ticket.version,
        ...(kind === 'public'
          ? {
              ...(text.to ? { to: text.to } : {}),
              ...(text.cc ? { cc: text.cc } : {}),
              ...(text.bcc.length ? { bcc: text.bcc } : {}),
            }
          : {}),
        ...(then ? { status: then } : {}),
        ...(sure.confirm || sure.version ? { confirm: true } : {}),
      }
      const message = await api.post<Message>(`/tickets/${ticket.id}/messages`, body, key)
      cache.putMessage(message)
      writeDraft(ticket.id, kind, emptyDraft())
      load(kind, emptyDraft())
      setNewer(null)
      setConfirmText(null)
      setFull(false)
      void cache.refresh(ticket.id)
      cache.put({ ...ticket, ...(then ? { status: then } : {}) })
    } catch (error) {
      if (refused(error)) keepKey(undefined)
      if (error instanceof ApiError && error.status === 409 && error.body.current) {
        const current = error.body.current as Ticket
        const messages = (error.body.newer_messages as Message[] | undefined) ?? []
        void cache.refresh(ticket.id)
        if (messages.length) setNewer({ messages, current, then })
        else {
          setBusy(false)
          return send(then, { ...sure, version: current.version })
        }
      } else if (error instanceof ApiError && error.body.warnings) setConfirmText({ text: error.message, then })
      else toastError(error)
    }
    setBusy(false)
  }

  const note = kind === 'internal'
  const label = note ? t('help.note') : t('help.reply')
  const editor = useComposerEditor({
    label,
    placeholder: note
      ? t('composer.note_hint')
      : t('composer.reply_hint', { name: ticket.requester.name || ticket.requester.email }),
    content: draft.html,
    onReady: useCallback((made: Tiptap) => {
      editorRef.current = made
    }, []),
    onChange: (html) =>
      update({ html, ...(draftRef.current.baseVersion === undefined && !isBlank(html) ? { baseVersion: ticket.version } : {}) }),
    onSend: (then) => void send(then),
    onFiles: add,
  })
  const blank = isBlank(draft.html) && !draft.attachments.length
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the whole composer takes dropped files
    <div
      className="composer"
      data-kind={kind}
      data-full={full || undefined}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        if (event.defaultPrevented || !event.dataTransfer.files.length) return
        event.preventDefault()
        add([...event.dataTransfer.files])
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.stopPropagation()
          ;(document.activeElement as HTMLElement | null)?.blur()
          document.querySelector<HTMLElement>('.msgs')?.focus()
        }
      }}
    >
      <div className="box">
        <div className="box-head">
          <div className="tabs" role="group" aria-label={t('composer.kind')}>
            {kinds.map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={kind === one}
                onClick={() => switchTo(one)}
                title={one === 'internal' ? 'i' : 'r'}
              >
                {one === 'internal' && <IconLock size={13} aria-hidden="true" />}
                {one === 'internal' ? t('help.note') : t('help.reply')}
              </button>
            ))}
          </div>
          <span className="grow" />
          <Toolbar editor={editor} />
          <button
            type="button"
            className="iconbtn"
            aria-pressed={full}
            aria-label={t('composer.full')}
            title={t('composer.full')}
            onClick={() => setFull(!full)}
          >
            {full ? <IconMinimize size={16} /> : <IconMaximize size={16} />}
          </button>
        </div>
        {!note && <Recipients ticket={ticket} draft={draft} update={update} />}
        {newer && (
          <NewerMessages
            messages={newer.messages}
            sendAnyway={() => void send(newer.then, { version: newer.current.version })}
            review={() => {
              update({ baseVersion: newer.current.version })
              setNewer(null)
            }}
          />
        )}
        {confirmText && (
          <div className="banner" role="alert">
            <span className="grow">{confirmText.text}</span>
            <button type="button" className="linkbtn" onClick={() => void send(confirmText.then, { confirm: true })}>
              {t('composer.send_anyway')}
            </button>
            <button type="button" className="linkbtn" onClick={() => setConfirmText(null)}>
              {t('action.cancel')}
            </button>
          </div>
        )}
        <Content editor={editor} />
        <AttachmentBar
          attachments={draft.attachments}
          uploads={uploads}
          remove={(gone) => update({ attachments: draft.attachments.filter((one) => one.id !== gone.id) })}
        />
        <div className="box-foot">
          <button
            type="button"
            className="iconbtn"
            aria-label={t('composer.attach')}
            title={t('composer.attach')}
            onClick={() => files.current?.click()}
          >
            <IconPaperclip size={17} />
          </button>
          <input
            ref={files}
            type="file"
            multiple
            hidden
            onChange={(event) => {
              add([...(event.target.files ?? [])])
              event.target.value = ''
            }}
          />
          <span className="dim small grow ellipsis" role="status">
            {saved === 'saved' ? t('composer.saved') : saved === 'failed' ? t('composer.not_saved') : ''}
          </span>
          <span className="send">
            <Button size="xs" loading={busy} disabled={blank} onClick={() => void send(undefined)} title={`${modKey} Enter`}>
              {note ? t('composer.add_note') : t('help.send')}
            </Button>
            <Menu position="top-end" width={240}>
              <Menu.Target>
                <button type="button" className="send-more" disabled={blank || busy} aria-label={t('composer.send_more')}>
                  <IconChevronDown size={15} />
                </button>
              </Menu.Target>
              <Menu.Dropdown>
                {SEND_STATUSES.map((status) => (
                  <Menu.Item
                    key={status}
                    leftSection={<StatusDot status={status} />}
                    rightSection={status === 'resolved' ? <kbd>{isMac ? '⌘⇧↵' : 'Ctrl ⇧ ↵'}</kbd> : undefined}
                    onClick={() => void send(status)}
                  >
                    {note
                      ? t('composer.note_and', { status: statusName(status) })
                      : t('composer.send_and', { status: statusName(status) })}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          </span>
        </div>
      </div>
    </div>
  )
}

function insertPicture(editor: Tiptap | null, attachment: Attachment): void {
  editor
    ?.chain()
    .focus()
    .insertContent({
      type: 'image',
      attrs: {
        src: apiUrl(`/attachments/${attachment.id}/content`),
        alt: attachment.file_name,
        'data-cid': attachment.content_id,
      },
    })
    .run()
}
