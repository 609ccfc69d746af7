// The scheduler's scores with the weights of the default profile: which of the nodes that fit is the best (pkg/scheduler/framework/plugins). Pure
// functions.
import type { KubeObject } from '../../kube.ts'
import { type LabelSelector, selects } from '../objects.ts'
import { matchesTerm, tolerates } from '../placement.ts'
import { counts, matching, means, requiredAffinity, spreadSelector, terms, type World } from './filters.ts'
import { type NodeInfo, requestsOf } from './snapshot.ts'

const best = 100
const hostname = 'kubernetes.io/hostname'
// framework/plugins/imagelocality
const imageMin = 23 * 1024 * 1024
const imageMax = 1000 * 1024 * 1024
// framework/plugins/podtopologyspread: systemDefaultConstraints
const systemSpread = [
  { topologyKey: hostname, maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
]

/** from 0 to 100 by the largest of them; `reverse`: the largest becomes 0 */
function normalize(scores: number[], reverse: boolean): number[] {
  const largest = Math.max(0, ...scores)
  if (largest === 0) return scores.map(() => (reverse ? best : 0))
  return scores.map((score) => (reverse ? best - Math.floor((score * best) / largest) : Math.floor((score * best) / largest)))
}

/** `groups`: selectors of the Services and the owner that the pod belongs to, for the spreading of pods without constraints of their own */
export function score(pod: KubeObject, nodes: readonly NodeInfo[], world: World, groups: readonly LabelSelector[]): number[] {
  const total = nodes.map(() => 0)
  const plus = (weight: number, scores: readonly number[]) => {
    for (const [at, value] of scores.entries()) total[at] = (total[at] ?? 0) + weight * value
  }
  const wanted = requestsOf(pod)
  const counted = requestsOf(pod, true)
  plus(
    3,
    normalize(
      nodes.map((info) => intolerable(pod, info)),
      true,
    ),
  )
  plus(
    2,
    normalize(
      nodes.map((info) => preferred(pod, info)),
      false,
    ),
  )
  plus(
    1,
    nodes.map((info) => {
      const free = (name: 'cpu' | 'memory') => {
        const all = info.allocatable[name]
        const used = info.scoring[name] + counted[name]
        return all === 0 || used > all ? 0 : Math.floor(((all - used) * best) / all)
      }
      return Math.floor((free('cpu') + free('memory')) / 2)
    }),
  )
  if (wanted.cpu > 0 || wanted.memory > 0) {
    plus(
      1,
      nodes.map((info) => {
        const share = (name: 'cpu' | 'memory') =>
          Math.min(1, (info.requested[name] + wanted[name]) / (info.allocatable[name] || Number.POSITIVE_INFINITY))
        return Math.floor((1 - Math.abs(share('cpu') - share('memory')) / 2) * best)
      }),
    )
  }
  plus(1, images(pod, nodes, world))
  plus(2, spread(pod, nodes, world, groups))
  plus(2, together(pod, nodes, world))
  return total
}

const intolerable = (pod: KubeObject, info: NodeInfo): number =>
  (info.node.spec?.taints ?? []).filter(
    (taint: KubeObject) =>
      taint.effect === 'PreferNoSchedule' &&
      !(pod.spec.tolerations ?? []).some(
        (one: KubeObject) => (!one.effect || one.effect === 'PreferNoSchedule') && tolerates(one, taint as never),
      ),
  ).length
const preferred = (pod: KubeObject, info: NodeInfo): number =>
  (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).reduce(
    (sum: number, one: KubeObject) => sum + (matchesTerm(one.preference, info.node) ? one.weight : 0),
    0,
  )

const imageName = (name: string): string => (name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name)
function images(pod: KubeObject, nodes: readonly NodeInfo[], world: World): number[] {
  const containers: KubeObject[] = [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])]
  const names = containers.map((one) => imageName(one.image ?? ''))
  const size = (info: NodeInfo, name: string): number =>
    (info.node.status?.images ?? []).find((one: KubeObject) => (one.names ?? []).includes(name))?.sizeBytes ?? 0
  const spreadOf = new Map<string, number>()
  for (const name of names) {
    let holders = 0
    for (const info of world.nodes.values()) if (size(info, name) > 0) holders += 1
    spreadOf.set(name, holders / world.nodes.size)
  }
  const ceiling = imageMax * containers.length
  return nodes.map((info) => {
    const sum = names.reduce((all, name) => all + Math.floor(size(info, name) * (spreadOf.get(name) ?? 0)), 0)
    return Math.floor((best * (Math.min(Math.max(sum, imageMin), ceiling) - imageMin)) / (ceiling - imageMin))
  })
}

