// What is shipped for running it (deploy/, docs/operations.md) speaks of the settings, ports and folders that there are, and of no others.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig, root, settings } from './config.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
/** of lib/host: where tools are kept */
const known = new Set([...settings().map(({ name }) => name), 'KUBEMEND_CACHE'])
interface Compose {
  services: Record<
    string,
    { image: string; environment: Record<string, string>; volumes: string[]; security_opt?: string[]; ports?: string[] }
  >
  volumes: Record<string, unknown>
}
const compose = parse(read('deploy/compose.yaml')) as Compose
const container = read('deploy/Containerfile')
const unit = read('deploy/kubemend.service')
const caddy = read('deploy/Caddyfile')
/** ENV of the last stage */
const containerEnv = Object.fromEntries(
  [...container.slice(container.lastIndexOf('\nFROM')).matchAll(/^(?:ENV |\s{4})([A-Z_]+)=(\S+)(?: \\)?$/gm)].map(([, name, value]) => [
    name!,
    value!,
  ]),
)
const unitEnv = Object.fromEntries([...unit.matchAll(/^Environment=([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))

describe('deploy/', () => {
  test('sets what there is to set, to what it may be', () => {
    const { environment } = compose.services.kubemend!
    for (const names of [environment, containerEnv, unitEnv]) {
      expect(Object.keys(names).length).toBeGreaterThan(3)
      for (const name of Object.keys(names)) expect([...known], name).toContain(name)
    }
    const filled = (value: string) =>
      value.replaceAll(/\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string, words: string) =>
        kind === '-' ? words : name === 'KUBEMEND_HOST' ? 'lab.example.org' : 'x'.repeat(40),
      )
    const given = Object.fromEntries(Object.entries({ ...containerEnv, ...environment }).map(([name, value]) => [name, filled(value)]))
    expect(readConfig(given)).toMatchObject({ publicUrl: 'https://lab.example.org', backends: ['sim'], host: '0.0.0.0', port: 3000 })
    expect(readConfig(unitEnv)).toMatchObject({ backends: ['sim'], host: '127.0.0.1', dev: false })
  })
  test('asks for each variable in the example file, and for no other', () => {
    const used = [read('deploy/compose.yaml').matchAll(/\$\{([A-Z_]+)/g), caddy.matchAll(/\{\$([A-Z_]+)\}/g)].flatMap((all) =>
      [...all].map(([, name]) => name!),
    )
    const example = [...read('deploy/kubemend.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!)
    expect(example.sort()).toEqual([...new Set(used)].sort())
  })
  test('agrees on ports, folders and what is started', () => {
    expect(container).toContain(`EXPOSE ${containerEnv.PORT}`)
    expect(caddy).toContain(`reverse_proxy kubemend:${containerEnv.PORT}`)
    expect(container).toContain(`http://127.0.0.1:${containerEnv.PORT}/readyz`)
    const volume = /^VOLUME (\S+)$/m.exec(container)![1]!
    expect(compose.services.kubemend!.volumes).toEqual([`labs:${volume}`])
    for (const env of [containerEnv, unitEnv])
      for (const name of ['KUBEMEND_DATA', 'KUBEMEND_CACHE']) expect(env[name]).toMatch(new RegExp(`^${volume}/`))
    expect(compose.services.proxy!.ports!.map((port) => port.split(':')[1])).toEqual(['80', '443'])
    for (const { volumes } of Object.values(compose.services))
      for (const one of volumes) if (!one.startsWith('.')) expect(Object.keys(compose.volumes)).toContain(one.split(':')[0])
    // Neither is root, and both start the server itself.
    expect(container).toMatch(/^USER kubemend$/m)
    expect(unit).toMatch(/^User=kubemend$/m)
    expect(compose.services.kubemend).toMatchObject({ cap_drop: ['ALL'] })
    for (const text of [container, unit])
      expect(text).toMatch(/node_modules\/\.bin\/node.*--disable-warning=ExperimentalWarning.*lib\/server\/main\.ts/)
    // What the page tells people to give docker is what compose gives.
    for (const option of compose.services.kubemend!.security_opt!) expect(read('docs/operations.md')).toContain(`--security-opt ${option}`)
    const kubectl = /KUBECTL=\S+:(v[\d.]+)/.exec(container)![1]
    expect(read('lib/host/settings.ts')).toContain(`'${kubectl}'`)
  })
})

test('docs/operations.md lists every setting as it is', () => {
  const page = read('docs/operations.md')
  const table = settings().map(
    ({ about, name, otherwise }) => `| \`${name}\` | ${otherwise === '' ? '' : `\`${otherwise}\``} | ${about.replaceAll('|', '\\|')} |`,
  )
  for (const row of table) expect(page).toContain(row)
  for (const [, name] of page.matchAll(/`(KUBEMEND_[A-Z_]+)`/g)) expect([...known, 'KUBEMEND_HOST'], name).toContain(name)
})
