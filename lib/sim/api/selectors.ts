// Label selectors and field selectors as lists, watches and deletecollection take them, with the server's own words for what cannot be parsed.
// Knows nothing of how they are applied to a store.
import type { KubeObject } from '../kube.ts'
import { ApiError } from '../kube.ts'

export type Match = (object: KubeObject) => boolean

interface Requirement {
  key: string
  op: 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'
  values: string[]
}
const bad = (message: string) => new ApiError(400, 'BadRequest', message)

/** `a=b,c in (d,e),!f,g>1`; undefined for an empty one, which matches everything. Throws ApiError 400. Source: apimachinery/pkg/labels/selector.go */
export function labelMatch(selector: string | undefined): Match | undefined {
  if (selector === undefined || selector.trim() === '') return undefined
  const requirements = parseLabels(selector)
  return (object) => matches(requirements, object.metadata.labels ?? {})
}

/** A LabelSelector (`matchLabels`, `matchExpressions`) against labels. An empty one matches everything, undefined nothing. */
export function selectorMatches(
  selector:
    | { matchLabels?: Record<string, string>; matchExpressions?: { key: string; operator: string; values?: string[] }[] }
    | undefined
    | null,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined || selector === null) return false
  const of = labels ?? {}
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (of[key] !== value) return false
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = of[key]
    if (operator === 'In' && (value === undefined || !values.includes(value))) return false
    if (operator === 'NotIn' && value !== undefined && values.includes(value)) return false
    if (operator === 'Exists' && value === undefined) return false
    if (operator === 'DoesNotExist' && value !== undefined) return false
  }
  return true
}

function matches(requirements: readonly Requirement[], labels: Readonly<Record<string, string>>): boolean {
  return requirements.every(({ key, op, values }) => {
    const value = labels[key]
    switch (op) {
      case 'in':
        return value !== undefined && values.includes(value)
      case 'notin':
        return value === undefined || !values.includes(value)
      case 'exists':
        return value !== undefined
      case '!':
        return value === undefined
      default: {
        if (value === undefined || !/^[+-]?\d+$/.test(value)) return false
        return op === 'gt' ? Number(value) > Number(values[0]) : Number(value) < Number(values[0])
      }
    }
  })
}

/** the operators by their tokens, longest first */
const tokens = /\s*(==|!=|=|>|<|!|,|\(|\)|[^\s=!<>,()]+|$)/y

