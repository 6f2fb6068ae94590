import { Modal, Switch, TextInput } from '@mantine/core'
import { useState } from 'react'
import { t } from '../i18n'
import { keysEnabled, setKeysEnabled } from '../ui/keys'
import { shortcuts } from './shortcuts'

export default function ShortcutHelp({ close }: { close: () => void }) {
  const [text, setText] = useState('')
  const [on, setOn] = useState(keysEnabled())
  const wanted = text.toLowerCase()
  return (
    <Modal opened onClose={close} title={t('help.title')} size="lg">
      <div className="stack">
        <TextInput
          aria-label={t('help.find')}
          placeholder={t('help.find')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          data-autofocus
        />
        <div className="help-grid">
          {shortcuts().map((group) => {
            const keys = group.keys.filter(([, what]) => what.toLowerCase().includes(wanted))
            return keys.length ? (
              <section key={group.title}>
                <h3 className="section-title">{group.title}</h3>
                <dl className="help-list">
                  {keys.map(([key, what]) => (
                    <div key={key}>
                      <dt>{what}</dt>
                      <dd>
                        <kbd>{key}</kbd>
                      </dd>
                    </div>
                  ))}
                </dl>
              </section>
            ) : null
          })}
        </div>
        <Switch
          label={t('help.switch')}
          checked={on}
          onChange={(event) => {
            setOn(event.currentTarget.checked)
            setKeysEnabled(event.currentTarget.checked)
          }}
        />
      </div>
    </Modal>
  )
}
