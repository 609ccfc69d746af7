import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Api, type Cluster, type FakeProvider, fakeProvider, kubernetesApi, type LabClock, wait } from '#lib/cluster/index.ts'
import { type CheckLive, LabError } from '#lib/protocol/index.ts'
import type { Check } from '#lib/scenario/index.ts'
import { type Grade, gradeChecks, type Handover, handOver, nextLook, open, watchChecks } from './index.ts'

let dir: string
let provider: FakeProvider
let cluster: Cluster
let api: Api
let cancel: AbortController
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'grade-'))
  provider = fakeProvider({ dir })
  cancel = new AbortController()
  cluster = await provider.create({ workers: 2 }, () => {}, cancel.signal)
  api = kubernetesApi(cluster.kubeconfig)
})
afterEach(async () => {
  cancel.abort()
  provider.comeBack()
  api.close()
  await cluster.destroy()
  await rm(dir, { recursive: true, force: true })
})

const text = (en: string) => ({ en, ko: en })
const goal = (id: string, weight: number, condition: Partial<Check>): Check => ({
  id,
  role: 'goal',
  weight,
  hold: 0,
  title: text(id),
  why: text('because'),
  ...condition,
})
const guard = (id: string, condition: Partial<Check>): Check => ({ ...goal(id, 0, condition), role: 'guard' })
const value = (wanted: string): Partial<Check> => ({
  resource: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 'default',
    name: 'settings',
    expect: `object.data.value == "${wanted}"`,
    show: 'object.data.value',
  },
})
const config = (data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default' },
  data,
})
const limits = { settleMs: 50, silentMs: 50, longestMs: 20_000, retryMs: 50 }
const grade = (checks: Check[], handover: Handover | null = null): Promise<Grade> =>
  gradeChecks(checks, open({ cluster, api, handover }), { signal: cancel.signal, limits })
const verdicts = (result: Grade) => Object.fromEntries(result.checks.map((check) => [check.id, check.verdict]))
const deployment = (spec: object = {}, replicas = 2) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'nginx' }], ...spec } },
  },
})

describe('the score', () => {
  it('is the weight of the goals that hold, with what was expected and what is there', async () => {
    await api.put(config({ value: 'good' }))
    const result = await grade([goal('right', 70, value('good')), goal('wrong', 30, value('better'))])
    expect(result).toMatchObject({ score: 70, evaluatedWeight: 100, totalWeight: 100, brokenGuards: [] })
    expect(result.checks[1]).toMatchObject({
      verdict: 'fail',
      actual: { en: 'good', ko: 'good' },
      expected: { en: expect.stringContaining('better') },
    })
  })
  it('is void when a guard breaks', async () => {
    await api.put(config({ value: 'good' }))
    const result = await grade([goal('right', 100, value('good')), guard('kept', value('other'))])
    expect(result).toMatchObject({ score: 0, brokenGuards: ['kept'] })
  })
  it('waits for what comes late, while something is on its way', async () => {
    await api.put(config({ value: 'bad' }))
    await api.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'young', namespace: 'default' },
      spec: { containers: [] },
      status: { phase: 'Pending' },
    })
    const pending = grade([goal('right', 100, value('good'))])
    await api.put(config({ value: 'good' }))
    expect((await pending).score).toBe(100)
  })
  it('counts a missing field as not repaired, and an object that is gone too', async () => {
    await api.put(config({ other: 'x' }))
    expect(
      verdicts(
        await grade([
          goal('field', 50, value('good')),
          goal('object', 50, {
            resource: { apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'none', match: { type: 'Opaque' } },
          }),
        ]),
      ),
    ).toEqual({ field: 'fail', object: 'fail' })
  })
})

describe('what could not be looked at', () => {
  it('is never held against the learner and is left out of the total', async () => {
    provider.goAway()
    const result = await grade([goal('right', 100, value('good')), guard('kept', value('good'))])
    expect(verdicts(result)).toEqual({ right: 'not-evaluable', kept: 'not-evaluable' })
    expect(result).toMatchObject({ score: null, evaluatedWeight: 0, brokenGuards: [] })
    expect(result.checks[0]?.cause).toBeTruthy()
  })
  it('is looked at again when it is back', async () => {
    await api.put(config({ value: 'good' }))
    provider.goAway()
    const pending = gradeChecks([goal('right', 100, value('good'))], open({ cluster, api, handover: null }), {
      signal: cancel.signal,
      limits: { ...limits, retryMs: 15_000 },
    })
    provider.comeBack()
    expect((await pending).score).toBe(100)
  })
})

