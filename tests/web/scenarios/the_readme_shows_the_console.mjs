// The pictures of the README, of people who were never born: taken anew in both languages, and held to show what they are named for.
import fs from 'node:fs'
import path from 'node:path'
import { address, browse, fine, phone, settled, signedIn, speak } from '../browser.mjs'

const folder = process.env.KINDRED_README_PICTURES
const WIDE = { width: 1200, height: 750 }
const BYTES_LEAST = 10_000
const BYTES_MOST = 150_000

async function taken(page, name, shows) {
  for (const language of ['en', 'zh']) {
    await speak(page, language)
    if (!(await page.locator(shows).first().isVisible())) throw new Error(`${name}: ${shows} is not to be seen`)
    const file = path.join(folder, `console-${name}.${language}.png`)
    await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' })
    const { size } = fs.statSync(file)
    if (size < BYTES_LEAST || size > BYTES_MOST) throw new Error(`${file} has ${size} bytes`)
  }
  fine(page)
}

async function anOverview(browser) {
  const page = await signedIn(browser, 'county_manager.in', { viewport: { ...WIDE, height: 1180 } })
  await page.goto(`${address}/overview`)
  await settled(page)
  await taken(page, 'overview', '[_echarts_instance_] svg')
  await page.context().close()
}

async function aBirth(browser) {
  const page = await signedIn(browser, 'township_clerk.in', { viewport: WIDE })
  await page.goto(`${address}/births/new`)
  await page.getByTestId('birth-date').fill('2026-06-01')
  await page.getByTestId('child-name-0').fill('慕安安')
  await page.getByTestId('sex-0-2').check()
  await page.getByTestId('place-home').check()
  await page.getByTestId('place-text').fill('家中')
  await page.getByTestId('declarant-mother').check()
  await page.getByTestId('declarant-name').fill('白雪梅')
  await page.waitForTimeout(1200)
  await settled(page)
  await page.getByTestId('birth-date').scrollIntoViewIfNeeded()
  await page.evaluate(() => window.scrollTo(0, 0))
  await taken(page, 'birth', '[data-testid="birth-date"]')
  await page.context().close()
}

async function aFamily(browser) {
  const page = await signedIn(browser, 'township_clerk.in', { viewport: WIDE })
  await page.goto(`${address}/find`)
  await page.locator('main input[type="search"], main input').first().fill('张')
  await page.locator('a[href^="/persons/"]').first().click()
  await page.getByRole('tab').nth(1).click()
  await settled(page)
  await taken(page, 'person', 'main svg')
  await page.context().close()
}

async function aTask(browser) {
  const page = await signedIn(browser, 'village_worker.in', { viewport: phone })
  await page.goto(`${address}/tasks`)
  await page.locator('a[href^="/tasks/"]').first().click()
  await page.locator('[data-testid^="answer-"]:not([disabled])').first().waitFor()
  await settled(page)
  await taken(page, 'task-phone', '.k-task-ask')
  await page.context().close()
}

await browse(async (browser) => {
  fs.mkdirSync(folder, { recursive: true })
  await Promise.all([anOverview(browser), aTask(browser)])
  await Promise.all([aBirth(browser), aFamily(browser)])
})
