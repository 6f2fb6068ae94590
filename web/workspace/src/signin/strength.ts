// 1 weak, 2 fair, 3 strong: length counts most, then variety.
export function strength(password: string): 1 | 2 | 3 {
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(password)).length
  const distinct = new Set(password).size
  if (password.length < 10 || distinct < 6) return 1
  return password.length >= 16 || (password.length >= 12 && kinds >= 3) ? 3 : 2
}
