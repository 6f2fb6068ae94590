import { Button } from '@mantine/core'
import { t } from '../i18n'
import { useLeaveGuard, useSaveKey } from './useForm'

export function SaveBar({ dirty, busy, save, reset }: { dirty: boolean; busy: boolean; save: () => void; reset: () => void }) {
  useLeaveGuard(dirty && !busy)
  useSaveKey(() => dirty && save())
  return (
    <div className="savebar">
      {dirty && (
        <>
          <span className="dim small grow">{t('form.unsaved')}</span>
          <Button variant="default" size="sm" onClick={reset}>
            {t('form.reset')}
          </Button>
        </>
      )}
      <Button size="sm" onClick={save} loading={busy} disabled={!dirty}>
        {t('form.save')}
      </Button>
    </div>
  )
}
