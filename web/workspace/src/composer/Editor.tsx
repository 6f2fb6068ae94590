// The rich text field, alone: one long-lived editor, told what to show.

import {
  IconBold,
  IconCode,
  IconItalic,
  IconLink,
  IconList,
  IconListNumbers,
  IconQuote,
  IconUnderline,
} from '@tabler/icons-react'
import { Image } from '@tiptap/extension-image'
import { Placeholder } from '@tiptap/extension-placeholder'
import { EditorContent, type Editor as Tiptap, useEditor } from '@tiptap/react'
import StarterKit from '@tiptap/starter-kit'
import { useEffect, useRef, useState } from 'react'
import { t } from '../i18n'
import { modKey } from '../ui/keys'

export interface EditorProps {
  label: string
  placeholder: string
  content: string
  onReady: (editor: Tiptap) => void
  onChange: (html: string) => void
  onSend: (then?: 'resolved' | 'pending') => void
  onFiles: (files: File[]) => void
}

// A picture in the text carries its attachment's Content-ID; on screen it is shown from the server.
const InlineImage = Image.extend({
  addAttributes() {
    return { ...this.parent?.(), 'data-cid': { default: null } }
  },
})

export function useComposerEditor(props: EditorProps): Tiptap | null {
  const latest = useRef(props)
  useEffect(() => {
    latest.current = props
  })
  const editor = useEditor({
    extensions: [
      StarterKit.configure({ link: { openOnClick: false, autolink: true } }),
      Placeholder.configure({ placeholder: () => latest.current.placeholder }),
      InlineImage.configure({ inline: true }),
    ],
    content: props.content,
    shouldRerenderOnTransaction: false,
    editorProps: {
      attributes: () => ({
        role: 'textbox',
        'aria-multiline': 'true',
        'aria-label': latest.current.label,
        class: 'ed-content',
        dir: 'auto',
      }),
      handleKeyDown: (_view, event) => {
        if (event.isComposing || event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return false
        latest.current.onSend(event.shiftKey ? 'resolved' : event.altKey ? 'pending' : undefined)
        return true
      },
      handlePaste: (_view, event) => take([...(event.clipboardData?.files ?? [])]),
      handleDrop: (_view, event) => take([...((event as DragEvent).dataTransfer?.files ?? [])]),
    },
    onUpdate: ({ editor: changed }) => latest.current.onChange(changed.getHTML()),
  })
  function take(files: File[]): boolean {
    if (files.length) latest.current.onFiles(files)
    return files.length > 0
  }
  const ready = props.onReady
  useEffect(() => {
    if (editor) ready(editor)
  }, [editor, ready])
  return editor
}

export const Content = ({ editor }: { editor: Tiptap | null }) => <EditorContent editor={editor} className="ed" />

export function Toolbar({ editor }: { editor: Tiptap | null }) {
  const [, redraw] = useState(0)
  useEffect(() => {
    const listen = () => redraw((n) => n + 1)
    editor?.on('selectionUpdate', listen)
    editor?.on('transaction', listen)
    return () => {
      editor?.off('selectionUpdate', listen)
      editor?.off('transaction', listen)
    }
  }, [editor])
  if (!editor) return null
  const button = (name: string, label: string, Icon: typeof IconBold, run: () => void) => (
    <button
      key={name}
      type="button"
      className="iconbtn"
      aria-label={label}
      title={label}
      aria-pressed={editor.isActive(name)}
      onMouseDown={(event) => event.preventDefault()}
      onClick={run}
    >
      <Icon size={16} />
    </button>
  )
  const chain = () => editor.chain().focus()
  return (
    <div className="ed-tools" role="toolbar" aria-label={t('composer.format')}>
      {button('bold', `${t('composer.bold')} (${modKey} B)`, IconBold, () => chain().toggleBold().run())}
      {button('italic', `${t('composer.italic')} (${modKey} I)`, IconItalic, () => chain().toggleItalic().run())}
      {button('underline', `${t('composer.underline')} (${modKey} U)`, IconUnderline, () => chain().toggleUnderline().run())}
      {button('link', t('composer.link'), IconLink, () => askLink(editor))}
      {button('bulletList', t('composer.list'), IconList, () => chain().toggleBulletList().run())}
      {button('orderedList', t('composer.numbered'), IconListNumbers, () => chain().toggleOrderedList().run())}
      {button('blockquote', t('composer.quote'), IconQuote, () => chain().toggleBlockquote().run())}
      {button('code', t('composer.code'), IconCode, () => chain().toggleCode().run())}
    </div>
  )
}

function askLink(editor: Tiptap): void {
  const was = editor.getAttributes('link').href as string | undefined
  const href = prompt(t('composer.link_to'), was ?? 'https://')
  if (href === null) return
  if (!href.trim() || href === 'https://') editor.chain().focus().unsetLink().run()
  else if (editor.state.selection.empty)
    editor
      .chain()
      .focus()
      .insertContent({ type: 'text', text: href, marks: [{ type: 'link', attrs: { href } }] })
      .run()
  else editor.chain().focus().setLink({ href }).run()
}
