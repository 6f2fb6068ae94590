import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { ApiError } from '../api/client'
import { t } from '../i18n'
import { errorText } from './State'

const closeButtonProps = { 'aria-label': 'Close' }

export function toast(message: string): void {
  notifications.show({ message, autoClose: 6000, closeButtonProps })
}
export function toastError(error: unknown): void {
  const field = error instanceof ApiError && error.field ? `${error.field}: ` : ''
  notifications.show({ message: field + errorText(error), color: 'red', autoClose: 10_000, closeButtonProps })
}
export function toastUndo(message: string, undo: () => void): void {
  const id = notifications.show({
    autoClose: 10_000,
    closeButtonProps,
    message: (
      <span className="row-flex">
        <span className="grow">{message}</span>
        <Button
          size="compact-xs"
          variant="light"
          onClick={() => {
            notifications.hide(id)
            undo()
          }}
        >
          {t('action.undo')}
        </Button>
      </span>
    ),
  })
}
