// The day after the first: settings that stay, colleagues at one ticket, a server that dies, hands that never leave the keyboard.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { Cairn, editor, framed, launch, message, open, PASSWORD, row, signIn, startPeer, until } from './world.mjs'

const MAYA = 'maya@example.com'
const TOM = 'tom@example.com'
const NEW_PASSWORD = 'another horse battery'
const UNDO_SECONDS = 60
let browser
let cairn
let smtp
let maya
let tom
let box
let first
before(async () => {
  cairn = new Cairn()
  cairn.setUp('Maya Example', MAYA)
  ;[browser, smtp] = await Promise.all([launch(), startPeer('fake_smtp.py'), cairn.start()])
  await cairn.join(TOM, 'Tom Sample')
  box = await cairn.api('POST', '/mailboxes', {
    name: 'Help',
    address: 'help@example.com',
    undo_seconds: UNDO_SECONDS,
    incoming: { kind: 'none' },
    outgoing: { kind: 'smtp', host: 'localhost', port: smtp.port, security: 'none', auth: 'none' },
  })
  const organization = await cairn.api('POST', '/organizations', { name: 'Imaginary Shoes', domains: ['shoes.example.net'] })
  for (let n = 1; n <= 5; n++) await ticket(`Order ${n} is late`, { tags: ['delivery'], priority: n === 1 ? 'urgent' : 'normal' })
  const items = (await cairn.api('GET', '/tickets')).items
  first = items.find((one) => one.subject === 'Order 1 is late')
  await cairn.api('POST', '/teams', { name: 'Returns', description: 'Parcels that come back' })
  await cairn.api('PATCH', `/contacts/${first.requester.id}`, { organization_id: organization.id, notes: 'Prefers mail' })
  maya = await enter(MAYA)
  tom = await enter(TOM)
})
after(() => Promise.all([browser?.close(), cairn?.remove(), smtp?.stop()]))

