// Invented data for the mock server: enough of everything to look real.
const MINUTE = 60_000
const PEOPLE = [
  ['Chloe Sample', 'chloe@example.com', 0],
  ['Nadia Demo', 'nadia@example.com', null],
  ['Yusuf Placeholder', 'yusuf@example.net', 1],
  ['Amara Specimen', 'amara@example.net', 1],
  ['Jonas Testmann', 'jonas@example.org', null],
  ['Farah Fictive', 'farah@example.com', 0],
  ['Kwame Mockup', 'kwame@example.net', 1],
  ['Viktor Dummy', 'viktor@example.org', null],
  ['سارة مثال', 'sara@example.com', 0],
]
const SUBJECTS = [
  'Package arrived damaged, photos attached',
  'Refund for order 48213 has not arrived',
  'Export to CSV times out for large reports',
  'Invoice shows the wrong VAT number',
  'How do I add a teammate to our plan?',
  'Charged twice for the same order',
  'Size exchange for the trail jacket',
  'Request for a data processing agreement',
  'لم تصل الطلبية بعد',
]
const TEXTS = [
  'Hi, the box was open when it arrived and the colour was wrong. The tracking page says you received my return on the 4th, but I still do not see the money on my card.\n\nCould you check what is going on?',
  'Thanks for the quick answer! One more thing before I send it back: do I need the original box?',
  'We need this fixed before Friday, it blocks our whole finance team. The export worked last month: https://status.example.com/reports',
  'Great, that worked 🎉 You can close the ticket.',
]
const TAGS = ['refund', 'shipping', 'vip', 'bug', 'billing']
const ALL = [
  'ticket.read',
  'ticket.write',
  'ticket.reply',
  'ticket.delete',
  'contact.read',
  'contact.write',
  'tag.write',
  'user.read',
  'user.write',
  'mailbox.read',
  'mailbox.write',
  'mail_log.read',
  'account.write',
  'event.read',
  'token.write',
  'job.read',
]

