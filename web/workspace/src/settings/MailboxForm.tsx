// A mailbox with provider presets and a live test whose errors stand at the field.
import { Button, Group, NumberInput, PasswordInput, Switch, Textarea, TextInput } from '@mantine/core'
import { IconCircleCheck, IconCircleX, IconPlugConnected } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { api } from '../api/client'
import { queryClient, teamsQuery, useMay } from '../api/queries'
import type { Mailbox, Security, TestResult } from '../api/types'
import { t } from '../i18n'
import { Field } from '../ui/Field'
import { toastError } from '../ui/toast'
import { useForm } from '../ui/useForm'
import { guessed, type MailboxDraft, PRESETS, presetFor, withPreset } from './mailboxDefaults'
import './settings.css'

interface Props {
  mailbox: MailboxDraft
  saved: (mailbox: Mailbox) => void
  saveLabel: string
  skip?: ReactNode
}

export function MailboxForm({ mailbox, saved, saveLabel, skip }: Props) {
  const form = useForm(mailbox, ['name', 'address', 'from_name', 'incoming', 'outgoing', 'signature', 'undo_seconds'])
  const may = useMay()
  const { data: teams } = useQuery({ ...teamsQuery, enabled: may('user.read') })
  const [test, setTest] = useState<TestResult | null>(null)
  const [testing, setTesting] = useState(false)
  const { values: box, set, errors } = form
  const error = (field: string) => errors[field] ?? testError(test, field)
  const incoming = (part: Partial<MailboxDraft['incoming']>) => {
    setTest(null)
    set({ incoming: { ...box.incoming, ...part } })
  }
  const outgoing = (part: Partial<MailboxDraft['outgoing']>) => {
    setTest(null)
    set({ outgoing: { ...box.outgoing, ...part } })
  }
  const preset = PRESETS.find((one) => one.imap === box.incoming.host)
  async function tryIt(): Promise<boolean> {
    setTesting(true)
    setTest(null)
    try {
      const result = await api.post<TestResult>('/mailboxes/test', { ...body(box), ...(box.id ? { mailbox_id: box.id } : {}) })
      setTest(result)
      return (result.incoming?.ok ?? true) && (result.outgoing?.ok ?? true)
    } catch (problem) {
      toastError(problem)
      return false
    } finally {
      setTesting(false)
    }
  }
  async function save() {
    if (box.active && !test && !(await tryIt())) return
    await form.submit(async (all) => {
      const made = box.id
        ? await api.patch<Mailbox>(`/mailboxes/${box.id}`, { ...body(all), expected_version: box.version })
        : await api.post<Mailbox>('/mailboxes', body(all))
      void queryClient.invalidateQueries({ queryKey: ['mailboxes'] })
      setTimeout(() => saved(made), 0)
      return { ...all, id: made.id, version: made.version }
    })
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <div className="fields">
        <TextInput
          label={t('mailbox.address')}
          type="email"
          required
          placeholder="support@example.com"
          value={box.address}
          error={error('address')}
          onChange={(event) => set({ address: event.target.value })}
          onBlur={() => {
            if (box.id || !box.address.includes('@')) return
            const known = presetFor(box.address)
            const next = known ? withPreset(box, known) : guessed(box)
            set({ incoming: next.incoming, outgoing: next.outgoing, name: box.name || box.address.split('@')[0]! })
          }}
        />
        <TextInput
          label={t('mailbox.name')}
          required
          value={box.name}
          error={error('name')}
          onChange={(event) => set({ name: event.target.value })}
        />
      </div>
      <div className="presets" role="group" aria-label={t('mailbox.presets')}>
        {PRESETS.map((one) => (
          <button key={one.name} type="button" aria-pressed={one === preset} onClick={() => set(withPreset(box, one))}>
            {one.name}
          </button>
        ))}
      </div>
      {preset?.note === 'app_password' && <p className="dim">{t('mailbox.app_password', { name: preset.name })}</p>}
      <Servers box={box} incoming={incoming} outgoing={outgoing} error={error} />
      <details className="more">
        <summary>{t('mailbox.more')}</summary>
        <div className="stack">
          <div className="fields">
            <TextInput
              label={t('mailbox.from_name')}
              value={box.from_name}
              error={error('from_name')}
              onChange={(event) => set({ from_name: event.target.value })}
            />
            <Field label={t('mailbox.team')}>
              <select
                className="select"
                value={box.team_id ?? ''}
                onChange={(event) => set({ team_id: event.target.value || null })}
              >
                <option value="">{t('value.no_team')}</option>
                {teams?.map((team) => (
                  <option key={team.id} value={team.id}>
                    {team.name}
                  </option>
                ))}
              </select>
            </Field>
            <NumberInput
              label={t('mailbox.undo')}
              min={0}
              max={60}
              value={box.undo_seconds}
              error={error('undo_seconds')}
              onChange={(value) => set({ undo_seconds: Number(value) || 0 })}
            />
          </div>
          <Textarea
            label={t('field.signature')}
            autosize
            minRows={2}
            value={box.signature}
            onChange={(event) => set({ signature: event.target.value })}
          />
          <Switch
            label={t('mailbox.quote')}
            checked={box.quote_history}
            onChange={(event) => set({ quote_history: event.currentTarget.checked })}
          />
          <Switch
            label={t('mailbox.active')}
            checked={box.active}
            onChange={(event) => set({ active: event.currentTarget.checked })}
          />
        </div>
      </details>
      <div role="status" className="stack" style={{ gap: 6 }}>
        {test?.incoming && box.incoming.kind !== 'none' && <Outcome name={t('mailbox.incoming')} result={test.incoming} />}
        {test?.outgoing && box.outgoing.kind !== 'none' && <Outcome name={t('mailbox.outgoing')} result={test.outgoing} />}
      </div>
      <Group justify="flex-end" gap="xs">
        {skip}
        <Button variant="default" leftSection={<IconPlugConnected size={16} />} loading={testing} onClick={() => void tryIt()}>
          {t('mailbox.test')}
        </Button>
        <Button type="submit" loading={form.busy} disabled={testing}>
          {saveLabel}
        </Button>
      </Group>
    </form>
  )
}