test('every form of the settings keeps what was saved', async () => {
  const { page, errors } = maya
  const save = async () => {
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Saved', { exact: true }).last().waitFor()
    await page.reload()
  }
  const dialog = page.getByRole('dialog')

  await visit(page, 'profile')
  await page.getByLabel('Your name').fill('Maya Exemplary')
  await page.getByLabel('Time zone').fill('Europe/Vienna')
  await page.getByLabel('Signature').fill('Kind regards\nMaya – grüße')
  await page.getByLabel('Current password').fill(PASSWORD)
  await page.getByLabel('New password').fill(NEW_PASSWORD)
  await save()
  await shows(page.getByLabel('Your name'), 'Maya Exemplary')
  await shows(page.getByLabel('Time zone'), 'Europe/Vienna')
  await shows(page.getByLabel('Signature'), 'Kind regards\nMaya – grüße')
  const again = await open(browser, `${cairn.url}/settings/profile`)
  await signIn(again.page, MAYA, NEW_PASSWORD)
  await shows(again.page.getByLabel('Your name'), 'Maya Exemplary')
  await again.close()
  await page.getByLabel('Current password').fill('not this one')
  await page.getByLabel('New password').fill('a third horse battery')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('This is not your password').waitFor()
  await page.getByRole('button', { name: 'Discard' }).click()

  await visit(page, 'account')
  await page.getByLabel('Name of your company or desk').fill('Example Outfitters & Söhne')
  await save()
  await shows(page.getByLabel('Name of your company or desk'), 'Example Outfitters & Söhne')

  await visit(page, 'teams')
  await page.getByRole('button', { name: 'New team' }).click()
  await dialog.getByLabel('Name').fill('Repairs')
  await dialog.getByLabel('What it does').fill('Mends zips')
  await dialog.getByLabel('Tom Sample').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.reload()
  await page.getByRole('row', { name: /Repairs Mends zips Tom Sample/ }).getByRole('button').click()
  await dialog.getByLabel('Name').fill('Workshop')
  await dialog.getByLabel('Tom Sample').uncheck()
  await dialog.getByLabel('Maya Exemplary').check()
  await dialog.getByLabel('Archived').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.reload()
  await page.getByRole('row', { name: /Workshop Archived Mends zips Maya Exemplary/ }).waitFor()

  await visit(page, 'roles')
  await page.getByRole('button', { name: 'New role' }).click()
  await dialog.getByLabel('Name').fill('Trainee')
  await dialog.getByRole('button', { name: 'Create' }).click()
  await dialog.waitFor({ state: 'detached' })
  const cells = page.getByRole('checkbox', { name: /^Trainee: / })
  await cells.first().waitFor()
  for (let n = 0; n < (await cells.count()); n++)
    if (!(await cells.nth(n).isChecked())) {
      const name = await cells.nth(n).getAttribute('aria-label')
      const answer = page.waitForResponse((one) => one.request().method() === 'PATCH' && one.url().includes('/roles/'))
      await cells.nth(n).click()
      assert.equal((await answer).status(), 200, name)
      await page.getByRole('checkbox', { name, checked: true, exact: true }).waitFor()
    }
  await page.reload()
  await cells.first().waitFor()
  assert.ok((await cells.evaluateAll((all) => all.every((one) => one.checked))), 'every box of the role is kept')

  await visit(page, 'tags')
  await page.getByLabel('New tag').fill('warranty')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByLabel('Rename warranty').fill('guarantee')
  const renamed = page.waitForResponse((one) => one.request().method() === 'PATCH')
  await page.keyboard.press('Tab')
  assert.equal((await renamed).status(), 200)
  await page.reload()
  await shows(page.getByLabel('Rename guarantee'), 'guarantee')

  await visit(page, 'tokens')
  await page.getByRole('button', { name: 'New token' }).click()
  await dialog.getByLabel('What it is for').fill('Reports')
  await dialog.getByLabel('Expires').fill('2099-01-31')
  for (const box of await dialog.getByRole('checkbox').all()) await box.check()
  await dialog.getByRole('button', { name: 'Create' }).click()
  const token = await dialog.locator('.secret code').innerText()
  const asked = await fetch(`${cairn.url}/api/v1/tickets`, { headers: { Authorization: `Bearer ${token}` } })
  assert.equal(asked.status, 200)
  await page.reload()
  const line = page.getByRole('row', { name: /Reports/ })
  await line.getByText('31 Jan 2099').waitFor()
  await line.getByRole('button', { name: 'Revoke' }).click()
  await line.getByText('Revoked').waitFor()

  await visit(page, 'users')
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  await dialog.getByLabel('E-mail').fill('kim@example.com')
  await dialog.getByLabel('Name').fill('Kim Invented')
  await dialog.getByLabel('Role').selectOption('Trainee')
  await dialog.getByRole('button', { name: 'Make the invitation link' }).click()
  await dialog.locator('.secret code', { hasText: `${cairn.url}/links/` }).waitFor()
  await page.reload()
  await page.getByRole('row', { name: /Kim Invented kim@example.com .*Invited/ }).waitFor()
  const role = page.getByLabel('Role of Kim Invented')
  assert.equal(await role.locator('option:checked').innerText(), 'Trainee')
  await role.selectOption('Agent')
  await until(async () => (await cairn.api('GET', '/users?q=kim')).items[0].role.name === 'Agent', 'the role')
  await page.getByRole('button', { name: 'Actions for Kim Invented' }).click()
  await page.getByRole('menuitem', { name: 'Switch off' }).click()
  await page.getByRole('row', { name: /Kim Invented .*Switched off/ }).waitFor()

  await visit(page, `mailboxes/${box.id}`)
  await page.getByText('Sender, signature and more').click()
  await page.getByLabel('Name in Cairn').fill('Hilfe')
  await page.getByLabel('Sender’s name').fill('Example Outfitters')
  await page.getByLabel('Its tickets belong to').selectOption('Returns')
  await page.getByLabel('Signature').fill('Example Outfitters, 1 Nowhere Street')
  await page.getByLabel('Quote the conversation below replies').click()
  await page.getByLabel('In use').click()
  await save()
  await page.getByText('Sender, signature and more').click()
  await shows(page.getByLabel('Name in Cairn'), 'Hilfe')
  const kept = await cairn.api('GET', `/mailboxes/${box.id}`)
  const { name, from_name, signature, quote_history, active, undo_seconds } = kept
  assert.deepEqual(
    { name, from_name, signature, quote_history, active, undo_seconds },
    {
      name: 'Hilfe',
      from_name: 'Example Outfitters',
      signature: 'Example Outfitters, 1 Nowhere Street',
      quote_history: !box.quote_history,
      active: false,
      undo_seconds: UNDO_SECONDS,
    },
  )
  assert.ok(kept.team_id)
  assert.equal(kept.outgoing.port, smtp.port)
  await cairn.api('PATCH', `/mailboxes/${box.id}`, { active: true })
  assert.deepEqual(errors, [])
})

