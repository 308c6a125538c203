// Every page, in the states people meet it in, at desk and phone width and in both languages: no overflow, no cut text, no missing
// word, no empty chart, no serious fault for those who cannot see. With KINDRED_PICTURES a picture of each.
import fs from 'node:fs'
import path from 'node:path'
import { accessible, browse, desk, fine, phone, picture, settled, signedIn, speak, tidy } from '../browser.mjs'

const LONG = '阿卜杜热合曼·麦麦提图尔荪·阿卜杜克热木江·吐尔逊纳孜·艾合麦提'
const BAD_ROWS = '身份证号,姓名,性别,出生日期,户号,与户主关系\n61082919900230001X,测试坏行,男,1990-02-30,1,户主\n'

const to = (address) => async (page) => {
  await page.goto(new URL(address, page.url()).href)
}
const tab = (n) => async (page) => {
  await page.getByRole('tab').nth(n).click()
}
const typed = (text) => async (page) => {
  await page.locator('main input[type="search"], main input').first().fill(text)
  await page.waitForTimeout(300)
}

async function firstOf(page, list, link) {
  await to(list)(page)
  await page.locator(link).first().click()
  await page.waitForURL((url) => url.pathname !== list)
}

async function person(page) {
  await to('/find')(page)
  await typed('张')(page)
  await page.locator('a[href^="/persons/"]').first().click()
  await page.getByRole('tab').first().waitFor()
}

async function twins(page, isPhone) {
  await to('/births/new')(page)
  await page.getByTestId('birth-date').fill('2026-06')
  await page.getByTestId('child-name-0').fill(LONG)
  await page.getByTestId('child-add').click()
  await page.getByTestId('child-name-1').fill(`${LONG}二`)
  if (isPhone) for (let i = 0; i < 5; i++) await page.getByTestId('step-next').click()
  await page.getByTestId('register').click()
  await page.waitForTimeout(700)
}

async function registered(page) {
  await to('/births')(page)
  await page.getByRole('tab').nth(2).click()
  await settled(page)
  if (await page.locator('main a[href^="/births/0"]').count()) await page.locator('main a[href^="/births/0"]').first().click()
}

async function preview(page) {
  await to('/feeds')(page)
  await page.locator('input[type="file"]').setInputFiles([
    { name: '学籍_610829.xlsx', mimeType: 'application/octet-stream', buffer: fs.readFileSync(path.join(process.env.KINDRED_FEEDS, '学籍_610829.xlsx')) },
    { name: '户籍_测试.csv', mimeType: 'text/csv', buffer: Buffer.from(BAD_ROWS) },
    { name: 'no_table.txt', mimeType: 'text/plain', buffer: Buffer.from('nothing') },
  ])
  await page.waitForTimeout(1000)
}

async function opened(page) {
  await tab(3)(page)
  await settled(page)
  for (const head of await page.locator('main .ant-collapse-header').all()) {
    if ((await head.getAttribute('aria-expanded')) === 'false') await head.click()
  }
}

// Who, what it is called, how one gets there. States of one account follow each other on one page.
const STATES = [
  ['township_clerk.in', 'today', to('/')],
  ['township_clerk.in', 'find', to('/find')],
  ['township_clerk.in', 'find-results', typed('zhang')],
  ['township_clerk.in', 'find-none', typed('qqqqqq')],
  ['township_clerk.in', 'person', person],
  ['township_clerk.in', 'person-family', tab(1)],
  ['township_clerk.in', 'person-values', tab(2)],
  ['township_clerk.in', 'person-records', opened],
  ['township_clerk.in', 'person-tasks', tab(4)],
  ['township_clerk.in', 'person-history', tab(5)],
  ['township_clerk.in', 'person-looked', tab(6)],
  ['township_clerk.in', 'tasks', to('/tasks')],
  ['township_clerk.in', 'tasks-none', to('/tasks?state=closed')],
  ['township_clerk.in', 'births', to('/births')],
  ['township_clerk.in', 'birth', to('/births/new')],
  ['township_clerk.in', 'birth-twins', twins],
  ['township_clerk.in', 'births-drafts', to('/births?show=drafts')],
  ['township_clerk.in', 'birth-registered', registered],
  ['township_clerk.in', 'not-found', to('/nothing/here')],
  ['village_worker.in', 'task', (page) => firstOf(page, '/tasks', 'a[href^="/tasks/"]')],
  ['village_worker.in', 'forbidden', to('/accounts')],
  ['data_steward.in', 'feeds', to('/feeds')],
  ['data_steward.in', 'feeds-preview', preview],
  ['data_steward.in', 'matches', to('/matches')],
  ['county_manager.in', 'overview', to('/overview')],
  ['city_manager.in', 'map', to('/overview')],
  ['administrator.in', 'accounts', to('/accounts')],
  ['administrator.in', 'accounts-new', (page) => page.locator('main .ant-btn-primary').first().click()],
  ['administrator.in', 'roles', async (page) => { await to('/accounts')(page); await tab(1)(page) }],
  ['administrator.in', 'tokens', tab(2)],
  ['auditor.in', 'audit', to('/audit')],
  ['auditor.in', 'audit-checked', (page) => page.getByTestId('verify').click()],
  ['clinician.in', 'births-empty', to('/births')],
]

const faults = []

async function look(page, state, width, language) {
  const where = `${state} ${width} ${language}`
  try {
    await picture(page, `${state}-${width}-${language}`)
    await tidy(page, where, language)
    if (language === 'zh') await accessible(page, where)
    fine(page)
  } catch (error) {
    faults.push(`${where}: ${error.message}`)
    page.wrongs = []
  }
}

async function through(browser, width, viewport) {
  let page, who
  for (const [login, state, go] of STATES) {
    try {
      if (who !== login) {
        await page?.context().close()
        page = await signedIn(browser, login, { viewport })
        who = login
      }
      await go(page, viewport === phone)
      await settled(page)
      await look(page, state, width, 'zh')
      await speak(page, 'en')
      await look(page, state, width, 'en')
      await speak(page, 'zh')
    } catch (error) {
      faults.push(`${state} ${width}: ${error.message}`)
    }
  }
  await page?.context().close()
}

await browse(async (browser) => {
  await Promise.all([through(browser, 'desk', desk), through(browser, 'phone', phone)])
  console.log(`${STATES.length} states looked at, each at two widths in two languages`)
  if (faults.length) throw new Error(`${faults.length} faults:\n${faults.join('\n')}`)
})