export function seed(count = 140) {
  const base = Date.now()
  const ago = (minutes) => new Date(base - minutes * MINUTE).toISOString()
  const roles = [
    { id: '1', name: 'Administrator', permissions: ALL, only_own_teams: false, builtin: true, version: 1 },
    { id: '2', name: 'Agent', permissions: ALL.slice(0, 8), only_own_teams: false, builtin: true, version: 1 },
    {
      id: '3',
      name: 'Light agent',
      permissions: ['ticket.read', 'ticket.write', 'contact.read'],
      only_own_teams: true,
      builtin: false,
      version: 1,
    },
  ]
  const user = (id, name, role, status = 'active') => ({
    id,
    name,
    email: `${name.split(' ')[0].toLowerCase()}@desk.example`,
    status,
    role: { id: role.id, name: role.name },
    team_ids: [],
    signature: '',
    locale: 'en',
    time_zone: 'Europe/Berlin',
    last_seen_at: status === 'active' ? ago(3) : null,
    created_at: ago(90_000),
    version: 1,
  })
  const users = [
    user('10', 'Maya Example', roles[0]),
    user('11', 'Tom Template', roles[1]),
    user('12', 'Sara Stand-In', roles[1]),
    user('13', 'Ines Invited', roles[2], 'invited'),
  ]
  const teams = ['Billing', 'Shipping', 'Technical'].map((name, i) => ({
    id: String(20 + i),
    name,
    description: `Everything about ${name.toLowerCase()}`,
    archived: false,
    member_ids: ['10', i ? '11' : '12'],
    version: 1,
    created_at: ago(90_000),
  }))
  const organizations = ['Bluebird Example Travel', 'Northwind Example Tools'].map((name, i) => ({
    id: String(30 + i),
    name,
    domains: [i ? 'example.net' : 'example.com'],
    notes: '',
    fields: {},
    created_at: ago(80_000),
    updated_at: ago(80_000),
    version: 1,
  }))
  const contacts = PEOPLE.map(([name, email, org], i) => ({
    id: String(40 + i),
    name,
    email,
    identities: [{ id: `${400 + i}`, kind: 'email', value: email, primary: true }],
    organization: org === null ? null : { id: organizations[org].id, name: organizations[org].name },
    language: 'en',
    time_zone: null,
    notes: i ? '' : 'Prefers short answers. Renewal in May.',
    fields: {},
    blocked: false,
    created_at: ago(50_000 + i),
    updated_at: ago(500),
    version: 1,
  }))
  let messageId = 5000
  const message = (ticket, part) => ({
    id: String(++messageId),
    ticket_id: ticket.id,
    visibility: 'public',
    author: { kind: 'contact', id: ticket.requester.id, name: ticket.requester.name, email: ticket.requester.email },
    channel: 'email',
    automatic: false,
    subject: ticket.subject,
    text: '',
    html: null,
    quoted_text: null,
    quoted_html: null,
    from: null,
    to: [{ name: 'Support', address: 'support@example.org' }],
    cc: [],
    bcc: [],
    attachments: [],
    mail_id: '1',
    delivery: 'none',
    delivery_detail: null,
    send_at: null,
    version: 1,
    at_version: 0,
    ...part,
  })
  const agent = (one) => ({ kind: 'user', id: one.id, name: one.name, email: one.email })

  const tickets = Array.from({ length: count }, (_, i) => {
    const person = contacts[i % contacts.length]
    const status = ['new', 'open', 'open', 'pending', 'open', 'on_hold', 'new', 'resolved', 'open', 'closed'][i % 10]
    const ticket = {
      id: String(1000 + i),
      number: 1100 - i,
      version: 3,
      subject: SUBJECTS[i % SUBJECTS.length],
      status,
      priority: i % 11 === 2 ? 'urgent' : i % 7 === 3 ? 'high' : 'normal',
      severity: null,
      type: i % 4 ? 'question' : 'problem',
      channel: 'email',
      team: i % 3 ? { id: teams[i % 3].id, name: teams[i % 3].name } : null,
      assignee: i % 2 ? { id: users[i % 3].id, name: users[i % 3].name } : null,
      requester: { id: person.id, name: person.name, email: person.email, organization: person.organization },
      participants:
        i % 5
          ? []
          : [
              {
                contact: { id: contacts[(i + 1) % 9].id, name: contacts[(i + 1) % 9].name, email: contacts[(i + 1) % 9].email },
                role: 'cc',
              },
            ],
      mailbox: { id: '50', name: 'Support', address: 'support@example.org' },
      tags: TAGS.filter((_tag, n) => (i + n) % 4 === 0),
      fields: {},
      spam: i % 47 === 46,
      merged_into: null,
      follow_up_of: null,
      preview: TEXTS[i % 4].replaceAll('\n', ' '),
      message_count: 3,
      created_at: ago(i * 31 + 900),
      updated_at: ago(i * 31 + 9),
      activity_at: ago(i * 31 + 9),
      customer_at: ago(i * 31 + 9),
      agent_at: ago(i * 31 + 400),
      first_reply_at: null,
      first_resolved_at: null,
      resolved_at: null,
      closed_at: null,
      reopened_count: i % 6 ? 0 : 1,
    }
    ticket.messages = [
      message(ticket, { text: TEXTS[0], created_at: ago(i * 31 + 900) }),
      message(ticket, {
        text: 'Thanks for writing in! I can see the parcel reached our warehouse. Let me find out where the refund is.',
        created_at: ago(i * 31 + 400),
        author: agent(users[2]),
        to: [{ name: person.name, address: person.email }],
        delivery: 'sent',
      }),
      message(ticket, { text: TEXTS[i % 4], created_at: ago(i * 31 + 9) }),
    ]
    return ticket
  })
  rich(tickets[0], message, users, ago, agent)
  const incoming = {
    kind: 'imap',
    host: 'imap.example.org',
    port: 993,
    security: 'tls',
    auth: 'password',
    user: 'support@example.org',
    folder: 'INBOX',
    trusted_host: '',
    has_password: true,
  }
  const outgoing = {
    kind: 'smtp',
    host: 'smtp.example.org',
    port: 465,
    security: 'tls',
    auth: 'password',
    user: 'support@example.org',
    has_password: true,
  }
  const mailbox = (id, name, state, detail) => ({
    id,
    name,
    address: `${name.toLowerCase()}@example.org`,
    from_name: name,
    team_id: null,
    active: true,
    incoming,
    outgoing,
    oauth: null,
    dkim: null,
    signature: '',
    quote_history: true,
    undo_seconds: 10,
    backfill_since: null,
    state,
    state_detail: detail,
    state_at: ago(2),
    created_at: ago(9000),
    updated_at: ago(9000),
    version: 1,
  })
  const mail = (id, part) => ({
    id,
    direction: 'in',
    state: 'processed',
    verdict: 'person',
    evidence: [],
    rule: null,
    score: null,
    source: 'imap',
    source_ref: 'INBOX/12',
    mailbox: { id: '50', name: 'Support' },
    size: 4210,
    message_id_header: `<${id}@example.com>`,
    from: 'chloe@example.com',
    to: ['support@example.org'],
    subject: SUBJECTS[0],
    detail: null,
    attempts: 1,
    ticket: { id: '1000', number: 1100 },
    message_id: null,
    duplicate_of: null,
    created_at: ago(Number(id) * 7),
    updated_at: ago(3),
    ...part,
  })
  return {
    me: users[0],
    account: { id: '1', name: 'Example Outfitters', settings: {}, version: 1, created_at: ago(90_000) },
    users,
    roles,
    teams,
    organizations,
    contacts,
    tickets,
    message,
    tags: TAGS.map((name, i) => ({ id: String(60 + i), name, uses: 35 })),
    tokens: [
      {
        id: '70',
        name: 'Shop integration',
        prefix: 'cairn_9f31',
        permissions: ['ticket.write'],
        created_at: ago(5000),
        last_used_at: ago(50),
        expires_at: null,
        revoked_at: null,
      },
    ],
    mailboxes: [
      mailbox('50', 'Support', 'ok', null),
      mailbox('51', 'Billing', 'failing', 'The server refused the password (AUTHENTICATIONFAILED).'),
    ],
    mails: [
      mail('1', {}),
      mail('2', {
        state: 'quarantined',
        verdict: 'spam',
        ticket: null,
        from: 'win@example.net',
        subject: 'You have won',
        evidence: [{ kind: 'header', text: 'The sender’s domain has no SPF record', score: 2.5 }],
      }),
      mail('3', { direction: 'out', state: 'sent', from: 'support@example.org', to: ['chloe@example.com'] }),
    ],
    suppressions: [
      { id: '80', address: 'gone@example.net', reason: 'bounce', detail: '550 no such user', created_at: ago(4000) },
    ],
    jobs: [{ id: '90', kind: 'mail.send', state: 'dead', attempts: 12, error: 'Connection refused', created_at: ago(200) }],
    attachments: [],
  }
}

