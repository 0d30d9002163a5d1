// Every page in every look: nothing that axe-core finds, nothing that moves, nothing too wide.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { LOOKS, bookseller, browser, hasNoAxeFindings, leave, named, shown, signIn, visitor } from './shop.mjs'

// What a page may weigh on the wire, but for its covers.
const PAGE_BYTES_MAX = 60_000

let chromium
before(async () => { chromium = await browser() })
after(async () => { await chromium.close() })

// The shopper's pages; where there is a status, it is not that of a page that was found.
const PAGES = [
  ['/', 'home'],
  ['/search?q=the', 'a search'],
  ['/search?q=zzzzzz', 'a search that finds nothing'],
  ['/categories', 'the categories'],
  ['/categories/mystery', 'a category'],
  ['/categories/mystery?order=title&sold_out=yes', 'a category, filtered'],
  ['/library', 'the library'],
  ['/library?show=rated', 'what was rated'],
  ['/library/forget', 'forgetting'],
  ['/sign-in', 'signing in'],
  ['/books/no-such-book', 'a book that there is not', 404],
  ['/no/such/page', 'a page that there is not', 404],
]

// The bookseller's pages.
const CONSOLE = [
  ['/console', 'the console'],
  ['/console/models', 'the models'],
  ['/console/acceptance', 'the acceptance'],
  ['/console/try?user=1', 'a try'],
]

async function look_at(page, path, what, status = 200) {
  page.expected = status === 200 ? [] : [`status of ${status}`]
  const answer = await page.goto(path)
  assert.equal(answer.status(), status, what)
  await hasNoAxeFindings(page, `${what} (${path})`)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${what} is ${wide} px too wide`)
}

describe('axe-core finds nothing', () => {
  for (const look of LOOKS) {
    test(`for a visitor: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      for (const [path, what, status] of PAGES) await look_at(page, path, what, status)
      await page.goto('/')
      for (const book of (await shown(page)).slice(0, 2)) await look_at(page, book, 'a book')
      await leave(page)
    })

    test(`for a reader: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      await signIn(page, '2')
      for (const [path, what, status] of PAGES) await look_at(page, path, what, status)
      await page.goto('/')
      await look_at(page, (await shown(page))[0], 'a book')
      const [act] = await page.locator('button[value^="want "]').all()
      await act.click()
      await page.waitForSelector('#notice')
      await hasNoAxeFindings(page, 'a notice')
      await page.locator('#notice button').click()
      await leave(page)
    })

    test(`for the bookseller: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      await bookseller(page)
      for (const [path, what, status] of CONSOLE) await look_at(page, path, what, status)
      await leave(page)
    })
  }
})

describe('pages keep still and light', () => {
  for (const look of LOOKS) {
    test(named(look), async () => {
      const page = await visitor(chromium, look)
      await signIn(page, '3')
      const weight = { bytes: 0 }
      const session = await page.context().newCDPSession(page)
      const addresses = new Map()
      await session.send('Network.enable')
      await session.send('Network.setCacheDisabled', { cacheDisabled: true })
      session.on('Network.responseReceived', one => addresses.set(one.requestId, one.response.url))
      session.on('Network.loadingFinished', one => {
        if (!addresses.get(one.requestId)?.includes('/covers/')) weight.bytes += one.encodedDataLength
      })
      await page.addInitScript(() => {
        globalThis.moved = 0
        new PerformanceObserver(list => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.moved += entry.value
        }).observe({ type: 'layout-shift', buffered: true })
      })
      await page.goto('/', { waitUntil: 'networkidle' })
      const [book] = await shown(page)
      const home = weight.bytes
      console.log(`${named(look)}: the home page weighs ${home} bytes`)
      assert.ok(home > 0 && home <= PAGE_BYTES_MAX, `the home page weighs ${home} bytes`)
      for (const path of ['/', book, '/categories/mystery', '/library', '/sign-in']) {
        await page.goto(path, { waitUntil: 'networkidle' })
        await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
        await page.waitForLoadState('networkidle')
        assert.equal(await page.evaluate(() => globalThis.moved), 0, `${path} moves`)
      }
      await leave(page)
    })
  }
})
