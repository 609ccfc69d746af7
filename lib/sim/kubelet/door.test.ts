// Logs, exec, attach, ports and crictl: what the API server and a person at the node get from containers.
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import type { KubeletDoor, LogOptions } from '../api/kubelet-door.ts'
import { issue } from '../pki.ts'
import type { ProcessHost } from '../process.ts'
import { crictl } from './crictl.ts'
import { kubeletDoor } from './door.ts'
import { testNode } from './fixture.ts'
import { kubeletOn } from './kubelet.ts'

/** Real processes without a sandbox: only for commands of these tests. */
const processHost: ProcessHost = {
  missing: async () => null,
  open: async ({ files }) => ({
    async spawn({ argv, env }) {
      const child = spawn(argv[0] as string, argv.slice(1), { cwd: files?.root ?? '/', env: { ...env } as NodeJS.ProcessEnv })
      return {
        pid: child.pid ?? 0,
        onData(listener) {
          child.stdout.on('data', (bytes) => listener(bytes, 'stdout'))
          child.stderr.on('data', (bytes) => listener(bytes, 'stderr'))
        },
        onExit: (listener) => void child.on('close', (code) => listener(code ?? 137)),
        write: (bytes) => void child.stdin.write(bytes),
        endInput: () => void child.stdin.end(),
        resize: () => {},
        pause: () => {},
        resume: () => {},
        kill: (signal) => void child.kill(signal),
      }
    },
    close: async () => {},
  }),
}

let node: Awaited<ReturnType<typeof testNode>>
let door: KubeletDoor
afterEach(() => node?.close())
const begin = async () => {
  node = await testNode({ processHost })
  node.startKubelet()
  door = kubeletDoor(() => node.runtime, node.network)
}
const ref = (pod: string, container = 'c') => ({ namespace: 'app', pod, container })
const isRunning = (pod: string) => () => node.pod(pod)?.status.containerStatuses?.[0].state.running
async function logs(pod: string, options: Partial<LogOptions> = {}) {
  let text = ''
  await door.logs(
    'node-1',
    ref(pod),
    { follow: false, previous: false, timestamps: false, ...options },
    {
      write: (bytes) => {
        text += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()
      },
      end: () => {},
    },
    new AbortController().signal,
  )
  return text
}
async function exec(pod: string, command: string[], input?: string) {
  let stdout = ''
  let stderr = ''
  const code = await door.exec(
    'node-1',
    ref(pod),
    { command, stdin: input !== undefined, stdout: true, stderr: true, tty: false },
    {
      stdin: (async function* () {
        if (input !== undefined) yield Buffer.from(input)
      })(),
      stdout: (bytes) => {
        stdout += Buffer.from(bytes as Uint8Array).toString()
      },
      stderr: (bytes) => {
        stderr += Buffer.from(bytes as Uint8Array).toString()
      },
      onResize: () => {},
      signal: new AbortController().signal,
    },
  )
  return { code, stdout, stderr }
}
async function tool(...argv: string[]) {
  let out = ''
  let err = ''
  const { machine, clock } = node
  const code = await crictl(() => node.runtime)({
    place: { machine, net: machine.net, files: machine.files },
    argv: ['crictl', ...argv],
    cwd: '/',
    env: {},
    uid: 0,
    clock,
    stdin: (async function* () {})(),
    out: (text) => {
      out += typeof text === 'string' ? text : Buffer.from(text).toString()
    },
    err: (text) => {
      err += typeof text === 'string' ? text : Buffer.from(text).toString()
    },
    signal: new AbortController().signal,
  })
  return { code, out, err }
}

