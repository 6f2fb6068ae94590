import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { launch, open, violations } from './browser.mjs'
import { createMock } from './mock.mjs'

let browser
let mock
let base
before(async () => {
  browser = await launch()
})
after(() => browser?.close())
beforeEach(async () => {
  mock?.close()
  mock = createMock()
  base = await mock.listen()
})
after(() => mock?.close())

const editor = (page) => page.locator('[contenteditable=true]')
const ready = async (path, options) => {
  const view = await open(browser, base + path, options)
  await view.page.locator('main').first().waitFor({ state: 'attached' })
  return view
}

const ROUTES = {
  '/inbox/open': '.row',
  '/inbox/open?ticket=1000': '[contenteditable=true]',
  '/search?q=refund': '.hit',
  '/contacts': '.table',
  '/contacts/40': '.card',
  '/organizations': '.table',
  '/organizations/30': '.card',
  '/settings/profile': '.card',
  '/settings/account': '.card',
  '/settings/mailboxes': '.table',
  '/settings/mailboxes/50': 'form',
  '/settings/mailboxes/new': 'form',
  '/settings/users': '.table',
  '/settings/teams': '.table',
  '/settings/roles': '.matrix',
  '/settings/tokens': '.table',
  '/settings/tags': '.table',
  '/settings/mail-log': '.table',
  '/settings/suppressions': '.table',
  '/settings/jobs': '.table',
  '/links/good': 'form',
}
for (const scheme of ['light', 'dark'])
  test(`every page is accessible and free of errors, ${scheme}`, async () => {
    const { page, errors, close } = await ready('/inbox/open', { scheme })
    for (const [route, landmark] of Object.entries(ROUTES)) {
      await page.goto(base + route)
      await page.locator(landmark).first().waitFor()
      assert.deepEqual(await violations(page), [], route)
    }
    assert.deepEqual(errors, [])
    await close()
  })

for (const scheme of ['light', 'dark'])
  test(`dialogs and menus are accessible, ${scheme}`, async () => {
    const { page, errors, close } = await ready('/inbox/open?ticket=1000', { scheme })
    await editor(page).waitFor()
    const layers = [
      ['Control+k', () => page.getByRole('combobox')],
      ['?', () => page.getByRole('dialog')],
      ['a', () => page.getByRole('listbox')],
      ['s', () => page.getByRole('listbox')],
      ['l', () => page.getByRole('listbox')],
      ['c', () => page.getByRole('dialog')],
    ]
    for (const [key, layer] of layers) {
      await page.locator('.msgs').focus()
      await page.keyboard.press(key)
      await layer().first().waitFor()
      assert.deepEqual(await violations(page), [], `after ${key}`)
      await page.keyboard.press('Escape')
      await layer().first().waitFor({ state: 'detached' })
    }
    assert.deepEqual(errors, [])
    await close()
  })

test('narrow screens show one pane and stay accessible', async () => {
  const { page, close } = await ready('/inbox/open', { width: 360, height: 740 })
  await page.locator('.row-link').first().click()
  await editor(page).waitFor()
  assert.equal(await page.locator('.list').isVisible(), false)
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen')
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Back to the list' }).click()
  await page.locator('.row-link').first().waitFor()
  await close()
})

test('keyboard alone: walk, open, assign, tag, resolve, undo', async () => {
  const { page, close } = await ready('/inbox/open')
  await page.locator('.row-link').first().waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.waitForURL(/ticket=1001/)
  await editor(page).waitFor()
  await page.keyboard.press('Shift+A')
  await page.getByRole('button', { name: /Assignee:\s*Maya Example/ }).waitFor()
  await page.keyboard.press('l')
  await page.getByRole('combobox').fill('brand-new')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await page.locator('.details .chip', { hasText: 'brand-new' }).waitFor()
  await page.locator('.msgs').focus()
  await page.keyboard.press('e')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: /Status:\s*Open/ }).waitFor()
  await page.locator('.msgs').focus()
  await page.keyboard.press('Escape')
  await page.waitForURL((url) => !url.search.includes('ticket'))
  await close()
})

test('a reply is held, can be taken back with its text, and then goes out', async () => {
  const { page, errors, close } = await ready('/inbox/open?ticket=1000')
  await editor(page).waitFor()
  await page.locator('.msgs').focus()
  await page.keyboard.press('r')
  await page.keyboard.type('We found your refund.')
  await page.keyboard.press('Control+Enter')
  await page.getByText(/Goes out in/).waitFor()
  await page.locator('.delivery').getByRole('button', { name: 'Undo' }).click()
  await page.locator('.msg[data-delivery=cancelled]').waitFor()
  await editor(page).getByText('We found your refund').waitFor()
  mock.state.undoSeconds = 0.2
  await editor(page).press('Control+Enter')
  await page.frameLocator('.msg[data-delivery=sent] .mail-frame >> nth=-1').getByText('We found your refund.').waitFor()
  const posts = mock.state.requests.filter((one) => one.method === 'POST' && one.path.endsWith('/messages'))
  assert.equal(posts.length, 2, 'nothing is sent twice')
  assert.deepEqual(errors, [])
  await close()
})