test('two agents at one ticket see each other, and nobody answers past the customer', async () => {
  await Promise.all([maya, tom].map(({ page }) => openTicket(page, first)))
  const status = (page) => page.getByTitle('Status', { exact: true })
  await tom.page.evaluate(() => {
    window.notReloaded = true
  })
  await press(maya.page, 'Shift+A')
  await tom.page.getByTitle('Assignee', { exact: true }).getByText('Maya').waitFor()
  await status(maya.page).click()
  await maya.page.getByRole('option', { name: 'On hold' }).click()
  await status(tom.page).getByText('On hold').waitFor()
  assert.ok(await tom.page.evaluate(() => window.notReloaded), 'the page was not loaded again')

  await press(maya.page, 'i')
  await maya.page.keyboard.type('Only among us: the parcel is lost')
  await maya.page.getByRole('button', { name: 'Add note' }).click()
  await framed(tom.page).getByText('Only among us').waitFor()
  const note = (await messages(first)).find((one) => one.visibility === 'internal')
  assert.deepEqual([note.delivery, note.mail_id, note.to], ['none', null, []])

  await press(tom.page, 'r')
  await tom.page.keyboard.type('It comes tomorrow.')
  cairn.deliver(
    `From: Dana Fictional <dana@shoes.example.net>\nTo: help@example.com\nSubject: Re: Order 1 is late [#${first.number}]\n` +
      'Message-ID: <found@shoes.example.net>\nContent-Type: text/plain\n\nNever mind, it is here.\n',
  )
  await message(tom.page, 'Never mind, it is here.').waitFor()
  await tom.page.keyboard.press('Control+Enter')
  const warning = tom.page.locator('.newer')
  await warning.getByText('Never mind, it is here.').waitFor()
  assert.match(await editor(tom.page).innerText(), /It comes tomorrow\./)
  assert.ok(!(await messages(first)).some((one) => one.text.includes('tomorrow')), 'nothing was sent yet')
  await warning.getByRole('button', { name: 'Send anyway' }).click()
  const held = tom.page.locator('.msg[data-delivery=held]')
  await held.waitFor()
  await warning.waitFor({ state: 'detached' })
  await maya.page.locator('.msg[data-delivery=held]').waitFor()

  await held.getByRole('button', { name: 'Undo' }).click()
  await tom.page.locator('.msg[data-delivery=cancelled]').waitFor()
  await editor(tom.page).getByText('It comes tomorrow.').waitFor()
  await maya.page.locator('.msg[data-delivery=cancelled]').waitFor()
  await cairn.api('PATCH', `/mailboxes/${box.id}`, { undo_seconds: 0 })
  await editor(tom.page).press('Control+Enter')
  await tom.page.locator('.msg[data-delivery=sent]').waitFor()
  const mails = fs.readdirSync(smtp.folder).filter((name) => name.endsWith('.eml')).map((name) => fs.readFileSync(path.join(smtp.folder, name), 'latin1'))
  assert.equal(mails.length, 1, 'one mail: not the note, not what was taken back')
  assert.match(mails[0], /It comes tomorrow\./)
  assert.doesNotMatch(mails[0], /Only among us/)
  assert.deepEqual([...maya.errors, ...tom.errors], [])
})

