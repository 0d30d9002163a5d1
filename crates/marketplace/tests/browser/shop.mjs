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

// The language that somebody who reads this one changes to.
export const OTHER = { en: 'zh', zh: 'en' }

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

// Waits until the shop says that it worked; a failure is no such notice.
export const worked = page => page.waitForSelector('#notice:not(.failed, [data-seen])')

// Presses a button that works.
export async function act(page, button) {
  await page.evaluate(() => document.querySelector('#notice')?.setAttribute('data-seen', ''))
  await button.click()
  await worked(page)
}

// The address of a book, without the shelf that it was found on.
export const bookOf = address => new URL(address, SHOP).pathname

// Where links lead to.
const paths = (page, links) => page.locator(links).evaluateAll(links => links.map(a => a.pathname))

// The books on the page's shelves, in their order.
export const shown = page => paths(page, 'main .shelf .about h3 a')

// The books on the page's shelves and in its list.
export const listed = page => paths(page, 'main li .about a')

// The books of the library's page.
export const owned = page => paths(page, '.owned h2 a')

// The first author of a card: of several, others know the book by that one.
export async function authorOf(card) {
  const authors = await card.locator('.by').textContent()
  return authors.split(/[,、]/)[0].trim()
}

export const titleOf = async card => (await card.locator('h3 a').textContent()).trim()

// Goes to a book of which few are left, and tells how many.
export async function goToScarce(page) {
  await page.goto('/categories')
  for (const category of await paths(page, '.tiles a')) {
    await page.goto(category)
    for (const book of await paths(page, 'main li:has(.scarce) .about a')) {
      await page.goto(book)
      const left = await leftOf(page)
      if (left > 1 && await page.locator('button[value^="buy "]:enabled').count() === 1) return { category, book, left }
    }
  }
  assert.fail('there is no book of which few are left')
}

// How many are left of the book that the page is about: of what is scarce the page says so.
export async function leftOf(page) {
  const text = await page.locator('.offer .scarce').textContent()
  return Number(text.match(/\d+/)?.[0] ?? 0)
}

// Has readers buy all that are left of a book, and then does something; they give it back.
export async function whileSoldOut(browser, look, { book, left }, then) {
  const buyers = []
  for (let number = 0; number < left; number++) {
    const buyer = await visitor(browser, look)
    await signIn(buyer, `buyer-${number}-${Date.now()}`)
    await buyer.goto(book)
    await act(buyer, buyer.locator('button[value^="buy "]'))
    buyers.push(buyer)
  }
  await then()
  for (const buyer of buyers) {
    await act(buyer, buyer.locator('#notice button'))
    await leave(buyer)
  }
}

// Brings a list along, on the page of the library: one of Goodreads, with a title and an author a book.
export async function bring(page, books) {
  const lines = books.map(([title, author]) => `1,"${title}","${author}",5,read,2024/05/01\n`)
  const csv = ['Book Id,Title,Author,My Rating,Exclusive Shelf,Date Added\n', ...lines].join('')
  const file = { name: 'goodreads.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) }
  await page.setInputFiles('input[type=file]', file)
  await page.locator('form[enctype] button').click()
  await page.waitForSelector('a[href^="/?seen="]', { timeout: 60_000 })
}

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
