import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LabError, type SetupView } from '#lib/protocol/index.ts'
import { imagesKey, recordBuilt } from './built.ts'
import { mergedDaemonFile, wrapperPath, wrapperScript } from './docker.ts'
import { tryLock } from './lock.mjs'
import { complete, type Description, debian, dockerInfo, type RecordedMachine, recordedMachine, restricted } from './machine.fixture.ts'
import { builderLine, currentSetup, planSetup, type SetupOptions, setup } from './setup.ts'

const info = "docker info --format '{{json .}}'"
const noImages = {
  "docker image inspect --format '{{.Id}} {{.Size}}' *": { exitCode: 1 },
  "docker image inspect --format '{{.Id}}' *": { exitCode: 1 },
}
const withImages = {
  "docker image inspect --format '{{.Id}} {{.Size}}' *": { stdout: `sha256:${'a'.repeat(64)} 1400000000` },
  "docker image inspect --format '{{.Id}}' *": { stdout: `sha256:${'a'.repeat(64)}` },
}
const tools = ['/usr/bin/docker', '/usr/bin/kind', '/usr/bin/kubectl', '/usr/bin/go', '/usr/bin/jq', '/usr/sbin/debootstrap']

let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'kubemend-setup-')) // the lock is a real file
})
afterEach(() => rmSync(cache, { recursive: true, force: true }))

const root = '/checkout'

/** `stale`: nobody has recorded what the images were built from */
async function run(description: Description, options: Partial<SetupOptions> = {}, stale = false) {
  const machine = recordedMachine({
    files: debian,
    executables: tools,
    commands: complete,
    ...description,
    env: { KUBEMEND_CACHE: cache, ...description.env },
  })
  if (!stale) await recordBuilt(machine, root)
  machine.touched.length = 0
  const views: SetupView[] = []
  const asked: string[][] = []
  const view = await setup({
    machine,
    root,
    consent: async (changes) => {
      asked.push([...changes])
      return true
    },
    onView: (next) => views.push(next),
    ...options,
  })
  const step = (id: string) => view.steps.find((one) => one.id === id)
  return { machine, view, views, asked, step }
}
const changing = (machine: RecordedMachine) =>
  machine.ran.filter((command) => !/^docker (info|image inspect)|version|^apt-cache policy/.test(command))

/** A builder that reports two steps; afterwards the images are there. */
const builder = (end: { exitCode?: number; lines?: object[] } = {}) => {
  const lines = end.lines ?? [
    { step: 'kubernetes', title: 'Kubernetes', state: 'running' },
    { step: 'kubernetes', title: 'Kubernetes', state: 'done', seconds: 12 },
    { step: 'node', title: 'Node image', state: 'cached' },
  ]
  let built = false
  return {
    'nice -n 10 bash /checkout/images/build.sh *': () => {
      built = (end.exitCode ?? 0) === 0
      return { exitCode: end.exitCode ?? 0, stdout: lines.map((line) => JSON.stringify(line)).join('\n') }
    },
    "docker image inspect --format '{{.Id}} {{.Size}}' *": () =>
      built ? withImages["docker image inspect --format '{{.Id}} {{.Size}}' *"] : { exitCode: 1 },
    "docker image inspect --format '{{.Id}}' *": () => (built ? withImages["docker image inspect --format '{{.Id}}' *"] : { exitCode: 1 }),
  }
}

