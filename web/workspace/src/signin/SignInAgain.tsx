// The session ended while working: sign in over the page, nothing typed is lost.
import { Button, Modal, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import { queryClient } from '../api/queries'
import { t } from '../i18n'
import { useSignIn } from './useSignIn'

export default function SignInAgain({ email, done }: { email: string; done: () => void }) {
  const [password, setPassword] = useState('')
  const { signIn, busy, error } = useSignIn()
  return (
    <Modal
      opened
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t('again.title')}
    >
      <form
        className="stack"
        onSubmit={async (event) => {
          event.preventDefault()
          if (!(await signIn(email, password))) return
          done()
          void queryClient.invalidateQueries()
        }}
      >
        <p>{t('again.text', { email })}</p>
        <PasswordInput
          label={t('field.password')}
          autoComplete="current-password"
          data-autofocus
          error={error}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" loading={busy}>
          {t('signin.do')}
        </Button>
      </form>
    </Modal>
  )
}
