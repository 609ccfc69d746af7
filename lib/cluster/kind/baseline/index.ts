// A cluster's baseline: recorded once, returned to later, compared part by part. The order of a restore: files, processes, units, etcd, then
// waiting until what runs is what ran. Knows nothing of who broke what.
import { readFile } from 'node:fs/promises'
import { LabError } from '#lib/protocol/index.ts'
import { type Api, type KubeObject, kubernetesApi, wait } from '../../api.ts'
import { canonical } from '../../canonical.ts'
import type { Fingerprint } from '../../port.ts'
import type { Ground } from '../ground.ts'
import type { Machine } from '../machines.ts'
import { probe } from '../probes.ts'
import { untilReady } from '../ready.ts'
import { putSnapshot, takeSnapshot } from './etcd.ts'
import { type FileMachine, type FilesBaseline, hashFiles, isHome, recordFiles, restoreFiles } from './files.ts'
import { additions, differences, hashesOf, type ObjectHashes, readObjects, sha, versionsOf } from './objects.ts'
import { endStrays, type NodeState, nodeState, restoreState, stateParts } from './state.ts'

interface Saved {
  format: 1
  /** place → address: etcd's data and the certificates hold for these only */
  addresses: Record<string, string>
  etcd: string
  objects: ObjectHashes
  /** Node objects as they were; absent in records of an earlier version */
  nodes?: KubeObject[]
  machines: Record<string, { files: FilesBaseline; state?: NodeState; processes: string[] }>
  fingerprint: Fingerprint
}
/** what the files here need to know of a cluster */
export interface Subject {
  ground: Ground
  id: string
  kubeconfig: string
  machines: readonly Machine[]
}
/** What shows, though all is as it was, that something was otherwise since it was as it should be. */
interface Traces {
  /** place → unit → which run of it */
  runs: Record<string, Record<string, string>>
  /** of ConfigMaps and Secrets */
  versions: Record<string, string>
  /** place → ids of the containers that ran; absent in records of an earlier version */
  containers?: Record<string, string[]>
}
const file = 'baseline.json'
const tracesFile = 'traces.json'
const addressesOf = (machines: readonly Machine[]) =>
  Object.fromEntries(machines.filter(isNode).map(({ place, address }) => [place, address]))
const isNode = (machine: Machine) => machine.place !== 'workstation'

async function fileMachine({ docker }: Ground, machine: Machine): Promise<FileMachine> {
  const details = await docker.ask(`look at ${machine.name}`, (api) => api.getContainer(machine.container).inspect())
  if (!details.State.Running) throw new LabError('conflict', `${machine.name} is not running.`)
  const driver = details.GraphDriver as { Name: string; Data?: Record<string, string> | null } | undefined
  const upper = driver?.Name === 'overlay2' ? driver.Data?.UpperDir : undefined
  return { container: machine.container, name: machine.name, image: details.Image, pid: details.State.Pid, upper }
}
const load = async (subject: Subject): Promise<Saved | undefined> => {
  try {
    const saved = JSON.parse(await readFile(subject.ground.records.path(subject.id, file), 'utf8')) as Saved
    return saved.format === 1 ? saved : undefined
  } catch {
    return undefined
  }
}
/** What has been started anew, or whose version is another one. Nothing is known of a cluster of an earlier version: all of it has. */
const tracesOf = async (subject: Subject): Promise<Traces> => {
  try {
    return JSON.parse(await readFile(subject.ground.records.path(subject.id, tracesFile), 'utf8')) as Traces
  } catch {
    return { runs: {}, versions: {} }
  }
}
const touched = (before: Record<string, string>, now: Record<string, string>): string[] =>
  Object.keys(now).filter((key) => before[key] !== now[key])
const fingerprintOf = (parts: Record<string, string>): Fingerprint => ({ hash: sha(canonical(parts)), parts })