describe('setup', () => {
  it('changes nothing and asks nothing where everything is there', async () => {
    const { machine, view, asked } = await run({})
    expect(view.state).toBe('done')
    expect(asked).toEqual([])
    expect(changing(machine)).toEqual([])
    expect(machine.touched.filter((path) => !path.startsWith(cache))).toEqual([])
  })

  it('brings images up to date that were made from something else, once', async () => {
    const commands = { ...complete, 'nice -n 10 bash /checkout/images/build.sh *': {} }
    const { machine, view, asked } = await run({ commands }, {}, true)
    expect(view.state).toBe('done')
    expect(asked).toEqual([['bring the images up to date with images/ in this checkout (what has not changed is kept)']])
    expect(changing(machine)).toEqual(['nice -n 10 bash /checkout/images/build.sh --json --offline'])
    expect((await planSetup(machine, false, root)).changes).toEqual([])
  })

  it("has the builder make tools that are in nobody's reach", async () => {
    const { machine, view } = await run({
      executables: ['/usr/bin/docker', '/usr/bin/kubectl', '/usr/bin/go', '/usr/bin/jq', '/usr/sbin/debootstrap'],
      commands: {
        ...complete,
        'nice -n 10 bash /checkout/images/build.sh --json --offline': (_command, on) => {
          on.executables.add(`${cache}/bin/kind`)
          return {}
        },
        [`${cache}/bin/kind version`]: { stdout: 'kind v0.33.0' },
      },
    })
    expect(view.error).toBeNull()
    expect(changing(machine)).toEqual(['nice -n 10 bash /checkout/images/build.sh --json --offline'])
  })

  it('knows what images are made of by content', async () => {
    const seen = new Set([await imagesKey(cache)])
    mkdirSync(join(cache, 'images', 'node'), { recursive: true })
    for (const text of ['FROM a', 'FROM b']) {
      writeFileSync(join(cache, 'images', 'node', 'Dockerfile'), text)
      seen.add(await imagesKey(cache))
    }
    expect(seen.size).toBe(3)
    writeFileSync(join(cache, 'images', 'README.md'), 'text')
    expect(seen.has(await imagesKey(cache))).toBe(true)
  })

  it('names every change before it makes one, and makes none that was not agreed to', async () => {
    const description: Description = {
      files: restricted,
      commands: { ...complete, ...noImages, [info]: { exitCode: 1, stderr: 'Cannot connect' } },
      executables: tools,
    }
    const asked: string[] = []
    const { machine, view } = await run(description, {
      consent: async (changes) => {
        asked.push(...changes)
        return false
      },
    })
    expect(view).toMatchObject({ state: 'failed', error: { code: 'cancelled' } })
    expect(asked.join('\n')).toMatch(
      /docker\.io[\s\S]*daemon\.json[\s\S]*start Docker[\s\S]*max_user_instances from 128 to 1024[\s\S]*build the images here/,
    )
    expect(changing(machine)).toEqual([])
    expect(machine.touched.filter((path) => !path.startsWith(cache))).toEqual([])
  })

  it('installs, configures and starts Docker on a restricted machine without systemd, in that order', async () => {
    let running = false
    const commands: Description['commands'] = {
      ...complete,
      ...builder(),
      [info]: () =>
        running
          ? { stdout: dockerInfo({ CgroupVersion: '1', DefaultRuntime: 'runc-without-sys-resource' }) }
          : { exitCode: 1, stderr: 'Cannot connect' },
      'apt-get *': (command, machine) => {
        if (command.argv.includes('docker.io')) machine.executables.add('/usr/sbin/dockerd')
        return {}
      },
      'start-stop-daemon --start *': () => {
        running = true
        return {}
      },
      'sysctl -w *': (command, machine) => {
        machine.files.set('/proc/sys/fs/inotify/max_user_instances', command.argv.at(-1)?.split('=')[1] ?? '')
        return {}
      },
    }
    const { machine, view, step } = await run({ files: restricted, commands })
    expect(view.error).toBeNull()
    expect(view.state).toBe('done')
    expect(changing(machine).map((command) => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'apt-get update',
      'apt-get -o DPkg::Lock::Timeout=600',
      'start-stop-daemon --start --oknodo',
      'sysctl -w fs.inotify.max_user_instances=1024',
      'nice -n 10',
    ])
    expect(machine.files.get(wrapperPath)).toBe(wrapperScript)
    expect(JSON.parse(machine.files.get('/etc/docker/daemon.json') ?? '')).toMatchObject({ 'default-runtime': 'runc-without-sys-resource' })
    expect(machine.touched.indexOf('/etc/docker/daemon.json')).toBeGreaterThan(-1)
    expect(step('image:kubernetes')?.state).toBe('done')
    expect(step('image:node')?.state).toBe('skipped')
  })

  it('uses systemd where it runs', async () => {
    let running = false
    const commands: Description['commands'] = {
      ...complete,
      [info]: () => (running ? { stdout: dockerInfo() } : { exitCode: 1, stderr: 'Cannot connect' }),
      'systemctl enable --now docker': () => {
        running = true
        return {}
      },
    }
    const { machine, view } = await run({ commands, executables: [...tools, '/usr/sbin/dockerd'] })
    expect(view.state).toBe('done')
    expect(changing(machine)).toEqual(['systemctl enable --now docker'])
  })

  it('tells a person without rights what to do and stops', async () => {
    const commands = { ...complete, [info]: { exitCode: 1, stderr: 'permission denied while trying to connect' } }
    const { view } = await run({ uid: 1000, commands })
    expect(view).toMatchObject({
      state: 'failed',
      error: { code: 'docker-unavailable', hint: expect.stringContaining('usermod -aG docker') },
    })
    expect(view.steps.find((step) => step.id === 'plan')?.state).toBe('failed')
  })

  it('builds on public images where a registry is reached, and gets the tools with their published sums', async () => {
    const kind = 'https://kind.sigs.k8s.io/dl/v0.33.0/kind-linux-arm64'
    const { machine, view } = await run({
      arch: 'arm64',
      executables: ['/usr/bin/docker', '/usr/bin/kubectl'],
      status: { 'https://registry-1.docker.io/v2/': 401 },
      web: { [`${kind}.sha256sum`]: `${'b'.repeat(64)}  kind-linux-arm64\n`, [kind]: 'binary' },
      commands: { ...complete, ...builder(), [`${cache}/bin/kind version`]: { stdout: 'kind v0.33.0' } },
    })
    expect(view.error).toBeNull()
    expect(machine.ran).toContain('nice -n 10 bash /checkout/images/build.sh --json --online')
    expect(machine.executables.has(`${cache}/bin/kind`)).toBe(true)
  })

  it('builds here when a registry that answers does not serve', async () => {
    const good = builder()
    const { machine, view } = await run({
      status: { 'https://registry-1.docker.io/v2/': 401 },
      commands: {
        ...complete,
        'nice -n 10 bash /checkout/images/build.sh --json --online': {
          exitCode: 1,
          stdout: JSON.stringify({ step: 'node', title: 'Node image', state: 'failed', detail: 'toomanyrequests' }),
        },
        ...good,
      },
    })
    expect(view.state).toBe('done')
    expect(machine.ran).toContain('nice -n 10 bash /checkout/images/build.sh --json --offline')
    expect(machine.files.get(join(cache, 'setup.log'))).toContain('toomanyrequests')
  })

  it('reports the step at which the builder failed, in words', async () => {
    const lines = [{ step: 'kubernetes', title: 'Kubernetes v1.35.4', state: 'failed', detail: 'no space left on device' }]
    const { view, step } = await run({ commands: { ...complete, ...builder({ exitCode: 1, lines }) } })
    expect(view).toMatchObject({
      state: 'failed',
      error: { message: 'Building the images failed at "Kubernetes v1.35.4": no space left on device.' },
    })
    expect(step('image:kubernetes')?.state).toBe('failed')
    expect(step('images')?.state).toBe('failed')
    expect(step('tools')?.state).toBe('pending')
  })

  it('names Go when the images must be built and there is none that is new enough', async () => {
    const commands = { ...complete, ...noImages, 'apt-cache policy golang-go': { stdout: 'golang-go:\n  Candidate: 2:1.19~1\n' } }
    const { view } = await run({ executables: ['/usr/bin/docker', '/usr/bin/kind', '/usr/bin/kubectl'], commands })
    expect(view).toMatchObject({ state: 'failed', error: { hint: expect.stringContaining('Install Go 1.21') } })
  })

  it('goes on where an earlier set-up was cut short', async () => {
    const first = await run({ commands: { ...complete, ...builder({ exitCode: 1, lines: [] }) } })
    expect(first.view.state).toBe('failed')
    const second = await run({ commands: { ...complete, ...builder() } })
    expect(second.view.state).toBe('done')
  })

  it('runs once per machine', async () => {
    const lock = tryLock(join(cache, 'setup.lock'))
    if (!('release' in lock)) throw new Error('the lock is not free')
    await expect(run({})).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining(String(process.pid)) })
    lock.release()
    await expect(run({})).resolves.toMatchObject({ view: { state: 'done' } })
  })

  it('can be watched from another process, and says when it was cut short', async () => {
    const { machine, views } = await run({ commands: { ...complete, ...builder() } })
    expect(await currentSetup(machine)).toEqual(views.at(-1))
    const running: SetupView = { state: 'running', steps: [{ id: 'images', title: 'Images', state: 'running' }], error: null }
    machine.files.set(join(cache, 'setup.json'), JSON.stringify(running))
    expect(await currentSetup(machine)).toMatchObject({
      state: 'failed',
      steps: [{ state: 'failed' }],
      error: { hint: expect.stringContaining('where it stopped') },
    })
    const lock = tryLock(join(cache, 'setup.lock'))
    expect((await currentSetup(machine)).state).toBe('running')
    if ('release' in lock) lock.release()
    expect((await currentSetup(recordedMachine({}))).state).toBe('idle')
  })

  it('stops when it is cancelled', async () => {
    const abort = new AbortController()
    const commands: Description['commands'] = {
      ...complete,
      ...noImages,
      'nice *': () => {
        abort.abort()
        throw new LabError('cancelled', 'was cancelled')
      },
    }
    const { view } = await run({ commands }, { signal: abort.signal })
    expect(view).toMatchObject({ state: 'failed', error: { code: 'cancelled' } })
  })

  it('plans without changing anything', async () => {
    const machine = recordedMachine({
      files: restricted,
      commands: { ...complete, ...noImages, [info]: { stdout: dockerInfo({ ContainersRunning: 4 }) } },
      executables: tools,
    })
    const { changes } = await planSetup(machine)
    expect(changes.join('\n')).toContain('restart Docker (its 4 running containers stop)')
    expect(machine.touched).toEqual([])
    expect(changing(machine)).toEqual([])
  })

  it('does not start a Docker when DOCKER_HOST names another one', async () => {
    const machine = recordedMachine({
      files: debian,
      commands: { ...complete, [info]: { stdout: '{"ServerErrors":["Cannot connect to the Docker daemon"]}' } },
      executables: tools,
      env: { DOCKER_HOST: 'unix:///run/user/1000/docker.sock' },
    })
    await expect(planSetup(machine)).rejects.toMatchObject({ code: 'docker-unavailable', message: expect.stringContaining('DOCKER_HOST') })
  })
})

