// The pictures of the documentation: SHOP_URL is a demo, FOLDER where they go.

import path from 'node:path'

import { bookseller, browser, shown, signIn, visitor } from './shop.mjs'

const WIDE = { language: 'en', scheme: 'light', width: 1280 }
const PHONE = { language: 'zh', scheme: 'dark', width: 390 }

const chromium = await browser()
// A console is never done loading.
const taken = async (page, name, done = 'networkidle') => {
  await page.waitForLoadState(done)
  await page.screenshot({ path: path.join(process.env.FOLDER, `${name}.png`) })
  console.log(name)
}

const reader = await visitor(chromium, WIDE)
await signIn(reader, '1')
await reader.goto('/')
await taken(reader, 'home')
const [book] = await shown(reader)
await reader.goto('/')
await reader.locator(`main a[href^="${book}?"]`).last().click()
await reader.waitForURL('**/books/*')
await taken(reader, 'book')
await reader.goto('/search?q=murder')
await taken(reader, 'search')

const phone = await visitor(chromium, PHONE)
await signIn(phone, '1')
await phone.goto('/')
await taken(phone, 'phone')

const seller = await visitor(chromium, { ...WIDE, scheme: 'dark' })
await bookseller(seller)
for (const _ of Array(6)) {
  await reader.goto('/')
  await seller.waitForTimeout(1000)
}
await taken(seller, 'console', 'load')
await seller.goto('/console/try?user=1')
await taken(seller, 'try')
await chromium.close()