/** Records it, or gives what was recorded before. @throws LabError cluster-unreachable, internal, cancelled */
export async function takeBaseline(subject: Subject, signal: AbortSignal): Promise<Fingerprint> {
  const known = await load(subject)
  if (known) return known.fingerprint
  const { ground, machines } = subject
  const { docker, grader } = ground
  const api = kubernetesApi(subject.kubeconfig)
  try {
    const controlPlane = machines.find((machine) => machine.place === 'control-plane')!
    const recorded: Saved['machines'] = {}
    await Promise.all(
      machines.map(async (machine) => {
        const at = await fileMachine(ground, machine)
        const state = isNode(machine) ? await nodeState(docker, grader, at, signal) : undefined
        const running = state?.processes ?? (await workstationProcesses(ground, at))
        recorded[machine.place] = { files: await recordFiles(docker, grader, at), ...(state ? { state } : {}), processes: running }
      }),
    )
    const all = await readObjects(api, signal)
    const objects = hashesOf(all)
    const partial = {
      format: 1 as const,
      nodes: all.filter((object) => object.kind === 'Node'),
      addresses: addressesOf(machines),
      etcd: await takeSnapshot(docker, controlPlane.container, signal),
      objects,
      machines: recorded,
    }
    const { parts, traces } = await partsOf(subject, partial, api, signal)
    const fingerprint = fingerprintOf(parts)
    await ground.records.write(subject.id, tracesFile, JSON.stringify(traces))
    await ground.records.write(subject.id, file, JSON.stringify({ ...partial, fingerprint }))
    return fingerprint
  } finally {
    api.close()
  }
}
async function workstationProcesses({ grader }: Ground, at: FileMachine): Promise<string[]> {
  const all = (await grader.one({ op: 'processes', pid: at.pid })).processes as { program: string; cgroup: string }[]
  return [...new Set(all.map(({ cgroup, program }) => `${cgroup || '/'} ${program}`))]
}

/** The parts as they are now, and for people what differs in each. */
async function partsOf(subject: Subject, saved: Omit<Saved, 'fingerprint'>, api: Api, signal: AbortSignal) {
  const { ground, machines } = subject
  const parts: Record<string, string> = {}
  const notes: Record<string, string[]> = {}
  const all = await readObjects(api, signal)
  const traces: Traces = { runs: {}, versions: versionsOf(all), containers: {} }
  const objects = hashesOf(all)
  parts.objects = sha(canonical(objects))
  notes.objects = differences(saved.objects, objects)
  await Promise.all(
    machines.map(async (machine) => {
      const before = saved.machines[machine.place]
      if (!before) return
      const at = await fileMachine(ground, machine)
      const { files, home, wrong } = await hashFiles(ground.docker, ground.grader, ground.owner, at, before.files)
      parts[`files ${machine.place}`] = files
      parts[`home ${machine.place}`] = home
      notes[`files ${machine.place}`] = wrong
      notes[`home ${machine.place}`] = wrong
      if (!before.state) return
      const found = await nodeState(ground.docker, ground.grader, at, signal)
      traces.runs[machine.place] = found.runs ?? {}
      traces.containers![machine.place] = found.containers ?? []
      const state = stateParts(found, before.state)
      const was = stateParts(before.state, before.state)
      for (const [name, text] of Object.entries(state)) {
        parts[`${name} ${machine.place}`] = sha(text)
        if (text !== was[name]) notes[`${name} ${machine.place}`] = [text.slice(0, 2000)]
      }
    }),
  )
  return { parts: Object.fromEntries(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1))), notes, traces }
}

/**
 * Returns to the baseline. `home` false keeps people's homes, their shells and what they run.
 * @throws LabError internal without a baseline, restore-mismatch naming the parts that differ, cancelled
 */
