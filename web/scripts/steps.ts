// What arrives when. The console comes in steps: what signing in needs; the console of one who is signed in; its frame, with what
// most pages share. Each step is one file of our own code beside one of libraries: few requests bring it, and a change of our
// code leaves the libraries in the browser's cache. index.html names the first step, so that nothing waits for the first script
// to be read; the others it keeps in a template, inert, for that script to fetch when the line is free.
import path from 'node:path'
import type { HtmlTagDescriptor, Plugin, Rolldown } from 'vite'

type InfoOf = (id: string) => { importedIds: string[] } | null

interface Step {
  name: string
  /** What it is there for; it takes of all that these import what no step before it took. */
  from: string[]
  takes: (id: string) => boolean
}

const root = path.resolve(import.meta.dirname, '..')
const own = (name: string) => path.join(root, 'src', name)
const library = (name: string) => path.join(root, 'node_modules', name)
const isOurs = (id: string) => id.startsWith(own(''))
const isLibrary = (id: string) => id.startsWith(library(''))

const antd = [
  ...['app', 'config-provider', 'empty', 'skeleton'].map((name) => library(`antd/es/${name}/index.js`)),
  ...['en_GB', 'zh_CN'].map((name) => library(`antd/es/locale/${name}.js`)),
  ...['dayjs.min', 'locale/zh-cn'].map((name) => library(`dayjs/${name}.js`)),
]
const start: Step = { name: 'start', from: [path.join(root, 'index.html')], takes: (id) => !isLibrary(id) }
const signIn: Step = { name: 'sign-in', from: [own('app/main.tsx')], takes: isOurs }
const console: Step = { name: 'console', from: [own('app/console.tsx')], takes: isOurs }
const frame: Step = {
  name: 'frame',
  from: [own('app/layout.tsx'), own('pages/today/index.tsx')],
  takes: (id) => isOurs(id) && !id.startsWith(own('pages')),
}
const STEPS: Step[] = [{ name: 'antd', from: antd, takes: (id) => !isOurs(id) }, start, signIn, console, frame]
const LIBRARIES = {
  react: ['react', 'react-dom', 'scheduler', 'i18next', 'react-i18next', 'use-sync-external-store', 'openapi-fetch'],
  router: ['react-router', '@tanstack'],
  icons: ['@ant-design/icons', '@ant-design/icons-svg'],
}

/** The name of the step that takes a module. */
function findSteps(infoOf: InfoOf): Map<string, string> {
  const found = new Map<string, string>()
  for (const { name, from, takes } of STEPS) {
    const seen = new Set<string>()
    const waiting = [...from]
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (seen.has(id)) continue
      seen.add(id)
      if (takes(id) && !found.has(id)) found.set(id, name)
      // A library's list of all that it has leads everywhere.
      if (from === antd || !isLibrary(id)) waiting.push(...(infoOf(id)?.importedIds ?? []))
    }
  }
  return found
}

export function codeSplitting(): Rolldown.CodeSplittingOptions {
  let steps: Map<string, string> | undefined
  const groups: Rolldown.CodeSplittingGroup[] = [
    ...Object.entries(LIBRARIES).map(([name, packages]) => ({
      name,
      test: (id: string) => packages.some((one) => id.startsWith(library(one) + path.sep)),
    })),
    ...STEPS.map(({ name }) => ({
      name: (id: string, context: Rolldown.ChunkingContext) => {
        steps ??= findSteps((known) => context.getModuleInfo(known))
        return steps.get(id) === name ? name : null
      },
    })),
  ]
  return { groups: groups.map((group, i) => ({ ...group, priority: groups.length - i })) }
}

/** Says whose a file is: the page's, or the component library's. */
export function chunkFileNames({ name, facadeModuleId, moduleIds }: Rolldown.PreRenderedChunk): string {
  const [page, ...others] = new Set(moduleIds.map((id) => /\/src\/pages\/([^/]+)\//.exec(id)?.[1] ?? ''))
  const isPart = facadeModuleId === null || !/\/index\.tsx$/.test(facadeModuleId)
  if (page && others.length === 0 && isPart) return `assets/${page}-${name}-[hash].js`
  const isAntd = moduleIds.every((id) => isLibrary(id) && !id.includes('echarts'))
  const isNamed = [...Object.keys(LIBRARIES), ...STEPS.map((step) => step.name)].includes(name)
  return isAntd && !isNamed ? `assets/antd-${name}-[hash].js` : 'assets/[name]-[hash].js'
}

/** The chunks that hold modules, and all that they import, each before what needs it. */
function chunksOf(bundle: Rolldown.OutputBundle, modules: string[]): Rolldown.OutputChunk[] {
  const found = new Set<Rolldown.OutputChunk>()
  const follow = (chunk: Rolldown.OutputBundle[string] | undefined) => {
    if (chunk?.type !== 'chunk' || found.has(chunk)) return
    for (const file of chunk.imports) follow(bundle[file])
    found.add(chunk)
  }
  for (const module of modules) {
    const holder = Object.values(bundle).find((chunk) => chunk.type === 'chunk' && chunk.moduleIds.includes(module))
    if (!holder) throw new Error(`the build made nothing of ${module}`)
    follow(holder)
  }
  return [...found]
}

const stylesOf = (chunks: Rolldown.OutputChunk[]) =>
  chunks.flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])])

export function namedSteps(): Plugin {
  return {
    name: 'kindred-steps',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        if (!bundle) return html
        const named = new Set<string>()
        const link = (rel: string, file: string): HtmlTagDescriptor[] => {
          if (html.includes(file) || named.has(file)) return []
          named.add(file)
          const as = rel === 'prefetch' ? { as: 'style' } : {}
          return [{ tag: 'link', attrs: { rel, href: `/${file}`, crossorigin: true, ...as }, injectTo: 'head' }]
        }
        const links = (styles: string, chunks: Rolldown.OutputChunk[]) => [
          ...stylesOf(chunks).flatMap((file) => link(styles, file)),
          ...chunks.flatMap(({ fileName }) => link('modulepreload', fileName)),
        ]
        const later = { id: 'later' }
        return [
          ...links('stylesheet', chunksOf(bundle, signIn.from)),
          {
            tag: 'template',
            attrs: later,
            injectTo: 'body',
            children: links('prefetch', chunksOf(bundle, [...console.from, ...frame.from])),
          },
        ]
      },
    },
  }
}
