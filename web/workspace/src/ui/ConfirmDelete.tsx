// Deleting asks for the name.
import { Button, Group, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import { t } from '../i18n'

export function ConfirmDelete({ name, label, run }: { name: string; label: string; run: () => void }) {
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  return (
    <>
      <Button variant="light" color="red" size="xs" onClick={() => setOpen(true)} style={{ justifySelf: 'start' }}>
        {label}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={label}>
        <div className="stack">
          <TextInput
            label={t('confirm.type', { name })}
            value={text}
            onChange={(event) => setText(event.target.value)}
            data-autofocus
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => setOpen(false)}>
              {t('action.cancel')}
            </Button>
            <Button
              color="red"
              disabled={text.trim() !== name}
              onClick={() => {
                setOpen(false)
                run()
              }}
            >
              {label}
            </Button>
          </Group>
        </div>
      </Modal>
    </>
  )
}
