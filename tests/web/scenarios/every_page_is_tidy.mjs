// Every page, in the states people meet it in, at desk and phone width and in both languages: no overflow, no cut text, no missing
// word, no raw code, no empty chart, no serious fault for those who cannot see. With KINDRED_PICTURES a picture of each.
import fs from 'node:fs'
import path from 'node:path'
import { accessible, browse, desk, fine, paper, phone, picture, settled, signedIn, speak, tidy } from '../browser.mjs'

const LONG = '阿卜杜热合曼·麦麦提图尔荪·阿卜杜克热木江·吐尔逊纳孜·艾合麦提'

const to = (address) => async ({ page }) => {
  await page.goto(new URL(address, page.url()).href)
}
const tab = (n) => async ({ page }) => {
  await page.getByRole('tab').nth(n).click()
}
const press = (testId) => async ({ page }) => {
  await page.getByTestId(testId).first().click()
}
const typed = (text) => async ({ page }) => {
  await page.locator('main input').first().fill(text)
  await page.waitForResponse((response) => response.url().endsWith('/api/persons/lookup'))
}
const firstOf = (list, link) => async ({ page }) => {
  await to(list)({ page })
  await page.locator(link).first().click()
  await page.waitForURL((url) => url.pathname !== list.split('?')[0])
}
const task = (kind) => firstOf(`/tasks?kind=${kind}`, 'main a[href^="/tasks/"]')

// Somebody about whom the departments disagree, with all there is to see of them.
async function person({ page }) {
  await task('birth_day_differs')({ page })
  await page.locator('main a[href^="/persons/"]').first().click()
  await page.getByRole('tab').first().waitFor()
}

async function opened({ page }) {
  await tab(3)({ page })
  await page.locator('main .ant-collapse-header').first().waitFor()
  for (const head of await page.locator('main .ant-collapse-header').all()) {
    if ((await head.getAttribute('aria-expanded')) === 'false') await head.click()
  }
}

async function held({ page, browser, viewport }) {
  const other = await signedIn(browser, 'village_worker.in', { viewport })
  await task('name_differs')({ page: other })
  const first = new URL(other.url()).pathname
  await other.locator('[data-testid="answer-unknown"]:not([disabled])').waitFor()
  await to(first)({ page })
  await page.locator('.k-task-held').waitFor()
  await other.context().close()
}

// Both widths go through at the same time: each settles a task of its own.
async function settledTask({ page, isPhone }) {
  await to('/tasks?kind=vaccinated_not_certified')({ page })
  const tasks = page.locator('main a[href^="/tasks/"]')
  await (isPhone ? tasks.first() : tasks.last()).click()
  await page.waitForURL((now) => now.pathname !== '/tasks')
  const url = page.url()
  await page.locator('[data-testid="answer-confirmed"]:not([disabled])').click()
  await page.waitForURL((now) => now.href !== url)
  await to(url)({ page })
}

// The steps stand below each other at the desk, and follow each other on a phone.
async function atStep({ page, isPhone }, n) {
  if (isPhone) await page.locator('.k-birth-dots button').nth(n).click()
}

async function filled({ page, isPhone }, name) {
  await to('/births/new')({ page })
  await page.getByTestId('birth-date').fill('2026-06-01')
  await page.getByTestId('child-name-0').fill(name)
  await atStep({ page, isPhone }, 1)
  await page.getByTestId('place-home').check()
  await page.getByTestId('place-text').fill('家中')
  await atStep({ page, isPhone }, 2)
  await page.getByTestId('mother-known').check()
  await page.getByTestId('mother-name').fill('测试妈妈')
  await atStep({ page, isPhone }, 3)
  await page.getByTestId('declarant-mother').check()
  await atStep({ page, isPhone }, 5)
}

async function twins(at) {
  const { page, isPhone } = at
  await to('/births/new')(at)
  await page.getByTestId('birth-date').fill('2026-06')
  await page.getByTestId('child-name-0').fill(LONG)
  await page.getByTestId('child-add').click()
  await page.getByTestId('child-name-1').fill(`${LONG}二`)
  await atStep(at, 5)
  await page.getByTestId('register').click()
  await page.locator(isPhone ? '.k-birth-dot-needs' : '.k-birth-nav .k-mark-warn').first().waitFor()
}

async function registered({ page, isPhone }) {
  await filled({ page, isPhone }, isPhone ? '测试宝宝甲' : '测试宝宝乙')
  await page.getByTestId('register').click()
  await page.getByTestId('handbook-number').waitFor()
}

async function candidates(at) {
  await filled(at, at.isPhone ? '测试宝宝甲' : '测试宝宝乙')
  await at.page.getByTestId('candidates').waitFor()
}

// A file that came before, one with days that no calendar has, one that is no table.
async function preview({ page }) {
  const feeds = process.env.KINDRED_FEEDS
  const [head, ...rows] = fs.readFileSync(path.join(feeds, '户籍_610829.csv'), 'latin1').split('\n').slice(0, 60)
  const spoilt = [head, ...rows.map((row) => row.replace(/([-/])(\d\d)(?=,)/, '$139'))].join('\n')
  await to('/feeds')({ page })
  await page.locator('input[type="file"]').setInputFiles(path.join(feeds, '学籍_610829.xlsx'))
  await page.locator('input[type="file"]').setInputFiles([
    { name: '户籍_测试.csv', mimeType: 'text/csv', buffer: Buffer.from(`${spoilt}\n`, 'latin1') },
    { name: 'no_table.txt', mimeType: 'text/plain', buffer: Buffer.from('nothing') },
  ])
  await page.locator('.k-incoming').nth(2).waitFor()
}

