// A lab's machine on real files, with nothing of Kubernetes, for tests of sandboxes: an account `candidate` beside root, and files that only root may read.
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SimClock } from '../clock.ts'
import type { Machine } from '../machine.ts'
import { filesBelow } from '../node/files.ts'
import type { Sandbox, Spawned, SpawnRequest, Tool } from '../process.ts'
import { createSandboxHost, type SandboxHost, type SandboxOptions, shellTools } from './index.ts'

/** kept between runs, so that the host's programs are copied once */
const cache = join(process.env.KUBEMEND_CACHE ?? join(homedir(), '.cache', 'kubemend'), 'sandbox')

export function createHost(options: Partial<SandboxOptions> = {}): SandboxHost {
  return createSandboxHost({ cache, ...options })
}

const files: Record<string, string> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\ncandidate:x:1000:1000::/home/candidate:/bin/bash\n',
  '/etc/group': 'root:x:0:\nsudo:x:27:candidate\nnogroup:x:65534:\ncandidate:x:1000:\n',
  '/etc/hosts': '127.0.0.1 localhost\n172.18.0.4 lab-control-plane\n',
  '/etc/hostname': 'worker\n',
  '/etc/kubernetes/admin.conf': 'the key to the cluster\n',
  '/etc/kubernetes/manifests/etcd.yaml': 'kind: Pod\n',
  '/usr/lib/systemd/system/kubelet.service': '[Service]\nExecStart=/usr/bin/kubelet\n',
  '/root/secret': 'root only\n',
  '/home/candidate/.bashrc': 'PS1="\\u@\\h:\\w\\$ "\n',
}

/** Only what sandboxes ask of a machine. */
export function createMachine(name: string, clock = new SimClock()): Machine {
  const root = mkdtempSync(join(tmpdir(), 'kubemend-machine-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const folder of ['tmp', 'var/tmp', 'var/lib/etcd', 'usr/local/bin']) mkdirSync(join(root, folder), { recursive: true })
  chmodSync(join(root, 'root'), 0o700)
  chmodSync(join(root, 'var/lib/etcd'), 0o700)
  chmodSync(join(root, 'etc/kubernetes/admin.conf'), 0o600)
  return { name, place: name, address: '172.18.0.5', clock, files: filesBelow(root), net: {} } as unknown as Machine
}

export interface Opened {
  machine: Machine
  sandbox: Sandbox
}
/** Opens places that can ssh to one another, with these tools beside the shell's. */
export async function openPlaces(host: SandboxHost, names: readonly string[], tools: Record<string, Tool> = {}, clock = new SimClock()) {
  const places = new Map<string, Opened>()
  const at = (machine: Machine) => (places.get(machine.place) as Opened).sandbox
  const all: Record<string, Tool> = {
    ...shellTools({
      spawn: (place, request) => at(place.machine).spawn(request),
      remote: (machine, request) => at(machine).spawn(request),
      resolve: (_from, name) => places.get(name)?.machine,
      rate: () => clock.rate,
    }),
    ...tools,
  }
  for (const name of names) {
    const machine = createMachine(name, clock)
    const sandbox = await host.open({
      id: name,
      machine,
      hostname: name,
      ports: [],
      tools: Object.keys(all),
      call: (tool, request) => (all[tool] as Tool)({ ...request, place: { machine, net: machine.net, files: machine.files }, clock }),
      connection: (_to, socket) => socket.end('hello from the lab\n'),
    })
    places.set(name, { machine, sandbox })
  }
  return places as ReadonlyMap<string, Opened>
}

export interface Ran {
  code: number
  stdout: string
  stderr: string
}
/** Runs to the end. */
export async function run(sandbox: Sandbox, script: string, request: Partial<SpawnRequest> & { input?: string } = {}): Promise<Ran> {
  const { input, ...rest } = request
  const process = await sandbox.spawn({ argv: ['bash', '-c', script], user: 'candidate', ...rest })
  const done = finish(process)
  if (input !== undefined) process.write(Buffer.from(input))
  process.endInput()
  return done
}
export function finish(process: Spawned): Promise<Ran> {
  const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  process.onData((bytes, stream) => parts[stream].push(bytes))
  return new Promise((resolve) =>
    process.onExit((code) =>
      resolve({ code, stdout: Buffer.concat(parts.stdout).toString(), stderr: Buffer.concat(parts.stderr).toString() }),
    ),
  )
}