describe('the builder', () => {
  it('speaks JSON lines, and everything else is passed over', () => {
    expect(builderLine('{"step":"etcd","state":"running"}')).toEqual({ step: 'etcd', title: 'etcd', state: 'running', detail: undefined })
    expect(builderLine('go: downloading …')).toBeUndefined()
    expect(builderLine('{"step":"etcd","state":"perhaps"}')).toBeUndefined()
    expect(builderLine('null')).toBeUndefined()
  })
})

describe("Docker's configuration", () => {
  it('keeps every other setting', () => {
    const merged = JSON.parse(mergedDaemonFile('{"log-opts":{"max-size":"10m"},"runtimes":{"nvidia":{"path":"/usr/bin/nvidia"}}}'))
    expect(merged).toMatchObject({
      'log-opts': { 'max-size': '10m' },
      runtimes: { nvidia: { path: '/usr/bin/nvidia' } },
      'default-runtime': 'runc-without-sys-resource',
    })
    expect(JSON.parse(mergedDaemonFile(mergedDaemonFile(undefined)))).toEqual(JSON.parse(mergedDaemonFile(undefined)))
  })
  it('refuses what it does not understand, and another default runtime', () => {
    for (const text of ['{', '[]', 'null', '{"default-runtime":"nvidia"}']) expect(() => mergedDaemonFile(text), text).toThrow(LabError)
  })
})