export async function restoreBaseline(
  subject: Subject,
  signal: AbortSignal,
  { home = false }: { home?: boolean } = {},
): Promise<Fingerprint> {
  const saved = await load(subject)
  if (!saved)
    throw new LabError('internal', `Cluster ${subject.id} has no baseline to return to.`, { hint: 'Take one with baseline() first.' })
  const { ground, machines } = subject
  const { docker, grader } = ground
  if (differences(saved.addresses, addressesOf(machines)).length > 0) {
    throw new LabError(
      'restore-mismatch',
      'Docker has given the nodes other addresses since the baseline was taken, so it cannot be returned to.',
      {
        hint: 'The cluster is thrown away and another is made.',
      },
    )
  }
  const traces = await tracesOf(subject)
  const api = kubernetesApi(subject.kubeconfig)
  try {
    // What the learner changed in the API tells what must be started afresh; an API that is gone tells nothing.
    const now = await readObjects(api, AbortSignal.any([signal, AbortSignal.timeout(5000)])).catch(() => undefined)
    const rewritten = now === undefined ? [] : touched(traces.versions, versionsOf(now)).filter((key) => saved.objects[key] !== undefined)
    const changed = now === undefined ? undefined : [...new Set([...differences(saved.objects, hashesOf(now)), ...rewritten])]
    const undo = now === undefined || saved.nodes === undefined ? undefined : additions(saved.objects, now, changed!)
    const restored = new Map<string, string[]>()
    let machinesChanged = false
    /** Every container of the baseline still runs. What was started on a machine that was not as it should be may work by what it found there. */
    let goesOn = true
    await Promise.all([
      // Also where it will not be enough: what goes now need not be waited for later.
      undo && undoByApi(api, undo, saved.nodes!, now!, signal),
      ...machines.map(async (machine) => {
        const before = saved.machines[machine.place]
        if (!before) return
        const at = await fileMachine(ground, machine)
        if (home) await endStrays(grader, at, before.processes)
        const files = await restoreFiles(docker, grader, ground.owner, at, before.files, home)
        restored.set(machine.place, files)
        if (!before.state) return
        const state = await nodeState(docker, grader, at, signal)
        const stale = touched(traces.runs[machine.place] ?? {}, state.runs ?? {})
        if (
          files.every(isHome) &&
          stale.length === 0 &&
          differences(stateParts(before.state, before.state), stateParts(state, before.state)).length === 0
        )
          return
        machinesChanged = true
        goesOn &&= traces.containers?.[machine.place]?.every((id) => state.containers?.includes(id)) ?? false
        await restoreState(docker, grader, at, before.state, state, files, stale, signal)
      }),
    ])
    const controlPlane = machines.find((machine) => machine.place === 'control-plane')!
    const pki = restored.get('control-plane')?.some((path) => path.startsWith('/etc/kubernetes/')) ?? false
    const kept = machinesChanged ? (traces.containers ?? {}) : undefined
    if (undo !== undefined && (kept === undefined || (goesOn && !pki))) {
      const back = await untilReady(api, machines.filter(isNode).length, () => {}, signal, undoneWithinMs)
        .then(() => untilEqual(subject, saved, api, signal, { home, withinMs: undoneWithinMs, kept }))
        .then((same) => untilServed(subject, api, signal).then(() => same))
        .catch((thrown: unknown) => {
          if (thrown instanceof LabError && ['restore-mismatch', 'timeout'].includes(thrown.code)) return undefined
          throw thrown
        })
      if (back !== undefined) return back
    }
    if (changed === undefined || changed.length > 0 || pki) {
      await putSnapshot(docker, controlPlane.container, saved.etcd, signal)
      await apiAnswers(api, signal)
      await renewKubelets(subject, signal)
      await releaseLeases(api, signal)
      await renewPods(api, changed, signal)
    }
    await untilReady(api, machines.filter(isNode).length, () => {}, signal, 240_000)
    const same = await untilEqual(subject, saved, api, signal, { home })
    await untilServed(subject, api, signal)
    return same
  } catch (thrown) {
    if (signal.aborted)
      throw new LabError('cancelled', 'The restore was cancelled; the cluster is neither as it was nor as it should be.', {
        hint: 'Throw it away.',
        cause: thrown,
      })
    if (thrown instanceof LabError && thrown.code === 'timeout')
      throw new LabError('restore-mismatch', `After restoring, ${thrown.message}`, {
        hint: 'The cluster is thrown away and another is made.',
        cause: thrown,
      })
    throw thrown
  } finally {
    api.close()
  }
}

/** Objects that were added take seconds to go; what takes longer goes the other way. */
const undoneWithinMs = 25_000

