import { expect, test } from 'vitest'
import { backoff } from '../api/connection'
import { splitAddresses, validAddress } from '../composer/html'
import { pieces } from '../search/Marked'
import { strength } from '../signin/strength'
import { fuzzy } from '../ui/fuzzy'

test('addresses are split out of pasted text', () => {
  expect(splitAddresses('Anna <anna@example.com>, ben@example.com; eve@example.org')).toEqual([
    'anna@example.com',
    'ben@example.com',
    'eve@example.org',
  ])
  expect(validAddress('nobody')).toBe(false)
})
test('marks never overlap or leave the text', () => {
  expect(
    pieces('refund now', [
      [0, 6],
      [3, 8],
      [90, 99],
    ])
      .map((piece) => piece.text)
      .join(''),
  ).toBe('refund now')
})
test('reconnecting waits with jitter, never longer than half a minute', () => {
  expect(backoff(20, 1)).toBe(30_000)
  expect(backoff(0, 0)).toBe(300)
})
test('passwords are judged by length first', () => {
  expect(strength('Short1!')).toBe(1)
  expect(strength('correct horse battery')).toBe(3)
})
test('the palette finds words and initials', () => {
  expect(fuzzy('Assign to me', 'assign')).toBe(true)
  expect(fuzzy('All open', 'zzz')).toBe(false)
})
