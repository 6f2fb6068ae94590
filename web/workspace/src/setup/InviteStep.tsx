import { Button, Group, Textarea } from '@mantine/core'
import { useState } from 'react'
import { api, fullUrl } from '../api/client'
import type { User } from '../api/types'
import { splitAddresses } from '../composer/html'
import { t } from '../i18n'
import { CopyButton } from '../ui/CopyButton'
import { errorText } from '../ui/State'

type Result = { email: string; url?: string; error?: string }

export function InviteStep({ finish }: { finish: () => void }) {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [results, setResults] = useState<Result[]>([])
  async function invite() {
    setBusy(true)
    for (const email of splitAddresses(text)) {
      const result = await api.post<User>('/users', { email }).then(
        (user): Result => ({ email, ...(user.invite_url ? { url: fullUrl(user.invite_url) } : {}) }),
        (error: unknown): Result => ({ email, error: errorText(error) }),
      )
      setResults((old) => [...old.filter((one) => one.email !== email), result])
    }
    setText('')
    setBusy(false)
  }
  return (
    <div className="stack">
      <Textarea
        label={t('invite.addresses')}
        description={t('invite.hint')}
        autosize
        minRows={3}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {results.map((result) => (
        <div key={result.email}>
          <strong>{result.email}</strong>
          {result.url ? (
            <div className="secret">
              <code className="mono">{result.url}</code>
              <CopyButton text={result.url} label={t('invite.copy', { email: result.email })} />
            </div>
          ) : (
            <p className="form-error">{result.error}</p>
          )}
        </div>
      ))}
      <Group justify="flex-end">
        <Button variant={results.length ? 'filled' : 'subtle'} color={results.length ? undefined! : 'gray'} onClick={finish}>
          {results.length ? t('setup.finish') : t('setup.skip')}
        </Button>
        <Button
          variant={results.length ? 'default' : 'filled'}
          loading={busy}
          disabled={!splitAddresses(text).length}
          onClick={() => void invite()}
        >
          {t('invite.do')}
        </Button>
      </Group>
    </div>
  )
}
