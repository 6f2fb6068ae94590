import { Button, Group, Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../api/client'
import { queryClient } from '../api/queries'
import type { Hit, Id, Page, Ticket } from '../api/types'
import { t } from '../i18n'
import { StatusChip } from '../ui/labels'
import { toast, toastError } from '../ui/toast'
import { useDelayed } from '../ui/useDelayed'

export function MergeDialog({ ticket, close }: { ticket: Ticket; close: () => void }) {
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [target, setTarget] = useState<Hit['ticket']>(null)
  const [busy, setBusy] = useState(false)
  const wanted = useDelayed(text.trim(), 200)
  const { data: found } = useQuery({
    queryKey: ['merge', wanted],
    queryFn: () => api.get<Page<Hit>>('/search', { q: wanted, limit: 20 }),
    enabled: wanted.length > 0,
  })
  const { data: same } = useQuery({
    queryKey: ['merge-same', ticket.requester.id],
    queryFn: () => api.get<Page<Ticket>>('/tickets', { requester_id: ticket.requester.id, limit: 10 }),
  })
  const seen = new Set<Id>([ticket.id])
  const options = (wanted ? (found?.items ?? []).map((hit) => hit.ticket) : (same?.items ?? [])).filter(
    (one): one is NonNullable<Hit['ticket']> => {
      if (!one || seen.has(one.id)) return false
      seen.add(one.id)
      return true
    },
  )
  async function merge() {
    if (!target) return
    setBusy(true)
    try {
      await api.post(`/tickets/${ticket.id}/merge`, { into_id: target.id, expected_version: ticket.version })
      void queryClient.invalidateQueries()
      close()
      toast(t('merge.done', { number: String(target.number) }))
      void navigate({ to: '/tickets/$id', params: { id: target.id } })
    } catch (error) {
      toastError(error)
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={close} title={t('merge.title', { number: String(ticket.number) })}>
      <div className="stack">
        <p className="dim">{t('merge.text')}</p>
        <TextInput
          label={t('merge.find')}
          placeholder={t('merge.placeholder')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          data-autofocus
        />
        <div className="choices" role="radiogroup" aria-label={t('merge.other')}>
          {options.map((one) => (
            <label key={one.id} className="choice">
              <input type="radio" name="target" checked={target?.id === one.id} onChange={() => setTarget(one)} />
              <span className="grow ellipsis" dir="auto">
                #{one.number} {one.subject}
              </span>
              <StatusChip status={one.status} />
            </label>
          ))}
        </div>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button disabled={!target} loading={busy} onClick={() => void merge()}>
            {t('merge.do')}
          </Button>
        </Group>
      </div>
    </Modal>
  )
}