test('an answer that is lost does not send a reply twice, not even after a reload', async () => {
  const { page, close } = await ready('/inbox/open?ticket=1000')
  await editor(page).click()
  await page.keyboard.type('Exactly once')
  mock.state.dropAnswer = (call) => call.method === 'POST' && call.path.endsWith('/messages')
  const posts = () => mock.state.requests.filter((one) => one.method === 'POST' && one.path.endsWith('/messages'))
  const lost = () => page.waitForEvent('requestfailed', (request) => request.url().endsWith('/messages'))
  await Promise.all([lost(), page.keyboard.press('Control+Enter')])
  await Promise.all([lost(), page.getByRole('button', { name: 'Send', exact: true }).click()])
  await page.reload()
  await editor(page).getByText('Exactly once').waitFor()
  mock.state.dropAnswer = null
  await editor(page).press('Control+Enter')
  await editor(page).getByText('Exactly once').waitFor({ state: 'detached' })
  assert.ok(posts().length >= 3)
  assert.equal(new Set(posts().map((one) => one.key)).size, 1, 'one key')
  const taken = mock.state.db.tickets.find((one) => one.id === '1000').messages.filter((one) => /Exactly once/.test(one.text))
  assert.equal(taken.length, 1)
  await close()
})

test('a note never carries recipients, a draft survives a reload', async () => {
  const { page, close } = await ready('/inbox/open?ticket=1000')
  await editor(page).waitFor()
  await page.locator('.msgs').focus()
  await page.keyboard.press('i')
  await page.keyboard.type('Only for us')
  await page.getByText('Draft saved on this device').waitFor()
  await page.reload()
  await editor(page).waitFor()
  await page.getByRole('button', { name: 'Internal note' }).click()
  await editor(page).getByText('Only for us').waitFor()
  await page.getByRole('button', { name: 'Add note' }).click()
  await page.frameLocator('.msg[data-kind=note] .mail-frame >> nth=-1').getByText('Only for us').waitFor()
  const sent = JSON.parse(mock.state.requests.findLast((one) => one.method === 'POST' && one.path.endsWith('/messages')).body)
  assert.equal(sent.visibility, 'internal')
  assert.equal(sent.to, undefined)
  await close()
})

test('a reply to a conversation that moved on is stopped, the draft is kept', async () => {
  const { page, close } = await ready('/inbox/open?ticket=1001')
  await editor(page).click()
  await page.keyboard.type('My answer')
  mock.customerWrites('1001', 'Never mind, I found it myself')
  await page.locator('.msg', { hasText: 'Never mind' }).waitFor()
  await editor(page).press('Control+Enter')
  const warning = page.locator('.newer')
  await warning.getByText('Never mind, I found it myself').waitFor()
  assert.match(await editor(page).innerText(), /My answer/)
  assert.deepEqual(await violations(page), [])
  await warning.getByRole('button', { name: 'Send anyway' }).click()
  await page.frameLocator('.msg[data-kind=agent] .mail-frame >> nth=-1').getByText('My answer').waitFor()
  await close()
})

test('two people change the same field: the second decides', async () => {
  const { page, close } = await ready('/inbox/open?ticket=1001')
  await editor(page).waitFor()
  const ticket = mock.state.db.tickets.find((one) => one.id === '1001')
  Object.assign(ticket, { version: ticket.version + 1, status: 'on_hold' })
  await page.locator('.msgs').focus()
  await page.keyboard.press('e')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('On hold').waitFor()
  await dialog.getByRole('button', { name: 'Use mine' }).click()
  await page.getByRole('button', { name: /Status:\s*Resolved/ }).waitFor()
  assert.equal(ticket.status, 'resolved')
  await close()
})

test('live: new tickets appear, a lost connection is told and made good', async () => {
  const { page, close } = await ready('/inbox/open')
  await page.locator('.row-link').first().waitFor()
  mock.newTicket('Fresh from the stream')
  await page.locator('.row', { hasText: 'Fresh from the stream' }).waitFor()
  mock.state.fail = (call) => call.path === '/stream'
  mock.dropSockets()
  await page.getByText(/Reconnecting/).waitFor()
  mock.newTicket('While we were away')
  mock.state.fail = null
  await page.getByText(/Reconnecting/).waitFor({ state: 'detached' })
  await page.locator('.row', { hasText: 'While we were away' }).waitFor()
  await page.locator('.scroller').evaluate((box) => box.scrollTo(0, 2000))
  await page.waitForTimeout(300)
  mock.newTicket('Behind the pill')
  await page.getByRole('button', { name: '1 new' }).click()
  await page.locator('.row', { hasText: 'Behind the pill' }).waitFor()
  await close()
})