/** Removes what was added, until namespaces are gone, and puts nodes' specifications and labels back. Refusals show in the comparison afterwards. */
async function undoByApi(
  api: Api,
  undo: { added: readonly KubeObject[]; nodes: readonly string[] },
  nodes: readonly KubeObject[],
  now: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  const refused = () => undefined
  const remove = ({ apiVersion, kind, metadata: { namespace, name } }: KubeObject) =>
    api.delete({ apiVersion, kind, namespace, name }, { signal, graceSeconds: kind === 'Pod' ? 1 : undefined }).catch(refused)
  const isSpace = ({ kind }: KubeObject) => kind === 'Namespace'
  const spaces = undo.added.filter(isSpace).map(({ metadata }) => metadata.name)
  await Promise.all([
    ...undo.added.filter((object) => !isSpace(object)).map(remove),
    ...nodes
      .filter(({ metadata }) => undo.nodes.includes(metadata.name))
      .map(({ metadata: { name, labels, annotations }, spec }) =>
        api
          .get({ apiVersion: 'v1', kind: 'Node', name }, { signal })
          .then((node) => node && api.put({ ...node, metadata: { ...node.metadata, labels, annotations }, spec }, { signal }))
          .catch(refused),
      ),
    empty(api, spaces, now, remove, signal),
  ])
  await Promise.all(undo.added.filter(isSpace).map(remove))
  const limit = AbortSignal.any([signal, AbortSignal.timeout(undoneWithinMs)])
  while (spaces.length > 0 && !limit.aborted) {
    const left = await api.list({ apiVersion: 'v1', kind: 'Namespace' }, { signal: limit }).catch(() => [])
    if (!left.some(({ metadata }) => spaces.includes(metadata.name))) return
    await wait(500, limit)
  }
}

/** what makes pods anew */
const makers = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'ReplicationController'])
/** Pods that wait for a finalizer or a node go with their namespace, or not at all. */
const emptyWithinMs = 10_000

/**
 * Ends what runs in namespaces that are about to go. A namespace that still has pods when it is deleted is looked at again only after half of the
 * grace that these *ask for* (16 s as a rule), however soon they are gone.
 */
async function empty(
  api: Api,
  spaces: readonly string[],
  now: readonly KubeObject[],
  remove: (object: KubeObject) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  if (spaces.length === 0) return
  const there = ({ metadata }: KubeObject) => spaces.includes(metadata.namespace)
  await Promise.all(now.filter((object) => makers.has(object.kind) && there(object)).map(remove))
  const limit = AbortSignal.any([signal, AbortSignal.timeout(emptyWithinMs)])
  const leaving = new Set<string>()
  while (!limit.aborted) {
    const pods = await api.list({ apiVersion: 'v1', kind: 'Pod' }, { signal: limit }).catch(() => undefined)
    const left = pods?.filter(there)
    if (left?.length === 0) return
    const next = (left ?? []).filter(({ metadata }) => !leaving.has(metadata.uid))
    await Promise.all(next.map(remove))
    for (const { metadata } of next) leaving.add(metadata.uid)
    await wait(300, limit)
  }
}

async function apiAnswers(api: Api, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(240_000)])
  for (;;) {
    const ok = await api.raw('GET', '/readyz', undefined, { signal: limit, timeoutMs: 2000 }).catch(() => undefined)
    if (ok === 'ok') return
    if (limit.aborted)
      throw new LabError(
        signal.aborted ? 'cancelled' : 'restore-mismatch',
        'The API server did not come back after the control plane’s data had been put back.',
      )
    await wait(300, limit)
  }
}

/** The controller manager and the scheduler were started anew: without this they wait 15 s for the leases of those that they replace. */
async function releaseLeases(api: Api, signal: AbortSignal): Promise<void> {
  const names = ['kube-controller-manager', 'kube-scheduler']
  const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system', name })
  await Promise.all(names.map((name) => api.delete(lease(name), { signal })))
}

/**
 * A kubelet that has asked in vain waits up to 30 s before it asks again, and meanwhile gives pods what it knows: one of kube-proxy was started with
 * the ConfigMap that a learner had left, and never found the API server.
 */
async function renewKubelets({ ground: { docker }, machines }: Subject, signal: AbortSignal): Promise<void> {
  await Promise.all(
    machines
      .filter(isNode)
      .map(({ container }) => docker.exec(container, ['systemctl', 'restart', 'kubelet'], { user: 'root', signal, timeoutMs: 60_000 })),
  )
}

