// The kubelet's eviction manager (pkg/kubelet/eviction): what of the node runs short by the thresholds of the configuration, which conditions that
// makes, whom it costs their place. Knows nothing of how pods end.
import type { Clock, Timer } from '../clock.ts'
import type { KubeObject } from '../kube.ts'
import { parseQuantity } from '../schema/quantity.ts'
import { isStatic } from './status.ts'

export type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure'
export interface Threshold {
  signal: string
  /** as it is written, canonical */
  quantity?: { value: number; text: string }
  /** of the capacity, 0…1 */
  share?: number
  /** how long it must have been met; 0: a hard one */
  graceMs: number
}
/** What a signal is measured by: bytes, inodes or processes. */
export interface Observation {
  capacity: number
  available: number
}

// helpers.go, init(): the resource is what events name.
const signals: Readonly<Record<string, { pressure: Pressure; resource: string }>> = {
  'memory.available': { pressure: 'MemoryPressure', resource: 'memory' },
  'allocatableMemory.available': { pressure: 'MemoryPressure', resource: 'memory' },
  'nodefs.available': { pressure: 'DiskPressure', resource: 'ephemeral-storage' },
  'nodefs.inodesFree': { pressure: 'DiskPressure', resource: 'inodes' },
  'imagefs.available': { pressure: 'DiskPressure', resource: 'ephemeral-storage' },
  'imagefs.inodesFree': { pressure: 'DiskPressure', resource: 'inodes' },
  'containerfs.available': { pressure: 'DiskPressure', resource: 'ephemeral-storage' },
  'containerfs.inodesFree': { pressure: 'DiskPressure', resource: 'inodes' },
  'pid.available': { pressure: 'PIDPressure', resource: 'pids' },
}
export const defaultHard: Readonly<Record<string, string>> = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '15%',
  'imagefs.inodesFree': '5%',
}

