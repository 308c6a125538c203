// By keyboard: the doubtful pairs, most valuable first; decided, taken back, decided again.
import { accessible, address, browse, fine, picture, settled, signedIn, tidy } from '../browser.mjs'

await browse(async (browser) => {
  const page = await signedIn(browser, 'data_steward.in')
  await page.goto(`${address}/matches`)
  await settled(page)
  await accessible(page, 'matches')
  await tidy(page, 'matches', 'zh')
  await picture(page, 'matches-desk-zh')
  const decision = () => page.waitForResponse((response) => response.url().includes('/decision'))
  const [first] = await Promise.all([decision(), page.keyboard.press('d')])
  if (first.status() !== 200) throw new Error(`${first.status()}: ${await first.text()}`)
  await settled(page)
  const [undone] = await Promise.all([
    page.waitForResponse((response) => response.url().includes('/api/decisions/')),
    page.keyboard.press('z'),
  ])
  if (undone.status() !== 204) throw new Error(`undo: ${undone.status()}`)
  await settled(page)
  const [second] = await Promise.all([decision(), page.keyboard.press('s')])
  if (second.status() !== 200) throw new Error(`${second.status()}: ${await second.text()}`)
  await settled(page)
  await picture(page, 'matches-decided-desk-zh')
  fine(page)
})
