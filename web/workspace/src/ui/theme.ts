import { createTheme, type MantineColorsTuple } from '@mantine/core'

const brand: MantineColorsTuple = [
  '#eef1ff',
  '#dbe1ff',
  '#b4c0fb',
  '#8a9cf5',
  '#677df0',
  '#5069ed',
  '#445fec',
  '#364fd2',
  '#2e46bd',
  '#223ba7',
]
const dark: MantineColorsTuple = [
  '#e6e8ec',
  '#c6cbd5',
  '#a2a9b6',
  '#979fad',
  '#3a404c',
  '#2f343f',
  '#23262e',
  '#16181d',
  '#111317',
  '#0b0c0f',
]

export const theme = createTheme({
  primaryColor: 'brand',
  primaryShade: { light: 7, dark: 6 },
  colors: { brand, dark },
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", Menlo, monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: { fontWeight: '600' },
  components: {
    Modal: {
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        overlayProps: { backgroundOpacity: 0.4, blur: 2 },
        transitionProps: { duration: 120 },
      },
    },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false } },
    Menu: { defaultProps: { shadow: 'md', transitionProps: { duration: 80 } } },
  },
})
