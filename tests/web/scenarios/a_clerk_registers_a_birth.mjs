// A newcomer at the counter: from nothing to the number and the printed page, in under two minutes.
import { accessible, address, browse, desk, fine, picture, settled, signedIn, tidy } from '../browser.mjs'

await browse(async (browser) => {
  const page = await signedIn(browser, 'township_clerk.in', { viewport: desk })
  const start = Date.now()
  await page.goto(`${address}/births/new`)
  await settled(page)
  await accessible(page, 'an empty form')
  await page.getByTestId('birth-date').fill('2026-06-01')
  await page.getByTestId('child-name-0').fill('测试宝宝')
  await page.getByTestId('place-home').check()
  const place = page.getByTestId('place-division').locator('input').or(page.locator('input[data-testid="place-division"]'))
  await place.first().fill('宋家川')
  await page.locator('.ant-select-item-option').first().click()
  await page.locator('.ant-select-dropdown').waitFor({ state: 'hidden' })
  await page.getByTestId('mother-known').check()
  await page.getByTestId('mother-name').fill('测试妈妈')
  await page.getByTestId('declarant-mother').check()
  await page.locator('[data-testid="register"]:not([disabled])').waitFor({ timeout: 20000 })
  await picture(page, 'birth-filled-desk-zh')
  await accessible(page, 'a filled form')
  await page.getByTestId('register').click()
  await page.getByTestId('handbook-number').waitFor({ timeout: 20000 })
  await settled(page)
  const number = (await page.getByTestId('handbook-number').innerText()).replace(/\s/g, '')
  if (!/^[0-9A-Z]{8,}$/.test(number)) throw new Error(`this is no handbook number: ${number}`)
  await accessible(page, 'after registering')
  await tidy(page, 'after registering', 'zh')
  await picture(page, 'birth-registered-desk-zh')
  const seconds = (Date.now() - start) / 1000
  console.log(`registered in ${seconds.toFixed(1)} s`)
  if (seconds > 120) throw new Error('two minutes are over')
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().includes('/confirmation')),
    page.getByTestId('confirmation').click(),
  ])
  if (answer.status() !== 200 || answer.headers()['content-type'] !== 'application/pdf') {
    throw new Error(`the confirmation: ${answer.status()} ${answer.headers()['content-type']}`)
  }
  fine(page)
})
