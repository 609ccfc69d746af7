// Sessions as data for tests of the page's side. Never shipped: only tests import it.
import type { CheckLive, ScenarioCard, SessionView, Topology } from '#lib/protocol/index.ts'

const both = (en: string, ko = en) => ({ en, ko })

export const card: ScenarioCard = {
  id: 'c0ffee0001',
  kind: 'incident',
  title: both('A new service answers from some nodes only', '새 서비스가 일부 노드에서만 응답합니다'),
  summary: both(
    'Old services work everywhere. One that was made an hour ago does not.',
    '기존 서비스는 어디서나 동작하지만, 한 시간 전에 만든 서비스는 그렇지 않습니다.',
  ),
  domain: 'troubleshooting',
  competency: 'cluster-components',
  difficulty: 'medium',
  weight: 7,
  minutes: 20,
  nodes: 3,
  backends: [
    { name: 'fake', offered: true, trust: { state: 'proven', provenAt: '2026-01-05T00:00:00Z', alternatives: 2, cheats: 3, partials: 1 } },
  ],
  attempts: 1,
  bestScore: 40,
  running: 's1',
}

export const check = (id: string, over: Partial<CheckLive> = {}): CheckLive => ({
  id,
  role: 'goal',
  title: both(id),
  weight: 50,
  state: 'failing',
  since: 0,
  hold: 10,
  ...over,
})

export function sessionOf(over: Partial<SessionView> = {}): SessionView {
  return {
    id: 's1',
    scenario: card,
    mode: 'practice',
    backend: 'fake',
    state: 'ready',
    outcome: null,
    createdAt: 0,
    readyAt: 0,
    endedAt: null,
    spentMs: 0,
    steps: [],
    brief: both('Mend it.', '고치십시오.'),
    nodes: [
      { place: 'control-plane', name: 'lab-control-plane' },
      { place: 'worker-1', name: 'lab-worker' },
      { place: 'worker-2', name: 'lab-worker2' },
    ],
    checks: [check('web')],
    hints: { total: 2, shown: [] },
    resets: 0,
    terminals: [],
    outage: null,
    error: null,
    score: null,
    ...over,
  }
}

/** A cluster with as much in it as a crowded lab has, and something broken of each kind. `now` in epoch ms. */
export function crowdedTopology(now: number): Topology {
  const node = (
    name: string,
    place: string,
    role: 'control-plane' | 'worker',
    over: Partial<Topology['nodes'][number]> = {},
  ): Topology['nodes'][number] => ({
    name,
    place,
    role,
    state: 'ready',
    unschedulable: false,
    address: '172.18.0.2',
    ...over,
  })
  const pod = (
    namespace: string,
    name: string,
    at: string | null,
    over: Partial<Topology['pods'][number]> = {},
  ): Topology['pods'][number] => ({
    namespace,
    name,
    node: at,
    ready: true,
    status: 'Running',
    restarts: 0,
    state: 'ok',
    system: namespace.startsWith('kube-'),
    ...over,
  })
  const names = ['lab-control-plane', 'lab-worker', 'lab-worker2']
  return {
    at: now,
    nodes: [
      node('lab-control-plane', 'control-plane', 'control-plane'),
      node('lab-worker', 'worker-1', 'worker', {
        state: 'not-ready',
        reason: 'KubeletNotReady: container runtime network not ready: cni plugin not initialized',
      }),
      node('lab-worker2', 'worker-2', 'worker', { unschedulable: true }),
    ],
    pods: [
      ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) =>
        pod('kube-system', `${name}-lab-control-plane`, 'lab-control-plane'),
      ),
      ...names.map((at, index) =>
        pod(
          'kube-system',
          `kube-proxy-${'abc'[index]}7k2p`,
          at,
          index === 1 ? { state: 'broken', ready: false, status: 'CrashLoopBackOff', restarts: 7 } : {},
        ),
      ),
      ...names.map((at, index) => pod('kube-flannel', `kube-flannel-ds-${'xyz'[index]}9wq4`, at)),
      pod('kube-system', 'coredns-7d764666f9-4kq2z', 'lab-control-plane'),
      pod('kube-system', 'coredns-7d764666f9-p8x7c', 'lab-worker2', { restarts: 1 }),
      ...Array.from({ length: 17 }, (_, n) => pod('shop', `catalog-6b7f8c9d5-${String.fromCharCode(97 + n)}q4mz`, 'lab-worker')),
      pod('shop', 'checkout-5f6d7b8c9-k2l8x', 'lab-worker', { state: 'pending', ready: false, status: 'ContainerCreating' }),
      pod('shop', 'payments-5f6d7b8c9-z7q2w', null, { state: 'pending', ready: false, status: 'Pending' }),
      pod('shop', 'migrate-28x4k', 'lab-worker2', { state: 'done', ready: false, status: 'Completed' }),
    ],
    services: [
      {
        namespace: 'default',
        name: 'kubernetes',
        type: 'ClusterIP',
        clusterIP: '10.96.0.1',
        ports: ['443/TCP'],
        readyEndpoints: 1,
        notReadyEndpoints: 0,
        pods: [],
        system: true,
      },
      {
        namespace: 'kube-system',
        name: 'kube-dns',
        type: 'ClusterIP',
        clusterIP: '10.96.0.10',
        ports: ['53/UDP', '53/TCP'],
        readyEndpoints: 2,
        notReadyEndpoints: 0,
        pods: ['coredns-7d764666f9-4kq2z', 'coredns-7d764666f9-p8x7c'],
        system: true,
      },
      {
        namespace: 'shop',
        name: 'catalog',
        type: 'ClusterIP',
        clusterIP: '10.96.41.7',
        ports: ['80/TCP'],
        readyEndpoints: 17,
        notReadyEndpoints: 0,
        pods: ['catalog-6b7f8c9d5-aq4mz', 'catalog-6b7f8c9d5-bq4mz'],
        system: false,
      },
      {
        namespace: 'shop',
        name: 'checkout',
        type: 'NodePort',
        clusterIP: '10.96.90.3',
        ports: ['80:30080/TCP'],
        readyEndpoints: 0,
        notReadyEndpoints: 1,
        pods: ['checkout-5f6d7b8c9-k2l8x'],
        system: false,
      },
    ],
  }
}