const known = (signal: string): void => {
  if (signals[signal] === undefined) throw new Error(`unsupported eviction signal ${signal}`)
}
function statement(signal: string, text: string): Threshold | undefined {
  known(signal)
  if (text.endsWith('%')) {
    if (text === '0%' || text === '100%') return undefined
    const number = text.replace(/%+$/, '')
    if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(number)) throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`)
    const share = Number(number) / 100
    if (share < 0) throw new Error(`eviction percentage threshold ${signal} must be >= 0%: ${text}`)
    if (share > 1) throw new Error(`eviction percentage threshold ${signal} must be <= 100%: ${text}`)
    return { signal, share, graceMs: 0 }
  }
  const quantity = parseQuantity(text)
  if (quantity === undefined) throw new Error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
  if (quantity.nano <= 0n) throw new Error(`eviction threshold ${signal} must be positive: ${text}`)
  return { signal, quantity: { value: Number(quantity.nano / 1_000_000_000n), text }, graceMs: 0 }
}

/** @throws Error with the real words when a statement is not to be understood */
export function thresholdsOf(
  hard: Readonly<Record<string, string>>,
  soft: Readonly<Record<string, string>>,
  /** milliseconds by signal */
  grace: Readonly<Record<string, number | undefined>>,
): readonly Threshold[] {
  const parsed = (all: Readonly<Record<string, string>>) =>
    Object.entries(all)
      .map(([signal, text]) => statement(signal, String(text)))
      .filter((one) => one !== undefined)
  const found = parsed(hard)
  for (const one of parsed(soft)) {
    const period = grace[one.signal]
    if (period === undefined) throw new Error(`grace period must be specified for the soft eviction threshold ${one.signal}`)
    found.push({ ...one, graceMs: period })
  }
  return found
}

/** What must not be evicted: the node's own, and what the cluster cannot be without (kubelettypes.IsCriticalPod). */
const critical = (pod: KubeObject): boolean =>
  isStatic(pod) || pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined || (pod.spec.priority ?? 0) >= 2_000_000_000

export interface EvictionDeps {
  clock: Clock
  thresholds: readonly Threshold[]
  /** for so long a condition stays after it was last seen */
  transitionMs: number
  observe(signal: string): Observation
  /** pods that are not over */
  active(): readonly { pod: KubeObject; evict(message: string): void }[]
  /** of the node */
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
  log(severity: 'I' | 'W' | 'E', file: string, text: string): void
}

const everyMs = 10_000
/** A pod is waited for before the next one goes. */
const afterEvictionMs = 2000

export class Evictions {
  readonly #deps: EvictionDeps
  readonly #firstMet = new Map<Threshold, number>()
  readonly #lastSeen = new Map<Pressure, number>()
  #timer: Timer | undefined
  #stopped = false

  constructor(deps: EvictionDeps) {
    this.#deps = deps
  }
  start(): void {
    if (this.#deps.thresholds.length > 0) this.#again(1000)
  }
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }
  under(pressure: Pressure): boolean {
    const seen = this.#lastSeen.get(pressure)
    return seen !== undefined && this.#deps.clock.now() - seen < this.#deps.transitionMs
  }
  /** Why a pod is not taken in now; undefined when it is. */
  refuses(pod: KubeObject): string | undefined {
    const all = (['MemoryPressure', 'DiskPressure', 'PIDPressure'] as const).filter((one) => this.under(one))
    if (all.length === 0 || critical(pod)) return undefined
    if (all.length === 1 && all[0] === 'MemoryPressure') {
      const bestEffort = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].every(
        (one: KubeObject) => !one.resources?.requests && !one.resources?.limits,
      )
      const tolerated = (pod.spec.tolerations ?? []).some(
        (one: KubeObject) =>
          (!one.key || one.key === 'node.kubernetes.io/memory-pressure') &&
          (!one.effect || one.effect === 'NoSchedule') &&
          (one.operator === 'Exists' || !one.value),
      )
      if (!bestEffort || tolerated) return undefined
    }
    return `The node had condition: [${all.join(' ')}]. `
  }

  #again(ms: number): void {
    if (!this.#stopped) this.#timer = this.#deps.clock.after(ms, () => this.#again(this.#look() ? afterEvictionMs : everyMs))
  }
  /** True when a pod had to go. */
  #look(): boolean {
    const { thresholds, observe, clock, event, log, active } = this.#deps
    const now = clock.now()
    const met = thresholds.filter((one) => {
      const { capacity, available } = observe(one.signal)
      return available < (one.quantity?.value ?? capacity * (one.share ?? 0))
    })
    for (const one of [...this.#firstMet.keys()]) if (!met.includes(one)) this.#firstMet.delete(one)
    for (const one of met) {
      if (!this.#firstMet.has(one)) this.#firstMet.set(one, now)
      this.#lastSeen.set((signals[one.signal] as { pressure: Pressure }).pressure, now)
    }
    const due = met.filter((one) => now - (this.#firstMet.get(one) ?? now) >= one.graceMs)
    // Memory first, then as they were given; what nothing can be reclaimed for comes last.
    const first = due.find((one) => signals[one.signal]?.resource === 'memory') ?? due[0]
    if (first === undefined) return false
    const resource = (signals[first.signal] as { resource: string }).resource
    log('I', 'eviction_manager.go:369', `"Eviction manager: attempting to reclaim" resourceName=${JSON.stringify(resource)}`)
    event('Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`)
    if (resource === 'ephemeral-storage' || resource === 'inodes') {
      log('I', 'container_gc.go:86', '"Attempting to delete unused containers"')
      log('I', 'image_gc_manager.go:447', '"Attempting to delete unused images"')
    }
    log('I', 'eviction_manager.go:380', `"Eviction manager: must evict pod(s) to reclaim" resourceName=${JSON.stringify(resource)}`)
    const ranked = [...active()].sort(
      ({ pod: a }, { pod: b }) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1),
    )
    const name = (pod: KubeObject) => `${pod.metadata.namespace}/${pod.metadata.name}`
    log(
      'I',
      'eviction_manager.go:398',
      `"Eviction manager: pods ranked for eviction" pods=${JSON.stringify(ranked.map(({ pod }) => name(pod)))}`,
    )
    for (const one of ranked) {
      const { pod } = one
      if (critical(pod)) {
        log('E', 'eviction_manager.go:610', `"Eviction manager: cannot evict a critical pod" pod=${JSON.stringify(name(pod))}`)
        continue
      }
      one.evict(this.#message(resource, first, pod))
      log('I', 'eviction_manager.go:629', `"Eviction manager: pod is evicted successfully" pod=${JSON.stringify(name(pod))}`)
      return true
    }
    log('I', 'eviction_manager.go:438', '"Eviction manager: unable to evict any pods from the node"')
    return false
  }
  /** evictionMessage (helpers.go); what a container uses more of than it asked for is told too. */
  #message(resource: string, threshold: Threshold, pod: KubeObject): string {
    const { available } = this.#deps.observe(threshold.signal)
    const left = resource === 'pids' || resource === 'inodes' ? String(available) : `${Math.floor(available / 1024)}Ki`
    const numbers = threshold.quantity ? `Threshold quantity: ${threshold.quantity.text}, available: ${left}. ` : ''
    const containers =
      resource === 'ephemeral-storage'
        ? pod.spec.containers
            .filter((one: KubeObject) => !one.resources?.requests?.['ephemeral-storage'])
            .map((one: KubeObject) => `Container ${one.name} was using 24Ki, request is 0, has larger consumption of ephemeral-storage. `)
            .join('')
        : ''
    return `The node was low on resource: ${resource}. ${numbers}${containers}`
  }
}
