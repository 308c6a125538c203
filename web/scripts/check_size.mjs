// The first load (what index.html names, the page of today and all that these import) is at most 500 kB as gzip sends it.
import fs from 'node:fs'
import path from 'node:path'

const LIMIT = 500_000
const FIRST_PAGES = ['src/app/layout.tsx', 'src/pages/today/index.tsx', 'src/pages/sign-in/index.tsx']
const dist = path.resolve(import.meta.dirname, '../dist')
const manifest = JSON.parse(fs.readFileSync(path.join(dist, '.vite/manifest.json'), 'utf8'))

const files = new Set(['index.html'])
const seen = new Set()
function follow(key) {
  if (seen.has(key)) return
  seen.add(key)
  const chunk = manifest[key]
  if (!chunk) throw new Error(`the build made nothing of ${key}`)
  for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file)
  for (const next of chunk.imports ?? []) follow(next)
}
for (const key of ['index.html', ...FIRST_PAGES]) follow(key)

function sent(file) {
  const packed = path.join(dist, `${file}.gz`)
  return fs.statSync(fs.existsSync(packed) ? packed : path.join(dist, file)).size
}
const bytes = [...files].reduce((sum, file) => sum + sent(file), 0)
console.log(`first load: ${files.size} files, ${(bytes / 1000).toFixed(0)} kB of ${LIMIT / 1000} kB`)
// The list of chunks served its end; it is no part of the console.
fs.rmSync(path.join(dist, '.vite'), { recursive: true })
process.exit(bytes <= LIMIT ? 0 : 1)
