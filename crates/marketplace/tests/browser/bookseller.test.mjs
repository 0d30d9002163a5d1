// The ways of the bookseller: what the service does, rules that are tried, models, acceptance.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { LOOKS, bookseller, browser, leave, named, shown, signIn, visitor } from './shop.mjs'

let chromium
before(async () => { chromium = await browser() })
after(async () => { await chromium.close() })

describe('nobody else', () => {
  test('sees the console', async () => {
    const page = await visitor(chromium, LOOKS[0])
    await signIn(page, '4')
    assert.equal(await page.locator('a[href="/console"]').count(), 0)
    page.expected = ['status of 403']
    for (const path of ['/console', '/console/try?user=1', '/console/models', '/console/acceptance']) {
      assert.equal((await page.goto(path)).status(), 403, path)
    }
    await leave(page)
  })
})

LOOKS.forEach((look, number) => describe(named(look), () => {
  test('figures move while one looks', async () => {
    const page = await visitor(chromium, look)
    await bookseller(page)
    const calls = () => page.locator('#live table').first().textContent()
    const before = await calls()
    const shopper = await visitor(chromium, look)
    await signIn(shopper, '5')
    await page.waitForFunction(before => document.querySelector('#live table').textContent !== before, before)
    assert.equal(new URL(page.url()).pathname, '/console')
    assert.ok(await page.locator('#live svg').count() >= 3, 'charts')
    await leave(shopper)
    await leave(page)
  })

  test('a pin is tried, saved, seen by the reader, and taken away again', async () => {
    const reader = String(60 + number)
    const shopper = await visitor(chromium, look)
    await signIn(shopper, reader)
    const page = await visitor(chromium, look)
    await bookseller(page)
    await page.goto(`/console/try?user=${reader}`)
    const side = place => page.locator('.side').nth(place).locator('.ranked a').allTextContents()
    const now = await side(0)
    const last = page.locator('.side .ranked a').nth(now.length - 1)
    const book = (await last.getAttribute('href')).split('?')[0].split('/').pop()
    const rule = `pin-${number}`
    await page.fill('input[name=rule_id]', rule)
    await page.selectOption('select[name=target]', { index: 0 })
    await page.fill('input[name=about]', book)
    await page.selectOption('select[name=effect]', { index: 0 })
    await page.fill('input[name=number]', '1')
    await page.locator('button[value=add]').click()
    await page.waitForSelector('.drafts button[value="drop 0"]')
    assert.deepEqual(await side(0), now, 'as it is, it is as before')
    const draft = await side(1)
    assert.equal(draft[0], now.at(-1), 'the draft has the pin')
    await page.locator('button[value=save]').click()
    await page.waitForSelector(`button[value="delete ${rule}"]`, { state: 'attached' })
    await shopper.goto('/')
    assert.ok((await shown(shopper)).slice(0, 2).includes(`/books/${book}`), 'the reader sees it')
    await page.locator(`button[value="delete ${rule}"]`).click()
    await page.locator('button[value=save]').click()
    await page.waitForSelector(`button[value="delete ${rule}"]`, { state: 'detached' })
    assert.deepEqual(await side(0), now)
    await leave(shopper)
    await leave(page)
  })

  test('what was shown and taken up is counted', async () => {
    const page = await visitor(chromium, look)
    await bookseller(page)
    await page.goto('/console/acceptance')
    assert.ok(await page.locator('table tbody tr').count() >= 1)
    assert.ok(await page.locator('.charts svg').count() >= 1)
    await leave(page)
  })
}))

describe('models', () => {
  test('are trained, switched and rolled back', async () => {
    const page = await visitor(chromium, LOOKS[1])
    page.setDefaultTimeout(60_000)
    await bookseller(page)
    await page.goto('/console/models')
    const versions = () => page.locator('table tbody th').allTextContents()
    const before = await versions()
    await page.locator('form[action="/console/models/train"] button').click()
    await page.waitForSelector('progress, a[href="/console/models"].button')
    await page.waitForFunction(() => !document.querySelector('form[action="/console/models/stop"]'))
    await page.goto('/console/models')
    const after = await versions()
    const trained = after.find(version => !before.includes(version))
    assert.ok(trained, `${before} and then ${after}`)
    await page.locator('form[action="/console/models/roll-back"] button').click()
    await page.waitForSelector('#notice')
    await page.locator(`form[action="/console/models/activate"] button[value="${trained}"]`).click()
    await page.waitForSelector(`form[action="/console/models/activate"] button[value="${trained}"]`, { state: 'detached' })
    await leave(page)
  })
})
