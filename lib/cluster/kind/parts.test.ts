// The parts of the kind adapter that take text apart: streams, frames, objects, firewall rules, figures.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { additions, differences, hashesOf, normalise } from './baseline/objects.ts'
import { foreignRules, freeAddresses, networkCommand } from './baseline/state.ts'
import { checkCapacity } from './capacity.ts'
import { Demultiplexer } from './docker.ts'
import { causes } from './explain.ts'
import { newName } from './names.ts'
import { kindProgress } from './progress.ts'
import { encodeFrame, FrameReader } from './shells.ts'

/** every way to cut `bytes` in two, and byte by byte */
function* cuts(bytes: Buffer): Generator<Buffer[]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
  yield [...bytes].map((byte) => Buffer.from([byte]))
}

describe('what the API alone can undo', () => {
  const object = (kind: string, name: string, namespace?: string, more: object = {}) => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...more },
  })
  const owned = { ownerReferences: [{ kind: 'ReplicaSet', name: 'coredns-5d' }] }
  const node = { ...object('Node', 'km-worker'), spec: {} }
  const healthy = [
    object('Namespace', 'kube-system'),
    object('ConfigMap', 'coredns', 'kube-system'),
    object('Pod', 'coredns-5d-abcde', 'kube-system', owned),
    node,
  ]
  const before = hashesOf(healthy)

  it('is what was added: an application goes with its namespace, a pod with its owner', () => {
    const now = [
      ...healthy,
      object('Namespace', 'shop'),
      object('ConfigMap', 'settings', 'shop'),
      object('Pod', 'tmp', 'kube-system'),
      object('Pod', 'coredns-5d-fghij', 'kube-system', owned),
      object('Endpoints', 'web', 'kube-system'),
      object('PersistentVolume', 'pv'),
    ]
    const names = additions(before, now)?.added.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(names).toEqual(['Namespace shop', 'Pod tmp', 'PersistentVolume pv'])
  })
  it('are nodes that were cordoned, and pods that have moved', () => {
    const now = [...healthy.slice(0, 2), { ...node, spec: { unschedulable: true } }]
    expect(additions(before, now)).toEqual({ added: [], nodes: ['km-worker'] })
  })
  it('is not what was changed or removed in the cluster itself', () => {
    expect(additions(before, healthy.slice(0, 3)), 'a node').toBeUndefined()
    expect(additions(before, [healthy[0]!, ...healthy.slice(2)]), 'a ConfigMap').toBeUndefined()
    expect(
      additions(before, [{ ...healthy[0]!, metadata: { name: 'kube-system', labels: { a: 'b' } } }, ...healthy.slice(1)]),
    ).toBeUndefined()
  })
})

describe('streams', () => {
  it('of Docker come apart whichever way they are cut', () => {
    const frame = (stream: number, text: string) => {
      const header = Buffer.alloc(8)
      header[0] = stream
      header.writeUInt32BE(Buffer.byteLength(text), 4)
      return Buffer.concat([header, Buffer.from(text)])
    }
    const all = Buffer.concat([frame(1, '안녕'), frame(2, 'wrong'), frame(1, ''), frame(1, 'end')])
    for (const chunks of cuts(all)) {
      const seen = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
      const demultiplexer = new Demultiplexer((stream, bytes) => seen[stream].push(Buffer.from(bytes)))
      for (const chunk of chunks) demultiplexer.push(chunk)
      expect([Buffer.concat(seen.stdout).toString(), Buffer.concat(seen.stderr).toString()]).toEqual(['안녕end', 'wrong'])
    }
  })
  it('of hold give whole frames whichever way they are cut', () => {
    const all = Buffer.concat([encodeFrame(2, Buffer.from('{}')), encodeFrame(1, Buffer.alloc(0)), encodeFrame(1, Buffer.from('출력'))])
    for (const chunks of cuts(all)) {
      const reader = new FrameReader()
      const frames = chunks.flatMap((chunk) => reader.push(chunk))
      expect(frames.map(({ type, payload }) => `${type} ${payload.toString()}`)).toEqual(['2 {}', '1 ', '1 출력'])
    }
  })
  it('that claim a frame of gigabytes are refused', () => {
    expect(() => new FrameReader().push(Buffer.from([1, 0xff, 0xff, 0xff, 0xff]))).toThrow(/frame of 4294967295 bytes/)
  })
})

