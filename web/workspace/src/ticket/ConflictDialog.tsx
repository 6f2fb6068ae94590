import { Button, Group, Modal } from '@mantine/core'
import { t } from '../i18n'
import { fieldName, valueName } from './changes'
import type { Conflict } from './useTicketActions'

export function ConflictDialog({ conflict, apply, close }: { conflict: Conflict; apply: () => void; close: () => void }) {
  const rows = Object.entries(conflict.mine).map(([key, mine]) => {
    const name = key.replace(/_id$/, '') as keyof typeof conflict.current
    return { key, mine, theirs: conflict.current[name] }
  })
  return (
    <Modal opened onClose={close} title={t('conflict.title')}>
      <div className="stack">
        {rows.map(({ key, mine, theirs }) => (
          <dl key={key} className="attrs">
            <div>
              <dt>{t('conflict.now', { field: fieldName(key) })}</dt>
              <dd>{valueName(key, theirs)}</dd>
            </div>
            <div>
              <dt>{t('conflict.yours')}</dt>
              <dd>{valueName(key, mine)}</dd>
            </div>
          </dl>
        ))}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            {t('conflict.keep')}
          </Button>
          <Button
            onClick={() => {
              close()
              apply()
            }}
          >
            {t('conflict.apply')}
          </Button>
        </Group>
      </div>
    </Modal>
  )
}