describe('a cluster that its learner left unreachable', () => {
  it('fails: the machines are there, the API does not answer', async () => {
    const cut: Cluster = Object.create(cluster, {
      health: { value: async () => ({ state: 'unreachable', message: 'the API server does not answer' }) },
    })
    const dead = kubernetesApi(cluster.kubeconfig.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'))
    const result = await gradeChecks([goal('right', 100, value('good'))], open({ cluster: cut, api: dead, handover: null }), {
      signal: cancel.signal,
      limits,
    })
    expect(result).toMatchObject({ score: 0 })
    expect(result.checks[0]).toMatchObject({
      verdict: 'fail',
      actual: { en: expect.stringContaining('cannot be asked'), ko: expect.stringContaining('물어볼 수 없습니다') },
    })
  })
})

describe('an API that is just starting', () => {
  it('is waited for: whoever mends a static pod and submits at once is not failed', async () => {
    await api.put(config({ value: 'good' }))
    let looks = 0
    const starting: Api = new Proxy(api, {
      get: (target, name) =>
        name !== 'get' && name !== 'list'
          ? Reflect.get(target, name)
          : async (...args: [never, never]) => {
              looks += 1
              if (looks < 40) throw new LabError('cluster-unreachable', 'The API server does not answer.')
              return target[name](...args)
            },
    })
    const cut: Cluster = Object.create(cluster, { health: { value: async () => ({ state: 'unreachable', message: 'no answer' }) } })
    const result = await gradeChecks([goal('right', 100, value('good'))], open({ cluster: cut, api: starting, handover: null }), {
      signal: cancel.signal,
      limits: { ...limits, settleHostMs: 50, silentMs: 15_000 },
    })
    expect(result).toMatchObject({ score: 100 })
    expect(looks).toBeGreaterThanOrEqual(40)
  })
})

describe('a fault that silences the API', () => {
  const silent = (state: 'unreachable' | 'backend-gone'): Cluster =>
    Object.create(cluster, {
      kubeconfig: { value: cluster.kubeconfig.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1') },
      health: { value: async () => ({ state, message: 'no answer', hint: '' }) },
    })
  it('is handed over as the cluster was before; a host that is silent is not', async () => {
    const { signal } = cancel
    await api.put(deployment())
    const healthy = await handOver(cluster, { signal })
    expect(await handOver(silent('unreachable'), { signal, healthy })).toEqual(healthy)
    await expect(handOver(silent('backend-gone'), { signal, healthy })).rejects.toMatchObject({ code: 'cluster-unreachable' })
    await expect(handOver(silent('unreachable'), { signal })).rejects.toMatchObject({ code: 'cluster-unreachable' })
  })
})

describe('harm', () => {
  const harmless = [goal('right', 100, value('good')), guard('no-harm', { harmless: { allow: [] } })]
  const findingsAfter = async (harm: () => Promise<unknown>): Promise<string> => {
    await api.put(config({ value: 'good' }))
    await api.put(deployment())
    const { handover } = await handOver(cluster, { signal: cancel.signal })
    await harm()
    const result = await grade(harmless, handover)
    expect(result.score).toBe(result.brokenGuards.length > 0 ? 0 : 100)
    return result.checks.find((check) => check.id === 'no-harm')?.actual.en ?? ''
  }
  it('is not seen where there is none', async () => {
    expect(await findingsAfter(async () => api.put({ ...deployment(), metadata: { name: 'more', namespace: 'default' } }))).toBe(
      'all is as it was',
    )
  })
  it.each([
    [
      'a workload deleted',
      () => api.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' }),
      'Deployment/default/web was deleted',
    ],
    ['a workload scaled down', () => api.put(deployment({}, 0)), 'scaled down from 2 to 0'],
    ['the host network', () => api.put(deployment({ hostNetwork: true })), 'was given hostNetwork'],
    [
      'a privileged container',
      () => api.put(deployment({ containers: [{ name: 'web', securityContext: { privileged: true } }] })),
      'was given privileged',
    ],
    [
      'a node cordoned',
      () => api.patch({ apiVersion: 'v1', kind: 'Node', name: cluster.nodes[1]?.name }, 'merge', { spec: { unschedulable: true } }),
      'was cordoned',
    ],
    [
      'a node tainted',
      () =>
        api.patch({ apiVersion: 'v1', kind: 'Node', name: cluster.nodes[1]?.name }, 'merge', {
          spec: { taints: [{ key: 'broken', effect: 'NoSchedule' }] },
        }),
      'new taint broken=:NoSchedule',
    ],
    ['a node removed', () => api.delete({ apiVersion: 'v1', kind: 'Node', name: cluster.nodes[2]?.name }), 'was removed from the cluster'],
  ])('%s is named', async (_, harm, words) => {
    expect(await findingsAfter(harm)).toContain(words)
  })
})

describe('reachability', () => {
  it('is asked from every node, and a page is told from an open port', async () => {
    const server = createServer((_, answer) => answer.end('Welcome'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await writeFile(join(dir, cluster.id, 'net/ports'), `web.test:80 ${port}\nweb.test:81 refused\n`)
    const page = (body: string): Partial<Check> => ({
      http: { from: { nodes: 'all' }, to: { host: 'web.test', port: 80 }, path: '/', body, expect: 'answered', quantifier: 'every' },
    })
    const reach = (expect: 'open' | 'refused', port: number): Partial<Check> => ({
      reach: { from: { nodes: 'workers' }, to: { host: 'web.test', port }, protocol: 'tcp', expect, quantifier: 'every' },
    })
    const result = await grade([
      goal('page', 25, page('Welcome')),
      goal('other', 25, page('Goodbye')),
      goal('open', 25, reach('open', 80)),
      goal('closed', 25, reach('refused', 81)),
    ])
    server.close()
    expect(verdicts(result)).toEqual({ page: 'pass', other: 'fail', open: 'pass', closed: 'pass' })
    expect(result.checks[0]?.evidence).toHaveLength(3)
  })
  it('has nobody to ask from when no pod runs, which is a fail', async () => {
    const result = await grade([
      goal('pods', 100, {
        reach: {
          from: { pods: { namespace: 'default', selector: { app: 'none' } } },
          to: { host: 'web.test', port: 80 },
          protocol: 'tcp',
          expect: 'open',
          quantifier: 'every',
        },
      }),
    ])
    expect(result.checks[0]).toMatchObject({ verdict: 'fail', actual: { en: expect.stringContaining('nobody to ask from') } })
  })
})

describe('the other kinds', () => {
  it('read units, files, permissions in RBAC-free words and answers as the place has them', async () => {
    await cluster.writeFile('worker-1', '/etc/kubernetes/kubelet.yaml', Buffer.from('clusterDNS: [10.96.0.10]\n'))
    await cluster.writeFile('workstation', '/home/candidate/answer.txt', Buffer.from('  three\n'))
    const result = await grade([
      goal('unit', 20, { unit: { node: 'worker-1', name: 'kubelet.service', active: 'active' } }),
      goal('yaml', 20, {
        file: { at: 'worker-1', path: '/etc/kubernetes/kubelet.yaml', exists: true, yaml: 'object.clusterDNS[0] == "10.96.0.10"' },
      }),
      goal('gone', 20, { file: { at: 'worker-2', path: '/etc/kubernetes/kubelet.yaml', exists: false } }),
      goal('answer', 20, {
        answer: { path: '/home/candidate/answer.txt', expect: 'answer == "three"', describe: text('how many nodes there are') },
      }),
      goal('script', 20, { script: { at: 'worker-1', run: 'exit 3', describe: text('a script'), timeout: 5 } }),
    ])
    expect(verdicts(result)).toEqual({ unit: 'pass', yaml: 'pass', gone: 'pass', answer: 'pass', script: 'fail' })
  })
})

describe('watching', () => {
  const collect = (checks: Check[]) => {
    const seen: CheckLive[] = []
    const waiters: { done: (check: CheckLive) => boolean; resolve: () => void }[] = []
    watchChecks(checks, open({ cluster, api, handover: null }), {
      signal: cancel.signal,
      beat: { lively: 50, calm: 50 },
      onChange: (check) => {
        seen.push(check)
        for (const waiter of waiters) if (waiter.done(check)) waiter.resolve()
      },
    })
    const until = (done: (check: CheckLive) => boolean) =>
      seen.some(done) ? Promise.resolve() : new Promise<void>((resolve) => waiters.push({ done, resolve }))
    return { seen, until }
  }
  it('goes from failing over holding to passing when the object changes, and back', async () => {
    await api.put(config({ value: 'bad' }))
    const { seen, until } = collect([{ ...goal('right', 100, value('good')), hold: 0.2 }])
    await until((check) => check.state === 'failing')
    await api.put(config({ value: 'good' }))
    await until((check) => check.state === 'passing')
    expect(seen.map((check) => check.state)).toEqual(['failing', 'holding', 'passing'])
    const before = seen.length
    await api.put(config({ value: 'worse' }))
    await until((check) => check.state === 'failing' && check.seen?.en === 'worse')
    expect(seen.slice(before).map((check) => check.state)).toContain('failing')
  })
  it('sees a file without anybody telling', async () => {
    const { until } = collect([goal('file', 100, { file: { at: 'worker-1', path: '/etc/mended', exists: true } })])
    await until((check) => check.state === 'failing')
    await cluster.writeFile('worker-1', '/etc/mended', Buffer.from('yes'))
    await until((check) => check.state === 'passing')
  })
  it('says that it cannot look while the ground is gone, and goes on when it is back', async () => {
    await api.put(config({ value: 'good' }))
    const { until } = collect([goal('right', 100, value('good'))])
    await until((check) => check.state === 'passing')
    provider.goAway()
    await until((check) => check.state === 'not-evaluable')
    provider.comeBack()
    const passes = { count: 0 }
    await until((check) => check.state === 'passing' && ++passes.count > 1)
  })
})

describe('a cluster with a time of its own', () => {
  it('is graded in it: what must hold for a minute has held for one, however long that takes here', async () => {
    await api.create(config({ value: 'good' }))
    const begun = performance.now()
    const now = () => Math.floor((performance.now() - begun) * 200)
    const clock: LabClock = { now, rate: 200, wait: (ms, signal) => wait(ms / 200, signal) }
    const inItsTime = new Proxy(cluster, { get: (on, name) => (name === 'clock' ? clock : Reflect.get(on, name)) })
    const eyes = open({ cluster: inItsTime, api, handover: null })
    const result = await gradeChecks([{ ...goal('right', 100, value('good')), hold: 60 }], eyes, {
      signal: cancel.signal,
      limits: { ...limits, longestMs: 600_000 },
    })
    expect(result.score).toBe(100)
    expect(result.checks[0]?.seconds).toBeGreaterThanOrEqual(60)
    expect(performance.now() - begun).toBeLessThan(20_000)
  })
})

describe('a unit that must stay up', () => {
  it('is another one after each start: what ends at once and is started again does not hold', async () => {
    const starts = (pid: number) => new Proxy(cluster, { get: (on, name) => (name === 'unit' ? unit(pid) : Reflect.get(on, name)) })
    const unit = (pid: number) => async () => ({
      load: 'loaded',
      active: 'active',
      sub: 'running',
      enabled: 'enabled',
      pid: pid || ++looks,
    })
    let looks = 1
    const check = { ...goal('up', 100, { unit: { node: 'worker-1', name: 'kubelet.service', active: 'active' } }), hold: 1 }
    const graded = (pid: number) =>
      gradeChecks([check], open({ cluster: starts(pid), api, handover: null }), {
        signal: cancel.signal,
        limits: { ...limits, longestMs: 1500 },
      })
    expect(verdicts(await graded(0))).toEqual({ up: 'timed-out' })
    expect(looks).toBeGreaterThan(2)
    expect(verdicts(await graded(100))).toEqual({ up: 'pass' })
  })
})

describe('what must hold', () => {
  it('is looked at on the way: two looks with a long time between them do not show it', async () => {
    let looks = 0
    const clock: LabClock = { now: () => looks * 40_000, rate: 1, wait: (_, signal) => wait(1, signal) }
    const unit = async () => {
      looks += 1
      return { load: 'loaded', active: looks === 3 ? 'failed' : 'active', sub: 'running', enabled: 'enabled', pid: 100 }
    }
    const seen: Partial<Cluster> = { unit, clock }
    const fast = new Proxy(cluster, { get: (on, name) => seen[name as keyof Cluster] ?? Reflect.get(on, name) })
    const check = { ...goal('up', 100, { unit: { node: 'worker-1', name: 'kubelet.service', active: 'active' } }), hold: 35 }
    const result = await gradeChecks([check], open({ cluster: fast, api, handover: null }), {
      signal: cancel.signal,
      limits: { ...limits, settleMs: 60_000, longestMs: 600_000 },
    })
    expect(verdicts(result)).toEqual({ up: 'pass' })
    // Twice it was there, then it was not; after that it had to be seen three times.
    expect(looks).toBe(6)
  })
})

describe('when the time is up', () => {
  it('what holds may still hold for as long as it must, and what does not has timed out', async () => {
    await api.put(config({ value: 'good' }))
    await api.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'young', namespace: 'default' },
      spec: { containers: [] },
      status: { phase: 'Pending' },
    })
    const result = await gradeChecks(
      [{ ...goal('right', 60, value('good')), hold: 1 }, goal('wrong', 40, value('better'))],
      open({ cluster, api, handover: null }),
      { signal: cancel.signal, limits: { ...limits, longestMs: 10 } },
    )
    expect(verdicts(result)).toEqual({ right: 'pass', wrong: 'timed-out' })
  })
})

describe('the pace of looks', () => {
  const clock: LabClock = { now: () => performance.now(), rate: 1, wait }
  it('is that of changes, and one that comes during a look is not lost', async () => {
    const next = nextLook(clock, { soon: 1, beat: 60_000 }, cancel.signal)
    next.changed()
    await next.wait()
    const waiting = next.wait()
    next.changed()
    await waiting
  })
  it('is a beat while nothing changes, and ends with its signal', async () => {
    await nextLook(clock, { soon: 60_000, beat: 1 }, cancel.signal).wait()
    const waiting = nextLook(clock, { soon: 60_000, beat: 60_000 }, cancel.signal).wait()
    cancel.abort()
    await waiting
  })
})
