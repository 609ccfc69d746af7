// A session on simulated labs in real worker processes (with the fixture's labs in them): its worker dies under it, its server starts anew.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type SimProvider, simProvider } from '#lib/cluster/index.ts'
import { Client } from './client.ts'
import { root } from './config.ts'
import { TestLab } from './testing.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'kubemend-sim-'))
afterAll(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))

test('its worker dies under a session: an outage, then the lab as it was written down, with a new shell; a restart of the server finds it', async () => {
  const worker = { program: path.join(root, 'lib/cluster/sim/worker.fixture.ts'), version: 'fixture' }
  let provider: SimProvider | undefined
  const lab = await TestLab.open({
    env: { KUBEMEND_BACKENDS: 'sim', KUBEMEND_UNPROVEN: '1' },
    parts: {
      provider: () => {
        provider = simProvider({ dir, worker })
        return provider
      },
    },
  })
  try {
    const client = new Client(lab.url)
    const id = await client.begin('Two nodes no longer take part')
    const page = await client.open(id)
    await page.inState('ready')
    expect((await client.session(id)).backend).toBe('sim')
    const terminal = await page.terminal('worker-1')
    expect(await page.run('echo here', terminal)).toContain('here')
    await page.until(() => page.check('first-node') === 'failing', 'a check that fails')

    const [name] = readdirSync(path.join(dir, 'workers'))
    const seen = page.messages.length
    process.kill(Number(readFileSync(path.join(dir, 'workers', name ?? '', 'pid'), 'utf8')), 'SIGKILL')
    await page.until(
      () =>
        page.messages
          .slice(seen)
          .some((one) => one.type === 'event' && one.event.type === 'terminal' && one.event.terminal.state === 'lost'),
      'the shell lost',
    )
    const outages = () =>
      page.messages.slice(seen).flatMap((one) => (one.type === 'event' && one.event.type === 'outage' ? [one.event.outage === null] : []))
    await page.until(() => outages().includes(false), 'the outage')
    await page.until(() => outages().at(-1) === true, 'the end of the outage')
    // Broken as it was: what was injected had been written down.
    const back = page.messages.length
    await page.until(
      () =>
        page.messages
          .slice(back)
          .some(
            (one) =>
              one.type === 'event' &&
              one.event.type === 'check' &&
              one.event.check.id === 'first-node' &&
              one.event.check.state === 'failing',
          ),
      'the check that fails again',
    )
    await expect.poll(async () => (await client.session(id)).terminals.map((one) => one.state), { timeout: 20_000 }).toEqual(['open'])
    expect(await page.run('echo again', terminal)).toContain('again')
    expect(await page.run('word=kept; echo set', terminal)).toContain('set')
    await page.close()

    await lab.restart()
    const next = await client.open(id)
    await expect.poll(async () => (await client.session(id)).outage, { timeout: 20_000 }).toBeNull()
    expect(await next.run('echo "still $word"', await next.terminal(terminal))).toContain('still kept')
    await client.act(id, 'give-up')
    await next.inState('ended')
    await expect.poll(() => readdirSync(path.join(dir, 'labs')), { timeout: 10_000 }).toEqual([])
    await next.close()
  } finally {
    await lab.close()
    provider?.close()
  }
})
