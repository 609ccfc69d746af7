import { describe, expect, it } from 'vitest'
import { doctor, summary, table } from './doctor.ts'
import { complete, type Description, debian, dockerInfo, recordedMachine, restricted } from './machine.fixture.ts'

const tools = ['/usr/bin/docker', '/usr/bin/kind', '/usr/bin/kubectl']
const info = "docker info --format '{{json .}}'"
const wrapped = { stdout: dockerInfo({ ServerVersion: '20.10.24', CgroupVersion: '1', DefaultRuntime: 'runc-without-sys-resource' }) }

async function examine(description: Description, serving = false) {
  const machine = recordedMachine({ files: debian, executables: tools, commands: complete, ...description })
  const report = await doctor({ machine, serving })
  const check = (id: string) => {
    const found = report.checks.find((one) => one.id === id)
    if (found === undefined) throw new Error(`no check ${id} in ${report.checks.map((one) => one.id)}`)
    return found
  }
  return { machine, report, check, states: Object.fromEntries(report.checks.map((one) => [one.id, one.state])) }
}

describe('doctor', () => {
  it('finds everything on a machine that has it', async () => {
    const { report, states } = await examine({})
    expect(states).toEqual({
      docker: 'ok',
      'docker-version': 'ok',
      kind: 'ok',
      kubectl: 'ok',
      'image-node': 'ok',
      'image-workstation': 'ok',
      'image-grader': 'ok',
      cgroup: 'ok',
      inotify: 'ok',
      capabilities: 'ok',
      disk: 'ok',
      memory: 'ok',
      ports: 'ok',
    })
    expect(report.ok).toBe(true)
    expect(summary(report)).toBe('kind is ready: 13 checks')
  })

  it('changes nothing and only asks', async () => {
    const { machine } = await examine({ files: restricted })
    expect(machine.touched).toEqual([])
    expect(machine.ran.filter((command) => !/ (info|image inspect|version)\b/.test(command))).toEqual([])
  })

  it('gives every missing check a remedy and no other', async () => {
    for (const description of [
      {},
      { commands: {}, executables: [] },
      { files: restricted },
      { uid: 1000, commands: {} },
    ] satisfies Description[]) {
      const { report } = await examine(description)
      for (const check of report.checks) expect(check.remedy !== '', `${check.id}: ${check.message}`).toBe(check.state === 'missing')
    }
  })

  it('tells root on Debian that set-up installs Docker, and everybody else what to install', async () => {
    const none = { commands: {}, executables: [] }
    const root = await examine(none)
    expect(root.report.ok).toBe(false)
    expect(root.check('docker')).toMatchObject({ state: 'missing', message: 'The program `docker` is not installed.' })
    expect(root.check('docker').remedy).toContain('npm run setup:kind')
    const person = await examine({ ...none, uid: 1000 })
    expect(person.check('docker').remedy).toContain('docs.docker.com/engine/install')
    const mac = await examine({ ...none, uid: 501, platform: 'darwin', files: {} })
    expect(mac.check('docker').remedy).toContain('Docker Desktop')
    expect(root.check('image-node').message).toContain('cannot be looked for')
  })

  it('tells missing rights from a daemon that does not run', async () => {
    const rights = await examine({
      uid: 1000,
      commands: {
        ...complete,
        [info]: {
          exitCode: 1,
          stdout: JSON.stringify({ ServerErrors: ['permission denied while trying to connect to the Docker daemon socket'] }),
        },
      },
    })
    expect(rights.check('docker')).toMatchObject({ state: 'missing', remedy: expect.stringContaining('usermod -aG docker') })
    const down = await examine({
      uid: 1000,
      commands: {
        ...complete,
        [info]: {
          exitCode: 1,
          stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
        },
      },
    })
    expect(down.check('docker')).toMatchObject({ state: 'missing', remedy: 'Run `sudo systemctl start docker`.' })
    expect(down.check('docker').message).toContain('Cannot connect to the Docker daemon')
  })

  it('refuses a Docker that is too old', async () => {
    const { check } = await examine({ commands: { ...complete, [info]: { stdout: dockerInfo({ ServerVersion: '19.3.5' }) } } })
    expect(check('docker-version').state).toBe('missing')
  })

  it('says of cgroup v1 that clusters are made for it', async () => {
    const { check, report } = await examine({ commands: { ...complete, [info]: { stdout: dockerInfo({ CgroupVersion: '1' }) } } })
    expect(check('cgroup')).toMatchObject({ state: 'mended', message: expect.stringContaining('failCgroupV1') })
    expect(report.ok).toBe(true)
  })

  it('says of a withheld CAP_SYS_RESOURCE what to do, and that it is mended once the wrapper is the default runtime', async () => {
    const bare = await examine({ files: restricted })
    expect(bare.check('capabilities')).toMatchObject({ state: 'missing', remedy: expect.stringContaining('wrapper around runc') })
    const done = await examine({ files: restricted, commands: { ...complete, [info]: wrapped } })
    expect(done.check('capabilities').state).toBe('mended')
    // Docker Desktop's own machine is not restricted by ours
    const elsewhere = await examine({
      files: restricted,
      commands: { ...complete, [info]: { stdout: dockerInfo({ OperatingSystem: 'Docker Desktop' }) } },
    })
    expect(elsewhere.check('capabilities').state).toBe('ok')
    expect(elsewhere.check('inotify').state).toBe('ok')
  })

  it('names the exact sysctl for low inotify limits, and its own mend afterwards', async () => {
    const low = await examine({ files: restricted })
    expect(low.check('inotify').remedy).toContain('sudo sysctl -w fs.inotify.max_user_instances=1024`')
    const raised = await examine({ files: { ...debian, '/etc/sysctl.d/99-kubemend.conf': '…' } })
    expect(raised.check('inotify').state).toBe('mended')
  })

  it('asks for more disk while the images are not built', async () => {
    const eight = 8 * 1024 ** 3
    expect((await examine({ freeBytes: eight })).check('disk').state).toBe('ok')
    const commands = { ...complete, "docker image inspect --format '{{.Id}} {{.Size}}' *": { exitCode: 1 } }
    expect((await examine({ freeBytes: eight, commands })).check('disk')).toMatchObject({
      state: 'missing',
      message: expect.stringContaining('building the images'),
    })
    expect((await examine({ freeBytes: 1024 ** 3 })).check('disk').state).toBe('missing')
  })

  it('finds too little memory, here or in the machine that Docker runs on', async () => {
    const memory = { total: 4 * 1024 ** 3, available: 1024 ** 3 }
    expect((await examine({ memory })).check('memory').state).toBe('missing')
    const desktop = { ...complete, [info]: { stdout: dockerInfo({ OperatingSystem: 'Docker Desktop', MemTotal: 1024 ** 3 }) } }
    expect((await examine({ commands: desktop })).check('memory')).toMatchObject({
      state: 'missing',
      remedy: 'Give Docker more memory in its settings.',
    })
  })

  it('tells its own port from a foreign one', async () => {
    const foreign = await examine({ busyPorts: [3000] })
    expect(foreign.check('ports')).toMatchObject({ state: 'missing', remedy: expect.stringContaining('PORT=3001 npm start') })
    const own = await examine({ busyPorts: [3000], web: { 'http://127.0.0.1:3000/api/health': '{"name":"kubemend"}' } })
    expect(own.check('ports').state).toBe('ok')
    expect((await examine({ busyPorts: [3000] }, true)).check('ports').state).toBe('ok')
    expect((await examine({ env: { PORT: 'x' } })).check('ports').state).toBe('missing')
  })

  it('looks for tools in PATH and in the cache, and does not believe one that does not run', async () => {
    const cached = await examine({
      executables: ['/home/someone/.cache/kubemend/bin/kind', '/usr/bin/kubectl'],
      commands: { ...complete, '/home/someone/.cache/kubemend/bin/kind version': { stdout: 'kind v0.33.0' } },
    })
    expect(cached.check('kind').message).toContain('/home/someone/.cache/kubemend/bin/kind')
    const broken = await examine({ commands: { ...complete, '/usr/bin/kind version': { exitCode: 126, stderr: 'exec format error' } } })
    expect(broken.check('kind').state).toBe('missing')
  })

  it('asks for the Kubernetes version that is set, and refuses one that is none', async () => {
    const { check } = await examine({ env: { KUBEMEND_KUBERNETES: 'v1.36.3' } })
    expect(check('image-node').message).toContain('kubemend/node:v1.36.3')
    await expect(examine({ env: { KUBEMEND_KUBERNETES: '1.35' } })).rejects.toMatchObject({ code: 'bad-request' })
  })

  it('prints a table with an arrow for each remedy', async () => {
    const { report } = await examine({ commands: {}, executables: [] })
    const text = table(report)
    expect(text.match(/→/g)).toHaveLength(report.checks.filter((check) => check.state === 'missing').length)
    expect(summary(report)).toMatch(/^kind is not ready/)
  })
})
