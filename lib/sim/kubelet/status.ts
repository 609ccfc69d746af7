// What the API shows of a pod: phase, conditions and container statuses, from what the runtime has. Pure. Follows kubelet_pods.go and status/generate.go
// of Kubernetes 1.35. Knows nothing of how containers are started.
import type { KubeObject } from '../kube.ts'
import type { ContainerState } from './types.ts'

export interface Waiting {
  reason: string
  message?: string
}
/** What a pod's status is made from, beside the pod itself. */
export interface Observed {
  /** all of the pod's containers that the runtime knows, any order */
  containers: readonly ContainerState[]
  /** a sandbox that is ready, with network or on the host's */
  sandboxReady: boolean
  /** '' while there is none */
  podIP: string
  hostIP: string
  /** why a container does not run, by its name */
  waiting: ReadonlyMap<string, Waiting>
  /** by container id; what has no readiness probe is ready when it runs */
  ready: (container: KubeObject, state: ContainerState) => boolean
  started: (container: KubeObject, state: ContainerState) => boolean
  /** nothing will be started again: deleted, evicted or completed, and all has ended */
  terminal: boolean
  /** epoch ms when the kubelet first saw it */
  startTime: number
  now: number
  /** names of the images as the runtime shows them, by id */
  imageName: (container: ContainerState) => string
  /** the registry's digest of an image, else its id */
  imageRef: (container: ContainerState) => string
  /** overrides phase, reason and message: eviction, admission */
  failed?: { reason: string; message: string; disrupted?: boolean } | undefined
}

export const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
export const isSidecar = (container: KubeObject): boolean => container.restartPolicy === 'Always'
export const isStatic = (pod: KubeObject): boolean => ['file', 'http'].includes(pod.metadata.annotations?.['kubernetes.io/config.source'])
export const podName = (pod: KubeObject): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`

/** Whether a container that ended so is started again, by the pod's restartPolicy or the container's own. */
export function shouldRestart(pod: KubeObject, container: KubeObject, exitCode: number): boolean {
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always'
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** newest first */
export const attemptsOf = (name: string, containers: readonly ContainerState[]): ContainerState[] =>
  containers.filter((one) => one.config.name === name).sort((a, b) => b.createdAt - a.createdAt || b.config.attempt - a.config.attempt)

function terminated(state: ContainerState): KubeObject {
  return {
    exitCode: state.exitCode,
    reason: state.reason,
    ...(state.message ? { message: state.message } : {}),
    startedAt: seconds(state.startedAt),
    finishedAt: seconds(state.finishedAt),
    containerID: `containerd://${state.id}`,
  }
}

function containerStatus(pod: KubeObject, container: KubeObject, init: boolean, old: KubeObject | undefined, seen: Observed): KubeObject {
  const attempts = attemptsOf(container.name, seen.containers)
  const [latest, before] = attempts
  const volumeMounts = (container.volumeMounts ?? []).map((mount: KubeObject) => ({
    name: mount.name,
    mountPath: mount.mountPath,
    ...(mount.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
  }))
  const waiting = seen.waiting.get(container.name)
  if (!latest) {
    const initial = (pod.spec.initContainers?.length ?? 0) > 0 ? 'PodInitializing' : 'ContainerCreating'
    if (old?.state?.terminated && !waiting) return old
    // It ran once and the runtime has forgotten it.
    const lost = old?.state?.running
      ? {
          terminated: {
            exitCode: 137,
            reason: 'ContainerStatusUnknown',
            message: 'The container could not be located when the pod was deleted.  The container used to be Running',
            startedAt: null,
            finishedAt: null,
          },
        }
      : undefined
    return {
      name: container.name,
      state: { waiting: waiting ?? { reason: initial } },
      lastState: lost ?? old?.lastState ?? {},
      ready: false,
      restartCount: (old?.restartCount ?? 0) + (lost && !pod.metadata.deletionTimestamp ? 1 : 0),
      image: container.image,
      imageID: '',
      started: false,
      ...(volumeMounts.length ? { volumeMounts } : {}),
    }
  }
  let state: KubeObject
  let lastState: KubeObject = before?.state === 'exited' ? { terminated: terminated(before) } : {}
  if (latest.state === 'running') state = { running: { startedAt: seconds(latest.startedAt) } }
  else if (latest.state === 'created') state = { waiting: waiting ?? {} }
  else if (
    waiting &&
    !seen.terminal &&
    shouldRestart(pod, container, latest.exitCode) &&
    (init ? !(latest.exitCode === 0 && !isSidecar(container)) : true) &&
    !pod.metadata.deletionTimestamp
  ) {
    // Ended, and there is a reason why it is not running again.
    state = { waiting }
    lastState = { terminated: terminated(latest) }
  } else state = { terminated: terminated(latest) }
  const running = latest.state === 'running'
  const started = running && seen.started(container, latest)
  const ready =
    init && !isSidecar(container) ? latest.state === 'exited' && latest.exitCode === 0 : running && started && seen.ready(container, latest)
  const { user } = latest.config
  return {
    name: container.name,
    state,
    lastState,
    ready,
    restartCount: latest.config.attempt,
    image: seen.imageName(latest),
    imageID: seen.imageRef(latest),
    containerID: `containerd://${latest.id}`,
    started,
    ...(container.resources?.requests ? { allocatedResources: container.resources.requests } : {}),
    resources: container.resources ?? {},
    // Those of the status before: a kubelet that was started anew knows none of a static pod.
    ...(old?.volumeMounts ? { volumeMounts: old.volumeMounts } : {}),
    user: { linux: { uid: user.uid, gid: user.gid, supplementalGroups: [...user.supplementalGroups] } },
  }
}

export function qosClass(pod: KubeObject): string {
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]
  let any = false
  let all = true
  for (const { resources } of containers)
    for (const name of ['cpu', 'memory']) {
      const request = resources?.requests?.[name]
      const limit = resources?.limits?.[name]
      if (request || limit) any = true
      if (!limit || (request && request !== limit)) all = false
    }
  return !any ? 'BestEffort' : all ? 'Guaranteed' : 'Burstable'
}

