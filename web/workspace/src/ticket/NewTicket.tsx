import { Button, Checkbox, Group, Modal, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { ApiError, api, newKey, refused } from '../api/client'
import { mailboxesQuery, queryClient, useMay } from '../api/queries'
import { PRIORITIES, type Ticket } from '../api/types'
import { t } from '../i18n'
import { Field } from '../ui/Field'
import { priorityName } from '../ui/labels'
import { toastError } from '../ui/toast'

export default function NewTicket({ close }: { close: () => void }) {
  const navigate = useNavigate()
  const may = useMay()
  const { data: boxes } = useQuery({ ...mailboxesQuery, enabled: may('mailbox.read') })
  const [form, setForm] = useState({
    email: '',
    name: '',
    subject: '',
    text: '',
    priority: 'normal',
    mailbox: '',
    send: may('ticket.reply'),
  })
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)
  const key = useRef(newKey())
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }))
  async function create() {
    setBusy(true)
    setErrors({})
    try {
      const body = {
        subject: form.subject,
        requester: { email: form.email, ...(form.name ? { name: form.name } : {}) },
        message: { text: form.text, ...(form.send ? { send: true } : {}) },
        priority: form.priority,
        ...(form.mailbox ? { mailbox_id: form.mailbox } : {}),
      }
      const ticket = await api.post<Ticket>('/tickets', body, key.current)
      void queryClient.invalidateQueries({ queryKey: ['tickets'] })
      void queryClient.invalidateQueries({ queryKey: ['counts'] })
      close()
      void navigate({ to: '/tickets/$id', params: { id: ticket.id } })
    } catch (error) {
      setBusy(false)
      if (refused(error)) key.current = newKey()
      if (error instanceof ApiError && error.field) setErrors({ [error.field]: error.message })
      else toastError(error)
    }
  }
  return (
    <Modal opened onClose={close} title={t('palette.new')} size="lg">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void create()
        }}
      >
        <div className="fields">
          <TextInput
            label={t('new.email')}
            type="email"
            required
            data-autofocus
            value={form.email}
            error={errors['requester.email']}
            onChange={(event) => set({ email: event.target.value })}
          />
          <TextInput label={t('new.name')} value={form.name} onChange={(event) => set({ name: event.target.value })} />
        </div>
        <TextInput
          label={t('field.subject')}
          required
          value={form.subject}
          error={errors.subject}
          onChange={(event) => set({ subject: event.target.value })}
        />
        <Textarea
          label={t('new.message')}
          required
          autosize
          minRows={5}
          maxRows={14}
          value={form.text}
          error={errors['message.text']}
          onChange={(event) => set({ text: event.target.value })}
        />
        <div className="fields">
          <Field label={t('field.priority')}>
            <select className="select" value={form.priority} onChange={(event) => set({ priority: event.target.value })}>
              {PRIORITIES.map((priority) => (
                <option key={priority} value={priority}>
                  {priorityName(priority)}
                </option>
              ))}
            </select>
          </Field>
          {(boxes?.length ?? 0) > 0 && (
            <Field label={t('field.mailbox')}>
              <select className="select" value={form.mailbox} onChange={(event) => set({ mailbox: event.target.value })}>
                <option value="">{t('new.default_mailbox')}</option>
                {boxes!.map((box) => (
                  <option key={box.id} value={box.id}>
                    {box.name}
                  </option>
                ))}
              </select>
            </Field>
          )}
        </div>
        {may('ticket.reply') && (
          <Checkbox
            label={t('new.send')}
            description={t('new.send_hint')}
            checked={form.send}
            onChange={(event) => set({ send: event.currentTarget.checked })}
          />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy}>
            {form.send ? t('new.create_send') : t('new.create')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}
