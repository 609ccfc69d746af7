// Parts of objects that every controller reads: owners, labels, selectors, conditions, hashes, times. Pure functions.
import type { KubeObject } from '../kube.ts'

/** RFC 3339 with whole seconds, as metav1.Time is written */
export const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
/** epoch ms; NaN for what is no time */
export const parseTime = (text: string | undefined): number => (text === undefined ? Number.NaN : Date.parse(text))

export type Labels = Readonly<Record<string, string>>
export interface LabelSelector {
  matchLabels?: Labels
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[]
}
/** An undefined selector matches nothing, an empty one everything (metav1.LabelSelectorAsSelector). */
export function selects(selector: LabelSelector | undefined | null, labels: Labels | undefined): boolean {
  if (!selector) return false
  const own = labels ?? {}
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (own[key] !== value) return false
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = own[key]
    if (operator === 'In' && (value === undefined || !values.includes(value))) return false
    if (operator === 'NotIn' && value !== undefined && values.includes(value)) return false
    if (operator === 'Exists' && value === undefined) return false
    if (operator === 'DoesNotExist' && value !== undefined) return false
  }
  return true
}
export const isEmptySelector = (selector: LabelSelector | undefined | null): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0
/** a map of equalities, as Services and ReplicationControllers have it; an empty one matches nothing here */
export function hasLabels(labels: Labels | undefined, wanted: Labels | undefined): boolean {
  const entries = Object.entries(wanted ?? {})
  return entries.length > 0 && entries.every(([key, value]) => labels?.[key] === value)
}

export const controllerOf = (object: KubeObject): KubeObject | undefined =>
  object.metadata.ownerReferences?.find((owner: KubeObject) => owner.controller === true)
/** an ownerReference that makes `owner` the controller of what carries it */
export const controllerRef = (owner: KubeObject): KubeObject => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})

export const condition = (object: KubeObject, type: string): KubeObject | undefined =>
  object.status?.conditions?.find((one: KubeObject) => one.type === type)
/** stable for equal JSON, whatever the order of keys */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const entries = Object.entries(value).filter(([, one]) => one !== undefined && one !== null)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`
}
export const same = (a: unknown, b: unknown): boolean => a === b || canonical(a ?? null) === canonical(b ?? null)

/** FNV-1a, 32 bits, in decimal digits written with the letters of generated names: ten at most, as pod-template-hash looks. */
export function hash(value: unknown, collisions?: number): string {
  const text = canonical(value) + (collisions === undefined ? '' : String(collisions))
  let state = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    state ^= text.charCodeAt(at)
    state = Math.imul(state, 0x01000193) >>> 0
  }
  return safeEncode(String(state))
}
// k8s.io/apimachinery/pkg/util/rand SafeEncodeString: 27 letters
const alphanums = 'bcdfghjklmnpqrstvwxz2456789'
const safeEncode = (text: string): string => Array.from(text, (one) => alphanums[one.charCodeAt(0) % alphanums.length]).join('')

/** FNV-1a, 128 bits, of UTF-8 */
export function fnv128a(text: string): bigint {
  let state = 0x6c62272e07bb014262b821756295c58dn
  for (const byte of Buffer.from(text)) state = BigInt.asUintN(128, (state ^ BigInt(byte)) * 0x1000000000000000000013bn)
  return state
}

/** An IntOrString of a total; `up` rounds a percentage up. */
export function scaled(value: string | number | undefined, total: number, up: boolean): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const percent = /^([0-9]+)%$/.exec(value)
  if (percent === null) return Number(value) || 0
  const exact = (total * Number(percent[1])) / 100
  return up ? Math.ceil(exact) : Math.floor(exact)
}