function phaseOf(
  pod: KubeObject,
  init: readonly KubeObject[],
  main: readonly KubeObject[],
  terminal: boolean,
  hasInitialized: boolean,
): string {
  let pendingInit = 0
  let pendingSidecar = 0
  let running = 0
  let waiting = 0
  let stopped = 0
  let final = 0
  let succeeded = 0
  const code = (status: KubeObject): number | undefined => (status.state.terminated ?? status.lastState?.terminated)?.exitCode
  for (const [at, container] of (pod.spec.initContainers ?? []).entries()) {
    const status = init[at]
    if (isSidecar(container)) {
      if (status.state.running) {
        running += 1
        if (!status.started) pendingSidecar += 1
      } else if (status.state.waiting && !status.lastState?.terminated) {
        waiting += 1
        pendingSidecar += 1
      }
      continue
    }
    const exit = status.state.running ? undefined : code(status)
    if (exit === undefined) pendingInit += 1
    else if (exit !== 0) {
      if (!shouldRestart(pod, container, exit)) return 'Failed'
      // Failed, and to be tried again: the pod stays Pending.
      pendingInit += 1
    }
  }
  for (const [at, container] of pod.spec.containers.entries()) {
    const status = main[at]
    if (status.state.running) running += 1
    else {
      const exit = code(status)
      if (exit === undefined) waiting += 1
      else {
        stopped += 1
        if (!shouldRestart(pod, container, exit)) final += 1
        if (exit === 0 && status.state.terminated) succeeded += 1
      }
    }
  }
  if (pendingInit > 0 || (pendingSidecar > 0 && !hasInitialized) || waiting > 0) return 'Pending'
  if (running > 0) return 'Running'
  if (stopped > 0) {
    if (terminal && !isStatic(pod)) return stopped === succeeded ? 'Succeeded' : 'Failed'
    if (stopped !== final) return 'Running'
    return stopped === succeeded ? 'Succeeded' : 'Failed'
  }
  return 'Pending'
}

const owned = new Set(['PodScheduled', 'Ready', 'Initialized', 'ContainersReady', 'PodReadyToStartContainers'])

