// Every page at desk and phone width, in both languages: no overflow, no cut text, no missing word, no serious fault for those who cannot see.
import { accessible, browse, desk, fine, phone, picture, settled, signedIn, tidy } from '../browser.mjs'

const PAGES = [
  ['township_clerk.in', 'today', '/'],
  ['township_clerk.in', 'find', '/find'],
  ['township_clerk.in', 'person', async (page) => person(page)],
  ['township_clerk.in', 'tasks', '/tasks'],
  ['village_worker.in', 'task', async (page) => first(page, '/tasks', 'a[href^="/tasks/"]')],
  ['township_clerk.in', 'births', '/births'],
  ['township_clerk.in', 'birth', '/births/new'],
  ['data_steward.in', 'feeds', '/feeds'],
  ['data_steward.in', 'matches', '/matches'],
  ['county_manager.in', 'overview', '/overview'],
  ['city_manager.in', 'map', '/overview'],
  ['administrator.in', 'accounts', '/accounts'],
  ['auditor.in', 'audit', '/audit'],
  ['clinician.in', 'births-empty', '/births'],
]

async function first(page, list, link) {
  await page.goto(new URL(list, page.url()).href)
  await settled(page)
  await page.locator(link).first().click()
  await settled(page)
}

async function person(page) {
  await page.goto(new URL('/find', page.url()).href)
  await page.locator('main input[type="search"], main input').first().fill('张')
  await page.locator('a[href^="/persons/"]').first().click()
  await settled(page)
}

await browse(async (browser) => {
  const faults = []
  for (const [width, viewport] of [['desk', desk], ['phone', phone]]) {
    for (const language of ['zh', 'en']) {
      let page, who
      for (const [login, name, go] of PAGES) {
        const where = `${name} ${width} ${language}`
        try {
          if (who !== login) {
            await page?.context().close()
            page = await signedIn(browser, login, { viewport, language })
            who = login
          }
          if (typeof go === 'string') await page.goto(new URL(go, page.url()).href)
          else await go(page)
          await settled(page)
          await picture(page, `${name}-${width}-${language}`)
          await tidy(page, where, language)
          await accessible(page, where)
          fine(page)
        } catch (error) {
          faults.push(`${where}: ${error.message}`)
          page && (page.wrongs = [])
        }
      }
      await page?.context().close()
    }
  }
  console.log(`${PAGES.length * 4} pages looked at`)
  if (faults.length) throw new Error(`${faults.length} faults:\n${faults.join('\n')}`)
})
