// The first load (index.html and all that it imports, the pages of signing in and of today among it) is at most 500 kB as gzip
// sends it.
import fs from 'node:fs'
import path from 'node:path'

const LIMIT = 500_000
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
follow('index.html')

function sent(file) {
  const packed = path.join(dist, `${file}.gz`)
  return fs.statSync(fs.existsSync(packed) ? packed : path.join(dist, file)).size
}
const bytes = [...files].reduce((sum, file) => sum + sent(file), 0)
console.log(`first load: ${files.size} files, ${(bytes / 1000).toFixed(0)} kB of ${LIMIT / 1000} kB`)
// The list of chunks served its end; it is no part of the console.
fs.rmSync(path.join(dist, '.vite'), { recursive: true })
process.exit(bytes <= LIMIT ? 0 : 1)