/** Pods that lived through it and may run on what a learner had configured: those of namespaces in which configuration had changed. */
async function renewPods(api: Api, changed: readonly string[] | undefined, signal: AbortSignal): Promise<void> {
  const namespaces =
    changed === undefined ? undefined : new Set(changed.flatMap((key) => /^v1 (?:ConfigMap|Secret) ([^/]+)\//.exec(key)?.[1] ?? []))
  if (namespaces?.size === 0) return
  for (const pod of await api.list({ apiVersion: 'v1', kind: 'Pod' }, { signal })) {
    const owner = pod.metadata.ownerReferences?.[0]?.kind
    if (owner && owner !== 'Node' && (namespaces === undefined || namespaces.has(pod.metadata.namespace))) {
      await api.delete(
        { apiVersion: 'v1', kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name },
        { signal, graceSeconds: 1 },
      )
    }
  }
}

/** kube-proxy looks again for an API server that was away after up to 30 s, and sends to pods that are gone until then. */
const servedWithinMs = 60_000
/** so many questions at once, each from a port of its own, so that none of the ways behind the Service is left out by chance */
const questions = 6

/** Waits until every node is answered by the cluster's DNS, through its Service: objects and files say nothing of what the nodes' rules lead to. */
async function untilServed({ ground, machines }: Subject, api: Api, signal: AbortSignal): Promise<void> {
  const service = await api.get({ apiVersion: 'v1', kind: 'Service', namespace: 'kube-system', name: 'kube-dns' }, { signal })
  const server = service?.spec?.clusterIP as string | undefined
  if (server === undefined) return
  const target = { kind: 'dns', name: 'kubernetes.default.svc.cluster.local', server, timeoutMs: 1500 } as const
  const limit = AbortSignal.any([signal, AbortSignal.timeout(servedWithinMs)])
  const pids = new Map(
    await Promise.all(machines.filter(isNode).map(async (machine) => [machine.place, (await fileMachine(ground, machine)).pid] as const)),
  )
  for (;;) {
    const answers = await Promise.all(
      [...pids].flatMap(([place, pid]) =>
        Array.from({ length: questions }, async () => ({ place, ...(await probe(ground.grader, { pid }, target, signal)) })),
      ),
    )
    const deaf = answers.find(({ outcome }) => outcome !== 'answered')
    if (deaf === undefined) return
    await wait(1000, limit)
    signal.throwIfAborted()
    if (limit.aborted)
      throw new LabError('restore-mismatch', `After restoring, the cluster's DNS cannot be asked on ${deaf.place}: ${deaf.detail}.`, {
        hint: 'The cluster is thrown away and another is made.',
      })
  }
}

/** Compares until equal: a DaemonSet's status settles a moment after its pods. */
async function untilEqual(
  subject: Subject,
  saved: Saved,
  api: Api,
  signal: AbortSignal,
  {
    home,
    withinMs = 90_000,
    kept,
  }: {
    home: boolean
    withinMs?: number
    /** containers that must be those that run */
    kept?: Record<string, string[]> | undefined
  },
): Promise<Fingerprint> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
  for (;;) {
    const { parts, notes, traces } = await partsOf(subject, saved, api, signal)
    if (!home) for (const name of Object.keys(parts)) if (name.startsWith('home ')) parts[name] = saved.fingerprint.parts[name] ?? ''
    const gone = Object.entries(kept ?? {}).some(([place, ids]) => ids.some((id) => !traces.containers?.[place]?.includes(id)))
    if (gone)
      throw new LabError('restore-mismatch', 'Containers were started while their machines were not as they should be.', {
        hint: 'All of the cluster is put back.',
      })
    const differ = differences(saved.fingerprint.parts, parts)
    // One of a pod that has just gone may still be there.
    if (kept !== undefined && canonical(kept) !== canonical(traces.containers)) differ.push('containers')
    if (differ.length === 0) {
      await subject.ground.records.write(subject.id, tracesFile, JSON.stringify(traces))
      return saved.fingerprint
    }
    await wait(1000, limit)
    if (!limit.aborted) continue
    signal.throwIfAborted()
    const told = differ.map((part) => `${part}${notes[part]?.length ? ` (${notes[part].slice(0, 3).join(', ').slice(0, 200)})` : ''}`)
    throw new LabError('restore-mismatch', `After restoring, these differ from the baseline: ${told.join('; ')}.`, {
      hint: 'The cluster is thrown away and another is made.',
    })
  }
}
