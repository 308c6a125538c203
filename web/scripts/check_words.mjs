// Every namespace has the same words in Chinese and English, with the same gaps to fill, and every word is used.
import fs from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

const source = path.resolve(import.meta.dirname, '../src')
const files = fs
  .readdirSync(source, { recursive: true })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
  .map((name) => path.join(source, name))
const trees = new Map(
  files.map((file) => [file, ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)]),
)

function visit(node, see) {
  see(node)
  ts.forEachChild(node, (child) => visit(child, see))
}

/** The words a file defines: {name, zh, en}, each a Map from key to text. */
function wordsOf(tree) {
  let found = null
  visit(tree, (node) => {
    if (!ts.isCallExpression(node) || node.expression.getText() !== 'namespace') return
    const [name, both] = node.arguments
    if (!both || !ts.isObjectLiteralExpression(both)) return
    found = { name: name.text }
    for (const language of both.properties) {
      found[language.name.text] = new Map(language.initializer.properties.map((p) => [p.name.text, p.initializer.text]))
    }
  })
  return found
}

const base = (key) => key.replace(/_(one|other)$/, '')
const gaps = (text) => [...new Set(text.match(/{{\s*\w+\s*}}/g) ?? [])].sort().join(' ')

/** Keys and beginnings of keys that files of a folder (and those that import its words) mention. */
function mentionsOf(users) {
  const whole = new Set()
  const beginnings = []
  for (const file of users) {
    visit(trees.get(file), (node) => {
      if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) whole.add(node.text)
      if (ts.isTemplateExpression(node) && node.head.text) beginnings.push(node.head.text)
      if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name)) whole.add(node.name.text)
    })
  }
  return { whole, beginnings }
}

function usersOf(wordsFile) {
  const bare = wordsFile.replace(/\.tsx?$/, '')
  return files.filter(
    (file) =>
      file !== wordsFile &&
      trees
        .get(file)
        .statements.some(
          (s) => ts.isImportDeclaration(s) && path.resolve(path.dirname(file), s.moduleSpecifier.text) === bare,
        ),
  )
}

const faults = []
let count = 0
for (const [file, tree] of trees) {
  const words = wordsOf(tree)
  if (!words) continue
  const tell = (fault) => faults.push(`${path.relative(source, file)}: ${fault}`)
  const zh = new Map([...words.zh].map(([key, text]) => [base(key), text]))
  const en = new Map([...words.en].map(([key, text]) => [base(key), text]))
  for (const [key, text] of words.zh) if (!text) tell(`${key} is empty in Chinese`)
  for (const [key, text] of words.en) if (/[\u4e00-\u9fff]/.test(text ?? '') || !text) tell(`${key} is not English`)
  for (const key of zh.keys()) if (!en.has(key)) tell(`${key} is missing in English`)
  for (const key of en.keys()) if (!zh.has(key)) tell(`${key} is missing in Chinese`)
  for (const [key, text] of zh) {
    if (en.has(key) && gaps(text) !== gaps(en.get(key))) tell(`${key} has other gaps in English`)
  }
  const folder = path.dirname(file) + path.sep
  const users = new Set([...usersOf(file), ...files.filter((f) => f !== file && f.startsWith(folder))])
  const { whole, beginnings } = mentionsOf(users)
  for (const key of zh.keys()) {
    if (!whole.has(key) && !beginnings.some((b) => key.startsWith(b))) tell(`${key} is used nowhere`)
  }
  count += zh.size
}

for (const fault of faults) console.error(fault)
console.log(`${count} words in two languages, ${faults.length} faults`)
process.exit(faults.length === 0 && count > 0 ? 0 : 1)
