// Runs the browser tests and says the result in one plain line.
import fs from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../e2e/', import.meta.url))
const files = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs'))
  .map((name) => folder + name)
if (!fs.existsSync(new URL('../dist/index.html', import.meta.url))) {
  console.error('web/dist is missing: npm run build')
  process.exit(1)
}
let passed = 0
let failed = 0
const isTest = (data) => data.details?.type !== 'suite' && !files.includes(data.name)
const stream = run({ files, concurrency: 1, timeout: 600_000 })
stream.on('test:pass', (data) => {
  if (isTest(data)) passed++
})
stream.on('test:fail', (data) => {
  if (isTest(data)) failed++
})
stream.compose(new spec()).pipe(process.stdout)
stream.on('close', () => {
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed || !passed ? 1 : 0)
})
