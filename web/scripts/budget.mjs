// Weighs the build: first screen ≤ 360 KB of brotli (page, styles, font, entry with its static imports, composer), any lazy part ≤ 160 KB.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const manifest = JSON.parse(fs.readFileSync(path.join(dist, '.vite/manifest.json'), 'utf8'))
const size = (name) => fs.statSync(path.join(dist, fs.existsSync(path.join(dist, `${name}.br`)) ? `${name}.br` : name)).size

function collect(key, seen) {
  const chunk = manifest[key]
  if (seen.has(chunk.file)) return seen
  seen.add(chunk.file)
  for (const css of chunk.css ?? []) seen.add(css)
  for (const other of chunk.imports ?? []) collect(other, seen)
  return seen
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry && key.endsWith('.html'))
const first = collect(entry, new Set())
for (const key of ['src/app/AppShell.tsx', 'src/inbox/InboxPage.tsx', 'src/composer/Composer.tsx'])
  if (manifest[key]) collect(key, first)
const total = [...first].reduce((sum, name) => sum + size(name), 0) + size('index.html')
let failed = 0
const check = (what, bytes, limit) => {
  if (bytes > limit) failed++
  console.log(`${bytes > limit ? 'TOO BIG' : 'ok'} ${what}: ${(bytes / 1024).toFixed(1)} of ${limit / 1024} KB br`)
}
check('first screen', total, 360 * 1024)
const lazy = Object.values(manifest).filter((chunk) => chunk.isDynamicEntry || !first.has(chunk.file))
const largest = lazy.filter((chunk) => /\.js$/.test(chunk.file)).sort((a, b) => size(b.file) - size(a.file))[0]
if (largest) check(`largest lazy part (${largest.file})`, size(largest.file), 160 * 1024)
process.exit(failed ? 1 : 0)
