// Every visible text comes from a catalogue of ICU messages; keys are checked by the compiler.
import { IntlMessageFormat } from 'intl-messageformat'
import en from './en.json'

export type Key = keyof typeof en
export type Values = Record<string, string | number | Date>

// English texts, but dates the way this browser's English writes them.
let locale = globalThis.navigator?.language?.startsWith('en') ? navigator.language : 'en'
let catalogue: Record<Key, string> = en
const compiled = new Map<string, IntlMessageFormat>()

export function setCatalogue(next: string, texts: Partial<Record<Key, string>>): void {
  locale = next
  catalogue = { ...en, ...texts }
  compiled.clear()
}

export function t(key: Key, values?: Values): string {
  let message = compiled.get(key)
  if (!message) {
    message = new IntlMessageFormat(catalogue[key], locale)
    compiled.set(key, message)
  }
  return String(message.format(values))
}

// For names that come from the server (permissions, event types): the text when there is one, else the name itself.
export function tryT(key: string, values?: Values): string | null {
  return key in catalogue ? t(key as Key, values) : null
}

export const currentLocale = (): string => locale
