// The customer's mail program: sends by SMTP, reads by IMAP, takes a mail apart.
import net from 'node:net'

const ends = Buffer.from('\r\n')

class Line {
  constructor(port) {
    this.data = Buffer.alloc(0)
    this.waiting = null
    this.socket = net.connect(port, '127.0.0.1')
    this.socket.on('data', (part) => {
      this.data = Buffer.concat([this.data, part])
      this.waiting?.resolve()
    })
    this.socket.on('error', (error) => this.waiting?.reject(error))
    this.socket.on('close', () => this.waiting?.reject(new Error('the mail server hung up')))
  }
  more = () => new Promise((resolve, reject) => (this.waiting = { resolve, reject }))
  async line() {
    let end
    while ((end = this.data.indexOf(ends)) < 0) await this.more()
    return this.take(end + 2).then((line) => line.subarray(0, end).toString('utf8'))
  }
  async take(n) {
    while (this.data.length < n) await this.more()
    const part = this.data.subarray(0, n)
    this.data = this.data.subarray(n)
    return part
  }
  say = (text) => this.socket.write(`${text}\r\n`)
}

export async function send(port, from, to, raw) {
  const smtp = new Line(port)
  const expect = async (code) => {
    let line
    do line = await smtp.line()
    while (line[3] === '-')
    if (!line.startsWith(code)) throw new Error(`SMTP: ${line}`)
  }
  await expect('220')
  for (const [words, code] of [
    ['EHLO customer.example.com', '250'],
    [`MAIL FROM:<${from}>`, '250'],
    [`RCPT TO:<${to}>`, '250'],
    ['DATA', '354'],
    [`${raw.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..')}\r\n.`, '250'],
    ['QUIT', '221'],
  ]) {
    smtp.say(words)
    await expect(code)
  }
  smtp.socket.destroy()
}

// All messages of the INBOX, as they are stored.
export async function inbox(port, user, password) {
  const imap = new Line(port)
  const found = []
  const command = async (words) => {
    imap.say(`x ${words}`)
    for (;;) {
      const line = await imap.line()
      const literal = /\{(\d+)\}$/.exec(line)
      if (literal) found.push((await imap.take(Number(literal[1]))).toString('latin1'))
      if (line.startsWith('x OK')) return
      if (line.startsWith('x ')) throw new Error(`IMAP: ${line}`)
    }
  }
  await imap.line()
  await command(`AUTHENTICATE PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`)
  await command('EXAMINE INBOX')
  await command('UID FETCH 1:* (BODY.PEEK[])')
  imap.socket.destroy()
  return found
}

// A mail as { headers: { name: unfolded value }, parts: [leaf …], body: Buffer }.
export function parse(raw) {
  const split = raw.indexOf('\r\n\r\n')
  const headers = {}
  for (const line of raw.slice(0, split).replace(/\r\n(?=[ \t])/g, '').split('\r\n'))
    headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 1).trim()
  const text = raw.slice(split + 4)
  const boundary = /boundary="?([^";]+)/i.exec(headers['content-type'] ?? '')?.[1]
  if (boundary) {
    const parts = text.split(`--${boundary}`).slice(1, -1).flatMap((part) => parse(part.slice(2, -2)).parts)
    return { headers, parts }
  }
  const encoding = headers['content-transfer-encoding']?.toLowerCase()
  const body =
    encoding === 'base64'
      ? Buffer.from(text, 'base64')
      : Buffer.from(
          encoding === 'quoted-printable'
            ? text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
            : text,
          'latin1',
        )
  return { headers, parts: [{ headers, body }] }
}
