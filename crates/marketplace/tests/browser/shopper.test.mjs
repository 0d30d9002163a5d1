// The ways of a shopper, in every look, with scripts.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  LOOKS, OTHER, act, authorOf, bookOf, bring, browser, downloaded, goToScarce, leave, leftOf, listed, named,
  owned, shown, signIn, titleOf, visitor, whileSoldOut, worked,
} from './shop.mjs'

let chromium
before(async () => { chromium = await browser() })
after(async () => { await chromium.close() })

// The books of the list on this page and on those that it leads on to.
async function allListed(page) {
  const books = []
  for (;;) {
    books.push(...await listed(page))
    const next = page.locator('a.next')
    if (await next.count() === 0) return books
    const address = await next.getAttribute('href')
    await Promise.all([page.waitForURL(url => url.href.endsWith(address)), next.click()])
  }
}

// Chooses something in the form of a category; its address says so then.
async function filter(page, choose, said) {
  await choose()
  await page.locator('.filter button').click()
  await page.waitForURL(`**${said}**`)
}

LOOKS.forEach((look, number) => describe(named(look), () => {
  // Readers of the demo that no other look touches.
  const reader = place => String(20 + number * 10 + place)

  test('a visitor gets shelves from what they clicked, and keeps it when they sign in', async () => {
    const page = await visitor(chromium, look)
    await page.goto('/')
    assert.ok((await page.getAttribute('html', 'lang')).startsWith(look.language))
    const first = await shown(page)
    assert.ok(first.length >= 9, `${first}`)
    const looked = first.slice(0, 2)
    for (const book of looked) await page.goto(book)
    await page.goto('/')
    const later = await shown(page)
    assert.notDeepEqual(later, first)
    assert.ok(later.slice(0, 6).some(book => !first.includes(book)), 'what was looked at leads to others')
    await page.goto(looked[0])
    await act(page, page.locator('button[value^="want "]').first())
    await signIn(page, `visitor-${number}-${Date.now()}`)
    await page.goto('/library')
    assert.deepEqual(await owned(page), [looked[0]])
    const data = await downloaded(page, page.locator('a[download]'))
    for (const book of looked) assert.ok(data.includes(`"${book.split('/').pop()}"`), data)
    await leave(page)
  })

  test('no book stands twice on the home page, and each shelf leads on', async () => {
    const page = await visitor(chromium, look)
    await signIn(page, reader(0))
    const books = await shown(page)
    assert.ok(books.length > 20, `${books.length} books`)
    assert.equal(new Set(books).size, books.length, `${books}`)
    const book = page.locator('main .shelf .about h3 a').first()
    const title = (await book.textContent()).trim()
    await book.click()
    await page.waitForURL('**/books/*')
    assert.equal((await page.textContent('h1')).trim(), title)
    assert.ok(await page.locator('.reasons .reason').count() >= 1, 'the reasons are told')
    assert.ok(!(await shown(page)).includes(bookOf(page.url())))
    await leave(page)
  })

  test('wanting, reading, rating and waving away change the shelves at once, and can be undone', async () => {
    const page = await visitor(chromium, look)
    await signIn(page, reader(1))
    const before = await shown(page)
    const [wanted] = before
    const id = wanted.split('/').pop()
    await act(page, page.locator(`button[value="want ${id}"]`).first())
    const after = await shown(page)
    assert.ok(!after.includes(wanted), 'a wanted book leaves the shelves')
    assert.notDeepEqual(after, before)
    await page.reload()
    assert.deepEqual(await shown(page), after, 'the shelves agree after a reload')

    const [unwanted] = after
    await act(page, page.locator(`button[value="dismiss ${unwanted.split('/').pop()}"]`).first())
    assert.ok(!(await shown(page)).includes(unwanted))
    await act(page, page.locator('#notice button'))
    await page.reload()
    assert.ok((await shown(page)).includes(unwanted), 'what was taken back stands there again')

    await page.goto(wanted)
    await act(page, page.locator(`button[value="finish ${id}"]`))
    await page.goto(wanted)
    await page.locator('.stars input[value="5"]').check({ force: true })
    await act(page, page.locator(`button[value="rate ${id}"]`))
    await page.reload()
    assert.equal(await page.locator('.stars input[value="5"]').isChecked(), true)
    await page.goto('/library')
    assert.ok((await owned(page)).includes(wanted))
    await leave(page)
  })

  test('what is bought is one less', async () => {
    const page = await visitor(chromium, look)
    await signIn(page, reader(2))
    const { left } = await goToScarce(page)
    await act(page, page.locator('button[value^="buy "]'))
    assert.equal(await leftOf(page), left - 1)
    await act(page, page.locator('#notice button'))
    assert.equal(await leftOf(page), left)
    await leave(page)
  })

  test('a search answers while one types: titles and authors', async () => {
    const page = await visitor(chromium, look)
    await page.goto('/')
    const card = page.locator('main .shelf .about').first()
    const title = await titleOf(card)
    const author = await authorOf(card)
    const [book] = await shown(page)
    for (const typed of [title, author]) {
      await page.goto('/')
      await page.locator('#q').pressSequentially(typed, { delay: 20 })
      await page.waitForURL(url => url.searchParams.get('q') === typed)
      await page.waitForSelector(`main a[href="${book}"], main .by:text-is("${author}")`)
      assert.equal(await page.inputValue('#q'), typed, 'what is typed stays')
      assert.ok(await page.locator('#q').evaluate(field => field === document.activeElement))
      assert.ok((await page.textContent('#told')).trim(), 'what was found is said')
    }
    await leave(page)
  })

  test('a category is paged without repeats, and sorted', async () => {
    const page = await visitor(chromium, look)
    await page.goto('/categories/mystery')
    const seen = await allListed(page)
    assert.ok(seen.length > 24, `${seen.length} books`)
    assert.equal(new Set(seen).size, seen.length)
    await filter(page, () => page.selectOption('select[name=order]', 'title'), 'order=title')
    const titles = await page.locator('.grid .about a').allTextContents()
    const plain = titles.map(text => text.trim().toLowerCase())
    assert.deepEqual(plain, [...plain].sort(), 'by title')
    await leave(page)
  })

  test('a category is filtered by language', async () => {
    const page = await visitor(chromium, look)
    const languages = () => page.locator('.grid .about a').evaluateAll(links => links.map(a => a.lang))
    await page.goto('/categories/classics')
    assert.ok((await languages()).includes('en'))
    await filter(page, () => page.selectOption('.filter select[name=language]', 'de'), 'language=de')
    const filtered = await languages()
    assert.ok(filtered.length > 0)
    assert.deepEqual([...new Set(filtered)], ['de'])
    assert.equal(await page.inputValue('.filter select[name=language]'), 'de', 'what is chosen stays')
    await leave(page)
  })

  test('a category is filtered by price', async () => {
    const page = await visitor(chromium, look)
    const prices = async () => (await page.locator('.grid .price').allTextContents()).map(Number.parseFloat)
    // Its prices tell the shop what they are in.
    await page.goto('/categories/classics')
    await page.goto('/categories/classics')
    const before = await prices()
    const most = [...before].sort((one, other) => one - other)[Math.floor(before.length / 2)]
    assert.ok(before.some(price => price > most), `${before}`)
    assert.equal(await page.locator('.filter input[name=price]').count(), 1, 'prices can be asked for')
    await filter(page, () => page.fill('.filter input[name=price]', String(most)), 'price=')
    const cards = await page.locator('.grid .card').count()
    const after = await prices()
    assert.ok(cards > 0)
    assert.equal(after.length, cards, 'what has no price is left out')
    assert.deepEqual(after.filter(price => price > most), [], `at most ${most}`)
    assert.ok(after.includes(most), `${most} itself is in ${after}`)
    await leave(page)
  })

  test('a category is without what is sold out, unless that is asked for', async () => {
    const page = await visitor(chromium, look)
    const scarce = await goToScarce(page)
    const count = async () => Number((await page.textContent('h1 + .note')).match(/\d+/)[0])
    await page.goto(scarce.category)
    const before = await count()
    await whileSoldOut(chromium, look, scarce, async () => {
      await page.goto(scarce.category)
      assert.equal(await count(), before - 1)
      assert.ok(!(await listed(page)).includes(scarce.book))
      await filter(page, () => page.check('.filter input[name=sold_out]'), 'sold_out=yes')
      assert.equal(await count(), before)
      assert.ok((await allListed(page)).includes(scarce.book))
      await page.goto(scarce.book)
      assert.equal(await leftOf(page), 0)
      assert.ok(await page.locator('button[value^="buy "]').isDisabled())
    })
    await page.goto(scarce.category)
    assert.equal(await count(), before)
    await leave(page)
  })

  test('a list of books comes along, what is held can be downloaded, and be forgotten', async () => {
    const page = await visitor(chromium, look)
    const name = `mover-${number}-${Date.now()}`
    await signIn(page, name)
    const cards = (await page.locator('main .shelf .about').all()).slice(0, 2)
    const known = await Promise.all(cards.map(async card => [await titleOf(card), await authorOf(card)]))
    const wanted = (await shown(page)).slice(0, 2)
    await page.goto('/library')
    await bring(page, [...known, ['A Book That Nobody Wrote', 'Nobody At All']])
    const report = await page.textContent('main')
    assert.ok(report.includes('A Book That Nobody Wrote'), report)
    await page.goto('/library')
    assert.deepEqual((await owned(page)).sort(), wanted.sort(), 'the books are in the library')
    assert.ok((await downloaded(page, page.locator('a[download]'))).includes(name))
    await page.goto('/library/forget')
    const isPost = answer => answer.request().method() === 'POST'
    const [answer] = await Promise.all([page.waitForResponse(isPost), page.locator('button.danger').click()])
    assert.equal(answer.status(), 200)
    await signIn(page, name)
    await page.goto('/library')
    assert.equal(await page.locator('.owned li').count(), 0)
    await leave(page)
  })

  test('language and colours can be chosen, and last', async () => {
    const page = await visitor(chromium, look)
    const other = OTHER[look.language]
    await page.goto('/categories')
    await page.selectOption('select[name=language]', other)
    await page.selectOption('select[name=theme]', look.scheme === 'dark' ? 'light' : 'dark')
    await page.locator('.preferences button').click()
    await page.waitForSelector(`html[lang^="${other}"]`)
    assert.equal(new URL(page.url()).pathname, '/categories', 'it leads back')
    await page.goto('/')
    assert.ok((await page.getAttribute('html', 'lang')).startsWith(other))
    const paper = await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)
    assert.equal(paper, look.scheme === 'dark' ? 'light' : 'dark')
    await leave(page)
  })

  test('a keyboard is enough', async () => {
    const page = await visitor(chromium, look)
    await signIn(page, reader(3))
    await page.goto('/')
    await page.keyboard.press('Tab')
    assert.ok(await page.evaluate(() => document.activeElement.classList.contains('skip')))
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    const first = await page.evaluate(() => document.activeElement.closest('main') !== null)
    assert.ok(first, 'the link leads past the head')
    for (let step = 0; step < 3; step++) {
      const isButton = await page.evaluate(() => document.activeElement.value?.startsWith('want '))
      if (isButton) break
      await page.keyboard.press('Tab')
    }
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
    assert.notEqual(outline, 'none', 'where one is can be seen')
    await page.keyboard.press('Enter')
    await worked(page)
    const isAtNotice = await page.evaluate(() => document.activeElement.closest('#notice, main') !== null)
    assert.ok(isAtNotice, 'the focus is not lost')
    await leave(page)
  })
}))