// Who, what it is called, how one gets there. States of one account follow each other on one page.
const STATES = [
  ['township_clerk.in', 'today', to('/')],
  ['township_clerk.in', 'find', to('/find')],
  ['township_clerk.in', 'find-results', typed('zhang')],
  ['township_clerk.in', 'find-none', typed('没有这个人')],
  ['township_clerk.in', 'person', person],
  ['township_clerk.in', 'person-family', tab(1)],
  ['township_clerk.in', 'person-values', tab(2)],
  ['township_clerk.in', 'person-records', opened],
  ['township_clerk.in', 'person-tasks', tab(4)],
  ['township_clerk.in', 'person-history', tab(5)],
  ['township_clerk.in', 'person-looked', tab(6)],
  ['township_clerk.in', 'tasks', to('/tasks')],
  ['township_clerk.in', 'tasks-none', to('/tasks?state=closed')],
  ['township_clerk.in', 'task-birth-day', task('birth_day_differs')],
  ['township_clerk.in', 'task-sex', task('sex_differs')],
  ['township_clerk.in', 'task-same', task('maybe_one_person')],
  ['township_clerk.in', 'task-dead', task('dead_but_insured')],
  ['township_clerk.in', 'task-number', task('identity_number_shared')],
  ['township_clerk.in', 'task-spouse', task('spouse_unknown')],
  ['township_clerk.in', 'task-held', held],
  ['township_clerk.in', 'task-settled', settledTask],
  ['township_clerk.in', 'births', to('/births')],
  ['township_clerk.in', 'birth', to('/births/new')],
  ['township_clerk.in', 'birth-twins', twins],
  ['township_clerk.in', 'births-drafts', to('/births?show=drafts')],
  ['township_clerk.in', 'birth-registered', registered],
  ['township_clerk.in', 'birth-correcting', press('correct')],
  ['township_clerk.in', 'birth-undoing', async (at) => { await at.page.reload(); await press('cancel')(at) }],
  ['township_clerk.in', 'births-registered', to('/births?show=registered')],
  ['township_clerk.in', 'birth-candidates', candidates],
  ['township_clerk.in', 'not-found', to('/nothing/here')],
  ['village_worker.in', 'today-village', to('/')],
  ['village_worker.in', 'task', firstOf('/tasks', 'main a[href^="/tasks/"]')],
  ['village_worker.in', 'forbidden', to('/accounts')],
  ['data_steward.in', 'today-steward', to('/')],
  ['data_steward.in', 'feeds', to('/feeds')],
  ['data_steward.in', 'feeds-preview', preview],
  ['data_steward.in', 'matches', to('/matches')],
  ['county_manager.in', 'overview', to('/overview')],
  ['city_manager.in', 'map', to('/overview')],
  ['administrator.in', 'accounts', to('/accounts')],
  ['administrator.in', 'accounts-edit', ({ page }) => page.locator('main .k-main button, main .k-card-main button').first().click()],
  ['administrator.in', 'accounts-new', async (at) => { await to('/accounts')(at); await at.page.locator('main .ant-btn-primary').first().click() }],
  ['administrator.in', 'roles', async (at) => { await to('/accounts')(at); await tab(1)(at) }],
  ['administrator.in', 'tokens', tab(2)],
  ['auditor.in', 'audit', to('/audit')],
  ['auditor.in', 'audit-checked', async (at) => { await press('verify')(at); await at.page.locator('main .ant-alert').waitFor() }],
  ['auditor.in', 'audit-entry', ({ page }) => page.locator('main .k-main button, main .k-card-main button').first().click()],
  ['clinician.in', 'births-waiting', to('/births')],
  ['clinician.in', 'birth-from-notice', press('from-notice')],
]
// As they leave the printer.
const PRINTED = ['person', 'person-values', 'tasks', 'birth-registered', 'overview']

const faults = []

async function look(page, state, width, language, isAxe) {
  const where = `${state} ${width} ${language}`
  try {
    await picture(page, `${state}-${width}-${language}`)
    await tidy(page, where, language)
    if (isAxe) await accessible(page, where)
    fine(page)
  } catch (error) {
    faults.push(`${where}: ${error.message}`)
    page.wrongs = []
  }
}

async function print(page, state, language) {
  await page.emulateMedia({ media: 'print' })
  await page.setViewportSize(paper)
  await settled(page)
  await look(page, state, 'paper', language, false)
  await page.emulateMedia({ media: null })
  await page.setViewportSize(desk)
}

async function through(browser, width, viewport) {
  let page, who, language
  for (const [login, state, go] of STATES.filter(([, state]) => !process.argv[2] || process.argv.includes(state))) {
    try {
      if (who !== login) {
        await page?.context().close()
        page = await signedIn(browser, login, { viewport })
        page.setDefaultTimeout(10_000)
        who = login
        language = 'zh'
      }
      await go({ page, browser, viewport, isPhone: viewport === phone })
      await settled(page)
      await look(page, state, width, language, true)
      language = language === 'zh' ? 'en' : 'zh'
      await speak(page, language)
      await look(page, state, width, language, false)
      if (viewport === desk && PRINTED.includes(state)) await print(page, state, language)
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
