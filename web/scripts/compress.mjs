// A .br and a .gz beside every text file of dist, so that the server compresses nothing while it serves.
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'

const dist = path.resolve(import.meta.dirname, '../dist')
const TEXT = /\.(html|js|css|svg|json|geojson|txt|webmanifest)$/
const LEAST = 512

for (const name of fs.readdirSync(dist, { recursive: true })) {
  const file = path.join(dist, name)
  if (!TEXT.test(name)) continue
  const bytes = fs.readFileSync(file)
  if (bytes.length < LEAST) continue
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants
  const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: bytes.length }
  fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(bytes, { params }))
  fs.writeFileSync(`${file}.gz`, zlib.gzipSync(bytes, { level: 9 }))
}
