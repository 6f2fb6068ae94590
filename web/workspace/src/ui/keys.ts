// Single-letter shortcuts: outside of text fields only, never with a dialog open, never during IME composition; can be switched off.
import { useEffect, useRef } from 'react'

export type KeyMap = Record<string, (event: KeyboardEvent) => void>
const SWITCH = 'cairn.keys'
export const keysEnabled = (): boolean => localStorage.getItem(SWITCH) !== 'off'
export const setKeysEnabled = (on: boolean): void => localStorage.setItem(SWITCH, on ? 'on' : 'off')

export function inTextField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) === true &&
        !(target instanceof HTMLInputElement && target.type === 'checkbox')))
  )
}
const layerOpen = () => document.querySelector('[role=dialog],[role=menu],[role=listbox]') !== null

let prefix = ''
let prefixTimer: ReturnType<typeof setTimeout> | undefined

// Names: "j", "Enter", "shift+A", "g i" (one after the other).
export function keyName(event: Pick<KeyboardEvent, 'key' | 'shiftKey'>): string {
  const letter = /^\p{L}$/u.test(event.key)
  return letter && event.shiftKey ? `shift+${event.key.toUpperCase()}` : letter ? event.key.toLowerCase() : event.key
}

export function useKeys(map: KeyMap, enabled = true): void {
  const latest = useRef(map)
  useEffect(() => {
    latest.current = map
  })
  useEffect(() => {
    if (!enabled) return
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
      if (inTextField(event.target) || layerOpen()) return
      const name = keyName(event)
      if (name.length === 1 && !keysEnabled()) return
      // Enter on a focused link or button belongs to it.
      if (name === 'Enter' && event.target instanceof HTMLElement && event.target.closest('a,button')) return
      const action = latest.current[prefix ? `${prefix} ${name}` : name]
      if (!action) return
      event.preventDefault()
      action(event)
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [enabled])
}

// The shell calls this once; it keeps the first key of a sequence for a second.
export function usePrefixKeys(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const was = prefix
      prefix = ''
      if (
        was ||
        event.key !== 'g' ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        inTextField(event.target) ||
        layerOpen() ||
        !keysEnabled()
      )
        return
      prefix = 'g'
      clearTimeout(prefixTimer)
      prefixTimer = setTimeout(() => {
        prefix = ''
      }, 1200)
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}
export const isMac = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? '')
export const modKey = isMac ? '⌘' : 'Ctrl'
