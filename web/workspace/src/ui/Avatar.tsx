const COLOURS = ['#4263eb', '#9c36b5', '#2b8a3e', '#d9480f', '#0b7285', '#c2255c', '#5f3dc4', '#1971c2']

export function initials(name: string): string {
  const words = name
    .replace(/@.*/, '')
    .split(/[\s._-]+/)
    .filter(Boolean)
  const first = [...(words[0] ?? '?')][0] ?? '?'
  const last = words.length > 1 ? ([...words.at(-1)!][0] ?? '') : ''
  return (first + last).toUpperCase()
}

export function colourOf(seed: string): string {
  let hash = 0
  for (const char of seed) hash = (hash * 31 + char.codePointAt(0)!) >>> 0
  return COLOURS[hash % COLOURS.length]!
}

export function Avatar({ name, size }: { name: string; size?: 'small' | 'large' }) {
  return (
    <span className="avatar" data-size={size} style={{ '--avc': colourOf(name) } as React.CSSProperties} aria-hidden="true">
      {initials(name)}
    </span>
  )
}
