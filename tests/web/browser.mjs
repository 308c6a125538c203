// What the scenarios share: Chromium, signing in, axe, pictures.
import { chromium } from 'playwright-core'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const address = process.env.KINDRED_ADDRESS
export const password = process.env.KINDRED_PASSWORD
export const pictures = process.env.KINDRED_PICTURES
export const desk = { width: 1440, height: 900 }
export const phone = { width: 390, height: 844 }

export async function browse(work) {
  const browser = await chromium.launch({
    executablePath: process.env.KINDRED_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  })
  try {
    await work(browser)
  } finally {
    await browser.close()
  }
}

// A signed-in page; what goes wrong in it (errors, failed requests to the server) comes out at the end.
export async function signedIn(browser, login, { viewport = desk, language = 'zh', purpose } = {}) {
  const context = await browser.newContext({
    viewport, locale: language === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce',
    isMobile: viewport === phone, hasTouch: viewport === phone, acceptDownloads: true,
  })
  await context.addInitScript((value) => localStorage.getItem('kindred.language') ?? localStorage.setItem('kindred.language', value), language)
  const page = watched(await context.newPage())
  page.wrongs = []
  page.on('pageerror', (error) => page.wrongs.push(`${page.url()}: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) page.wrongs.push(`${page.url()}: ${message.text()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 500) page.wrongs.push(`${response.status()} ${response.url()}`)
  })
  await page.goto(`${address}/sign-in`)
  await page.locator('input[autocomplete="username"]').fill(login)
  await page.locator('input[autocomplete="current-password"]').fill(password)
  await page.locator('button[type="submit"]').click()
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
  await settled(page)
  return page
}

// Nothing is on its way any more, and nothing turns or shimmers.
export async function settled(page) {
  await page.waitForLoadState('load')
  let quiet = 0
  for (let waited = 0; quiet < 3; waited++) {
    if (waited > 600) throw new Error(`${page.url()} does not come to rest: ${[...(page.asking ?? [])].map((one) => one.url())}`)
    await page.waitForTimeout(40)
    const isWaiting = (page.asking?.size ?? 0) > 0 ||
      (await page.evaluate(() => !!document.querySelector('.k-starting, .ant-spin-spinning, .ant-skeleton-active, [aria-busy="true"]')))
    quiet = isWaiting ? 0 : quiet + 1
  }
}

// What a page asks for and has not been given yet; a stream of events never ends.
export function watched(page) {
  page.asking = new Set()
  page.on('request', (request) => request.resourceType() !== 'eventsource' && page.asking.add(request))
  page.on('requestfinished', (request) => page.asking.delete(request))
  page.on('requestfailed', (request) => page.asking.delete(request))
  return page
}

// As if it had been chosen in another tab.
export async function speak(page, language) {
  await page.evaluate((value) => {
    localStorage.setItem('kindred.language', value)
    window.dispatchEvent(new Event('storage'))
  }, language)
  await page.waitForTimeout(150)
  await settled(page)
}

// Serious faults only; what is found names the element.
export async function accessible(page, where) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  const serious = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
  if (serious.length) {
    throw new Error(`${where}: ` + serious.map((v) => `${v.id} (${v.help}): ` +
      v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.html.slice(0, 160)}`).join(' | ')).join('\n'))
  }
}

// Nothing is wider than the screen, no text is cut off without a sign, nothing is left untranslated.
export async function tidy(page, where, language) {
  const faults = await page.evaluate((lang) => {
    const out = []
    const wide = document.documentElement.scrollWidth - window.innerWidth
    if (wide > 1) {
      const guilty = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
        .slice(-1).map((e) => e.outerHTML.slice(0, 160))
      out.push(`${wide} px wider than the screen: ${guilty}`)
    }
    for (const e of document.querySelectorAll('button, a, h1, h2, h3, label, .ant-tag, .ant-statistic-title')) {
      const style = getComputedStyle(e)
      if (e.scrollWidth > e.clientWidth + 2 && style.overflow === 'hidden' && style.textOverflow !== 'ellipsis' && e.clientWidth > 0) {
        out.push(`cut off: ${e.textContent.slice(0, 60)}`)
      }
    }
    const without = (element, selector) => {
      const copy = element.cloneNode(true)
      for (const inner of copy.querySelectorAll(selector)) inner.remove()
      return copy.textContent.trim()
    }
    const text = document.body.innerText
    const words = without(document.body, 'code, [data-content], script, style')
    for (const raw of words.match(/\b[a-z]+(?:\.[a-z_]+){1,4}\b(?!\.(?:csv|xlsx|yaml|js|db))/g) ?? []) {
      out.push(`looks like a key of a text: ${raw}`)
    }
    if (/undefined|\bNaN\b|\[object/.test(text)) out.push(`a value that is none: ${text.match(/.{0,40}(undefined|\bNaN\b|\[object).{0,20}/)[0]}`)
    for (const chart of document.querySelectorAll('[_echarts_instance_]')) {
      const { width, height } = chart.getBoundingClientRect()
      const shapes = [...chart.querySelectorAll('path')].filter((shape) => !['none', 'transparent', null].includes(shape.getAttribute('fill')))
      if (width < 100 || height < 100 || shapes.length === 0) out.push(`an empty chart of ${width} by ${height}`)
    }
    if (lang === 'en') {
      for (const e of document.querySelectorAll('main button, th, label, legend, h1, h2, h3, nav a, .ant-modal-title, .ant-drawer-title, .ant-empty-description')) {
        const own = without(e, '[data-content]')
        if (/[\u4e00-\u9fff]/.test(own) && !e.closest('[lang="zh"], [data-content]')) out.push(`not translated: ${own.slice(0, 60)}`)
      }
    }
    return [...new Set(out)].slice(0, 8)
  }, language)
  if (faults.length) throw new Error(`${where}: ${faults.join('; ')}`)
}

export async function picture(page, name) {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`) })
}

export function fine(page) {
  if (page.wrongs.length) throw new Error(page.wrongs.join('\n'))
}