function spread(pod: KubeObject, nodes: readonly NodeInfo[], world: World, groups: readonly LabelSelector[]): number[] {
  const own: KubeObject[] = pod.spec.topologySpreadConstraints ?? []
  const system = own.length === 0
  const constraints = system
    ? systemSpread.map((one) => ({ ...one, matches: (info: NodeInfo) => inGroups(info, pod, groups), rule: {} as KubeObject }))
    : own
        .filter((one) => one.whenUnsatisfiable === 'ScheduleAnyway')
        .map((one) => {
          const selector = spreadSelector(pod, one)
          const matches = (info: NodeInfo) => matching(info, selector, pod.metadata.namespace)
          return { topologyKey: one.topologyKey as string, maxSkew: one.maxSkew as number, matches, rule: one }
        })
  if (constraints.length === 0 || (system && groups.length === 0)) return nodes.map(() => 0)
  const value = (info: NodeInfo, key: string): string | undefined => info.node.metadata.labels?.[key]
  const ignored = new Set(system ? [] : nodes.filter((info) => constraints.some((one) => value(info, one.topologyKey) === undefined)))
  const raw = nodes.map(() => 0)
  for (const { topologyKey, maxSkew, matches, rule } of constraints) {
    const domains = new Map<string, number>()
    if (topologyKey !== hostname) {
      for (const info of nodes) if (!ignored.has(info)) domains.set(value(info, topologyKey) ?? '', 0)
      for (const info of world.nodes.values()) {
        const at = value(info, topologyKey) ?? ''
        if (domains.has(at) && counts(rule, pod, info)) domains.set(at, (domains.get(at) ?? 0) + matches(info))
      }
    }
    const weight = Math.log((topologyKey === hostname ? nodes.length - ignored.size : domains.size) + 2)
    for (const [at, info] of nodes.entries()) {
      const here = value(info, topologyKey)
      if (here === undefined || ignored.has(info)) continue
      const count = topologyKey === hostname ? matches(info) : (domains.get(here) ?? 0)
      raw[at] = (raw[at] ?? 0) + count * weight + maxSkew - 1
    }
  }
  const rounded = raw.map(Math.round)
  const counting = rounded.filter((_, at) => !ignored.has(nodes[at] as NodeInfo))
  const least = Math.min(...counting)
  const most = Math.max(0, ...counting)
  return rounded.map((one, at) => {
    if (ignored.has(nodes[at] as NodeInfo)) return 0
    return most === 0 ? best : Math.floor((best * (most + least - one)) / most)
  })
}
const inGroups = (info: NodeInfo, pod: KubeObject, groups: readonly LabelSelector[]): number =>
  info.pods.filter(
    (other) =>
      other.metadata.namespace === pod.metadata.namespace &&
      !other.metadata.deletionTimestamp &&
      groups.every((selector) => selects(selector, other.metadata.labels)),
  ).length

/** preferences for and against other pods, theirs for this one too */
function together(pod: KubeObject, nodes: readonly NodeInfo[], world: World): number[] {
  const preferences = (one: KubeObject, field: 'podAffinity' | 'podAntiAffinity', sign: number) => {
    const list: KubeObject[] = one.spec.affinity?.[field]?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return terms(
      one,
      list.map((item) => item.podAffinityTerm),
      world,
    ).map((term, at) => ({ term, weight: sign * list[at].weight }))
  }
  const of = (one: KubeObject) => [...preferences(one, 'podAffinity', 1), ...preferences(one, 'podAntiAffinity', -1)]
  const mine = of(pod)
  const domains = new Map<string, number>()
  const count = (info: NodeInfo, key: string, weight: number) => {
    const value = info.node.metadata.labels?.[key]
    if (value !== undefined) domains.set(`${key}=${value}`, (domains.get(`${key}=${value}`) ?? 0) + weight)
  }
  for (const info of world.nodes.values()) {
    for (const other of info.pods) {
      for (const { term, weight } of mine) if (means(term, other)) count(info, term.topologyKey, weight)
      if (other.spec.affinity === undefined) continue
      for (const { term, weight } of of(other)) if (means(term, pod)) count(info, term.topologyKey, weight)
      for (const term of requiredAffinity(other, world)) if (means(term, pod)) count(info, term.topologyKey, 1)
    }
  }
  if (domains.size === 0) return nodes.map(() => 0)
  const raw = nodes.map((info) => {
    let sum = 0
    for (const [key, weight] of domains) {
      const at = key.indexOf('=')
      if (info.node.metadata.labels?.[key.slice(0, at)] === key.slice(at + 1)) sum += weight
    }
    return sum
  })
  const least = Math.min(...raw)
  const range = Math.max(...raw) - least
  return raw.map((one) => (range === 0 ? 0 : Math.floor((best * (one - least)) / range)))
}
