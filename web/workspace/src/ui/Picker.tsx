// A button that opens a searchable list: assignee, status, tags … One value or several.
import { Popover } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react'
import { t } from '../i18n'

export interface Choice {
  value: string
  label: string
  hint?: string
  icon?: ReactNode
}
interface Props {
  label: string
  choices: Choice[]
  chosen: string[]
  onPick: (value: string) => void
  children: ReactNode
  // The button's own text says what it does; otherwise it shows the value, and is read with the label before it.
  action?: boolean
  multiple?: boolean
  create?: ((name: string) => void) | undefined
  opened?: boolean
  onOpenChange?: (opened: boolean) => void
  className?: string
  disabled?: boolean
}

export function Picker({
  label,
  choices,
  chosen,
  onPick,
  children,
  action,
  multiple,
  create,
  className = 'pick',
  disabled,
  ...control
}: Props) {
  const [own, setOwn] = useState(false)
  const opened = control.opened ?? own
  const setOpened = control.onOpenChange ?? setOwn
  const target = useRef<HTMLButtonElement>(null)
  if (disabled)
    return (
      <span className={className} data-readonly>
        {children}
      </span>
    )
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      shadow="md"
      trapFocus
      returnFocus
      width={260}
      transitionProps={{ duration: 80 }}
    >
      <Popover.Target>
        <button ref={target} type="button" className={className} title={label} onClick={() => setOpened(!opened)}>
          {!action && <span className="vh">{`${label}: `}</span>}
          {children}
        </button>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label={label}>
        {opened && (
          <List
            label={label}
            choices={choices}
            chosen={chosen}
            onPick={onPick}
            close={() => setOpened(false)}
            multiple={multiple}
            create={create}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  )
}

interface ListProps extends Pick<Props, 'label' | 'choices' | 'chosen' | 'onPick' | 'create'> {
  close: () => void
  multiple: boolean | undefined
}

function List({ label, choices, chosen, onPick, close, multiple, create }: ListProps) {
  const id = useId()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const matches = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    const found: Choice[] = choices.filter((choice) => choice.label.toLowerCase().includes(wanted))
    const exact = choices.some((choice) => choice.label.toLowerCase() === wanted)
    return create && wanted && !exact ? [...found, { value: '\0', label: t('picker.create', { name: text.trim() }) }] : found
  }, [choices, text, create])
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' })
  }, [at])
  const pick = (choice: Choice | undefined) => {
    if (!choice) return
    if (choice.value === '\0') create?.(text.trim())
    else onPick(choice.value)
    if (multiple) setText('')
    else close()
  }
  return (
    <>
      <input
        className="pick-search"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={matches[at] ? `${id}-${at}` : undefined}
        aria-label={label}
        placeholder={label}
        value={text}
        data-autofocus
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'ArrowDown') setAt((n) => (n + 1) % Math.max(1, matches.length))
          else if (event.key === 'ArrowUp') setAt((n) => (n + matches.length - 1) % Math.max(1, matches.length))
          else if (event.key === 'Enter') pick(matches[at])
          else return
          event.preventDefault()
        }}
      />
      <div className="pick-list" role="listbox" id={`${id}-list`} aria-label={label} aria-multiselectable={multiple} ref={list}>
        {matches.map((choice, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the combobox that owns this list
          <div
            key={choice.value}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={chosen.includes(choice.value)}
            data-at={i === at || undefined}
            className="pick-item"
            onMouseDown={(event) => event.preventDefault()}
            onMouseMove={() => setAt(i)}
            onClick={() => pick(choice)}
          >
            {choice.icon}
            <span className="grow">
              <span className="ellipsis" dir="auto">
                {choice.label}
              </span>
              {choice.hint && <span className="pick-hint">{choice.hint}</span>}
            </span>
            {chosen.includes(choice.value) && <IconCheck size={15} aria-hidden="true" />}
          </div>
        ))}
      </div>
      {!matches.length && <p className="pick-none">{t('picker.none')}</p>}
    </>
  )
}