test('the server dies and comes back: told, made good, nothing lost', async () => {
  const { page } = tom
  await page.goto(`${cairn.url}/inbox/open`)
  await row(page, 'Order 2 is late').locator('.row-link').click()
  await editor(page).click()
  await page.keyboard.type('Written before the fall')
  await page.evaluate(() => {
    window.notReloaded = true
  })
  await cairn.kill('SIGKILL')
  await page.getByText(/Reconnecting/).waitFor()
  await page.keyboard.type(', and during it')
  await cairn.start()
  await ticket('Arrived after the fall')
  await row(page, 'Arrived after the fall').waitFor()
  await page.getByText(/Reconnecting/).waitFor({ state: 'detached' })
  for (let n = 2; n <= 5; n++) await row(page, `Order ${n} is late`).waitFor()
  assert.match(await editor(page).innerText(), /Written before the fall, and during it/)
  assert.ok(await page.evaluate(() => window.notReloaded), 'the page was not loaded again')
  await page.keyboard.press('Control+Enter')
  await page.locator('.msg[data-kind=agent]').waitFor()
  const sent = (await messages((await cairn.api('GET', '/search?q=%22Order%202%22')).items[0].ticket)).filter((one) => one.text.includes('Written before'))
  assert.equal(sent.length, 1)
  await ticket('And the stream goes on')
  await row(page, 'And the stream goes on').waitFor()
  assert.ok((await messages(first)).some((one) => one.text.includes('It comes tomorrow.')))
})

test('hands on the keyboard: find, open, answer, resolve, look up', async () => {
  const { page, errors } = tom
  await page.goto(`${cairn.url}/inbox/open`)
  await page.locator('.row-link').first().waitFor()
  const subject = (n) => page.locator('.row .r2').nth(n).innerText()
  const second = await subject(1)
  await page.keyboard.press('j')
  await page.locator('.row[data-cursor]', { hasText: await subject(0) }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  await page.locator('.row[data-cursor]', { hasText: second }).waitFor()
  await page.keyboard.press('Enter')
  await editor(page).waitFor()
  await page.keyboard.press('r')
  await page.keyboard.type('Answered without a mouse')
  await page.keyboard.press('Control+Enter')
  await framed(page).getByText('Answered without a mouse').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('e')
  await page.getByTitle('Status', { exact: true }).getByText('Resolved').waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('Keyboard shortcuts').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').waitFor()
  await page.keyboard.type('Go')
  await page.keyboard.press('Escape')
  await page.getByRole('combobox').waitFor({ state: 'detached' })
  await page.keyboard.press('/')
  await page.waitForURL(/\/search/)
  await page.locator('input[type=search]:focus').waitFor()
  await page.keyboard.type('mouse')
  await page.locator('.hit', { hasText: second }).first().waitFor()
  assert.deepEqual(errors, [])
})

// A customer's words, as a program hands them in.
function ticket(subject, more = {}) {
  return cairn.api('POST', '/tickets', {
    subject,
    requester: { email: 'dana@shoes.example.net', name: 'Dana Fictional' },
    message: { text: `${subject}. When does it come?` },
    mailbox_id: box.id,
    ...more,
  })
}
async function enter(email) {
  const view = await open(browser, `${cairn.url}/inbox/open`)
  await signIn(view.page, email)
  await view.page.locator('.row').first().waitFor()
  return view
}
async function visit(page, where) {
  await page.goto(`${cairn.url}/settings/${where}`)
  await page.locator('.card, .table').first().waitFor()
}
const shows = (field, value) => until(async () => (await field.inputValue()) === value, `the field with ${value}`, 10)

async function openTicket(page, { id }) {
  await page.goto(`${cairn.url}/inbox/unresolved?ticket=${id}`)
  await editor(page).waitFor()
}
async function press(page, key) {
  await page.locator('.msgs').focus()
  await page.keyboard.press(key)
}
const messages = async ({ id }) => (await cairn.api('GET', `/tickets/${id}/messages`)).items