/** The whole status; `old` is what was there before (for transition times and what is gone), if anything was. */
export function podStatus(pod: KubeObject, old: KubeObject, seen: Observed): KubeObject {
  const oldOf = (list: readonly KubeObject[] | undefined, name: string) => list?.find((one) => one.name === name)
  const initContainers: readonly KubeObject[] = pod.spec.initContainers ?? []
  const init = initContainers.map((one) => containerStatus(pod, one, true, oldOf(old.initContainerStatuses, one.name), seen))
  const main: KubeObject[] = pod.spec.containers.map((one: KubeObject) =>
    containerStatus(pod, one, false, oldOf(old.containerStatuses, one.name), seen),
  )
  const hasStarted = main.some((one) => one.state.running || one.state.terminated || one.lastState?.terminated)
  let phase = seen.failed ? 'Failed' : phaseOf(pod, init, main, seen.terminal, hasStarted)
  if (old.phase === 'Failed' || old.phase === 'Succeeded') phase = old.phase
  const unready = [
    ...initContainers.flatMap((one, at) => (isSidecar(one) && !init[at].ready ? [one.name] : [])),
    ...main.filter((one) => !one.ready).map((one) => one.name),
  ]
  const incomplete = initContainers.flatMap((one, at) => ((isSidecar(one) ? init[at].started : init[at].ready) ? [] : [one.name]))
  const done = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : ''

  type Judged = { status: string; reason?: string; message?: string }
  const unreadyMessage = `containers with unready status: [${unready.join(' ')}]`
  const containersReady: Judged = done
    ? { status: 'False', reason: done }
    : unready.length
      ? { status: 'False', reason: 'ContainersNotReady', message: unreadyMessage }
      : { status: 'True' }
  const initialized: Judged =
    phase === 'Succeeded'
      ? { status: 'True', reason: 'PodCompleted' }
      : hasStarted || incomplete.length === 0
        ? { status: 'True' }
        : { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` }
  let ready: Judged = containersReady
  const kept = (old.conditions ?? []).filter((one: KubeObject) => !owned.has(one.type))
  if (ready.status === 'True') {
    const words: string[] = []
    for (const gate of pod.spec.readinessGates ?? []) {
      const found = kept.find((one: KubeObject) => one.type === gate.conditionType)
      if (!found) words.push(`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`)
      else if (found.status !== 'True')
        words.push(`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${found.status}`)
    }
    if (words.length) ready = { status: 'False', reason: 'ReadinessGatesNotReady', message: words.join(', ') }
  }
  const generation = isStatic(pod) ? undefined : pod.metadata.generation
  const condition = (type: string, judged: Judged): KubeObject => {
    const before = (old.conditions ?? []).find((one: KubeObject) => one.type === type)
    return {
      type,
      status: judged.status,
      ...(generation ? { observedGeneration: generation } : {}),
      lastProbeTime: null,
      lastTransitionTime: before?.status === judged.status && before.lastTransitionTime ? before.lastTransitionTime : seconds(seen.now),
      ...(judged.reason ? { reason: judged.reason } : {}),
      ...(judged.message ? { message: judged.message } : {}),
    }
  }
  const podIP = pod.spec.hostNetwork
    ? seen.hostIP
    : seen.podIP || (seen.terminal || done ? (old.podIP ?? '') : seen.sandboxReady ? '' : (old.podIP ?? ''))
  const kindOf = seen.failed ?? (phase === old.phase && old.reason ? { reason: old.reason, message: old.message ?? '' } : undefined)
  return {
    ...(generation ? { observedGeneration: generation } : {}),
    phase,
    conditions: [
      ...kept.filter((one: KubeObject) => !(seen.failed?.disrupted && one.type === 'DisruptionTarget')),
      ...(seen.failed?.disrupted
        ? [condition('DisruptionTarget', { status: 'True', reason: 'TerminationByKubelet', message: seen.failed.message })]
        : []),
      condition('PodReadyToStartContainers', { status: seen.sandboxReady ? 'True' : 'False' }),
      condition('Initialized', initialized),
      condition('Ready', ready),
      condition('ContainersReady', containersReady),
      condition('PodScheduled', { status: 'True' }),
    ],
    ...(kindOf?.message ? { message: kindOf.message } : {}),
    ...(kindOf?.reason ? { reason: kindOf.reason } : {}),
    ...(old.nominatedNodeName ? { nominatedNodeName: old.nominatedNodeName } : {}),
    hostIP: seen.hostIP,
    hostIPs: [{ ip: seen.hostIP }],
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    startTime: old.startTime ?? seconds(seen.startTime),
    ...(init.length ? { initContainerStatuses: init } : {}),
    ...(seen.failed && main.every((one) => !one.containerID) ? {} : { containerStatuses: main }),
    qosClass: old.qosClass ?? qosClass(pod),
    ...(old.ephemeralContainerStatuses ? { ephemeralContainerStatuses: old.ephemeralContainerStatuses } : {}),
    ...ephemeral(pod, old, seen),
  }
}

function ephemeral(pod: KubeObject, old: KubeObject, seen: Observed): KubeObject {
  const list: readonly KubeObject[] = pod.spec.ephemeralContainers ?? []
  if (list.length === 0) return {}
  return {
    ephemeralContainerStatuses: list.map((one) => {
      const status = containerStatus(
        pod,
        one,
        false,
        old.ephemeralContainerStatuses?.find((before: KubeObject) => before.name === one.name),
        seen,
      )
      const { started: _, ...rest } = status
      return {
        ...rest,
        ready: false,
        state: status.state.waiting && status.lastState?.terminated ? status.lastState : status.state,
        lastState: {},
      }
    }),
  }
}