test('logs: of what runs, of before, of what has not started', async () => {
  await begin()
  node.run('web', { containers: [{}] })
  node.run('echo', { restartPolicy: 'Never', containers: [{ image: 'busybox', command: ['echo', '-n', 'no end of line'] }] })
  node.run('crash', { containers: [{ image: 'busybox', command: ['cat', '/nope'] }] })
  node.run('wait', {
    volumes: [{ name: 'v', secret: { secretName: 'missing' } }],
    containers: [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  })
  await node.until(
    () =>
      isRunning('web')() &&
      node.pod('echo')?.status.phase === 'Succeeded' &&
      node.pod('crash')?.status.containerStatuses[0].state.waiting?.reason === 'CrashLoopBackOff',
  )
  expect(await logs('web')).toBe('nginx started\n')
  expect(await logs('web', { timestamps: true })).toMatch(/^2026-01-01T\S+Z nginx started\n$/)
  expect(await logs('echo')).toBe('no end of line')
  expect(await logs('crash', { previous: true })).toBe("cat: can't open '/nope': No such file or directory\n")
  // Ended once more, the status still names the one before until it is made again; that one is gone.
  await node.until(() => node.pod('crash')?.status.containerStatuses[0].state.terminated)
  expect(await logs('crash', { previous: true })).toMatch(/^unable to retrieve container logs for containerd:\/\/[0-9a-f]{64}$/)
  await expect(logs('web', { previous: true })).rejects.toThrow('previous terminated container "c" in pod "web" not found')
  await expect(logs('wait')).rejects.toThrow('container "c" in pod "wait" is waiting to start: ContainerCreating')
  node.stopKubelet()
  await expect(logs('web')).rejects.toThrow('dial tcp 172.18.0.2:10250: connect: connection refused')
})

test('logs are followed to the end of the container', async () => {
  await begin()
  node.run('talk', {
    restartPolicy: 'Never',
    containers: [{ image: 'busybox', command: ['sh', '-c', 'echo one; read line; echo two'], stdin: true }],
  })
  await node.until(isRunning('talk'))
  const all = logs('talk', { follow: true })
  const streams = {
    stdin: (async function* () {
      yield Buffer.from('go\n')
    })(),
    stdout: () => {},
    stderr: () => {},
    onResize: () => {},
    signal: new AbortController().signal,
  }
  void door.attach('node-1', ref('talk'), { stdin: true, stdout: true, stderr: true, tty: false }, streams)
  expect(await all).toBe('one\ntwo\n')
  expect(await logs('talk', { tailLines: 1 })).toBe('two\n')
})

test('exec: builtins, real processes, and the real words for what is not there', async () => {
  await begin()
  node.run('web', { containers: [{ env: [{ name: 'A', value: 'b $(HOSTNAME)' }] }] })
  await node.until(isRunning('web'))
  expect(await exec('web', ['cat', '/etc/hosts'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${node.pod('web').status.podIP}\tweb\n`),
  })
  expect(await exec('web', ['printenv', 'KUBERNETES_SERVICE_HOST'])).toMatchObject({ code: expect.any(Number) })
  expect(await exec('web', ['false'])).toMatchObject({ code: 1 })
  expect(await exec('web', ['sh', '-c', 'cat; ls etc/nginx; exit 5'], 'from outside\n')).toEqual({
    code: 5,
    stdout: 'from outside\nconf.d\nnginx.conf\n',
    stderr: '',
  })
  await expect(exec('web', ['nosuch'])).rejects.toThrow(
    /^Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "\w{64}": OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in \$PATH$/,
  )
  await expect(exec('none', ['ls'])).rejects.toThrow('unable to upgrade connection: container not found ("c")')
})

test('crictl shows the same as the kubelet, and what it removes comes back', async () => {
  await begin()
  node.run('web', { containers: [{}] })
  await node.until(isRunning('web'))
  const [container] = node.runtime.containers()
  const id = container?.id.slice(0, 13) as string
  const ps = await tool('ps')
  expect(ps.out.split('\n')[0]).toBe(
    'CONTAINER           IMAGE               CREATED                  STATE               NAME                ATTEMPT             POD ID              POD                 NAMESPACE',
  )
  expect(ps.out).toMatch(new RegExp(`^${id} +a8b676cb2e364 +Less than a second ago +Running +c +0 +\\w{13} +web +app$`, 'm'))
  expect((await tool('logs', id)).out).toBe('nginx started\n')
  expect((await tool('exec', id, 'cat', '/etc/hostname')).out).toBe('web\n')
  expect(await tool('logs', '0000')).toMatchObject({
    code: 1,
    err: expect.stringContaining('an error occurred when try to find container \\"0000\\": not found'),
  })
  expect(JSON.parse((await tool('inspect', id)).out).status.state).toBe('CONTAINER_RUNNING')
  expect((await tool('images')).out).toMatch(/^docker\.io\/library\/nginx +latest +a8b676cb2e364 +104MB$/m)
  await tool('rm', '-f', id)
  expect(await node.until(() => node.runtime.containers().some((one) => one.state === 'running' && one.id !== container?.id), 30)).toBe(
    true,
  )
  await tool('stopp', node.runtime.sandboxes()[0]?.id as string)
  expect(await node.until(() => node.runtime.sandboxes().some((one) => one.ready && one.config.attempt === 1), 30)).toBe(true)
  await node.until(() => node.events('web').some((one) => one.includes('SandboxChanged')))
  node.stopContainerd()
  expect(await tool('ps')).toMatchObject({ code: 1, err: expect.stringContaining('connect: connection refused') })
})

test('configz tells what the kubelet goes by, not what its file has come to say since', async () => {
  await begin()
  const told = () => JSON.parse(door.page('node-1', '/configz').body).kubeletconfig
  expect(told()).toMatchObject({ clusterDNS: ['10.96.0.10'], clusterDomain: 'cluster.local', maxPods: 110, syncFrequency: '1m0s' })
  const path = '/var/lib/kubelet/config.yaml'
  node.files.write(path, (node.files.text(path) as string).replace('10.96.0.10', '10.96.0.53'))
  expect(told().clusterDNS).toEqual(['10.96.0.10'])
  node.stopKubelet()
  expect(() => door.page('node-1', '/configz')).toThrow(
    'error trying to reach service: dial tcp 172.18.0.2:10250: connect: connection refused',
  )
  node.startKubelet()
  expect(told().clusterDNS).toEqual(['10.96.0.53'])
})

test('who shows no certificate that the kubelet trusts gets neither logs nor a shell', async () => {
  await begin()
  const now = node.clock.now()
  const ca = issue({ subject: { commonName: 'kubernetes' }, now, ca: true })
  const other = issue({ subject: { commonName: 'kubernetes' }, now, ca: true })
  const shown = new X509Certificate(
    issue({ subject: { commonName: 'kube-apiserver-kubelet-client' }, now, usages: ['clientAuth'], issuer: ca }).cert,
  )
  door = kubeletDoor(
    () => node.runtime,
    node.network,
    () => shown,
  )
  node.run('web', { containers: [{}] })
  await node.until(isRunning('web'))
  // No client CA at all: nobody can show who they are.
  await expect(logs('web')).rejects.toThrow('the server has asked for the client to provide credentials ( pods/log web)')
  const settings = node.files.text('/var/lib/kubelet/config.yaml') as string
  const restart = (more: string) => {
    node.files.write('/var/lib/kubelet/config.yaml', `${settings}${more}`)
    node.stopKubelet()
    node.startKubelet()
    return node.until(() => kubeletOn(node.machine)?.pod('app', 'web'))
  }
  node.files.write('/etc/kubernetes/pki/ca.crt', other.cert)
  await restart('authentication: {x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}\n')
  await expect(logs('web')).rejects.toThrow('provide credentials')
  // It is read anew when it changes.
  node.files.write('/etc/kubernetes/pki/ca.crt', ca.cert)
  expect(await logs('web')).toBe('nginx started\n')
  await restart('authentication: {anonymous: {enabled: true}}\n')
  await expect(logs('web')).rejects.toThrow(
    'Forbidden (user=system:anonymous, verb=get, resource=nodes, subresource=[proxy]) ( pods/log web)',
  )
})

test('a port of a pod', async () => {
  await begin()
  node.run('web', { containers: [{}] })
  await node.until(isRunning('web'))
  expect(door.open('node-1', { namespace: 'app', pod: 'web' }, 80).outcome).toBe('open')
  expect(door.open('node-1', { namespace: 'app', pod: 'web' }, 81).outcome).toBe('refused')
})

test('a shell of a container runs the programs of its image', async () => {
  const stop = new AbortController()
  let offered: readonly string[] = []
  let said = ''
  const exits: number[] = []
  node = await testNode({
    processHost: {
      missing: async () => null,
      // A sandbox whose shell does one thing: `exec nginx`.
      open: async ({ tools, call }) => {
        offered = tools
        return {
          async spawn() {
            const ended = call('nginx', {
              argv: ['nginx', '-g', 'daemon off;'],
              cwd: '/',
              env: {},
              uid: 0,
              stdin: (async function* () {})(),
              out: () => {},
              err: (text) => {
                said += text
              },
              signal: stop.signal,
            })
            return {
              pid: 1,
              onData: () => {},
              onExit(listener) {
                void ended.then((code) => {
                  exits.push(code)
                  listener(code)
                })
              },
              write: () => {},
              endInput: () => {},
              resize: () => {},
              pause: () => {},
              resume: () => {},
              kill: (signal) => stop.abort(signal),
            }
          },
          close: async () => {},
        }
      },
    },
  })
  node.startKubelet()
  node.run('web', { terminationGracePeriodSeconds: 5, containers: [{ command: ['sh', '-c', 'exec nginx -g "daemon off;"'] }] })
  expect(await node.until(isRunning('web'))).toBe(true)
  expect(offered).toContain('nginx')
  expect(said).toBe('nginx started\n')
  const address = node.pod('web')?.status.podIP
  expect(node.network.open(node.machine.net, 'tcp', address, 80).outcome).toBe('open')
  node.client.delete('v1/pods', 'web', 'app')
  expect(await node.until(() => !node.pod('web'))).toBe(true)
  expect(exits).toEqual([0])
})
