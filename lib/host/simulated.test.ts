import { describe, expect, it } from 'vitest'
import { recordedMachine } from './machine.fixture.ts'
import { doctorSimulated } from './simulated.ts'

const working = {
  env: { PATH: '/usr/bin' },
  executables: ['/usr/bin/kubectl'],
  commands: { '/usr/bin/kubectl version --client': { stdout: 'Client Version: v1.35.4\n' } },
}

describe('doctor for the simulated cluster', () => {
  it('finds everything on a machine that has it, and does not ask for helm', async () => {
    const report = await doctorSimulated({ sandboxes: async () => null, machine: recordedMachine(working) })
    expect(report.ok).toBe(true)
    expect(report.checks.map(({ id, state }) => `${id} ${state}`)).toEqual(['sandbox ok', 'kubectl ok', 'helm ok'])
  })

  it('passes on why sandboxes do not work, and what to do', async () => {
    const missing = { message: '`bwrap` is not installed.', remedy: 'Run `sudo apt-get install bubblewrap`.' }
    const report = await doctorSimulated({ sandboxes: async () => missing, machine: recordedMachine(working) })
    expect(report).toMatchObject({ ok: false, checks: [{ id: 'sandbox', state: 'missing', ...missing }, {}, {}] })
  })

  it('is content without kubectl, which the server gets by itself', async () => {
    const report = await doctorSimulated({ sandboxes: async () => null, machine: recordedMachine({ env: { PATH: '/usr/bin' } }) })
    expect(report.ok).toBe(true)
    expect(report.checks[1]).toMatchObject({ id: 'kubectl', state: 'missing' })
    expect(report.checks[1]?.remedy).not.toBe('')
  })
})
