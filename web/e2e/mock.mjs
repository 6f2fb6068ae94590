// A small server that speaks Cairn's contract from memory: for developing and testing the pages without the C program.
//   node e2e/mock.mjs --port 8091            serves /api and web/dist
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { seed } from './mock-data.mjs'

const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}
// What the real server sends with every page.
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

export function createMock({ needsSetup = false, signedIn = true } = {}) {
  const db = seed()
  const state = {
    db,
    seq: 100,
    events: [],
    sockets: new Set(),
    needsSetup,
    signedIn,
    fail: null,
    undoSeconds: 10,
    requests: [],
    answers: new Map(),
    dropAnswer: null,
  }
  const server = http.createServer((request, response) => void serve(state, request, response))
  server.on('upgrade', (request, socket) => upgrade(state, request, socket))
  return {
    state,
    emit: (type, ticket, data = {}, actor) => emit(state, type, ticket, data, actor),
    customerWrites: (ticketId, text) => customerWrites(state, ticketId, text),
    newTicket: (subject) =>
      newTicket(state, {
        subject,
        requester: { email: 'walk-in@example.com', name: 'Wanda Walk-In' },
        message: { text: `About: ${subject}` },
      }),
    dropSockets: () => {
      for (const socket of state.sockets) socket.destroy()
      state.sockets.clear()
    },
    listen: (port = 0) =>
      new Promise((resolve) => {
        server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`))
      }),
    close: () => {
      for (const socket of state.sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}

class Problem extends Error {
  constructor(status, code, detail, extra = {}) {
    super(detail)
    this.status = status
    this.body = {
      type: 'about:blank',
      status,
      code,
      title: code,
      detail,
      field: null,
      request_id: crypto.randomBytes(8).toString('hex'),
      ...extra,
    }
  }
}

async function serve(state, request, response) {
  const url = new URL(request.url, 'http://mock')
  if (!url.pathname.startsWith('/api/')) return page(url, response)
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const raw = Buffer.concat(chunks)
  state.requests.push({
    method: request.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    body: raw.toString(),
    key: request.headers['idempotency-key'],
  })
  try {
    const isJson = /json/.test(request.headers['content-type'] ?? '')
    const call = {
      state,
      method: request.method,
      path: url.pathname.slice('/api/v1'.length),
      query: url.searchParams,
      body: isJson && raw.length ? JSON.parse(raw) : {},
      raw,
      headers: request.headers,
    }
    if (state.fail?.(call)) throw new Problem(503, 'unavailable', 'The database does not answer.')
    const key = request.method === 'POST' ? request.headers['idempotency-key'] : undefined
    const result = state.answers.get(key) ?? route(call)
    if (key) state.answers.set(key, result)
    if (state.dropAnswer?.(call)) return response.destroy()
    if (result?.bytes) {
      response.writeHead(200, { 'content-type': result.type, 'cache-control': 'private' })
      return response.end(result.bytes)
    }
    if (result === undefined) return response.writeHead(204).end()
    response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(result))
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error)
    const problem = error instanceof Problem ? error : new Problem(500, 'internal', String(error))
    response.writeHead(problem.status, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify(problem.body))
  }
}

function page(url, response) {
  let file = path.join(DIST, path.normalize(url.pathname))
  if (!file.startsWith(DIST) || !fs.existsSync(file) || fs.statSync(file).isDirectory()) file = path.join(DIST, 'index.html')
  response.writeHead(200, {
    'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
    'content-security-policy': CSP,
  })
  fs.createReadStream(file).pipe(response)
}

const routes = []
const on = (method, pattern, handler) =>
  routes.push({ method, match: new RegExp(`^${pattern.replace(/\{\w+\}/g, '([^/]+)')}$`), handler })
const PUBLIC = /^\/(setup|links\/|session$)/

function route(call) {
  if (!call.state.signedIn && !PUBLIC.test(call.path)) throw new Problem(401, 'unauthorized', 'Sign in first.')
  for (const { method, match, handler } of routes) {
    const found = method === call.method && call.path.match(match)
    if (found) return handler(call, ...found.slice(1).map(decodeURIComponent))
  }
  throw new Problem(404, 'not_found', `No ${call.method} ${call.path}`)
}

const find = (list, id) => {
  const one = list.find((item) => item.id === id)
  if (!one) throw new Problem(404, 'not_found', 'There is no such thing.')
  return one
}
function paged(call, list) {
  const limit = Number(call.query.get('limit') ?? 50)
  const from = Number(call.query.get('cursor') ?? 0)
  return { items: list.slice(from, from + limit), next_cursor: from + limit < list.length ? String(from + limit) : null }
}
const now = () => new Date().toISOString()
let nextId = 900_000
const newId = () => String(++nextId)

// ---- session and set-up
const session = ({ db }) => ({
  user: db.me,
  account: db.account,
  role: db.roles[0],
  permissions: db.roles[0].permissions,
  csrf_token: 'csrf',
})
on('GET', '/session', ({ state }) => {
  if (!state.signedIn || state.needsSetup) throw new Problem(401, 'unauthorized', 'Sign in first.')
  return session(state)
})
on('POST', '/session', ({ state, body }) => {
  if (body.password !== 'correct horse battery') throw new Problem(401, 'unauthorized', 'E-mail or password is wrong.')
  state.signedIn = true
  return session(state)
})
on('DELETE', '/session', ({ state }) => {
  state.signedIn = false
})
on('PATCH', '/session/user', ({ state, body }) => Object.assign(state.db.me, body, { password: undefined }))
on('GET', '/setup', ({ state }) => ({ needed: state.needsSetup }))
on('POST', '/setup', ({ state, body }) => {
  if (body.secret !== 'first-run') throw new Problem(403, 'forbidden', 'The set-up code is wrong.', { field: 'secret' })
  if (body.password.length < 10) throw new Problem(422, 'invalid', 'At least 10 characters.', { field: 'password' })
  Object.assign(state.db.account, { name: body.account_name })
  Object.assign(state.db.me, { name: body.name, email: body.email })
  state.needsSetup = false
  state.signedIn = true
  return session(state)
})
on('GET', '/links/{secret}', (_, secret) => {
  if (secret !== 'good') throw new Problem(404, 'not_found', 'The link is used up.')
  return { purpose: 'invite', email: 'newcomer@example.com', name: '' }
})
on('POST', '/links/{secret}', ({ state }) => {
  state.signedIn = true
  return session(state)
})
on('PATCH', '/account', ({ state, body }) => Object.assign(state.db.account, body))

// ---- plain collections
for (const [name, key] of Object.entries({
  users: 'users',
  teams: 'teams',
  roles: 'roles',
  tokens: 'tokens',
  tags: 'tags',
  contacts: 'contacts',
  organizations: 'organizations',
  mailboxes: 'mailboxes',
  suppressions: 'suppressions',
  jobs: 'jobs',
  'mail-log': 'mails',
})) {
  on('GET', `/${name}`, (call) => {
    const q = (call.query.get('q') ?? '').toLowerCase()
    let list = call.state.db[key].filter((one) => !q || JSON.stringify(one).toLowerCase().includes(q))
    for (const filter of ['direction', 'state'])
      if (name === 'mail-log' && call.query.get(filter)) list = list.filter((one) => one[filter] === call.query.get(filter))
    if (call.query.get('organization_id')) list = list.filter((one) => one.organization?.id === call.query.get('organization_id'))
    return paged(call, list)
  })
  on('GET', `/${name}/{id}`, ({ state }, id) => find(state.db[key], id))
  on('PATCH', `/${name}/{id}`, ({ state, body }, id) => {
    const one = find(state.db[key], id)
    if (body.expected_version !== undefined && body.expected_version !== one.version)
      throw new Problem(409, 'conflict', 'It was changed meanwhile.', { current: one })
    const {
      expected_version: _v,
      organization_id,
      role_id,
      add_identities,
      remove_identity_ids,
      incoming,
      outgoing,
      ...rest
    } = body
    Object.assign(one, rest, { version: (one.version ?? 0) + 1 })
    if (role_id) one.role = find(state.db.roles, role_id)
    if (organization_id !== undefined) one.organization = state.db.organizations.find((org) => org.id === organization_id) ?? null
    if (incoming) one.incoming = { ...one.incoming, ...incoming, password: undefined }
    if (outgoing) one.outgoing = { ...one.outgoing, ...outgoing, password: undefined }
    for (const identity of add_identities ?? []) one.identities.push({ id: newId(), primary: false, ...identity })
    if (remove_identity_ids) one.identities = one.identities.filter((identity) => !remove_identity_ids.includes(identity.id))
    return one
  })
  on('DELETE', `/${name}/{id}`, ({ state }, id) => {
    if (key === 'tokens') find(state.db.tokens, id).revoked_at = now()
    else state.db[key] = state.db[key].filter((one) => one.id !== id)
  })
}
const create = (name, key, make) =>
  on('POST', `/${name}`, (call) => {
    const one = { id: newId(), version: 1, created_at: now(), ...make(call) }
    call.state.db[key].push(one)
    return one
  })
create('users', 'users', ({ state, body }) => {
  if (state.db.users.some((user) => user.email === body.email))
    throw new Problem(409, 'conflict', 'This person is a user already.', { field: 'email' })
  return {
    name: body.name ?? '',
    email: body.email,
    status: 'invited',
    role: state.db.roles[1],
    team_ids: [],
    signature: '',
    locale: 'en',
    time_zone: 'UTC',
    last_seen_at: null,
    invite_url: 'https://desk.example.com/links/0123456789abcdef0123456789abcdef',
  }
})
create('teams', 'teams', ({ body }) => ({ description: '', archived: false, member_ids: [], ...body }))
create('roles', 'roles', ({ body }) => ({ only_own_teams: false, builtin: false, ...body }))
create('tags', 'tags', ({ body }) => ({ uses: 0, ...body }))
create('tokens', 'tokens', ({ body }) => ({
  name: body.name,
  prefix: 'cairn_ab12',
  permissions: body.permissions ?? null,
  last_used_at: null,
  expires_at: body.expires_at ?? null,
  revoked_at: null,
  token: `cairn_${crypto.randomBytes(16).toString('hex')}`,
}))
create('contacts', 'contacts', ({ body }) => ({
  name: body.name ?? '',
  email: body.email ?? '',
  identities: [{ id: newId(), kind: 'email', value: body.email, primary: true }],
  organization: null,
  language: null,
  time_zone: null,
  notes: '',
  fields: {},
  blocked: false,
  updated_at: now(),
}))
create('organizations', 'organizations', ({ body }) => ({ domains: [], notes: '', fields: {}, updated_at: now(), ...body }))
create('mailboxes', 'mailboxes', ({ body }) => ({
  oauth: null,
  dkim: null,
  state: 'unknown',
  state_detail: null,
  state_at: null,
  updated_at: now(),
  ...body,
}))
on('POST', '/mailboxes/test', ({ body }) => ({
  incoming: body.incoming.host.includes('wrong')
    ? { ok: false, detail: 'There is no server of this name. Is it spelt right?', field: 'incoming.host' }
    : { ok: true, detail: 'Signed in; 12 messages in INBOX.', field: null },
  outgoing: { ok: true, detail: 'Signed in; may send.', field: null },
}))
on('POST', '/mailboxes/{id}/backfill', ({ state, body }, id) =>
  Object.assign(find(state.db.mailboxes, id), { backfill_since: body.since }),
)
on('POST', '/users/{id}/invite', () => ({ invite_url: 'https://desk.example.com/links/fedcba9876543210fedcba9876543210' }))
on('POST', '/mail-log/{id}/process', ({ state }, id) => Object.assign(find(state.db.mails, id), { state: 'processed' }))
on('POST', '/jobs/{id}/retry', ({ state }, id) => {
  state.db.jobs = state.db.jobs.filter((job) => job.id !== id)
  return { id }
})
const SOURCE = {
  bytes:
    'From: Chloe <chloe@example.com>\r\nTo: support@example.org\r\nSubject: Package arrived damaged\r\nMessage-ID: <1@example.com>\r\n\r\nThe box was open.\r\n',
  type: 'message/rfc822',
}
on('GET', '/mail-log/{id}/source', () => SOURCE)
on('GET', '/messages/{id}/source', () => SOURCE)
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
on('GET', '/messages/{id}/remote-image', () => ({ bytes: PIXEL, type: 'image/png' }))

// ---- tickets
const brief = ({ messages: _m, participants: _p, ...ticket }) => ({ ...ticket, participants: null })
const full = (ticket) => ({
  ...ticket,
  messages: ticket.messages.slice(-20),
  messages_cursor: ticket.messages.length > 20 ? String(ticket.messages.length - 20) : null,
})
const UNRESOLVED = ['new', 'open', 'pending', 'on_hold']
on('GET', '/tickets', (call) => {
  const { query, state } = call
  const statuses = query
    .get('status')
    ?.split(',')
    .flatMap((status) => (status === 'unresolved' ? UNRESOLVED : [status]))
  const wanted = (ticket) =>
    ticket.spam === (query.get('spam') === 'true') &&
    (!statuses || statuses.includes(ticket.status)) &&
    (!query.get('team_id') || ticket.team?.id === query.get('team_id')) &&
    (!query.get('requester_id') || ticket.requester.id === query.get('requester_id')) &&
    (!query.get('organization_id') || ticket.requester.organization?.id === query.get('organization_id')) &&
    (!query.get('tag') || ticket.tags.includes(query.get('tag'))) &&
    (!query.get('priority') || ticket.priority === query.get('priority')) &&
    (!query.get('assignee_id') ||
      (ticket.assignee?.id ?? 'none') === (query.get('assignee_id') === 'me' ? state.db.me.id : query.get('assignee_id')))
  const [, descending, key] = (query.get('sort') ?? '-activity').match(/^(-?)(\w+)$/)
  const at = (ticket) => (key === 'created' ? ticket.created_at : ticket.activity_at)
  return paged(
    call,
    state.db.tickets
      .filter(wanted)
      .sort((a, b) => (at(a) < at(b) ? -1 : 1) * (descending ? -1 : 1))
      .map(brief),
  )
})
on('GET', '/tickets/counts', ({ state }) => {
  const live = state.db.tickets.filter((ticket) => !ticket.spam)
  const count = (test) => live.filter(test).length
  const open = (ticket) => ticket.status === 'new' || ticket.status === 'open'
  return {
    mine: count((ticket) => ticket.assignee?.id === state.db.me.id && UNRESOLVED.includes(ticket.status)),
    unassigned: count((ticket) => !ticket.assignee && open(ticket)),
    open: count(open),
    ...Object.fromEntries(
      ['pending', 'on_hold', 'resolved', 'closed'].map((status) => [status, count((ticket) => ticket.status === status)]),
    ),
    unresolved: count((ticket) => UNRESOLVED.includes(ticket.status)),
    spam: state.db.tickets.filter((ticket) => ticket.spam).length,
    teams: state.db.teams.map((team) => ({
      team_id: team.id,
      open: count((ticket) => ticket.team?.id === team.id && open(ticket)),
    })),
  }
})
on('GET', '/tickets/{id}', ({ state }, id) => full(find(state.db.tickets, id)))
on('POST', '/tickets', ({ state, body }) => brief(newTicket(state, body)))
function newTicket(state, body) {
  const number = Math.max(...state.db.tickets.map((ticket) => ticket.number)) + 1
  const ticket = {
    ...structuredClone(state.db.tickets[0]),
    id: newId(),
    number,
    version: 1,
    subject: body.subject,
    status: 'new',
    priority: body.priority ?? 'normal',
    requester: { id: newId(), organization: null, name: '', ...body.requester },
    participants: [],
    tags: [],
    team: null,
    assignee: null,
    preview: body.message.text,
    message_count: 1,
    created_at: now(),
    activity_at: now(),
    customer_at: now(),
    agent_at: null,
    messages: [],
  }
  ticket.messages.push(state.db.message(ticket, { text: body.message.text, created_at: now() }))
  state.db.tickets.push(ticket)
  emit(state, 'ticket.created', ticket, {}, { kind: 'contact', id: ticket.requester.id })
  return ticket
}
on('PATCH', '/tickets/{id}', ({ state, body }, id) => {
  const ticket = find(state.db.tickets, id)
  if (body.expected_version !== undefined && body.expected_version !== ticket.version)
    throw new Problem(409, 'conflict', 'The ticket was changed meanwhile.', { current: brief(ticket), newer_messages: [] })
  change(state, ticket, body)
  return { ...ticket, messages: undefined }
})
function change(state, ticket, body, actor) {
  const data = {}
  for (const key of ['subject', 'status', 'priority', 'severity', 'type', 'tags', 'spam']) {
    if (body[key] === undefined || body[key] === ticket[key]) continue
    data[key] = [ticket[key], body[key]]
    ticket[key] = body[key]
  }
  for (const tag of body.add_tags ?? []) if (!ticket.tags.includes(tag)) ticket.tags = [...ticket.tags, tag]
  if (body.assignee_id !== undefined) {
    data.assignee_id = [ticket.assignee?.id ?? null, body.assignee_id]
    const user = state.db.users.find((one) => one.id === body.assignee_id)
    ticket.assignee = user ? { id: user.id, name: user.name } : null
  }
  if (body.team_id !== undefined) {
    data.team_id = [ticket.team?.id ?? null, body.team_id]
    const team = state.db.teams.find((one) => one.id === body.team_id)
    ticket.team = team ? { id: team.id, name: team.name } : null
  }
  ticket.version++
  ticket.updated_at = now()
  emit(state, 'ticket.changed', ticket, data, actor)
}
on('POST', '/tickets/{id}/merge', ({ state, body }, id) => {
  const from = find(state.db.tickets, id)
  const into = find(state.db.tickets, body.into_id)
  into.messages.push(...from.messages)
  Object.assign(from, { status: 'closed', merged_into: into.id, messages: [] })
  emit(state, 'ticket.merged', into)
  return brief(into)
})
on('GET', '/tickets/{id}/messages', ({ state, query }, id) => {
  const { messages } = find(state.db.tickets, id)
  const end = Number(query.get('cursor') ?? messages.length)
  const start = Math.max(0, end - 20)
  return { items: messages.slice(start, end).reverse(), next_cursor: start ? String(start) : null }
})
on('POST', '/tickets/{id}/messages', ({ state, body }, id) => {
  const ticket = find(state.db.tickets, id)
  const newer = ticket.messages.filter((message) => message.at_version > (body.expected_version ?? Infinity))
  if (body.expected_version !== undefined && body.expected_version !== ticket.version)
    throw new Problem(409, 'conflict', 'The ticket was changed meanwhile.', { current: brief(ticket), newer_messages: newer })
  const text = (body.html ?? body.text ?? '').replace(/<[^>]+>/g, ' ').trim()
  const isPublic = body.visibility === 'public'
  const message = state.db.message(ticket, {
    author: { kind: 'user', id: state.db.me.id, name: state.db.me.name, email: state.db.me.email },
    visibility: body.visibility,
    text,
    html: body.html ?? null,
    created_at: now(),
    to: isPublic ? (body.to ?? [ticket.requester.email]).map((address) => ({ name: '', address })) : [],
    attachments: (body.attachments ?? []).map((one) => find(state.db.attachments, one)),
    delivery: isPublic ? 'held' : 'none',
    send_at: isPublic ? new Date(Date.now() + state.undoSeconds * 1000).toISOString() : null,
  })
  ticket.messages.push(message)
  ticket.message_count++
  ticket.version++
  Object.assign(ticket, {
    preview: text,
    activity_at: now(),
    agent_at: now(),
    ...(body.status ? { status: body.status } : isPublic && ticket.status === 'new' ? { status: 'open' } : {}),
  })
  emit(state, 'message.created', ticket)
  if (isPublic)
    setTimeout(() => {
      if (message.delivery !== 'held') return
      Object.assign(message, { delivery: 'sent', send_at: null })
      emit(state, 'message.changed', ticket)
    }, state.undoSeconds * 1000).unref()
  return message
})
function customerWrites(state, id, text) {
  const ticket = find(state.db.tickets, id)
  ticket.version++
  ticket.messages.push(state.db.message(ticket, { text, created_at: now(), at_version: ticket.version }))
  Object.assign(ticket, {
    preview: text,
    message_count: ticket.message_count + 1,
    activity_at: now(),
    customer_at: now(),
    status: 'open',
  })
  emit(state, 'message.created', ticket, {}, { kind: 'contact', id: ticket.requester.id })
}
const messageOf = (state, ticketId, id) => find(find(state.db.tickets, ticketId).messages, id)
on('DELETE', '/tickets/{id}/messages/{message}/delivery', ({ state }, id, messageId) => {
  const message = messageOf(state, id, messageId)
  if (message.delivery !== 'held') throw new Problem(409, 'conflict', 'It has left already.')
  return Object.assign(message, { delivery: 'cancelled', send_at: null })
})
on('POST', '/tickets/{id}/messages/{message}/delivery', ({ state }, id, messageId) =>
  Object.assign(messageOf(state, id, messageId), { delivery: 'queued', delivery_detail: null }),
)
on('GET', '/tickets/{id}/recipients', ({ state, query }, id) => {
  const ticket = find(state.db.tickets, id)
  const list = (name, or) =>
    (query.get(name) === null ? or : query.get(name).split(',').filter(Boolean)).map((address) => ({ name: '', address }))
  const to = list('to', [ticket.requester.email])
  const cc = list(
    'cc',
    (ticket.participants ?? []).filter((one) => one.role === 'cc').map((one) => one.contact.email),
  )
  const known = [ticket.requester.email, ...(ticket.participants ?? []).map((one) => one.contact.email)]
  return {
    to,
    cc,
    from: { name: 'Support', address: 'support@example.org' },
    warnings: [...to, ...cc]
      .filter((one) => !known.includes(one.address))
      .map((one) => ({ code: 'outsider', address: one.address, text: `${one.address} has not been part of this conversation.` })),
  }
})
on('GET', '/tickets/{id}/events', (call, id) =>
  paged(
    call,
    call.state.events.filter((event) => event.ticket_id === id),
  ),
)

// ---- attachments, search
on('POST', '/attachments', ({ state, query, raw, headers }) => {
  const id = newId()
  const one = {
    id,
    file_name: query.get('file_name'),
    content_type: headers['content-type'],
    size: raw.length,
    inline: false,
    content_id: `${id}@cairn`,
    created_at: now(),
  }
  state.db.attachments.push({ ...one, raw })
  return one
})
on('GET', '/attachments/{id}/content', ({ state }, id) => {
  const one = state.db.attachments.find((attachment) => attachment.id === id)
  return { bytes: one?.raw ?? PIXEL, type: one?.content_type ?? 'image/png' }
})
on('GET', '/search', (call) => {
  const words = (call.query.get('q') ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word && !word.includes(':'))
  const items = call.state.db.tickets.flatMap((ticket) => {
    const text = `${ticket.subject} ${ticket.preview} #${ticket.number}`.toLowerCase()
    if (!words.length || !words.every((word) => text.includes(word.replace(/[*"]/g, '')))) return []
    const at = ticket.preview.toLowerCase().indexOf(words[0])
    return [
      {
        kind: 'ticket',
        ticket: brief(ticket),
        message_id: null,
        contact: null,
        title: ticket.subject,
        snippet: ticket.preview,
        marks: at < 0 ? [] : [[at, at + words[0].length]],
        at: ticket.activity_at,
      },
    ]
  })
  return paged(call, items)
})

// ---- the stream: a WebSocket that only sends
function emit(state, type, ticket, data = {}, actor = { kind: 'user', id: state.db.me.id }) {
  const event = {
    seq: ++state.seq,
    at: now(),
    type,
    ticket_id: ticket?.id ?? null,
    team_id: null,
    assignee_id: null,
    subject_id: null,
    actor,
    data,
  }
  state.events.push(event)
  for (const socket of state.sockets) send(socket, event)
}
function upgrade(state, request, socket) {
  if (state.fail?.({ path: '/stream' })) return socket.destroy()
  const accept = crypto
    .createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.on('error', () => {})
  socket.on('data', (data) => {
    if ((data[0] & 15) === 8) socket.end()
  })
  socket.on('close', () => state.sockets.delete(socket))
  state.sockets.add(socket)
  send(socket, { type: 'hello', seq: state.seq })
  const after = new URL(request.url, 'http://mock').searchParams.get('after')
  if (after !== null) for (const event of state.events) if (event.seq > Number(after)) send(socket, event)
}
function send(socket, value) {
  const text = Buffer.from(JSON.stringify(value))
  const head =
    text.length < 126 ? Buffer.from([0x81, text.length]) : Buffer.from([0x81, 126, text.length >> 8, text.length & 255])
  socket.write(Buffer.concat([head, text]))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const at = process.argv.indexOf('--port')
  const mock = createMock({ needsSetup: process.argv.includes('--setup') })
  console.log(await mock.listen(at > 0 ? Number(process.argv[at + 1]) : 8091))
}
