// What the browser tests share: one Chromium, a page that collects its errors, axe.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const AXE = fs.readFileSync(fileURLToPath(new URL('../node_modules/axe-core/axe.min.js', import.meta.url)), 'utf8')

export const launch = () =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  })

export async function open(browser, url, { scheme = 'light', width = 1600, height = 950 } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    deviceScaleFactor: 1,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection|net::ERR/.test(message.text()))
      errors.push(message.text())
  })
  await page.goto(url)
  return { page, errors, close: () => context.close() }
}

// The violations as short lines; [] when there are none.
export async function violations(page) {
  // The page's policy forbids inline scripts; evaluate runs outside of it.
  await page.evaluate(AXE)
  const result = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  )
  return result.violations.map(
    (one) =>
      `${one.id}: ${one.nodes
        .map((node) => `${node.target} ${node.failureSummary?.split('\n')[1] ?? ''}`)
        .slice(0, 3)
        .join(' | ')}`,
  )
}
