import { useState } from 'react'
import { ApiError, api, setCsrfToken } from '../api/client'
import { queryClient, sessionQuery } from '../api/queries'
import type { Session } from '../api/types'
import { t } from '../i18n'
import { errorText } from '../ui/State'

export function useSignIn() {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState('')
  async function signIn(email: string, password: string): Promise<boolean> {
    setBusy(true)
    setError('')
    try {
      keepSession(await api.post<Session>('/session', { email, password }))
      return true
    } catch (problem) {
      const status = problem instanceof ApiError ? problem.status : 0
      setError(status === 401 ? t('signin.wrong') : status === 429 ? t('signin.throttled') : errorText(problem))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { signIn, busy, error }
}

export function keepSession(session: Session): void {
  setCsrfToken(session.csrf_token)
  queryClient.setQueryData(sessionQuery.queryKey, session)
}