// The first ticket shows everything a thread can hold.
function rich(ticket, message, users, ago, agent) {
  const [first, , last] = ticket.messages
  ticket.messages = [
    first,
    message(ticket, {
      created_at: ago(500),
      author: agent(users[1]),
      visibility: 'internal',
      to: [],
      text: 'The payment provider rejected the first attempt: the card had expired. Sara, can you take the bank details over the phone?',
    }),
    message(ticket, {
      created_at: ago(300),
      author: agent(users[2]),
      to: [{ name: ticket.requester.name, address: ticket.requester.email }],
      cc: [{ name: 'Nadia Demo', address: 'nadia@example.com' }],
      delivery: 'sent',
      html: '<p>No problem at all. Here’s what happens next:</p><ul><li>You’ll get a secure link to enter your new card details</li><li>We send the refund the same day</li></ul>',
      text: 'No problem at all.',
    }),
    message(ticket, {
      created_at: ago(120),
      html: '<p style="color:#222">Great, just filled it in 👍</p><p><img src="https://tracker.example.net/pixel.gif"><img src="cid:label@example.com"></p><script>alert(1)</script>',
      text: 'Great, just filled it in',
      quoted_text: '> No problem at all. Here’s what happens next',
      attachments: [
        {
          id: '7001',
          file_name: 'return-label.png',
          content_type: 'image/png',
          size: 482_000,
          inline: false,
          content_id: null,
          created_at: ago(120),
        },
        {
          id: '7002',
          file_name: 'terms.pdf',
          content_type: 'application/pdf',
          size: 91_000,
          inline: false,
          content_id: null,
          created_at: ago(120),
        },
        {
          id: '7003',
          file_name: 'label.png',
          content_type: 'image/png',
          size: 900,
          inline: true,
          content_id: 'label@example.com',
          created_at: ago(120),
        },
      ],
    }),
    message(ticket, {
      created_at: ago(60),
      author: agent(users[0]),
      to: [{ name: '', address: 'chloe@example.com' }],
      delivery: 'failed',
      delivery_detail: '451 try later',
      text: 'The refund is on its way.',
    }),
    last,
  ]
  ticket.message_count = 6
}
