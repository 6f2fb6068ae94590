// Takes pictures of the main screens: node e2e/shots.mjs FOLDER [filter]
import fs from 'node:fs'
import { launch, open } from './browser.mjs'
import { createMock } from './mock.mjs'

const [folder = '/tmp/cairn-shots', filter = ''] = process.argv.slice(2)
fs.mkdirSync(folder, { recursive: true })
const mock = createMock()
const base = await mock.listen()
const browser = await launch()
const SHOTS = {
  inbox: '/inbox/open?ticket=1000',
  list: '/inbox/open',
  search: '/search?q=refund',
  contacts: '/contacts',
  contact: '/contacts/40',
  users: '/settings/users',
  roles: '/settings/roles',
  mailbox: '/settings/mailboxes/50',
  maillog: '/settings/mail-log',
  profile: '/settings/profile',
}
const SIZES = { wide: [1600, 950], phone: [390, 844] }
for (const [name, path] of Object.entries(SHOTS))
  for (const [size, [width, height]] of Object.entries(SIZES))
    for (const scheme of ['light', 'dark']) {
      const file = `${name}-${size}-${scheme}`
      if (!file.includes(filter)) continue
      const { page, errors, close } = await open(browser, base + path, { scheme, width, height })
      await page.locator('main').first().waitFor()
      await page.waitForTimeout(1200)
      await page.screenshot({ path: `${folder}/${file}.png` })
      if (errors.length) console.log(file, errors)
      await close()
    }
await browser.close()
mock.close()
