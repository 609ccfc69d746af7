// The unified difference of two specs that some messages end with: the server prints its own structs as JSON, one field a line, with Go's
// names (k8s.io/apimachinery/pkg/util/diff). The names and their order are data (data/internal.jsonl). Knows no rules.
import type { KubeObject } from '../../kube.ts'
import { readLines } from '../shape.ts'

/** Go's field, the JSON field it comes from, and its type: a struct of the table, `[]` and `{}` before what they hold, or '' */
type Row = readonly [go: string, json: string, type: string, zero: unknown]
let table: Record<string, readonly Row[]> | undefined
function rows(name: string): readonly Row[] | undefined {
  table ??= Object.fromEntries(readLines('internal.jsonl')) as Record<string, readonly Row[]>
  return table[name]
}
/** how the server would print a value of this type */
function printed(value: KubeObject, type: string): unknown {
  if (type.startsWith('*')) return value === undefined || value === null ? null : printed(value, type.slice(1))
  if (type.startsWith('[]')) return Array.isArray(value) ? value.map((item) => printed(item, type.slice(2))) : null
  if (type.startsWith('{}')) {
    if (value === undefined || value === null) return null
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, printed(item, type.slice(2))]))
  }
  const fields = rows(type)
  if (!fields) return value ?? null
  return Object.fromEntries(
    fields.map(([go, json, inner, zero]) => {
      const own = json === '' ? value : value?.[json]
      const shown = inner === '' ? own : printed(own, inner)
      return [go, shown ?? zero]
    }),
  )
}
/** `type`: a key of data/internal.jsonl */
export function specDifference(type: string, old: KubeObject, now: KubeObject): string {
  return unified(
    JSON.stringify(moved(type, printed(old, type), old), null, 1).split('\n'),
    JSON.stringify(moved(type, printed(now, type), now), null, 1).split('\n'),
  )
}
/** a pod template as the server's messages print it: its metadata's fields, then Spec */
export function printedTemplate(template: KubeObject): Record<string, unknown> {
  const spec = template?.spec ?? {}
  return { ...template?.metadata, Spec: moved('core/PodSpec', printed(spec, 'core/PodSpec'), spec) }
}
/** the pod's host namespaces are in the server's security context */
function moved(type: string, value: unknown, from: KubeObject): unknown {
  if (type !== 'core/PodSpec') return value
  const spec = value as Record<string, Record<string, unknown> | null>
  if (spec.SecurityContext)
    Object.assign(spec.SecurityContext, {
      HostNetwork: from.hostNetwork ?? false,
      HostPID: from.hostPID ?? false,
      HostIPC: from.hostIPC ?? false,
      ShareProcessNamespace: from.shareProcessNamespace ?? null,
      HostUsers: from.hostUsers ?? null,
    })
  return spec
}
const around = 3
function unified(a: readonly string[], b: readonly string[]): string {
  const edits = compared(a, b)
  const groups: [number, number][] = []
  for (const [index, edit] of edits.entries()) {
    if (edit.sign === ' ') continue
    const last = groups.at(-1)
    const [from, to] = [Math.max(0, index - around), Math.min(edits.length, index + around + 1)]
    if (last && from <= last[1]) last[1] = to
    else groups.push([from, to])
  }
  let text = ''
  for (const [from, to] of groups) {
    const part = edits.slice(from, to)
    const [first] = part
    const lines = (sign: string) => part.filter((edit) => edit.sign !== sign).length
    text += `@@ -${(first?.a ?? 0) + 1},${lines('+')} +${(first?.b ?? 0) + 1},${lines('-')} @@\n`
    text += part.map((edit) => `${edit.sign}${edit.line}\n`).join('')
  }
  return text
}
interface Edit {
  sign: ' ' | '-' | '+'
  line: string
  a: number
  b: number
}
/** the longest common subsequence, within what differs at all */
function compared(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1
  const x = a.slice(head, a.length - tail)
  const y = b.slice(head, b.length - tail)
  const width = y.length + 1
  const lengths = new Uint32Array((x.length + 1) * width)
  for (let i = x.length - 1; i >= 0; i -= 1)
    for (let j = y.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] =
        x[i] === y[j]
          ? (lengths[(i + 1) * width + j + 1] as number) + 1
          : Math.max(lengths[(i + 1) * width + j] as number, lengths[i * width + j + 1] as number)
  const edits: Edit[] = a.slice(0, head).map((line, index) => ({ sign: ' ', line, a: index, b: index }))
  let i = 0
  let j = 0
  while (i < x.length || j < y.length) {
    const at = { a: head + i, b: head + j }
    if (i < x.length && j < y.length && x[i] === y[j]) {
      edits.push({ sign: ' ', line: x[i] as string, ...at })
      i += 1
      j += 1
    } else if (i < x.length && (j >= y.length || (lengths[(i + 1) * width + j] as number) >= (lengths[i * width + j + 1] as number))) {
      edits.push({ sign: '-', line: x[i] as string, ...at })
      i += 1
    } else {
      edits.push({ sign: '+', line: y[j] as string, ...at })
      j += 1
    }
  }
  for (let k = 0; k < tail; k += 1)
    edits.push({ sign: ' ', line: a[a.length - tail + k] as string, a: a.length - tail + k, b: b.length - tail + k })
  return edits
}