describe('an object’s content', () => {
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'b', uid: '1', resourceVersion: '5' },
    data: { x: '1' },
  }
  const same = (a: object, b: object) => expect(JSON.stringify(normalise(a))).toBe(JSON.stringify(normalise(b)))
  it('does not depend on versions, times, managers or status', () => {
    same(configMap, {
      ...configMap,
      metadata: { ...configMap.metadata, uid: '2', resourceVersion: '9', creationTimestamp: 'x', managedFields: [] },
      status: { y: 1 },
    })
  })
  it('depends on data, labels and annotations, but not on what Flannel notes on nodes', () => {
    const keyed = (metadata: object) => JSON.stringify(normalise({ ...configMap, metadata: { ...configMap.metadata, ...metadata } }))
    const plain = keyed({})
    expect(keyed({ labels: { l: '1' } })).not.toBe(plain)
    expect(keyed({ annotations: { a: '1' } })).not.toBe(plain)
    expect(keyed({ annotations: { 'flannel.alpha.coreos.com/backend-data': 'x' } })).toBe(plain)
    expect(JSON.stringify(normalise({ ...configMap, data: { x: '2' } }))).not.toBe(plain)
  })
  it('of a pod with an owner is the owner, whatever its random name', () => {
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'n', ownerReferences: [{ kind: 'ReplicaSet', name: 'web-5d' }] },
    })
    same(pod('web-5d-abcde'), pod('web-5d-fghij'))
    expect(normalise(pod('web-5d-abcde'))[0]?.[0]).toBe('v1 Pod n/web-5d')
  })
  it('names what is missing, new and different', () => {
    expect(differences({ a: '1', b: '2', c: '3' }, { a: '1', b: '9', d: '4' })).toEqual(['b', 'c', 'd'])
  })
})

describe('firewall rules', () => {
  const save = `*filter
:INPUT ACCEPT [200502:45131807]
:FORWARD DROP [0:0]
:MINE - [0:0]
:KUBE-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -p tcp -m tcp --dport 10250 -j DROP
-A KUBE-FIREWALL -j DROP
COMMIT
*nat
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
COMMIT`
  it('that Kubernetes, Flannel and Docker own are left out; a learner’s, a policy and a chain are not', () => {
    expect(foreignRules(save)).toEqual(['filter -A INPUT -p tcp -m tcp --dport 10250 -j DROP', 'filter FORWARD DROP', 'filter MINE -'])
  })
})

describe('capacity', () => {
  const supply = { memoryMiB: 8192, availableMiB: 6000, cpus: 2, clusters: 0 }
  it('lets the first one be, on one CPU too', () => {
    expect(() => checkCapacity({ workers: 2 }, { ...supply, cpus: 0.25 })).not.toThrow()
  })
  it('refuses by total memory, by free memory and by CPU, each with its figure', () => {
    expect(() => checkCapacity({ workers: 2 }, { ...supply, memoryMiB: 2048 })).toThrow(
      /each needs 1456 MiB, this machine's 2048 MiB hold 0/,
    )
    expect(() => checkCapacity({ workers: 2 }, { ...supply, availableMiB: 1500 })).toThrow(/only 1500 MiB of memory are free/)
    expect(() => checkCapacity({ workers: 2 }, { ...supply, clusters: 4, memoryMiB: 64_000, availableMiB: 60_000 })).toThrow(
      /2 CPUs carry 4, and 4 are there/,
    )
  })
  it('is what the operator says when the operator says it', () => {
    expect(() => checkCapacity({ workers: 9 }, { ...supply, memoryMiB: 1, clusters: 4 }, { clusters: 5 })).not.toThrow()
  })
})

