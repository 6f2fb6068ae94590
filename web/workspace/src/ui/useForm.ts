// State of a form: values, what changed, the server's errors at their fields, Ctrl+S and a guard against leaving.
import { useBlocker } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/client'
import { t } from '../i18n'
import { errorText } from './State'
import { toastError } from './toast'

export function useForm<T extends object>(initial: T, fields: string[] = Object.keys(initial)) {
  const [start, setStart] = useState(initial)
  const [values, setValues] = useState(initial)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)
  const dirty = JSON.stringify(values) !== JSON.stringify(start)
  return {
    values,
    errors,
    busy,
    dirty,
    setErrors,
    set(part: Partial<T>) {
      setValues((old) => ({ ...old, ...part }))
      setErrors((old) => Object.fromEntries(Object.entries(old).filter(([key]) => !(key.split('.')[0]! in part))))
    },
    reset(next: T = start) {
      setStart(next)
      setValues(next)
      setErrors({})
    },
    async submit(send: (values: T) => Promise<T | undefined>): Promise<boolean> {
      setBusy(true)
      setErrors({})
      try {
        const next = (await send(values)) ?? values
        setStart(next)
        setValues(next)
        return true
      } catch (error) {
        if (
          error instanceof ApiError &&
          error.field &&
          fields.some((field) => error.field === field || error.field!.startsWith(`${field}.`))
        )
          setErrors({ [error.field]: errorText(error) })
        else toastError(error)
        return false
      } finally {
        setBusy(false)
      }
    },
  }
}

export function useLeaveGuard(dirty: boolean): void {
  useBlocker({ shouldBlockFn: () => dirty && !confirm(t('form.leave')), enableBeforeUnload: dirty })
}

export function useSaveKey(save: () => void): void {
  const latest = useRef(save)
  useEffect(() => {
    latest.current = save
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 's') return
      event.preventDefault()
      latest.current()
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}
