// From the printed link to an answered customer: a fresh server, Dovecot and Postfix.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { inbox, parse, send } from './mail.mjs'
import { Cairn, editor, framed, launch, message, open, PASSWORD, passwordField, PEER_PASSWORD, PEER_USER, row, shot, signIn, startPeer, until, violations } from './world.mjs'

const CUSTOMER = 'dana@example.com'
let browser
let post
let cairn
let admin
let agent
before(async () => {
  ;[browser, post] = await Promise.all([launch(), startPeer('postfix.py', '--user', CUSTOMER)])
  const ca = path.join(post.folder, 'both.pem')
  fs.writeFileSync(ca, fs.readFileSync(post.ca) + fs.readFileSync(post.dovecot_ca))
  cairn = new Cairn('--ca-file', ca)
  await cairn.start()
})
after(() => Promise.all([browser?.close(), cairn?.remove(), post?.stop()]))

test('the printed link leads through the wizard', async () => {
  assert.match(cairn.setupLink, /^http:\/\/127\.0\.0\.1:\d+\/setup\?secret=/)
  admin = await open(browser, cairn.setupLink)
  const { page } = admin
  await page.getByLabel('Name of your company or desk').fill('Example Outfitters')
  await page.getByLabel('Your name').fill('Maya Example')
  await page.getByLabel('E-mail').fill('maya@example.com')
  await passwordField(page).fill('short')
  assert.deepEqual(await violations(page), [])
  await shot(page, 'setup-1')
  await passwordField(page).fill(PASSWORD)
  await page.getByRole('button', { name: 'Create the account' }).click()

  await page.getByRole('heading', { name: 'Connect a mailbox' }).waitFor()
  await page.getByLabel('Address').fill(PEER_USER)
  await page.keyboard.press('Tab') // the form proposes the rest
  await page.getByLabel('Name in Cairn').fill('Help')
  const incoming = page.getByRole('group', { name: 'Incoming' })
  const outgoing = page.getByRole('group', { name: 'Outgoing' })
  await incoming.getByLabel('Server').fill('localhost')
  await incoming.getByLabel('Port').fill(String(post.imaps))
  await incoming.getByLabel('User').fill(PEER_USER)
  await passwordField(incoming).fill('not the password')
  await outgoing.getByLabel('Server').fill('localhost')
  await outgoing.getByLabel('Encryption').selectOption('starttls')
  await outgoing.getByLabel('Port').fill(String(post.port))
  await outgoing.getByLabel('User').fill(PEER_USER)
  await passwordField(outgoing).fill(PEER_PASSWORD)
  await page.getByText('Sender, signature and more').click()
  await page.getByLabel('Sender’s name').fill('Example Outfitters')
  await page.getByLabel('Undo send, seconds').fill('0')
  await page.getByRole('button', { name: 'Test the connection' }).click()
  await page.locator('.test[data-ok]', { hasText: 'Outgoing' }).waitFor()
  await page.locator('.test:not([data-ok])', { hasText: 'Incoming' }).waitFor()
  await incoming.getByText('refused to sign user@example.com in').waitFor() // at the field at fault
  assert.deepEqual(await violations(page), [])
  await shot(page, 'setup-2')
  await passwordField(incoming).fill(PEER_PASSWORD)
  await page.getByRole('button', { name: 'Test the connection' }).click()
  await page.locator('.test[data-ok]', { hasText: 'Incoming' }).waitFor()
  await page.getByRole('button', { name: 'Connect and go on' }).click()

  await page.getByLabel('E-mail addresses').fill('tom@example.com')
  await page.getByRole('button', { name: 'Make invitation links' }).click()
  const link = await page.locator('.secret code').innerText()
  assert.ok(link.startsWith(`${cairn.url}/links/`), link)
  assert.deepEqual(await violations(page), [])
  await shot(page, 'setup-3')
  await page.getByRole('button', { name: 'Open the inbox' }).click()
  await page.waitForURL(/\/inbox\/open/)
  await page.getByText('All done').waitFor()
  await shot(page, 'inbox-empty')

  agent = await open(browser, link)
  await agent.page.getByText('For tom@example.com').waitFor()
  assert.deepEqual(await violations(agent.page), [])
  await shot(agent.page, 'invited')
  await agent.page.getByLabel('Your name').fill('Tom Sample')
  await passwordField(agent.page).fill(PASSWORD)
  await agent.page.getByRole('button', { name: 'Join' }).click()
  await agent.page.waitForURL(/\/inbox\/open/)
  const again = await open(browser, link)
  await again.page.getByText('This link does not work any more').waitFor()
  await again.close()
  const second = await open(browser, cairn.setupLink)
  await second.page.getByText('It is set up already').waitFor()
  await second.close()
})

