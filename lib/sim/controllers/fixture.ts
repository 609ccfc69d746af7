// For tests: an API server with the controllers and the scheduler, nodes, and a kubelet that only says that pods run. Not part of the door.
import { testServer } from '../api/fixture.ts'
import type { KubeObject } from '../kube.ts'
import { random } from '../random.ts'
import type { ControllerContext, ControllerOptions } from './context.ts'
import { startControllers, startScheduler } from './index.ts'
import { stamp } from './objects.ts'

const account = (component: string) => ({
  name: `system:serviceaccount:kube-system:${component}`,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
})

export function testCluster(
  options: { names?: readonly string[]; scheduler?: boolean; kubelet?: boolean; controller?: Partial<ControllerOptions> } = {},
) {
  const { clock, store, server, client } = testServer()
  const lines: string[] = []
  const context: ControllerContext = {
    client: (component) =>
      server.client(
        component === 'kube-controller-manager' || component === 'kube-scheduler'
          ? { name: `system:${component}`, groups: ['system:authenticated'] }
          : account(component),
      ),
    clock,
    random: random(7),
    log: (line) => lines.push(line),
    options: { clusterCidr: '10.244.0.0/16', serviceRange: '10.96.0.0/16', rootCa: 'PEM', ...options.controller },
  }
  let controllers = startControllers(context, options.names)
  const scheduler = options.scheduler === false ? undefined : startScheduler(context)
  if (options.kubelet !== false) fakeKubelet()

  /** runs the lab for so many seconds, or until what is asked for holds; whether it did */
  const until = (holds: () => boolean, seconds = 600) => clock.skip(holds, seconds * 1000)
  const pass = (seconds: number) => clock.skip(() => false, seconds * 1000)
  function node(name: string, more: KubeObject = {}): KubeObject {
    const { metadata, status, spec } = more
    const now = stamp(clock.now())
    const made = client.create('v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...metadata?.labels } },
      spec: spec ?? {},
    })
    const resources = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '50Gi', pods: '110', ...status?.allocatable }
    const condition = (type: string, value: string) => ({
      type,
      status: value,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
      reason: 'R',
      message: '',
    })
    return client.update(
      'v1/nodes',
      {
        ...made,
        status: {
          capacity: resources,
          allocatable: resources,
          conditions: [
            condition('MemoryPressure', 'False'),
            condition('DiskPressure', 'False'),
            condition('PIDPressure', 'False'),
            condition('Ready', 'True'),
          ],
          addresses: [{ type: 'InternalIP', address: '172.18.0.2' }],
        },
      },
      { subresource: 'status' },
    )
  }
  /** renews the node's lease for as long as it is in the set, every 10 s */
  const alive = new Set<string>()
  function beat(name: string): void {
    alive.add(name)
    const renew = () => {
      if (!alive.has(name)) return
      const renewTime = new Date(clock.now()).toISOString().replace('Z', '000Z')
      const lease = client.find('coordination.k8s.io/v1/leases', name, 'kube-node-lease')
      const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime }
      if (lease === undefined) client.create('coordination.k8s.io/v1/leases', { metadata: { name, namespace: 'kube-node-lease' }, spec })
      else client.update('coordination.k8s.io/v1/leases', { ...lease, spec })
      clock.after(10_000, renew)
    }
    renew()
  }
  /** pods whose container cannot start */
  const broken = new Set<string>()
  function fakeKubelet(): void {
    let address = 2
    const run = (pod: KubeObject) => {
      const { name, namespace } = pod.metadata
      if (!pod.spec.nodeName) return
      if (pod.metadata.deletionTimestamp) {
        clock.after(1000, () => {
          if (client.find('v1/pods', name, namespace)) client.delete('v1/pods', name, namespace, { gracePeriodSeconds: 0 })
        })
        return
      }
      if (pod.status?.podIP || pod.status?.phase !== 'Pending') return
      clock.after(1000, () => {
        const latest = client.find('v1/pods', name, namespace)
        if (latest === undefined || latest.metadata.deletionTimestamp || latest.status?.podIP) return
        const ok = ![...broken].some((image) => latest.spec.containers.some((one: KubeObject) => one.image === image))
        const podIP = `10.244.0.${address++}`
        const now = stamp(clock.now())
        const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
          type,
          status: ok || type === 'PodScheduled' || type === 'Initialized' ? 'True' : 'False',
          lastTransitionTime: now,
        }))
        const status = { ...latest.status, phase: ok ? 'Running' : 'Pending', podIP, podIPs: [{ ip: podIP }], startTime: now, conditions }
        client.update('v1/pods', { ...latest, status }, { subresource: 'status' })
      })
    }
    client.follow('v1/pods', {}, { reset: (items) => items.forEach(run), event: ({ type, object }) => type !== 'DELETED' && run(object) })
  }
  const restart = () => {
    controllers.stop()
    controllers = startControllers(context, options.names)
  }
  const stop = () => {
    controllers.stop()
    scheduler?.stop()
    server.stop()
    clock.stop()
  }
  const events = (reason?: string) => client.list('v1/events').items.filter((event) => reason === undefined || event.reason === reason)
  return { clock, store, server, client, context, lines, until, pass, node, alive, beat, broken, events, restart, stop }
}
export const pod = (name: string, spec: KubeObject = {}, metadata: KubeObject = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...metadata },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
})
export const workload = (kind: string, name: string, spec: KubeObject = {}, podSpec: KubeObject = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...podSpec } },
    ...spec,
  },
})
