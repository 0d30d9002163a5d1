// A real browser in front of the shop: pages that are watched for errors and for requests to
// foreign hosts, and the ways through the shop that several tests take.
//
// SHOP_URL is the shop's address, PACKAGES the node_modules folder with playwright-core and
// axe-core, CHROMIUM the browser's program; by hand the defaults are those of a demo and of
// `cargo xtask test`.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'

const PACKAGES = process.env.PACKAGES ?? path.join(import.meta.dirname, '../../../../target/browser/node_modules')
const packages = createRequire(path.resolve(PACKAGES, 'none.js'))
const { chromium } = packages('playwright-core')
const AXE = packages.resolve('axe-core/axe.min.js')

export const SHOP = new URL(process.env.SHOP_URL ?? 'http://localhost:5000').origin

// Every pair of a language, a colour scheme and a width comes up.
export const LOOKS = [
  { language: 'en', scheme: 'light', width: 390 },
  { language: 'en', scheme: 'dark', width: 1440 },
  { language: 'zh', scheme: 'light', width: 1440 },
  { language: 'zh', scheme: 'dark', width: 390 },
]

const LOCALES = { en: 'en-GB', zh: 'zh-CN' }

export const named = look => `${look.language}, ${look.scheme}, ${look.width} px`

export async function browser() {
  // Sandboxes need rights that root of a container does not have; every page is our own.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb']
  return await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args })
}

// A visitor of one look, watched: `page.complaints` is what went wrong so far.
export async function visitor(browser, look, { scripts = true } = {}) {
  const context = await browser.newContext({
    baseURL: SHOP,
    colorScheme: look.scheme,
    javaScriptEnabled: scripts,
    locale: LOCALES[look.language],
    reducedMotion: 'reduce',
    viewport: { width: look.width, height: look.width < 600 ? 844 : 900 },
  })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  page.complaints = []
  page.expected = []
  page.on('console', message => {
    const isExpected = page.expected.some(text => message.text().includes(text))
    if (['error', 'warning'].includes(message.type()) && !isExpected) {
      page.complaints.push(`console: ${message.text()} (${message.location().url})`)
    }
  })
  page.on('pageerror', error => page.complaints.push(`script: ${error}`))
  page.on('request', request => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.origin !== new URL(SHOP).origin) {
      page.complaints.push(`foreign host: ${url}`)
    }
  })
  return page
}

// The visitor leaves; nothing may have gone wrong meanwhile.
export async function leave(page) {
  assert.deepEqual(page.complaints, [])
  await page.context().close()
}

export async function signIn(page, reader) {
  await page.goto('/sign-in')
  await page.fill('input[name=reader]', reader)
  await page.locator('form:has(input[name=reader]) button').click()
  await page.waitForURL(SHOP + '/')
}

export async function bookseller(page) {
  await page.goto('/sign-in')
  await page.locator('button[name=role]').click()
  await page.waitForURL(SHOP + '/console')
}

// The address of a book, without the shelf that it was found on.
export const bookOf = address => new URL(address, SHOP).pathname

const books = async (page, links) => {
  const found = await page.locator(links).evaluateAll(links => links.map(a => a.href))
  return found.map(bookOf)
}

// The books on the page's shelves, in their order.
export const shown = page => books(page, 'main .shelf .about h3 a')

// The books of the library's page.
export const owned = page => books(page, '.owned h2 a')

// The text of the file that a link leads to.
export async function downloaded(page, link) {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
  return Buffer.concat(await (await download.createReadStream()).toArray()).toString()
}

export async function hasNoAxeFindings(page, what) {
  // The page's policy lets no scripts of others in, as it should: this one comes by the debugger.
  await page.evaluate(await readFile(AXE, 'utf8'))
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const { violations } = await page.evaluate(tags => globalThis.axe.run(document, { runOnly: tags }), tags)
  const findings = violations.map(one => ({
    rule: one.id,
    help: one.help,
    at: one.nodes.slice(0, 4).map(node => `${node.html.slice(0, 160)} | ${node.failureSummary}`),
  }))
  assert.deepEqual(findings, [], what)
}
