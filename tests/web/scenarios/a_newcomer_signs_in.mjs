// Signing in, by keyboard and with what can go wrong; a session that ends; another tab; a server that is away; the own password.
import assert from 'node:assert/strict'
import { accessible, address, browse, password, phone, picture, settled, tidy } from '../browser.mjs'

const LOGIN = 'input[autocomplete="username"]'
const SECRET = 'input[autocomplete="current-password"]'
const comesBack = (page) => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })))
const where = (page) => page.url().slice(address.length)

async function checked(page, name) {
  await accessible(page, name)
  await tidy(page, name, 'zh')
  await picture(page, `${name}-phone-zh`)
}

async function signIn(page) {
  await page.locator(LOGIN).fill('township_clerk.in')
  await page.locator(SECRET).fill(password)
  await page.locator(SECRET).press('Enter')
  await page.locator('.k-page h1').waitFor()
}

await browse(async (browser) => {
  const context = await browser.newContext({ viewport: phone, locale: 'zh-CN', reducedMotion: 'reduce' })
  const page = await context.newPage()
  const wrongs = []
  page.on('pageerror', (error) => wrongs.push(error.message))

  await page.goto(`${address}/tasks?state=open`)
  await page.locator(LOGIN).waitFor()
  await settled(page)
  assert.equal(where(page), '/sign-in?back=%2Ftasks%3Fstate%3Dopen')
  const html = await (await page.request.get(`${address}/`)).text()
  assert.match(html, /<template[^]*antd/, 'Ant Design comes while somebody types')
  assert.doesNotMatch(html.replace(/<template[^]*<\/template>/, ''), /antd|router/, 'and not before')
  await checked(page, 'sign-in')
  const order = []
  for (let i = 0; i < 6; i++) {
    order.push(await page.evaluate(() => document.activeElement.autocomplete || document.activeElement.ariaLabel || document.activeElement.textContent))
    await page.keyboard.press('Tab')
  }
  assert.deepEqual(order, ['username', 'current-password', '显示密码', '登录', '中文', 'English'])

  await page.locator('button[type="submit"]').click()
  assert.equal(await page.locator(LOGIN).getAttribute('aria-invalid'), 'true')
  await page.locator(LOGIN).fill('township_clerk.in')
  await page.locator(SECRET).fill('not the password')
  await page.locator(SECRET).press('Enter')
  await page.getByRole('alert').filter({ hasText: '密码不对' }).waitFor()
  await checked(page, 'sign-in-refused')
  await page.getByRole('button', { name: '显示密码' }).click()
  assert.equal(await page.locator(SECRET).getAttribute('type'), 'text')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  assert.equal(await page.locator(SECRET).inputValue(), 'not the password')
  await page.getByRole('button', { name: '中文' }).click()
  await signIn(page)
  assert.equal(where(page), '/tasks?state=open')

  // The session ends, and goes on where it was.
  await context.clearCookies()
  await comesBack(page)
  const over = page.getByRole('dialog')
  await over.locator(SECRET).fill(password)
  await checked(page, 'session-ended')
  await over.locator(SECRET).press('Enter')
  await over.waitFor({ state: 'hidden' })
  assert.equal(where(page), '/tasks?state=open')

  // Nobody is sent elsewhere; one who is in has no need of the page.
  await page.goto(`${address}/sign-in?back=//elsewhere.example`)
  await page.locator('.k-page h1').waitFor()
  assert.equal(where(page), '/')

  // Signed in in another tab.
  await context.clearCookies()
  await page.goto(`${address}/find`)
  await page.locator(LOGIN).waitFor()
  const other = await context.newPage()
  await other.goto(`${address}/`)
  await signIn(other)
  await other.close()
  await comesBack(page)
  await page.waitForURL(`${address}/find`)

  // The server is away.
  await context.route('**/api/session', (route) => route.abort())
  await page.goto(`${address}/`)
  await page.getByRole('alert').waitFor()
  await checked(page, 'server-away')
  await context.unroute('**/api/session')
  await page.getByRole('button', { name: '重试' }).click()
  await page.locator('.k-page h1').waitFor()

  // The own password.
  await page.goto(`${address}/password`)
  await page.locator('input[name="old"]').fill('not the old one')
  await page.locator('input[name="new"]').fill('not the old one')
  await page.locator('input[name="again"]').fill('another')
  await page.locator('button[type="submit"]').click()
  assert.equal(await page.evaluate(() => document.activeElement.name), 'new')
  assert.equal(await page.locator('[aria-invalid="true"]').count(), 2)
  await checked(page, 'password')
  await page.locator('input[name="new"]').fill('A-new-one-of-many-9')
  await page.locator('input[name="again"]').fill('A-new-one-of-many-9')
  await page.locator('button[type="submit"]').click()
  await page.getByRole('alert').first().waitFor()
  assert.equal(where(page), '/password')
  if (wrongs.length) throw new Error(wrongs.join('\n'))
})
