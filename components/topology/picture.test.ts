// The cluster's picture shows what is broken, and where.
import { describe, expect, test } from 'vitest'
import type { Topology } from '#lib/protocol/index.ts'
import { behind, columns, podKey, services, summary } from './picture.ts'

const pod = (name: string, over: Partial<Topology['pods'][number]> = {}): Topology['pods'][number] => ({
  namespace: 'shop',
  name,
  node: 'w1',
  ready: true,
  status: 'Running',
  restarts: 0,
  state: 'ok',
  system: false,
  ...over,
})
const service = (name: string, over: Partial<Topology['services'][number]> = {}): Topology['services'][number] => ({
  namespace: 'shop',
  name,
  type: 'ClusterIP',
  clusterIP: '10.96.0.9',
  ports: ['80/TCP'],
  readyEndpoints: 1,
  notReadyEndpoints: 0,
  pods: [],
  system: false,
  ...over,
})
const topology: Topology = {
  at: 0,
  nodes: [
    { name: 'w1', place: 'worker-1', role: 'worker', state: 'not-ready', reason: 'NetworkNotReady', unschedulable: false },
    { name: 'cp', place: 'control-plane', role: 'control-plane', state: 'ready', unschedulable: false },
  ],
  pods: [
    pod('web'),
    pod('sick', { state: 'broken', status: 'CrashLoopBackOff' }),
    pod('proxy', { namespace: 'kube-system', system: true, node: 'cp' }),
    pod('dns', { namespace: 'kube-system', system: true, node: null, state: 'broken', status: 'Pending' }),
    pod('lost', { node: 'w9', state: 'pending' }),
  ],
  services: [
    service('web', { pods: ['web'] }),
    service('empty', { readyEndpoints: 0 }),
    service('dns', { namespace: 'kube-system', system: true }),
  ],
}
const all = { system: true, onlyBroken: false }

describe('the picture', () => {
  test('places pods in their nodes, the control plane first, the broken first, and the homeless apart', () => {
    expect(columns(topology, all).map((column) => [column.node?.name ?? null, column.pods.map((p) => p.name)])).toEqual([
      ['cp', ['proxy']],
      ['w1', ['sick', 'web']],
      [null, ['dns', 'lost']],
    ])
  })
  test('hides system objects when asked, but never one that is broken', () => {
    const shown = columns(topology, { system: false, onlyBroken: false }).flatMap((column) => column.pods.map((p) => p.name))
    expect(shown).toEqual(['sick', 'web', 'dns', 'lost'])
  })
  test('shows only what is broken, with its nodes still there', () => {
    expect(columns(topology, { system: true, onlyBroken: true }).map((column) => column.pods.length)).toEqual([0, 1, 2])
    expect(services(topology, { system: true, onlyBroken: true }).map((s) => s.name)).toEqual(['empty'])
  })
  test('counts', () => {
    expect(summary(topology)).toEqual({ nodes: { ready: 1, total: 2 }, pods: { broken: 2, total: 5 }, services: { empty: 1, total: 3 } })
  })
  test('knows the pods behind a service by namespace', () => {
    expect([...behind(topology.services[0]!)]).toEqual([podKey({ namespace: 'shop', name: 'web' })])
  })
})
