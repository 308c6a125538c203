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
export const paper = { width: 718, height: 1017 }

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
  const answer = await context.request.post(`${address}/api/session`, { data: { login, password } })
  if (!answer.ok()) throw new Error(`${login} cannot sign in: ${answer.status()} ${await answer.text()}`)
  await page.goto(address)
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

// Words that are the same in both languages.
const SAME = ['Kindred', 'English', 'PDF', 'CSV', 'Excel', 'XLSX', 'ZIP', 'GB', 'UTF', 'kB', 'MB', 'Enter', 'Esc', 'xlsx', 'zip']

// Nothing is wider than the screen, no text is cut off without a way to read it, nothing is left untranslated or raw, no chart is empty.
export async function tidy(page, where, language) {
  const faults = await page.evaluate(([lang, same, width]) => {
    const out = []
    // Not the window's width: a phone zooms out until all of a page that is too wide is there.
    const wide = document.documentElement.scrollWidth - width
    if (wide > 1) {
      const guilty = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1)
        .slice(-1).map((e) => e.outerHTML.slice(0, 160))
      out.push(`${wide} px wider than the screen: ${guilty}`)
    }
    for (const e of document.querySelectorAll('main *, [role="dialog"] *')) {
      if (e.clientWidth < 8 || !e.textContent.trim() || e.closest('svg, [aria-hidden="true"], .k-visually-hidden')) continue
      const style = getComputedStyle(e)
      const isWide = e.scrollWidth > e.clientWidth + 2 && ['hidden', 'clip'].includes(style.overflowX)
      const isHigh = e.scrollHeight > e.clientHeight + 6 && ['hidden', 'clip'].includes(style.overflowY)
      if ((isWide && !(style.textOverflow === 'ellipsis' && e.closest('[title]'))) || isHigh) out.push(`cut off: ${e.textContent.slice(0, 60)}`)
    }
    // What is to be read, piece by piece; content of the register and codes apart.
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const around = walker.currentNode.parentElement
      const text = walker.currentNode.textContent.trim()
      if (!text || around.closest('script, style, template') || !around.checkVisibility({ visibilityProperty: true })) continue
      if (/undefined|\bNaN\b|\bnull\b|\[object|Invalid Date/.test(text)) out.push(`a value that is none: ${text.slice(0, 80)}`)
      if (around.closest('code')) continue
      if (/\b\d{4}-\d{2}-\d{2}\b/.test(text)) out.push(`a day as machines write it: ${text.slice(0, 60)}`)
      if (around.closest('[data-content]')) continue
      const raw = text.match(/\b[a-z]+(?:[._][a-z]+)+\b(?!\.(?:csv|xlsx|yaml|js|db))/)
      if (raw) out.push(`a key or a code: ${raw[0]}`)
      if (around.closest('[lang]') !== document.documentElement) continue
      if (lang === 'en' && /[\u4e00-\u9fff]/.test(text)) out.push(`not translated: ${text.slice(0, 60)}`)
      const foreign = lang === 'zh' ? (text.match(/[A-Za-z]{3,}/g) ?? []).filter((word) => !same.includes(word)) : []
      if (foreign.length) out.push(`not translated: ${text.slice(0, 60)}`)
    }
    for (const chart of document.querySelectorAll('[_echarts_instance_]')) {
      const { width, height } = chart.getBoundingClientRect()
      const shapes = [...chart.querySelectorAll('path')].filter((shape) => !['none', 'transparent', null].includes(shape.getAttribute('fill')))
      if (width < 100 || height < 100 || shapes.length === 0) out.push(`an empty chart of ${width} by ${height}`)
    }
    return [...new Set(out)].slice(0, 12)
  }, [language, SAME, page.viewportSize().width])
  if (faults.length) throw new Error(`${where}: ${faults.join('; ')}`)
}

// Only where somebody asked for pictures.
export async function picture(page, name) {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true, animations: 'disabled' })
}

export function fine(page) {
  if (page.wrongs.length) throw new Error(page.wrongs.join('\n'))
}