it('kind’s lines become steps, and nothing else does', () => {
  const lines: string[] = []
  const take = kindProgress((line) => lines.push(`${line.step} ${line.state}`))
  for (const line of [
    'Creating cluster "x" ...',
    ' • Preparing nodes 📦 📦  ...',
    ' ✓ Preparing nodes 📦 📦 ',
    ' • Starting control-plane 🕹️  ...',
    ' ✗ Starting control-plane 🕹️',
    'Not sure what to do next? 😅',
  ])
    take(line)
  expect(lines).toEqual(['Nodes running', 'Nodes done', 'Control plane running', 'Control plane failed'])
})

it('every known cause says what to do, and a healthy cluster’s texts match none', () => {
  const healthy =
    'running, exit code 0\nkubelet: node is Ready\ncontainerd: loading plugin\nFilesystem Size Used Avail Use% Mounted on\noverlay 252G 41G 51G 45% /'
  for (const { seen, message, hint } of causes) {
    expect(hint.length).toBeGreaterThan(20)
    expect(message).toMatch(/\.$/)
    expect([seen.source, seen.test(healthy)]).toEqual([seen.source, false])
  }
})

it('names are six characters that are not easily mistaken for one another', () => {
  expect(newName(() => 0)).toBe('kubemend-aaaaaa')
  expect(newName()).toMatch(/^kubemend-[a-km-z2-9]{6}$/)
})

it('puts lines of a node’s network back as they were told', () => {
  const command = (line: string, there: boolean) => networkCommand(line, there).join(' ')
  const route = '10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink'
  expect([command(route, true), command(route, false)]).toEqual([`ip route replace ${route}`, `ip route del ${route}`])
  const neighbour = 'neigh 10.244.1.0 dev flannel.1 lladdr 1e:8f:93:d6:29:8e PERMANENT'
  expect(command(neighbour, true)).toBe('ip neigh replace 10.244.1.0 lladdr 1e:8f:93:d6:29:8e dev flannel.1 nud permanent')
  expect(command(neighbour, false)).toBe('ip neigh del 10.244.1.0 dev flannel.1')
  const entry = 'fdb be:e5:4f:08:0d:aa dst 172.20.0.3 self permanent'
  expect(command(entry, true)).toBe('bridge fdb replace be:e5:4f:08:0d:aa dev flannel.1 dst 172.20.0.3 self permanent')
  const address = 'addr 10.41.9.11/32 dev eth0'
  expect([command(address, true), command(address, false)]).toEqual([
    'ip addr replace 10.41.9.11/32 dev eth0',
    'ip addr del 10.41.9.11/32 dev eth0',
  ])
  expect(command('link dummy0', false)).toBe('ip link del dummy0')
  expect(command(entry, false)).toBe('bridge fdb del be:e5:4f:08:0d:aa dev flannel.1 dst 172.20.0.3 self')
})

describe('addresses of pods that are gone', () => {
  it('are free again, those of others and young ones are not, and none where the runtime says nothing', () => {
    const at = mkdtempSync(join(tmpdir(), 'leases-'))
    try {
      const leases = join(at, 'networks/cbr0')
      mkdirSync(leases, { recursive: true })
      const lease = (address: string, sandbox: string, old: boolean) => {
        writeFileSync(join(leases, address), `${sandbox}\r\neth0`)
        if (old) utimesSync(join(leases, address), 1, 1)
      }
      lease('10.244.1.2', 'lives', true)
      lease('10.244.1.3', 'gone', true)
      lease('10.244.1.4', '', true)
      lease('10.244.1.5', 'begins', false)
      lease('last_reserved_ip.0', '10.244.1.5', true)
      const sweep = (said: string) => {
        writeFileSync(join(at, 'crictl'), `#!/bin/sh\n${said}\n`, { mode: 0o755 })
        execFileSync('bash', ['-c', freeAddresses, 'sweep', join(at, 'networks')], {
          env: { ...process.env, PATH: `${at}:${process.env.PATH}` },
        })
        return readdirSync(leases).sort()
      }
      expect(sweep('exit 1')).toHaveLength(5)
      expect(sweep('true')).toHaveLength(5)
      expect(sweep('echo other; echo lives')).toEqual(['10.244.1.2', '10.244.1.5', 'last_reserved_ip.0'])
    } finally {
      rmSync(at, { recursive: true, force: true })
    }
  })
})
