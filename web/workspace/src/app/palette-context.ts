// The open ticket offers its actions to the palette here, without the palette knowing tickets.
import { createContext, type ReactNode, useContext, useEffect } from 'react'

export interface Action {
  id: string
  label: string
  keys?: string
  icon?: ReactNode
  words?: string
  run: () => void
}
export interface PaletteSource {
  current: { title: string; actions: Action[] } | null
  open: () => void
  compose: () => void
}
export const PaletteContext = createContext<PaletteSource>({ current: null, open: () => {}, compose: () => {} })
export const usePalette = (): PaletteSource => useContext(PaletteContext)

export function useOffer(title: string, actions: Action[]): void {
  const source = usePalette()
  useEffect(() => {
    source.current = { title, actions }
    return () => {
      source.current = null
    }
  })
}
