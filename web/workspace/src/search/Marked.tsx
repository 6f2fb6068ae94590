// Text with the found words marked; the marks are [from, to) in UTF-16 units.
export function Marked({ text, marks }: { text: string; marks: [number, number][] }) {
  return pieces(text, marks).map((piece, i) =>
    piece.marked ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one fixed text
      <mark key={i}>{piece.text}</mark>
    ) : (
      piece.text
    ),
  )
}

export function pieces(text: string, marks: [number, number][]): { text: string; marked: boolean }[] {
  const found: { text: string; marked: boolean }[] = []
  let at = 0
  for (const [from, to] of [...marks].sort((a, b) => a[0] - b[0])) {
    const start = Math.max(at, from)
    if (to <= start || start >= text.length) continue
    if (start > at) found.push({ text: text.slice(at, start), marked: false })
    found.push({ text: text.slice(start, to), marked: true })
    at = to
  }
  if (at < text.length) found.push({ text: text.slice(at), marked: false })
  return found
}
