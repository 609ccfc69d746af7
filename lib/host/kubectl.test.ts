import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { bringKubectl, findHelm, findKubectl } from './kubectl.ts'
import { type Description, recordedMachine } from './machine.fixture.ts'

const folders: string[] = []
const cache = () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubemend-kubectl-'))
  folders.push(folder)
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
const version = (text: string) => ({ stdout: `Client Version: ${text}\nKustomize Version: v5.7.1\n` })
const machineOf = (folder: string, description: Description = {}) =>
  recordedMachine({ ...description, env: { PATH: '/usr/local/bin:/usr/bin', KUBEMEND_CACHE: folder, ...description.env } })

describe('kubectl for shells', () => {
  it('is the newest one that goes with the cluster', async () => {
    const folder = cache()
    const machine = machineOf(folder, {
      executables: ['/usr/local/bin/kubectl', '/usr/bin/kubectl', `${folder}/bin/kubectl`],
      commands: {
        '/usr/local/bin/kubectl version --client': version('v1.29.1'),
        '/usr/bin/kubectl version --client': version('v1.32.4-dispatcher'),
        [`${folder}/bin/kubectl version --client`]: version('v1.35.4'),
      },
    })
    expect(await findKubectl(machine)).toEqual({ path: `${folder}/bin/kubectl`, version: 'v1.35.4' })
    expect(await findHelm(machine)).toBeUndefined()
  })

  it('is downloaded when its checksum can be had', async () => {
    const folder = cache()
    const url = 'https://dl.k8s.io/release/v1.35.4/bin/linux/amd64/kubectl'
    const machine = machineOf(folder, {
      arch: 'x64',
      web: { [`${url}.sha256`]: `${'a'.repeat(64)}\n`, [url]: 'kubectl' },
      commands: { [`${folder}/bin/kubectl version --client`]: version('v1.35.4') },
    })
    const said: string[] = []
    expect(await bringKubectl({ machine, progress: (text) => said.push(text) })).toEqual({
      path: `${folder}/bin/kubectl`,
      version: 'v1.35.4',
    })
    expect(said).toEqual([`downloading ${url}`])
  })

  it('is built from the pinned module where Go is installed and nothing is reached', async () => {
    const folder = cache()
    const root = cache()
    const machine = machineOf(folder, {
      files: { [`${root}/images/offline/modules/kubernetes/go.mod`]: 'require k8s.io/kubernetes v1.35.4\n' },
      commands: {
        'go version': { stdout: 'go version go1.25.5 linux/amd64\n' },
        'nice -n 10 go build*': (command) => {
          writeFileSync(command.argv[command.argv.indexOf('-o') + 1] as string, '')
          return { stderr: 'go: downloading k8s.io/kubectl v0.35.4\n' }
        },
        [`${folder}/bin/kubectl version --client`]: version('v1.35.4'),
      },
    })
    expect(await bringKubectl({ machine, root })).toEqual({ path: `${folder}/bin/kubectl`, version: 'v1.35.4' })
  })

  it('says what to do when there is no way', async () => {
    await expect(bringKubectl({ machine: machineOf(cache()), root: cache() })).rejects.toMatchObject({
      code: 'backend-unavailable',
      hint: expect.stringContaining('Install kubectl'),
    })
  })
})
