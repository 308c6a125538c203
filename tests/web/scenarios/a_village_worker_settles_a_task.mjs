// On a phone, in one hand: the most urgent task, its evidence, an answer; a colleague sees who is at work.
import { accessible, address, browse, fine, phone, picture, settled, signedIn, tidy } from '../browser.mjs'

await browse(async (browser) => {
  const page = await signedIn(browser, 'village_worker.in', { viewport: phone, language: 'zh' })
  await page.goto(`${address}/tasks`)
  await settled(page)
  await page.locator('a[href^="/tasks/"]').first().click()
  await page.waitForURL(/\/tasks\/[0-9A-Z]{13}/)
  await settled(page)
  const task = new URL(page.url()).pathname
  await accessible(page, 'a task')
  await tidy(page, 'a task', 'zh')
  await picture(page, 'task-phone-zh')

  const clerk = await signedIn(browser, 'township_clerk.in', { language: 'en' })
  await clerk.goto(`${address}${task}`)
  await clerk.getByText('is working on this').waitFor({ timeout: 20000 })
  if (await clerk.getByTestId('answer-unknown').count()) throw new Error('a task that somebody holds can be answered')
  await clerk.context().close()

  const choices = page.locator('.k-task-choice input')
  if (await choices.count()) await choices.first().check()
  const button = page.locator('[data-testid="answer-value"], [data-testid="answer-different"], [data-testid="answer-not-so"]').first()
  const box = await button.boundingBox()
  if (box.height < 47) throw new Error(`a button of ${box.height} px is hard to hit`)
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/answer') && response.request().method() === 'POST'),
    button.click(),
  ])
  if (answer.status() !== 200) throw new Error(`${answer.status()}: ${await answer.text()}`)
  await page.waitForURL((url) => url.pathname !== task)
  await settled(page)
  await picture(page, 'task-next-phone-zh')
  fine(page)
})
