// How long until a newcomer can type their name, on a phone: 4 times slower, 1.6 Mbit/s, 150 ms away; the bytes up to then, and
// with what is fetched while they type. Prints JSON.
import { address, browse, phone } from './browser.mjs'

await browse(async (browser) => {
  const seconds = []
  let signInBytes = 0
  let bytes = 0
  for (let i = 0; i < 3; i++) {
    const context = await browser.newContext({ viewport: phone, isMobile: true, hasTouch: true })
    const page = await context.newPage()
    const wire = await context.newCDPSession(page)
    await wire.send('Network.enable')
    await wire.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 200000, uploadThroughput: 94000 })
    await wire.send('Emulation.setCPUThrottlingRate', { rate: 4 })
    bytes = 0
    wire.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength })
    const start = Date.now()
    await page.goto(`${address}/`, { waitUntil: 'commit' })
    await page.locator('input[autocomplete="username"]').fill('a')
    seconds.push((Date.now() - start) / 1000)
    signInBytes = bytes
    await page.waitForLoadState('networkidle')
    await context.close()
  }
  seconds.sort((a, b) => a - b)
  console.log(JSON.stringify({ seconds: seconds[1], signInBytes, bytes }))
})