test('sign out, a wrong password, sign in where one was', async () => {
  const { page, errors, close } = await open(browser, `${cairn.url}/settings/profile`)
  await page.waitForURL(/\/signin\?next=/)
  await signIn(page, 'tom@example.com', 'not this one')
  await page.getByRole('alert').getByText('E-mail or password is wrong.').waitFor()
  await signIn(page, 'tom@example.com')
  await page.waitForURL(/\/settings\/profile/)
  await page.getByRole('button', { name: 'Tom Sample, your account' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(/\/signin/)
  await page.goto(`${cairn.url}/inbox/open`)
  await page.waitForURL(/\/signin/)
  const refused = page.getByRole('alert').getByText('Too many attempts')
  for (let n = 0; n < 8 && !(await refused.isVisible()); n++) {
    const answered = page.waitForResponse(/\/api\/v1\/session/)
    await signIn(page, 'nobody@example.com', `guess ${n}`)
    await answered
    await page.getByRole('alert').waitFor()
    await page.getByRole('button', { name: 'Sign in' }).and(page.locator(':not([data-loading])')).waitFor()
  }
  await refused.waitFor()
  await shot(page, 'throttled')
  assert.deepEqual(errors, [])
  await close()
})

test('a mail arrives live, is worked on, answered, and the answer comes back', async () => {
  const { page, errors } = agent
  await page.evaluate(() => {
    window.notReloaded = true
  })
  await send(
    post.port,
    CUSTOMER,
    PEER_USER,
    `From: Dana Fictional <${CUSTOMER}>\nTo: ${PEER_USER}\nSubject: The zip broke\nMessage-ID: <first@customer.example.com>\n` +
      'Date: Mon, 05 Jan 2026 10:00:00 +0000\nContent-Type: text/plain; charset=utf-8\n\nIt does not close any more.\n',
  )
  await row(page, 'The zip broke').waitFor()
  assert.ok(await page.evaluate(() => window.notReloaded), 'the page was not loaded again')
  await row(page, 'The zip broke').locator('.row-link').click()
  await message(page, 'It does not close any more.').waitFor()
  await shot(page, 'ticket-new')

  await page.locator('.msgs').focus()
  await page.keyboard.press('Shift+A')
  await page.getByTitle('Assignee', { exact: true }).getByText('Tom Sample').waitFor()
  await page.getByTitle('Status', { exact: true }).click()
  await page.getByRole('option', { name: 'Pending' }).click()
  await page.getByTitle('Status', { exact: true }).getByText('Pending').waitFor()
  await page.getByTitle('Priority', { exact: true }).click()
  await page.getByRole('option', { name: 'High' }).click()
  await page.getByTitle('Priority', { exact: true }).getByText('High').waitFor()
  await page.getByTitle('Add a tag').click()
  await page.getByRole('combobox').fill('warranty')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await page.locator('.details .chip', { hasText: 'warranty' }).waitFor()
  const kept = (await cairnTickets(page))[0]
  assert.deepEqual([kept.assignee.name, kept.status, kept.priority, kept.tags], ['Tom Sample', 'pending', 'high', ['warranty']])

  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256))
  await editor(page).click()
  await page.keyboard.type('We send you a ')
  await page.keyboard.press('Control+b')
  await page.keyboard.type('new one')
  await page.keyboard.press('Control+b')
  await page.keyboard.type(' – grüße!')
  await page.locator('input[type=file]').setInputFiles({ name: 'Rücksendung.bin', mimeType: 'application/octet-stream', buffer: bytes })
  await page.locator('.file-chip:not(:has(progress))', { hasText: 'Rücksendung.bin' }).waitFor()
  await shot(page, 'composer')
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await page.locator('.msg[data-kind=agent][data-delivery=sent]').waitFor()
  await shot(page, 'ticket-answered')

  const [raw] = await until(async () => {
    const mails = await inbox(post.imap, CUSTOMER, PEER_PASSWORD)
    return mails.length && mails
  }, 'the reply in the mailbox of the customer')
  const { headers, parts } = parse(raw)
  assert.equal(headers['in-reply-to'], '<first@customer.example.com>')
  assert.match(headers.references, /<first@customer\.example\.com>/)
  assert.match(headers.subject, new RegExp(`^Re: The zip broke \\[#${kept.number}\\]$`))
  assert.match(headers.from, new RegExp(`<${PEER_USER}>`))
  assert.match(headers.to, new RegExp(CUSTOMER))
  const html = parts.find((part) => part.headers['content-type'].startsWith('text/html')).body.toString()
  assert.match(html, /<strong>new one<\/strong> – grüße!/)
  assert.match(parts.find((part) => part.headers['content-type'].startsWith('text/plain')).body.toString(), /new one/)
  const file = parts.find((part) => part.headers['content-disposition']?.startsWith('attachment'))
  assert.ok(file.body.equals(bytes), 'the file arrived as it was')

  await send(
    post.port,
    CUSTOMER,
    PEER_USER,
    `From: Dana Fictional <${CUSTOMER}>\nTo: ${PEER_USER}\nSubject: ${headers.subject}\nMessage-ID: <second@customer.example.com>\n` +
      `In-Reply-To: ${headers['message-id']}\nReferences: ${headers.references} ${headers['message-id']}\n` +
      'Content-Type: text/plain; charset=utf-8\n\nThat is kind, thank you.\n',
  )
  await message(page, 'That is kind, thank you.').waitFor()
  await page.getByTitle('Status', { exact: true }).getByText('Open').waitFor()
  assert.equal((await cairnTickets(page)).length, 1, 'the answer came to the same ticket')
  assert.ok(await page.evaluate(() => window.notReloaded))
  await shot(page, 'ticket-back')
  await row(admin.page, 'The zip broke').waitFor()
  assert.deepEqual([...errors, ...admin.errors], [])
})

