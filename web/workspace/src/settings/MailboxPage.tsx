import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../api/client'
import { queryClient } from '../api/queries'
import type { Mailbox } from '../api/types'
import { t } from '../i18n'
import { shortDate } from '../i18n/format'
import { ConfirmDelete } from '../ui/ConfirmDelete'
import { PageFrame } from '../ui/DataPage'
import { Failed, Lines } from '../ui/State'
import { toast, toastError } from '../ui/toast'
import { Health } from './MailboxesPage'
import { MailboxForm } from './MailboxForm'
import { newMailbox } from './mailboxDefaults'

export function MailboxPage() {
  const { id } = useParams({ strict: false }) as { id: string }
  const navigate = useNavigate()
  const {
    data: box,
    error,
    refetch,
  } = useQuery({ queryKey: ['mailboxes', id], queryFn: () => api.get<Mailbox>(`/mailboxes/${id}`), enabled: id !== 'new' })
  const back = () => void navigate({ to: '/settings/mailboxes' })
  if (id === 'new')
    return (
      <PageFrame title={t('inbox.connect')} text={t('mailbox.new_text')}>
        <MailboxForm
          mailbox={newMailbox()}
          saveLabel={t('mailbox.connect')}
          saved={(made) => {
            toast(t('mailbox.connected', { name: made.name }))
            back()
          }}
        />
      </PageFrame>
    )
  if (error && !box) return <Failed error={error} retry={() => void refetch()} />
  if (!box) return <Lines count={6} />
  return (
    <PageFrame title={box.name} text={box.address} action={<Health box={box} />}>
      {box.state === 'failing' && (
        <p className="test" role="alert">
          <span>{box.state_detail}</span>
        </p>
      )}
      <MailboxForm
        key={box.version}
        mailbox={box}
        saveLabel={t('form.save')}
        saved={() => {
          toast(t('form.saved'))
          void refetch()
        }}
      />
      <Backfill box={box} />
      <section className="card">
        <h2>{t('mailbox.remove')}</h2>
        <p className="dim">{t('mailbox.remove_text')}</p>
        <ConfirmDelete
          name={box.name}
          label={t('mailbox.remove')}
          run={() =>
            api.del(`/mailboxes/${box.id}`).then(() => {
              void queryClient.invalidateQueries({ queryKey: ['mailboxes'] })
              back()
            }, toastError)
          }
        />
      </section>
    </PageFrame>
  )
}

function Backfill({ box }: { box: Mailbox }) {
  const [since, setSince] = useState('')
  const [busy, setBusy] = useState(false)
  async function start() {
    setBusy(true)
    await api
      .post(`/mailboxes/${box.id}/backfill`, { since: `${since}T00:00:00Z` })
      .then(() => toast(t('backfill.started')), toastError)
    setBusy(false)
  }
  if (box.incoming.kind !== 'imap') return null
  return (
    <section className="card">
      <h2>{t('backfill.title')}</h2>
      <p className="dim">
        {box.backfill_since ? t('backfill.since', { date: shortDate(box.backfill_since) }) : t('backfill.text')}
      </p>
      <div className="filters">
        <TextInput type="date" label={t('backfill.from')} value={since} onChange={(event) => setSince(event.target.value)} />
        <Button variant="default" disabled={!since} loading={busy} onClick={() => void start()}>
          {t('backfill.do')}
        </Button>
      </div>
    </section>
  )
}
