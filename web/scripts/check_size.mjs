// The first load (index.html and all that it names: what signing in needs, and what is fetched while somebody types, up to the
// page of today) is at most 500 kB as gzip sends it.
import fs from 'node:fs'
import path from 'node:path'

const LIMIT = 500_000
const dist = path.resolve(import.meta.dirname, '../dist')

function sent(file) {
  const packed = path.join(dist, `${file}.gz`)
  return fs.statSync(fs.existsSync(packed) ? packed : path.join(dist, file)).size
}
function told(html) {
  const files = ['index.html', ...Array.from(html.matchAll(/(?:href|src)="\/([^"]+)"/g), ([, file]) => file)]
  const bytes = files.reduce((sum, file) => sum + sent(file), 0)
  return { bytes, text: `${files.length} files, ${(bytes / 1000).toFixed(0)} kB` }
}

const html = fs.readFileSync(path.join(dist, 'index.html'), 'utf8')
const all = told(html)
const signIn = told(html.replace(/<template[^]*<\/template>/, ''))
console.log(`first load: ${signIn.text} to sign in; ${all.text} of ${LIMIT / 1000} kB with the page of today`)
process.exit(all.bytes <= LIMIT && signIn.bytes < all.bytes ? 0 : 1)
