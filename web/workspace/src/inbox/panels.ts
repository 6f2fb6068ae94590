// Which panels are open; kept per device.
import { useCallback, useState } from 'react'

export function usePanel(name: string, initial: boolean): [boolean, () => void] {
  const key = `cairn.panel.${name}`
  const [open, setOpen] = useState(() => (localStorage.getItem(key) ?? String(initial)) === 'true')
  const toggle = useCallback(() => {
    setOpen((was) => {
      localStorage.setItem(key, String(!was))
      return !was
    })
  }, [key])
  return [open, toggle]
}
