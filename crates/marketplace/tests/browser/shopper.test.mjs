// The ways of a shopper, in every look, with scripts.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { LOOKS, bookOf, browser, downloaded, leave, named, owned, shown, signIn, visitor } from './shop.mjs'

let chromium
before(async () => { chromium = await browser() })
after(async () => { await chromium.close() })

// Presses a button and waits for what the shop says to it.
async function act(page, button) {
  await page.evaluate(() => document.querySelector('#notice')?.setAttribute('data-seen', ''))
  await button.click()
  await page.waitForSelector('#notice:not([data-seen]) p')
}

LOOKS.forEach((look, number) => describe(named(look), () => {
  // Readers of the demo that no other look touches.
  const reader = place => String(20 + number * 10 + place)

  test('a visitor gets shelves from what they clicked, and keeps it when they sign in', async () => {
    const page = await visitor(chromium, look)
    await page.goto('/')
    assert.equal(await page.getAttribute('html', 'lang'), look.language === 'zh' ? 'zh-CN' : 'en')
    const first = await shown(page)
    assert.ok(first.length >= 9, `${first}`)
    const looked = first.slice(0, 2)
    for (const book of looked) await page.goto(book)
    await page.goto('/')
    const later = await shown(page)
    assert.notDeepEqual(later, first)
    assert.ok(!looked.includes(later[0]), 'what was just looked at is not picked')
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
    // Of what is scarce the page says how many are left.
    const scarce = page.locator('main li:has(.scarce) .about a')
    await page.goto('/categories')
    const categories = await page.locator('.tiles a').evaluateAll(links => links.map(a => a.getAttribute('href').split('?')[0]))
    let left
    for (const category of categories) {
      await page.goto(category)
      for (const book of await scarce.evaluateAll(links => links.map(a => a.getAttribute('href').split('?')[0]))) {
        await page.goto(book)
        const text = await page.locator('.offer .scarce').textContent().catch(() => '')
        left = Number(text.match(/\d+/)?.[0] ?? 0)
        if (left > 1 && await page.locator('button[value^="buy "]:enabled').count() === 1) break
        left = undefined
      }
      if (left) break
    }
    assert.ok(left, 'a book of which few are left')
    await act(page, page.locator('button[value^="buy "]'))
    const now = () => page.locator('.offer .scarce').textContent().then(text => Number(text.match(/\d+/)?.[0]))
    assert.equal(await now(), left - 1)
    await act(page, page.locator('#notice button'))
    assert.equal(await now(), left)
    await leave(page)
  })

  test('a search answers while one types: titles and authors', async () => {
    const page = await visitor(chromium, look)
    await page.goto('/')
    const card = page.locator('main .shelf .about').first()
    const title = (await card.locator('h3 a').textContent()).trim()
    const author = (await card.locator('.by').textContent()).split(/[,、]/)[0].trim()
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

  test('a category is paged without repeats, and filtered', async () => {
    const page = await visitor(chromium, look)
    await page.goto('/categories/mystery')
    const seen = []
    for (let number = 0; number < 3; number++) {
      seen.push(...await page.locator('.grid h2 a, .grid h3 a, .grid .h3 a').evaluateAll(links => links.map(a => a.getAttribute('href').split('?')[0])))
      const next = page.locator('a.next')
      if (await next.count() === 0) break
      await next.click()
      await page.waitForLoadState()
    }
    assert.ok(seen.length > 24, `${seen.length} books`)
    assert.equal(new Set(seen).size, seen.length)
    await page.goto('/categories/mystery')
    await page.selectOption('select[name=order]', 'title')
    await page.locator('.filter button').click()
    await page.waitForURL('**order=title**')
    const titles = await page.locator('.grid .about a').allTextContents()
    const plain = titles.map(text => text.trim().toLowerCase())
    assert.deepEqual(plain, [...plain].sort(), 'by title')
    await leave(page)
  })

  test('a list of books comes along, what is held can be downloaded, and be forgotten', async () => {
    const page = await visitor(chromium, look)
    const name = `mover-${number}-${Date.now()}`
    await signIn(page, name)
    const cards = (await page.locator('main .shelf .about').all()).slice(0, 2)
    const text = async (card, part) => (await card.locator(part).textContent()).trim()
    const titles = await Promise.all(cards.map(async card => [await text(card, 'h3 a'), await text(card, '.by')]))
    const line = ([title, author]) => `1,"${title}","${author}",5,read,2024/05/01`
    const csv = ['Book Id,Title,Author,My Rating,Exclusive Shelf,Date Added', ...titles.map(line),
      '9,"A Book That Nobody Wrote","Nobody At All",3,read,2024/05/01', ''].join('\n')
    await page.goto('/library')
    await page.setInputFiles('input[type=file]', { name: 'goodreads.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) })
    await page.locator('form[enctype] button').click()
    await page.waitForSelector('a[href^="/?seen="]')
    const report = await page.textContent('main')
    assert.ok(report.includes('A Book That Nobody Wrote'), report)
    await page.goto('/library')
    assert.ok((await owned(page)).length >= 1, 'the books are in the library')
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
    const other = look.language === 'en' ? 'zh' : 'en'
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
    await page.waitForSelector('#notice')
    const isAtNotice = await page.evaluate(() => document.activeElement.closest('#notice, main') !== null)
    assert.ok(isAtNotice, 'the focus is not lost')
    await leave(page)
  })
}))