// What the server takes of a mailbox. An outgoing password that was left empty is the incoming one.
// A side that is off has no server: its empty host and port would be refused.
function body(box: MailboxDraft) {
  const { has_password: _in, ...incoming } = box.incoming
  const { has_password: kept, ...outgoing } = box.outgoing
  const inherited = !outgoing.password && !kept && incoming.password
  return {
    name: box.name,
    address: box.address,
    from_name: box.from_name,
    team_id: box.team_id,
    active: box.active,
    incoming: incoming.kind === 'none' ? { kind: incoming.kind } : incoming,
    outgoing:
      outgoing.kind === 'none' ? { kind: outgoing.kind } : inherited ? { ...outgoing, password: incoming.password } : outgoing,
    signature: box.signature,
    quote_history: box.quote_history,
    undo_seconds: box.undo_seconds,
  }
}

function testError(test: TestResult | null, field: string): string | undefined {
  for (const side of ['incoming', 'outgoing'] as const) {
    const result = test?.[side]
    if (result && !result.ok && result.field && (result.field === field || `${side}.${result.field}` === field))
      return result.detail
  }
  return undefined
}

const Outcome = ({ name, result }: { name: string; result: { ok: boolean; detail: string } }) => (
  <p className="test" data-ok={result.ok || undefined}>
    {result.ok ? <IconCircleCheck size={16} aria-hidden="true" /> : <IconCircleX size={16} aria-hidden="true" />}
    <span>
      <strong>{name}:</strong> {result.detail}
    </span>
  </p>
)

