// Copies what the browser loads as it is (Monaco's AMD build) from node_modules to public/, once per version.
// Runs whenever Next reads its config, so that build and server both find it; knows nothing of the pages.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')

/** Makes public/monaco/vs match the installed monaco-editor. Cheap when it does already. */
export function vendor() {
  const from = path.join(root, 'node_modules/monaco-editor')
  const to = path.join(root, 'public/monaco')
  const stamp = path.join(to, 'version')
  const version = `${JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8')).version} without TypeScript's worker`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) return
  // Made aside and moved into place, so that two processes at once leave one whole copy.
  const aside = `${to}.${process.pid}`
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside, { recursive: true })
  cpSync(path.join(from, 'min/vs'), path.join(aside, 'vs'), {
    recursive: true,
    filter: (file) => !/[\\/]assets[\\/]ts\.worker/.test(file),
  })
  cpSync(path.join(from, 'LICENSE'), path.join(aside, 'LICENSE'))
  writeFileSync(path.join(aside, 'version'), version)
  rmSync(to, { recursive: true, force: true })
  try {
    renameSync(aside, to)
  } catch (error) {
    // Another process was first; its copy is the same.
    rmSync(aside, { recursive: true, force: true })
    if (!existsSync(stamp)) throw error
  }
}
