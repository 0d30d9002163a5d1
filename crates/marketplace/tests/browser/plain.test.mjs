// The shop without scripts: what can be done with pages and forms alone.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  LOOKS, OTHER, act, authorOf, bring, browser, leave, named, owned, shown, signIn, titleOf, visitor,
} from './shop.mjs'

let chromium
before(async () => { chromium = await browser() })
after(async () => { await chromium.close() })

LOOKS.forEach((look, number) => describe(`without scripts: ${named(look)}`, () => {
  const plain = () => visitor(chromium, look, { scripts: false })

  test('one signs in, wants a book, finds it in the library and takes it back', async () => {
    const page = await plain()
    await signIn(page, `plain-${number}-${Date.now()}`)
    const [book] = await shown(page)
    const id = book.split('/').pop()
    await act(page, page.locator(`button[value="want ${id}"]`).first())
    await page.goto('/library')
    assert.equal(await page.locator('.owned li').count(), 1)
    await act(page, page.locator('.owned .did button'))
    await page.goto('/library')
    assert.equal(await page.locator('.owned li').count(), 0)
    await leave(page)
  })

  test('one searches, turns pages and sorts', async () => {
    const page = await plain()
    await page.goto('/')
    await page.fill('#q', 'murder')
    await page.locator('.search button').click()
    await page.waitForURL('**/search?q=murder')
    assert.ok(await page.locator('.grid .about a').count() > 0)
    await page.goto('/categories/mystery')
    const first = await page.locator('.grid .about a').allTextContents()
    await page.locator('a.next').click()
    await page.waitForURL('**after=**')
    const second = await page.locator('.grid .about a').allTextContents()
    assert.ok(second.length > 0 && !second.some(title => first.includes(title)))
    await page.selectOption('select[name=order]', 'title')
    await page.locator('.filter button').click()
    await page.waitForURL('**order=title**')
    const sorted = (await page.locator('.grid .about a').allTextContents()).map(title => title.trim().toLowerCase())
    assert.deepEqual(sorted, [...sorted].sort())
    await leave(page)
  })

  test('one rates a book, buys one, and chooses a language', async () => {
    const page = await plain()
    await signIn(page, `buyer-${number}-${Date.now()}`)
    const [rated, bought] = await shown(page)
    await page.goto(rated)
    await page.locator('.stars input[value="4"]').check({ force: true })
    await act(page, page.locator('.rating button'))
    await page.goto(bought)
    await act(page, page.locator('button[value^="buy "]'))
    await page.goto('/library')
    assert.deepEqual((await owned(page)).sort(), [rated, bought].sort())
    await page.selectOption('select[name=language]', OTHER[look.language])
    await page.locator('.preferences button').click()
    await page.waitForSelector(`html[lang^="${OTHER[look.language]}"]`)
    await leave(page)
  })

  test('a list of books comes along', async () => {
    const page = await plain()
    await signIn(page, `lister-${number}-${Date.now()}`)
    const [book] = await shown(page)
    const card = page.locator('main .shelf .about').first()
    const listed = [await titleOf(card), await authorOf(card)]
    await page.goto('/library')
    await bring(page, [listed])
    await page.goto('/library')
    assert.deepEqual(await owned(page), [book])
    await leave(page)
  })
}))
