// What the browser tests stand on: real peers, a real server in a temporary folder, pages with collected errors.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'

export { launch, open, violations } from '../../web/e2e/browser.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const binary = process.env.CAIRN_TEST_BINARY ?? path.join(root, 'build/cairn')
const environment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('CAIRN_')))
export const PASSWORD = 'correct horse battery'
export const PEER_USER = 'user@example.com'
export const PEER_PASSWORD = 'secret "pass\\word" ä'

export async function until(check, what, seconds = 60) {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

// One of tests/peers: its facts, and an end that leaves nothing behind.
export async function startPeer(script, ...words) {
  const child = spawn('/usr/bin/python3', [path.join(root, 'tests/peers', script), ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await once(readline.createInterface(child.stdout), 'line')
  return {
    ...JSON.parse(line),
    async stop() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

export class Cairn {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cairn-browser-'))
  port = 0
  child = null
  setupLink = ''
  token = ''

  constructor(...options) {
    this.options = options
  }
  get url() {
    return `http://127.0.0.1:${this.port}`
  }
  get lmtp() {
    return path.join(this.folder, 'lmtp.sock')
  }
  log = () => fs.readFileSync(path.join(this.folder, 'log'), 'utf8')

  run(words, input = '') {
    const done = spawnSync(binary, [...words, '--data', this.folder], { input, env: environment, encoding: 'utf8' })
    if (done.status) throw new Error(`cairn ${words.join(' ')}: ${done.stderr}`)
    return done.stdout.trim()
  }
  setUp(name, email) {
    this.run(['setup', '--name', name, '--email', email, '--password-stdin'], PASSWORD)
    this.token = this.run(['token', 'create', '--user', email, '--name', 'tests'])
  }

  // Resolves when it answers; the set-up link, if there is one, follows the address.
  async start() {
    const log = fs.openSync(path.join(this.folder, 'log'), 'a')
    this.child = spawn(
      binary,
      ['serve', '--data', this.folder, '--listen', `127.0.0.1:${this.port}`, '--access-log', 'off', '--rate-limits', 'no', ...this.options],
      { env: environment, stdio: ['ignore', 'pipe', log] },
    )
    fs.closeSync(log)
    const lines = readline.createInterface(this.child.stdout)
    lines.on('line', (line) => {
      this.port = Number(/is at \S+:(\d+)$/.exec(line)?.[1] ?? this.port)
      this.setupLink = /(http\S+\/setup\S+)/.exec(line)?.[1] ?? this.setupLink
    })
    await until(() => {
      if (this.child.exitCode !== null) throw new Error(`the server ended: ${this.log()}`)
      return this.port && fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false)
    }, 'the server')
  }
  async kill(signal = 'SIGKILL') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode) return
    this.child.kill(signal)
    await once(this.child, 'exit')
  }
  async remove() {
    await this.kill('SIGTERM')
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  async api(method, where, body) {
    const answer = await fetch(`${this.url}/api/v1${where}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : null
  }
  // A mail into the intake, as a mail server hands it over.
  deliver = (raw) => this.run(['deliver'], raw.replace(/\r?\n/g, '\r\n'))

  async join(email, name) {
    const { invite_url } = await this.api('POST', '/users', { email, name })
    await fetch(`${this.url}/api/v1/links/${invite_url.split('/').at(-1)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ password: PASSWORD, name }),
    })
  }
}

export async function signIn(page, email, password = PASSWORD) {
  await page.getByLabel('E-mail').fill(email)
  await passwordField(page).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

// Pictures for people who work on the pages: CAIRN_SHOTS=FOLDER.
export const passwordField = (within) => within.getByLabel(/^Password/)
export const shot = (page, name) =>
  process.env.CAIRN_SHOTS ? page.screenshot({ path: path.join(process.env.CAIRN_SHOTS, `${name}.png`) }) : undefined
export const editor = (page) => page.locator('[contenteditable=true]')
export const row = (page, text) => page.locator('.row', { hasText: text })
export const message = (page, text) => page.locator('.msg', { hasText: text })
export const framed = (page) => page.frameLocator('.mail-frame').last()
