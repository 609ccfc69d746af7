import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs one of the commands that begin under any Node, to its end. */
function command(argv: string[], env: Record<string, string> = {}): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { cwd: root, env: { ...process.env, ...env } })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

describe('npm start', () => {
  it('says what to do when its port is taken, before it does anything that takes long', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    try {
      const { code, output } = await command(['bin/start.mjs'], { PORT: String(address.port) })
      expect(code).toBe(1)
      expect(output).toContain(`Port ${address.port} on 127.0.0.1 is already in use.`)
      expect(output).toMatch(/PORT=\d+ npm start/)
      expect(output).not.toMatch(/building|installing|\bat .*\.mjs:/)
    } finally {
      other.close()
    }
  })

  it('refuses a port that is none, and an address that is not of this machine, in words', async () => {
    for (const [env, words] of [
      [{ PORT: '80x' }, 'which is not a port'],
      [{ PORT: '70000' }, 'which is not a port'],
      [{ HOST: '203.0.113.1', PORT: '0' }, 'is not an address of this machine'],
    ] as const) {
      const { code, output } = await command(['bin/start.mjs'], env)
      expect(code, output).toBe(1)
      expect(output).toContain(words)
    }
  })
})

describe('npm test', () => {
  it('names the suites there are when asked for another', async () => {
    const { code, output } = await command(['bin/test.mjs', 'everything'])
    expect(code).toBe(1)
    expect(output).toContain('There are lint, types, scenarios, unit, postgres, go, sim, browser')
  })
})
