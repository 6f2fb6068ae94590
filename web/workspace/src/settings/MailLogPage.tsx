import { Button, Modal, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { api } from '../api/client'
import { queryClient, usePages } from '../api/queries'
import type { Mail } from '../api/types'
import { t, tryT } from '../i18n'
import { fileSize } from '../i18n/format'
import { PageFrame, Table } from '../ui/DataPage'
import { When } from '../ui/Time'
import { toast, toastError } from '../ui/toast'
import { useDelayed } from '../ui/useDelayed'

const SourceDialog = lazy(() => import('../ticket/SourceDialog'))
const STATES = ['received', 'processed', 'quarantined', 'ignored', 'queued', 'sent', 'failed', 'bounced']
const tone = (state: string) =>
  /fail|bounce|reject/.test(state)
    ? 'red'
    : /quarantin|held|defer/.test(state)
      ? 'orange'
      : /sent|processed|ticket|delivered/.test(state)
        ? 'green'
        : undefined
const nice = (word: string) => tryT(`mail_state.${word}`) ?? word.replaceAll('_', ' ')

export function MailLogPage() {
  const [direction, setDirection] = useState('')
  const [state, setState] = useState('')
  const [text, setText] = useState('')
  const [open, setOpen] = useState<Mail | null>(null)
  const mails = usePages<Mail>(['mail-log'], '/mail-log', { direction, state, q: useDelayed(text, 250) })
  return (
    <PageFrame title={t('settings.mail_log')} text={t('mail.text')} wide>
      <div className="filters" role="group" aria-label={t('inbox.filters')}>
        <TextInput
          className="grow"
          aria-label={t('mail.find')}
          placeholder={t('mail.find')}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <select
          className="select"
          aria-label={t('mail.direction')}
          value={direction}
          onChange={(event) => setDirection(event.target.value)}
        >
          <option value="">{t('mail.both')}</option>
          <option value="in">{t('mail.in')}</option>
          <option value="out">{t('mail.out')}</option>
        </select>
        <select className="select" aria-label={t('mail.state')} value={state} onChange={(event) => setState(event.target.value)}>
          <option value="">{t('mail.any')}</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {nice(one)}
            </option>
          ))}
        </select>
      </div>
      <Table
        source={mails}
        items={mails.items}
        caption={t('settings.mail_log')}
        columns={[
          { label: t('mail.when') },
          { label: t('mail.direction') },
          { label: t('mail.who') },
          { label: t('field.subject') },
          { label: t('mail.state') },
          { label: t('mail.ticket'), num: true },
        ]}
        empty={{ title: t('mail.none'), text: t('mail.none_text') }}
        row={(mail) => (
          <tr key={mail.id}>
            <td>
              <When at={mail.created_at} />
            </td>
            <td>{mail.direction === 'in' ? t('mail.in') : t('mail.out')}</td>
            <td>
              <bdi>{mail.direction === 'in' ? mail.from : mail.to.join(', ')}</bdi>
            </td>
            <td>
              <button type="button" className="linkbtn" dir="auto" onClick={() => setOpen(mail)}>
                {mail.subject || t('mail.no_subject')}
              </button>
            </td>
            <td>
              <span className="chip" data-tone={tone(mail.state)}>
                {nice(mail.state)}
              </span>
            </td>
            <td className="num">
              {mail.ticket && (
                <Link to="/tickets/$id" params={{ id: mail.ticket.id }}>
                  #{mail.ticket.number}
                </Link>
              )}
            </td>
          </tr>
        )}
      />
      {open && <MailDialog mail={open} close={() => setOpen(null)} />}
    </PageFrame>
  )
}

function MailDialog({ mail, close }: { mail: Mail; close: () => void }) {
  const [source, setSource] = useState(false)
  const again = () =>
    api.post(`/mail-log/${mail.id}/process`).then(() => {
      void queryClient.invalidateQueries({ queryKey: ['mail-log'] })
      toast(t('mail.again_done'))
      close()
    }, toastError)
  if (source)
    return (
      <Suspense>
        <SourceDialog title={t('message.source_title')} path={`/mail-log/${mail.id}/source`} close={() => setSource(false)} />
      </Suspense>
    )
  const line = (label: string, value: string | number | null | undefined) =>
    value === null || value === undefined || value === '' ? null : (
      <div>
        <dt>{label}</dt>
        <dd dir="auto">{value}</dd>
      </div>
    )
  return (
    <Modal opened onClose={close} size="lg" title={mail.subject || t('mail.no_subject')}>
      <div className="mail-grid">
        <dl className="attrs">
          {line(t('field.from'), mail.from)}
          {line(t('field.to'), mail.to.join(', '))}
          {line(t('mail.state'), nice(mail.state))}
          {line(t('mail.verdict'), mail.verdict && nice(mail.verdict))}
          {line(t('mail.detail'), mail.detail)}
          {line(t('mail.rule'), mail.rule)}
          {line(t('field.mailbox'), mail.mailbox?.name)}
          {line('Message-ID', mail.message_id_header)}
          {line(t('mail.attempts'), mail.attempts || null)}
          {line(t('mail.size'), fileSize(mail.size))}
        </dl>
        {mail.evidence.length > 0 && (
          <section>
            <h3 className="section-title">{t('mail.evidence')}</h3>
            <ul className="evidence">
              {mail.evidence.map((one) => (
                <li key={one.kind + one.text}>
                  {one.text} {one.score !== null && <span className="dim">({one.score})</span>}
                </li>
              ))}
            </ul>
          </section>
        )}
        <div className="row-flex">
          <Button variant="default" size="xs" onClick={() => setSource(true)}>
            {t('message.source')}
          </Button>
          {mail.direction === 'in' && !mail.ticket && (
            <Button size="xs" onClick={() => void again()}>
              {t('mail.again')}
            </Button>
          )}
        </div>
      </div>
    </Modal>
  )
}
