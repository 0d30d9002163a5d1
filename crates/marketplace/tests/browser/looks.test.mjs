// Every page in every look: nothing that axe-core finds, nothing that moves, nothing too wide.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  LOOKS, act, authorOf, bookseller, bring, browser, goToScarce, hasNoAxeFindings, leave, named, shown, signIn,
  titleOf, visitor, whileSoldOut,
} from './shop.mjs'

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
  ['/console', 'what only the bookseller sees', 403],
  ['/acts', 'what forms are sent to', 405],
]

// The bookseller's pages.
const CONSOLE = [
  ['/console', 'the console'],
  ['/console/models', 'the models'],
  ['/console/acceptance', 'the acceptance'],
  ['/console/stalls', 'the stalls'],
  ['/console/try', 'readers to try with'],
  ['/console/try?user=1', 'a try'],
  ['/console/try?user=1&languages=en', 'a try with a filter'],
]

async function lookAt(page, path, what, status = 200) {
  page.expected = status === 200 ? [] : [`status of ${status}`]
  const answer = await page.goto(path)
  assert.equal(answer.status(), status, what)
  await looksWell(page, `${what} (${path})`)
}

async function looksWell(page, what) {
  await hasNoAxeFindings(page, what)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${what} is ${wide} px too wide`)
}

// Sends the form of preferences with something else in a field, and looks at what comes back.
async function lookAtRefused(page, field, value, status) {
  page.expected = [`status of ${status}`]
  await page.goto('/library')
  const hidden = page.locator(`.preferences input[name=${field}]`)
  await hidden.evaluate((hidden, value) => { hidden.value = value }, value)
  const isPost = answer => answer.request().method() === 'POST'
  const [answer] = await Promise.all([page.waitForResponse(isPost), page.locator('.preferences button').click()])
  assert.equal(answer.status(), status)
  await page.waitForSelector('.wrong h1')
  await looksWell(page, `a form that is refused with ${status}`)
}

describe('axe-core finds nothing', () => {
  for (const look of LOOKS) {
    test(`for a visitor: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      for (const [path, what, status] of PAGES) await lookAt(page, path, what, status)
      await page.goto('/')
      for (const book of (await shown(page)).slice(0, 2)) await lookAt(page, book, 'a book')
      await leave(page)
    })

    test(`for a reader: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      await signIn(page, '2')
      for (const [path, what, status] of PAGES) await lookAt(page, path, what, status)
      await page.goto('/')
      await lookAt(page, (await shown(page))[0], 'a book')
      await act(page, page.locator('button[value^="want "]').first())
      await looksWell(page, 'a notice')
      await act(page, page.locator('#notice button'))
      await lookAtRefused(page, 'token', 'of somebody else', 403)
      await lookAtRefused(page, 'back', '/'.repeat(20_000), 413)
      await leave(page)
    })

    test(`for a reader who brings a list, and wants to be forgotten: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      await signIn(page, `mover-${Date.now()}`)
      const card = page.locator('main .shelf .about').first()
      const listed = [await titleOf(card), await authorOf(card)]
      await page.goto('/library')
      await bring(page, [listed, ['A Book That Nobody Wrote', 'Nobody At All']])
      await looksWell(page, 'the report of a list')
      await lookAt(page, '/library', 'a library with a book')
      await page.goto('/library/forget')
      await page.locator('button.danger').click()
      await page.waitForSelector('#notice')
      assert.equal(await page.locator('form[action="/library/forget"]').count(), 0)
      await looksWell(page, 'what is said to who was forgotten')
      await leave(page)
    })

    test(`for a reader who comes too late: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      await signIn(page, `late-${Date.now()}`)
      const scarce = await goToScarce(page)
      await whileSoldOut(chromium, look, scarce, async () => {
        await page.locator('button[value^="buy "]').click()
        await page.waitForSelector('#notice.failed')
        await looksWell(page, 'a notice of what failed')
        await lookAt(page, scarce.book, 'a book that is sold out')
      })
      await leave(page)
    })

    test(`for the bookseller: ${named(look)}`, async () => {
      const page = await visitor(chromium, look)
      await bookseller(page)
      for (const [path, what, status] of CONSOLE) await lookAt(page, path, what, status)
      await page.goto('/console/try?user=1')
      await page.fill('input[name=rule_id]', 'looked-at')
      await page.fill('input[name=about]', '1')
      await page.fill('input[name=number]', '1')
      await page.locator('button[value=add]').click()
      await page.waitForSelector('.drafts button[value="drop 0"]')
      await looksWell(page, 'a try with a draft')
      await page.locator('button[value=add]').click()
      await page.waitForSelector('main [role=alert]')
      await looksWell(page, 'a try of what is no rule')
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
