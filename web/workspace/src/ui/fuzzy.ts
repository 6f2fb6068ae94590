// True when every word of the text is found in the label, or its letters in order.
export function fuzzy(label: string, text: string): boolean {
  const wanted = text.trim().toLowerCase()
  if (!wanted) return true
  const hay = label.toLowerCase()
  if (wanted.split(/\s+/).every((word) => hay.includes(word))) return true
  if (wanted.length < 3) return false
  // Letters in order, but each run must begin at a word: "ainv" finds "All invoices", not any long text.
  const starts = hay.split(/\s+/).filter(Boolean)
  let rest = wanted
  for (const word of starts) {
    let n = 0
    while (n < word.length && n < rest.length && word[n] === rest[n]) n++
    rest = rest.slice(n)
  }
  return rest === ''
}