interface ServersProps {
  box: MailboxDraft
  incoming: (part: Partial<MailboxDraft['incoming']>) => void
  outgoing: (part: Partial<MailboxDraft['outgoing']>) => void
  error: (field: string) => string | undefined
}
function Servers({ box, incoming, outgoing, error }: ServersProps) {
  const { incoming: into, outgoing: out } = box
  const kept = (has: boolean | undefined) => (has ? t('mailbox.kept') : '')
  return (
    <>
      <fieldset className="card">
        <legend className="card-title">{t('mailbox.incoming')}</legend>
        <div className="fields">
          <Field label={t('mailbox.protocol')}>
            <select
              className="select"
              value={into.kind}
              onChange={(event) =>
                incoming({ kind: event.target.value as typeof into.kind, port: event.target.value === 'pop3' ? 995 : 993 })
              }
            >
              <option value="imap">IMAP</option>
              <option value="pop3">POP3</option>
              <option value="none">{t('mailbox.no_incoming')}</option>
            </select>
          </Field>
          {into.kind !== 'none' && (
            <ServerFields
              side="incoming"
              values={into}
              change={incoming}
              error={error}
              ports={into.kind === 'pop3' ? [995, 110] : [993, 143]}
              placeholder={kept(into.has_password)}
            />
          )}
        </div>
      </fieldset>
      <fieldset className="card">
        <legend className="card-title">{t('mailbox.outgoing')}</legend>
        <div className="fields">
          <Field label={t('mailbox.protocol')}>
            <select
              className="select"
              value={out.kind}
              onChange={(event) => outgoing({ kind: event.target.value as typeof out.kind })}
            >
              <option value="smtp">SMTP</option>
              <option value="none">{t('mailbox.no_outgoing')}</option>
            </select>
          </Field>
          {out.kind !== 'none' && (
            <ServerFields
              side="outgoing"
              values={out}
              change={(part) => outgoing(part as Partial<typeof out>)}
              error={error}
              ports={[465, 587]}
              placeholder={out.has_password ? kept(true) : into.password ? t('mailbox.same') : ''}
            />
          )}
        </div>
      </fieldset>
    </>
  )
}

interface ServerValues {
  host: string
  port: number
  security: Security
  user: string
  password?: string
}
interface ServerFieldsProps {
  side: 'incoming' | 'outgoing'
  values: ServerValues
  change: (part: Partial<ServerValues>) => void
  error: (field: string) => string | undefined
  ports: [number, number]
  placeholder: string
}
function ServerFields({ side, values, change, error, ports, placeholder }: ServerFieldsProps) {
  return (
    <>
      <TextInput
        label={t('mailbox.host')}
        required
        value={values.host}
        error={error(`${side}.host`)}
        onChange={(event) => change({ host: event.target.value })}
      />
      <Field label={t('mailbox.security')}>
        <select
          className="select"
          value={values.security}
          onChange={(event) =>
            change({ security: event.target.value as Security, port: event.target.value === 'tls' ? ports[0] : ports[1] })
          }
        >
          <option value="tls">TLS</option>
          <option value="starttls">STARTTLS</option>
          <option value="none">{t('mailbox.unencrypted')}</option>
        </select>
      </Field>
      <NumberInput
        label={t('mailbox.port')}
        min={1}
        max={65535}
        hideControls
        value={values.port}
        error={error(`${side}.port`)}
        onChange={(value) => change({ port: Number(value) || 0 })}
      />
      <TextInput
        label={t('mailbox.user')}
        autoComplete="off"
        value={values.user}
        error={error(`${side}.user`)}
        onChange={(event) => change({ user: event.target.value })}
      />
      <PasswordInput
        label={t('field.password')}
        autoComplete="new-password"
        placeholder={placeholder}
        value={values.password ?? ''}
        error={error(`${side}.password`)}
        onChange={(event) => change({ password: event.target.value })}
      />
    </>
  )
}
