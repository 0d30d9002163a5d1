// The ways of the bookseller: what the service does, rules that are tried, models, acceptance.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { LOOKS, act, bookOf, bookseller, browser, leave, named, shown, signIn, visitor } from './shop.mjs'

let chromium
before(async () => { chromium = await browser() })
after(async () => { await chromium.close() })

// Presses a button of a form that leads to a whole page.
const press = (page, button) => Promise.all([page.waitForEvent('load'), page.locator(button).click()])

// The titles on a side of a try: 0 is as it is, 1 as it would be.
const side = (page, place) => page.locator('.side').nth(place).locator('.ranked a').allTextContents()

// The id of the book at a place of the first side.
async function tried(page, place) {
  const address = await page.locator('.side').first().locator('.ranked a').nth(place).getAttribute('href')
  return bookOf(address).split('/').pop()
}

// Puts a rule about a book into the draft.
async function draft(page, rule, book, effect, number = '') {
  await page.fill('input[name=rule_id]', rule)
  await page.selectOption('select[name=target]', 'book')
  await page.fill('input[name=about]', book)
  await page.selectOption('select[name=effect]', effect)
  await page.fill('input[name=number]', number)
  await press(page, 'button[value=add]')
  assert.equal(await page.locator('.drafts button[value="drop 0"]').count(), 1)
}

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
    const now = await side(page, 0)
    const book = await tried(page, now.length - 1)
    const rule = `pin-${number}`
    await draft(page, rule, book, 'pin', '1')
    assert.deepEqual(await side(page, 0), now, 'as it is, it is as before')
    assert.equal((await side(page, 1))[0], now.at(-1), 'the draft has the pin')
    await act(page, page.locator('button[value=save]'))
    assert.equal(await page.locator(`button[value="delete ${rule}"]`).count(), 1)
    await shopper.goto('/')
    assert.ok((await shown(shopper)).slice(0, 2).includes(`/books/${book}`), 'the reader sees it')
    await page.locator(`button[value="delete ${rule}"]`).click()
    await act(page, page.locator('button[value=save]'))
    assert.equal(await page.locator(`button[value="delete ${rule}"]`).count(), 0)
    assert.deepEqual(await side(page, 0), now)
    await leave(shopper)
    await leave(page)
  })

  test('a boost, burials and a filter are tried, and count for nobody', async () => {
    const page = await visitor(chromium, look)
    await bookseller(page)
    const here = `/console/try?user=${70 + number}`
    await page.goto(here)
    const now = await side(page, 0)
    assert.equal(now.length, 10)
    const [first, last] = [await tried(page, 0), await tried(page, 9)]
    // What becomes of the shelf; beside it, it stays as it is.
    const trial = async (book, effect, number) => {
      await draft(page, `${effect}-${look.language}`, book, effect, number)
      assert.deepEqual(await side(page, 0), now)
      const shelf = await side(page, 1)
      await press(page, 'button[value="drop 0"]')
      assert.equal(await page.locator('.side').count(), 1, 'without a draft there is nothing beside it')
      return shelf
    }
    const boosted = (await trial(last, 'boost', '10')).indexOf(now[9])
    assert.ok(boosted >= 0 && boosted < 9, `from place 9 to ${boosted}`)
    assert.ok(!(await trial(first, 'out')).includes(now[0]), 'what is buried is gone')
    const buried = (await trial(first, 'last')).indexOf(now[0])
    assert.ok(buried === -1 || buried === 9, `from place 0 to ${buried}`)

    await page.fill('input[name=any_categories]', 'poetry')
    await press(page, 'fieldset button[value=preview]')
    assert.equal(await page.inputValue('input[name=any_categories]'), 'poetry', 'what is asked stays')
    assert.deepEqual(await side(page, 0), now)
    const links = page.locator('.side').nth(1).locator('.ranked a')
    const filtered = await links.evaluateAll(links => links.map(a => a.href))
    assert.ok(filtered.length > 0)
    for (const book of filtered) {
      await page.goto(book)
      assert.equal(await page.locator('main dl a[href="/categories/poetry"]').count(), 1, book)
    }
    await page.goto(here)
    assert.deepEqual(await side(page, 0), now)
    assert.equal(await page.locator('.stored button').count(), 0, 'nothing was saved')
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
  const versions = page => page.locator('table tbody th').allTextContents()

  test('stay as they are when a training is stopped', async () => {
    const page = await visitor(chromium, LOOKS[0])
    await bookseller(page)
    await page.goto('/console/models')
    const stop = page.locator('form[action="/console/models/stop"] button')
    // A machine may train faster than a button is pressed.
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = await versions(page)
      await press(page, 'form[action="/console/models/train"] button')
      const isPressed = await stop.click({ timeout: 1000 }).then(() => true, () => false)
      if (isPressed) await page.waitForSelector('form[action="/console/models/train"]')
      await page.goto('/console/models')
      const told = await page.textContent('section [role=status]')
      if (told.includes('was stopped')) {
        assert.deepEqual(await versions(page), before)
        await leave(page)
        return
      }
      await page.waitForFunction(() => !document.querySelector('form[action="/console/models/stop"]'))
      await page.goto('/console/models')
    }
    assert.fail('no training could be stopped')
  })

  test('are trained, switched and rolled back', async () => {
    const page = await visitor(chromium, LOOKS[1])
    page.setDefaultTimeout(60_000)
    await bookseller(page)
    await page.goto('/console/models')
    const before = await versions(page)
    let trained
    // One at a time: it is refused while the one that was stopped ends, or the service trains by itself.
    for (let asked = 0; asked < 10 && !trained; asked++) {
      await page.locator('form[action="/console/models/train"] button').click()
      await page.waitForSelector('progress, a[href="/console/models"].button')
      await page.waitForFunction(() => !document.querySelector('form[action="/console/models/stop"]'))
      await page.goto('/console/models')
      trained = (await versions(page)).find(version => !before.includes(version))
    }
    assert.ok(trained, 'no training made a model')
    await act(page, page.locator('form[action="/console/models/roll-back"] button'))
    const activate = page.locator(`form[action="/console/models/activate"] button[value="${trained}"]`)
    await act(page, activate)
    assert.equal(await activate.count(), 0)
    await leave(page)
  })
})
