// Addresses as chips: type, comma or Enter adds; Backspace takes the last.
import { IconX } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { t } from '../i18n'
import { splitAddresses, validAddress } from './html'

export function RecipientField({
  label,
  addresses,
  change,
}: {
  label: string
  addresses: string[]
  change: (addresses: string[]) => void
}) {
  const id = useId()
  const [text, setText] = useState('')
  const add = (value: string) => {
    const more = splitAddresses(value)
    if (more.length) change([...new Set([...addresses, ...more])])
    if (more.length || !value.trim()) setText('')
  }
  return (
    <div className="rcpt">
      <label htmlFor={id}>{label}</label>
      {addresses.map((address) => (
        <span key={address} className="chip removable" data-tone={validAddress(address) ? undefined : 'red'}>
          <bdi>{address}</bdi>
          <button
            type="button"
            onClick={() => change(addresses.filter((one) => one !== address))}
            aria-label={t('composer.remove', { name: address })}
          >
            <IconX size={12} />
          </button>
        </span>
      ))}
      <input
        id={id}
        type="text"
        inputMode="email"
        autoComplete="off"
        value={text}
        onChange={(event) => (/[,;\s]$/.test(event.target.value) ? add(event.target.value) : setText(event.target.value))}
        onBlur={() => add(text)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && !event.nativeEvent.isComposing) {
            event.preventDefault()
            add(text)
          }
          if (event.key === 'Backspace' && !text) change(addresses.slice(0, -1))
        }}
      />
    </div>
  )
}