test('a mail in HTML does nothing but be read, and brings its pictures only when asked', async () => {
  const { page, errors } = agent
  const asked = []
  page.on('request', (request) => {
    if (!request.url().startsWith(cairn.url) && !request.url().startsWith('data:')) asked.push(request.url())
  })
  await send(
    post.port,
    CUSTOMER,
    PEER_USER,
    `From: Dana Fictional <${CUSTOMER}>\nTo: ${PEER_USER}\nSubject: Look at this\nMessage-ID: <hostile@customer.example.com>\n` +
      'Content-Type: text/html; charset=utf-8\n\n' +
      '<html><head><meta http-equiv=refresh content="0;url=https://tracker.example.net/"><style>@import url(https://tracker.example.net/s.css);' +
      'body{background:url(https://tracker.example.net/b.png)}</style></head>' +
      '<body onload="top.hacked=1"><p>Harmless words</p><script>top.hacked=1</script><img src=x onerror="top.hacked=1">' +
      '<p><img src="https://pictures.example.net/shoe.png" alt="A shoe" width="300" height="200"></p><svg onload="top.hacked=1"></svg>' +
      '<form action="https://tracker.example.net/"><input name=password><button>Log in</button></form>' +
      '<iframe src="https://tracker.example.net/"></iframe><a href="javascript:top.hacked=1">Click</a>' +
      '<div style="position:fixed;inset:0;background:url(https://tracker.example.net/d.png)">Cover</div></body></html>\n',
  )
  await row(page, 'Look at this').locator('.row-link').click()
  await framed(page).getByText('Harmless words').waitFor()
  const body = framed(page)
  for (const bad of ['script', 'form', 'input', 'iframe', 'svg', '[onerror]', '[onload]', 'a[href^="javascript"]', 'meta[http-equiv=refresh]'])
    assert.equal(await body.locator(bad).count(), 0, bad)
  await page.getByText('1 picture not loaded').waitFor()
  assert.equal(await body.locator('img[src^="http"]').count(), 0)
  assert.deepEqual(await violations(page), [])
  await shot(page, 'hostile')
  const proxied = page.waitForRequest(/\/remote-image\?url=https%3A%2F%2Fpictures\.example\.net%2Fshoe\.png/)
  await page.getByRole('button', { name: 'Show pictures' }).click()
  await proxied
  assert.equal(await page.evaluate(() => window.hacked), undefined)
  assert.deepEqual(asked, [], 'the browser asks nobody but Cairn')
  assert.deepEqual(errors, [])
})

test('the mail log tells what became of each mail, and why', async () => {
  const { page, errors } = admin
  await page.goto(`${cairn.url}/settings/mail-log`)
  await page.getByRole('button', { name: 'Re: The zip broke', exact: false }).first().waitFor()
  await page.getByLabel('Direction').selectOption('in')
  await page.getByLabel('Find by address or subject').fill('zip')
  await page.getByRole('row', { name: /^.*In.*dana@example\.com.*Re: The zip broke/ }).getByRole('button').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'Why' }).waitFor()
  await shot(page, 'mail-log')
  assert.ok((await dialog.locator('.evidence li').count()) > 0, 'the evidence is shown')
  assert.match(await dialog.locator('.attrs').innerText(), /Verdict\s+\S/)
  await dialog.getByRole('button', { name: 'View source' }).click()
  await page.getByText('Message-ID: <second@customer.example.com>').waitFor()
  assert.deepEqual(errors, [])
})

const cairnTickets = (page) => page.evaluate(() => fetch('/api/v1/tickets').then((r) => r.json()).then((list) => list.items))