function parseLabels(text: string): Requirement[] {
  let at = 0
  const peek = (): string => {
    tokens.lastIndex = at
    return tokens.exec(text)?.[1] ?? ''
  }
  const take = (): string => {
    const token = peek()
    tokens.lastIndex = at
    tokens.exec(text)
    at = tokens.lastIndex
    return token
  }
  const word = (token: string) => token !== '' && !['=', '==', '!=', '>', '<', '!', ',', '(', ')'].includes(token)
  const requirements: Requirement[] = []
  const fail = (found: string, expected: string) => bad(`unable to parse requirement: found '${found}', expected: ${expected}`)
  const value = (): string => {
    const token = peek()
    if (token === ',' || token === '') return ''
    if (!word(token)) throw fail(token, 'identifier')
    return check(take())
  }
  const check = (one: string): string => {
    if (one.length > 63 || !/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(one)) {
      throw bad(
        `unable to parse requirement: values[0][${key}]: Invalid value: ${JSON.stringify(one)}: ${one.length > 63 ? 'must be no more than 63 bytes' : labelValue}`,
      )
    }
    return one
  }
  let key = ''
  for (;;) {
    if (peek() === '') break
    const negated = peek() === '!'
    if (negated) take()
    key = take()
    if (!word(key)) throw fail(key, 'identifier')
    const name = key.slice(key.indexOf('/') + 1)
    if (name.length > 63 || !/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(name)) {
      throw bad(`unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: ${labelName}`)
    }
    const next = peek()
    if (negated) {
      requirements.push({ key, op: '!', values: [] })
    } else if (next === '' || next === ',') {
      requirements.push({ key, op: 'exists', values: [] })
    } else if (next === '=' || next === '==') {
      take()
      requirements.push({ key, op: 'in', values: [value()] })
    } else if (next === '!=') {
      take()
      requirements.push({ key, op: 'notin', values: [value()] })
    } else if (next === '>' || next === '<') {
      take()
      const bound = value()
      if (!/^[+-]?\d+$/.test(bound)) {
        throw bad(
          `unable to parse requirement: values[0][${key}]: Invalid value: ${JSON.stringify(bound)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        )
      }
      requirements.push({ key, op: next === '>' ? 'gt' : 'lt', values: [bound] })
    } else if (next === 'in' || next === 'notin') {
      take()
      if (peek() !== '(') throw bad(`unable to parse requirement: found '${peek()}' expected: '('`)
      take()
      const values: string[] = []
      for (;;) {
        const token = take()
        if (token === ')') {
          if (values.length === 0) values.push('')
          break
        }
        if (token === ',') {
          if (values.length === 0) values.push('')
          if (peek() === ',' || peek() === ')') values.push('')
          continue
        }
        if (!word(token)) throw fail(token, "',', ')' or identifier")
        values.push(check(token))
      }
      requirements.push({ key, op: next, values })
    } else {
      throw fail(next, 'in, notin, =, ==, !=, gt, lt')
    }
    const after = peek()
    if (after === '') break
    if (after !== ',') throw bad(`found '${after}', expected: ',' or 'end of string'`)
    take()
    if (peek() === '') throw fail('', "identifier after ','")
  }
  return requirements
}
const labelValue =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
const labelName =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

type Read = (object: KubeObject) => string
const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))
const involved: Record<string, Read> = {}
for (const field of ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']) {
  involved[`involvedObject.${field}`] = (event) => text(event.involvedObject?.[field])
}
const events: Record<string, Read> = {
  ...involved,
  reason: (event) => text(event.reason),
  reportingComponent: (event) => text(event.reportingComponent || event.source?.component),
  source: (event) => text(event.source?.component || event.reportingComponent),
  type: (event) => text(event.type),
}
/** The fields that a resource can be selected by, besides metadata.name and metadata.namespace. Source: pkg/apis/*\/v1/conversion.go */
const selectable: Readonly<Record<string, Readonly<Record<string, Read>>>> = {
  pods: {
    'spec.nodeName': (pod) => text(pod.spec?.nodeName),
    'spec.restartPolicy': (pod) => text(pod.spec?.restartPolicy),
    'spec.schedulerName': (pod) => text(pod.spec?.schedulerName),
    'spec.serviceAccountName': (pod) => text(pod.spec?.serviceAccountName),
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => text(pod.status?.phase),
    'status.podIP': (pod) => text(pod.status?.podIP),
    'status.podIPs': (pod) => text(pod.status?.podIPs?.[0]?.ip),
    'status.nominatedNodeName': (pod) => text(pod.status?.nominatedNodeName),
  },
  nodes: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
  namespaces: { 'status.phase': (namespace) => text(namespace.status?.phase), name: (namespace) => text(namespace.metadata.name) },
  secrets: { type: (secret) => text(secret.type) },
  services: {
    'spec.clusterIP': (service) => text(service.spec?.clusterIP),
    'spec.type': (service) => text(service.spec?.type),
  },
  replicationcontrollers: { 'status.replicas': (controller) => text(controller.status?.replicas ?? 0) },
  'replicasets.apps': { 'status.replicas': (set) => text(set.status?.replicas ?? 0) },
  'jobs.batch': { 'status.successful': (job) => text(job.status?.succeeded ?? 0) },
  'certificatesigningrequests.certificates.k8s.io': { 'spec.signerName': (request) => text(request.spec?.signerName) },
  'resourceslices.resource.k8s.io': {
    'spec.nodeName': (slice) => text(slice.spec?.nodeName),
    'spec.driver': (slice) => text(slice.spec?.driver),
  },
  events,
}

/**
 * `metadata.name=x,status.phase!=Running`. `bucket` says which fields there are; `extra` are a custom resource's selectableFields (JSON paths).
 * Throws ApiError 400 for a field that is not selectable.
 */
export function fieldMatch(selector: string | undefined, bucket: string, extra: readonly string[] = []): Match | undefined {
  const terms = fieldTerms(selector)
  if (terms.length === 0) return undefined
  const requirements = terms.map(({ field, negated, value }) => {
    const read = fieldReader(field, bucket, extra)
    if (read === undefined) throw bad(`field label not supported: ${field}`)
    return { read, negated, value }
  })
  return (object) => requirements.every(({ read, negated, value }) => (read(object) === value) !== negated)
}
export function fieldTerms(selector: string | undefined): { field: string; negated: boolean; value: string }[] {
  if (selector === undefined || selector === '') return []
  return selector
    .split(/(?<!\\),/)
    .filter((term) => term !== '')
    .map((term) => {
      const parts = /^(.*?)(!=|==|=)(.*)$/s.exec(term)
      if (parts === null) throw bad(`invalid selector: '${selector}'; can't understand '${term}'`)
      return { field: parts[1] as string, negated: parts[2] === '!=', value: (parts[3] as string).replace(/\\([\\,=])/g, '$1') }
    })
}
function fieldReader(field: string, bucket: string, extra: readonly string[]): Read | undefined {
  if (field === 'metadata.name') return (object) => text(object.metadata.name)
  if (field === 'metadata.namespace') return (object) => text(object.metadata.namespace)
  const known = selectable[bucket]?.[field]
  if (known !== undefined) return known
  if (!extra.includes(`.${field}`)) return undefined
  const path = field.split('.')
  return (object) => text(path.reduce((value: KubeObject, key) => value?.[key], object))
}