test('mail HTML runs no script and loads nothing from elsewhere until asked', async () => {
  const { page, errors, close } = await ready('/inbox/open?ticket=1000')
  const foreign = []
  page.on('request', (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith('data:')) foreign.push(request.url())
  })
  const body = page.frameLocator('.mail-frame').last()
  await page.getByRole('button', { name: 'Show pictures' }).click()
  await body.locator('img').first().waitFor()
  assert.match(await body.locator('img').first().getAttribute('src'), /\/remote-image\?url=/)
  assert.equal(await body.locator('script').count(), 0)
  assert.deepEqual(foreign, [])
  assert.deepEqual(errors, [])
  await close()
})

test('files are attached and pictures stand in the text', async () => {
  const { page, close } = await ready('/inbox/open?ticket=1000')
  await editor(page).click()
  await page.keyboard.type('See the attached file')
  await page.locator('input[type=file]').setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') })
  await page.locator('.file-chip', { hasText: 'plan.txt' }).waitFor()
  await editor(page).press('Control+Enter')
  await page.locator('.msg .att', { hasText: 'plan.txt' }).waitFor()
  await close()
})

test('a failed server is explained with a request id and can be tried again', async () => {
  mock.state.fail = (call) => call.path === '/tickets'
  const { page, close } = await ready('/inbox/open')
  await page.getByText('The database does not answer.').waitFor()
  await page.getByText(/Request [0-9a-f]{16}/).waitFor()
  assert.deepEqual(await violations(page), [])
  mock.state.fail = null
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.locator('.row').first().waitFor()
  await close()
})

test('sign in, and again when the session ends, with the draft kept', async () => {
  mock.state.signedIn = false
  const { page, close } = await ready('/inbox/open?ticket=1000')
  await page.waitForURL(/signin/)
  assert.deepEqual(await violations(page), [])
  await page.getByLabel('E-mail').fill('maya@desk.example')
  await page.locator('input[type=password]').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('E-mail or password is wrong.').waitFor()
  await page.locator('input[type=password]').fill('correct horse battery')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await editor(page).click()
  await page.keyboard.type('Half a thought')
  mock.state.signedIn = false
  await page.keyboard.press('Control+Enter')
  const dialog = page.getByRole('dialog')
  await dialog.locator('input[type=password]').fill('correct horse battery')
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.match(await editor(page).innerText(), /Half a thought/)
  await close()
})

test('the wizard leads from the link to the inbox', async () => {
  Object.assign(mock.state, { needsSetup: true, signedIn: false })
  const { page, errors, close } = await ready('/setup?secret=first-run')
  await page.getByLabel('Name of your company or desk').fill('Example Outfitters')
  assert.deepEqual(await violations(page), [])
  await page.getByLabel('Your name').fill('Maya Example')
  await page.getByLabel('E-mail').fill('maya@desk.example')
  await page.locator('input[type=password]').fill('correct horse battery')
  await page.getByRole('button', { name: 'Create the account' }).click()
  await page.getByText('Connect a mailbox').waitFor()
  assert.deepEqual(await violations(page), [])
  await page.getByLabel('Address').fill('help@example.org')
  await page.getByLabel('Server').first().fill('wrong.example.org')
  await page.getByRole('button', { name: 'Test the connection' }).click()
  await page.locator('.test', { hasText: 'There is no server of this name' }).waitFor()
  await page.getByLabel('Server').first().fill('imap.example.org')
  await page.getByRole('button', { name: 'Connect and go on' }).click()
  await page.getByLabel('E-mail addresses').fill('tom@desk.example.com, newcomer@desk.example.com')
  await page.getByRole('button', { name: 'Make invitation links' }).click()
  await page.getByText('desk.example.com/links/').first().waitFor()
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Open the inbox' }).click()
  await page.waitForURL(/inbox/)
  assert.deepEqual(errors, [])
  await close()
})

test('what the role does not allow is not offered', async () => {
  mock.state.db.roles[0] = { ...mock.state.db.roles[2] }
  const { page, close } = await ready('/inbox/open?ticket=1000')
  await editor(page).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Reply', exact: true }).count(), 0)
  await page.goto(`${base}/settings/profile`)
  await page.locator('.settings-nav').waitFor()
  assert.equal(await page.locator('.settings-nav').getByText('Mailboxes').count(), 0)
  await close()
})
