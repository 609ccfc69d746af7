import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Api, type Cluster, fakeProvider, kubernetesApi } from '#lib/cluster/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import type { Condition, ResolvedScenario, Step } from '#lib/scenario/index.ts'
import { confirm, inject, prepare, undo } from './index.ts'

let dir: string
let cluster: Cluster
let api: Api
const signal = new AbortController().signal
const context = { signal, progress: () => {} }
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fault-'))
  cluster = await fakeProvider({ dir }).create({ workers: 2 }, () => {}, signal)
  api = kubernetesApi(cluster.kubeconfig)
  await api.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'proxy', namespace: 'default' },
    data: { 'config.conf': 'mode: iptables\nkubeconfig: /good\n' },
  })
  await cluster.writeFile('worker-1', '/etc/cni/net.d/10.conf', Buffer.from('one\n'))
})
afterEach(async () => {
  api.close()
  await cluster.destroy()
  await rm(dir, { recursive: true, force: true })
})

const steps = (list: object[]): Step[] => list.map((one) => ({ within: 2, ...one })) as Step[]
const scenario = (parts: { prepare?: object[]; fault?: object[]; symptom?: Condition[] }): ResolvedScenario =>
  ({
    prepare: steps(parts.prepare ?? []),
    fault: steps(parts.fault ?? []),
    symptom: parts.symptom ?? [],
    symptomWithin: 0,
    checks: [],
  }) as unknown as ResolvedScenario
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'proxy' }
const conf = async () => (await api.get(ref))?.data['config.conf']
const file = async (path: string) =>
  cluster.readFile('worker-1', path).then(
    (bytes) => Buffer.from(bytes).toString(),
    () => null,
  )
const failure = async (work: Promise<unknown>): Promise<LabError> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(LabError)
  return error as LabError
}

describe('steps and their inverses', () => {
  it('edit a text inside of an object, and put it back', async () => {
    const back = await inject(
      cluster,
      scenario({
        fault: [{ edit: { ...ref, field: ['data', 'config.conf'], replace: [{ find: '^(kubeconfig: ).*$', with: '$1/bad' }] } }],
      }),
      context,
    )
    expect(await conf()).toBe('mode: iptables\nkubeconfig: /bad\n')
    expect(await undo(cluster, back, signal)).toEqual([])
    expect(await conf()).toBe('mode: iptables\nkubeconfig: /good\n')
  })
  it('patch, delete and create objects, and take it all back, last first', async () => {
    const made = '{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: default}, data: {a: b}}'
    const back = await inject(
      cluster,
      scenario({ fault: [{ patch: { ...ref, type: 'merge', patch: { data: { more: 'x' } } } }, { apply: made }, { delete: ref }] }),
      context,
    )
    expect(await api.get(ref)).toBeNull()
    expect(await undo(cluster, back, signal)).toEqual([])
    expect((await api.get(ref))?.data).toEqual({ 'config.conf': 'mode: iptables\nkubeconfig: /good\n' })
    expect(await api.get({ ...ref, name: 'made' })).toBeNull()
  })
  it('write, edit, move, copy and remove files on nodes, and take it all back', async () => {
    const at = 'worker-1'
    const back = await inject(
      cluster,
      scenario({
        fault: [
          { exec: { at, argv: ['true'] } },
          { file: { at, path: '/etc/cni/net.d/05.conf', content: 'first\n' } },
          { file: { at, path: '/etc/cni/net.d/10.conf', replace: [{ find: 'one', with: 'two' }] } },
          { file: { at: 'worker-2', path: '/etc/copy', copy: { at, path: '/etc/cni/net.d/10.conf' } } },
        ],
      }),
      context,
    )
    expect([await file('/etc/cni/net.d/05.conf'), await file('/etc/cni/net.d/10.conf')]).toEqual(['first\n', 'two\n'])
    expect(Buffer.from(await cluster.readFile('worker-2', '/etc/copy')).toString()).toBe('two\n')
    await undo(
      cluster,
      back.filter((one) => one.kind === 'file' && one.before !== null),
      signal,
    )
    expect(await file('/etc/cni/net.d/10.conf')).toBe('one\n')
  })
  it('write as kubectl would, so that no manager names the fault', async () => {
    await inject(
      cluster,
      scenario({ fault: [{ edit: { ...ref, field: ['data', 'config.conf'], replace: [{ find: 'good', with: 'bad' }] } }] }),
      context,
    )
    expect(JSON.stringify(await api.get(ref))).not.toMatch(/kubemend|inject|broken/i)
  })
})

describe('what cannot be broken', () => {
  it('is an error that names the step, and what was done before is taken back', async () => {
    const error = await failure(
      inject(
        cluster,
        scenario({
          fault: [
            { edit: { ...ref, field: ['data', 'config.conf'], replace: [{ find: 'good', with: 'bad' }] } },
            { edit: { ...ref, field: ['data', 'config.conf'], replace: [{ find: 'ipvs', with: 'x' }] } },
          ],
        }),
        context,
      ),
    )
    expect(error.code).toBe('fault-not-injected')
    expect(error.message).toContain('step 2')
    expect(error.message).toContain('/ipvs/')
    expect(await conf()).toContain('/good')
  })
  it('is not silently left out: nothing to delete, no such file, no such pod', async () => {
    for (const step of [
      { delete: { ...ref, name: 'none' } },
      { file: { at: 'worker-1', path: '/none', replace: [{ find: 'a', with: 'b' }] } },
      { restart: { namespace: 'default', selector: { app: 'none' } } },
    ])
      expect((await failure(inject(cluster, scenario({ fault: [step] }), context))).code).toBe('fault-not-injected')
  })
  it('waits in preparation no longer than it was told, and says what it saw', async () => {
    const wait = { resource: { ...ref, expect: 'object.data.ready == "yes"' } }
    const error = await failure(prepare(cluster, scenario({ prepare: [{ wait, within: 0 }] }), context))
    expect(error.code).toBe('timeout')
    expect(error.message).toContain('Not seen within 0 s')
  })
})

describe('the symptom', () => {
  const symptom = [
    { resource: { ...ref, expect: 'object.data["config.conf"].contains("/bad")', show: 'object.data["config.conf"]' } },
  ] as Condition[]
  it('restarts once more what was started too early to see the change', async () => {
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { app: 'proxy' } },
      spec: { containers: [{ name: 'proxy', image: 'proxy' }] },
    })
    await api.put(pod('first'))
    const of = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
    const stop = new AbortController()
    // Their owner: what is deleted comes back under another name, and only the third has read what was changed.
    const owner = (async () => {
      for (const [name, next] of [
        ['first', 'second'],
        ['second', 'third'],
      ] as const) {
        while ((await api.get(of(name))) && !stop.signal.aborted) await new Promise((resolve) => setImmediate(resolve))
        if (!stop.signal.aborted) await api.put(pod(next))
      }
    })()
    const broken = {
      ...scenario({
        fault: [{ restart: { namespace: 'default', selector: { app: 'proxy' } } }],
        symptom: [{ resource: { ...of('third'), match: {} } }] as unknown as Condition[],
      }),
      symptomWithin: 1,
    }
    await inject(cluster, broken, context)
    await expect.poll(() => api.get(of('second'))).not.toBeNull()
    await confirm(cluster, broken, context)
    expect(await api.get(of('third'))).not.toBeNull()
    stop.abort()
    await owner
  })
  it('must be seen before a lab is handed over', async () => {
    const error = await failure(confirm(cluster, scenario({ symptom }), context))
    expect(error.code).toBe('symptom-absent')
    expect(error.message).toContain('/good')
    await inject(
      cluster,
      scenario({ fault: [{ edit: { ...ref, field: ['data', 'config.conf'], replace: [{ find: '/good', with: '/bad' }] } }] }),
      context,
    )
    await confirm(cluster, scenario({ symptom }), context)
  })
})
