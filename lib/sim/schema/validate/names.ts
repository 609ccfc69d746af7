// Names, labels, selectors, addresses, ports: the texts of k8s.io/apimachinery/pkg/util/validation. A check gives back what is wrong, in the
// server's words, or collects causes. Knows no kinds.
import { isIP } from 'node:net'
import type { KubeObject } from '../../kube.ts'
import { type Cause, forbidden, invalidValue, requiredValue } from '../cause.ts'

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const dns1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const labelValue = `(${qualified})?`
const regex = (source: string) => new RegExp(`^(?:${source})$`)
const told = (message: string, source: string, ...examples: string[]): string =>
  `${message} (${examples.length > 0 ? `e.g. ${examples.map((example) => `'${example}'`).join(',  or ')}, ` : ''}regex used for validation is '${source}')`
const longest = (length: number): string => `must be no more than ${length} characters`
const bytes = (text: string): number => Buffer.byteLength(text)

const patterns = {
  label: regex(label),
  subdomain: regex(subdomain),
  dns1035: regex(dns1035),
  qualified: regex(qualified),
  labelValue: regex(labelValue),
}
const subdomainText = told(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomain,
  'example.com',
)
const labelText = told(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  label,
  'my-name',
  '123-abc',
)
const dns1035Text = told(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  dns1035,
  'my-name',
  'abc-123',
)
const qualifiedText = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const qualifiedExamples = ['MyName', 'my.name', '123-abc']

export type Check = (text: string) => string[]
const both = (text: string, most: number, fits: boolean, why: string): string[] => [
  ...(bytes(text) > most ? [longest(most)] : []),
  ...(fits ? [] : [why]),
]
export const isSubdomain: Check = (text) => both(text, 253, patterns.subdomain.test(text), subdomainText)
export const isLabel: Check = (text) => both(text, 63, patterns.label.test(text), labelText)
export const isDns1035: Check = (text) => both(text, 63, patterns.dns1035.test(text), dns1035Text)
const underscored = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const search = `${underscored}(\\.${underscored})*`
/** a search domain of resolv.conf: underscores are found in the wild */
export const isSearchDomain: Check = (text) =>
  both(
    text,
    253,
    regex(search).test(text),
    told(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
      search,
      'example.com',
    ),
  )
export const isWildcardSubdomain: Check = (text) =>
  both(
    text,
    253,
    regex(`\\*\\.${subdomain}`).test(text),
    told(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      `\\*\\.${subdomain}`,
      '*.example.com',
    ),
  )
/** a label where a dot is the likely mistake */
export const isDotlessLabel: Check = (text) => (text.includes('.') ? ['must not contain dots'] : isLabel(text))
/** the name of a path segment (roles, bindings) */
export const isPathSegment: Check = (text) => {
  if (text === '.' || text === '..') return [`may not be '${text}'`]
  return ['/', '%'].filter((illegal) => text.includes(illegal)).map((illegal) => `may not contain '${illegal}'`)
}
export const isQualifiedName: Check = (text) => {
  const parts = text.split('/')
  const errors: string[] = []
  let name = parts[0] as string
  if (parts.length === 2) {
    const prefix = parts[0] as string
    name = parts[1] as string
    if (prefix === '') errors.push('prefix part must be non-empty')
    else errors.push(...isSubdomain(prefix).map((error) => `prefix part ${error}`))
  } else if (parts.length > 2)
    return [
      `${told(`a valid label key ${qualifiedText}`, qualified, ...qualifiedExamples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  if (name === '') errors.push('name part must be non-empty')
  else if (bytes(name) > 63) errors.push(`name part ${longest(63)}`)
  if (!patterns.qualified.test(name)) errors.push(`name part ${told(qualifiedText, qualified, ...qualifiedExamples)}`)
  return errors
}
export const isLabelValue: Check = (text) => [
  ...(bytes(text) > 63 ? ['must be no more than 63 bytes'] : []),
  ...(patterns.labelValue.test(text)
    ? []
    : [
        told(
          `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
          labelValue,
          'MyValue',
          'my_value',
          '12345',
        ),
      ]),
]
export const isConfigKey: Check = (text) => {
  if (bytes(text) > 253) return [longest(253)]
  if (!/^[-._a-zA-Z0-9]+$/.test(text))
    return [
      told(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        '[-._a-zA-Z0-9]+',
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    ]
  if (text === '.' || text === '..') return [`must not be '${text}'`]
  return text.startsWith('..') ? ["must not start with '..'"] : []
}
export const isEnvName: Check = (text) =>
  text.length === 0 || /[^ -~]|=/.test(text)
    ? ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    : []
export const isPortName: Check = (text) => {
  const errors: string[] = []
  if (text.length > 15) errors.push(longest(15))
  if (!/^[-a-z0-9]+$/.test(text)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(text)) errors.push('must contain at least one letter (a-z)')
  if (text.includes('--')) errors.push('must not contain consecutive hyphens')
  if (text.startsWith('-') || text.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}
export const between = (least: number, most: number): string => `must be between ${least} and ${most}, inclusive`
export const isPort = (port: number): string[] => (port < 1 || port > 65535 ? [between(1, 65535)] : [])
export const isPortOrName = (port: unknown): string[] => (typeof port === 'string' ? isPortName(port) : isPort(Number(port)))
export const isId = (id: number): string[] => (id < 0 || id > 2147483647 ? [between(0, 2147483647)] : [])
export const isPercent: Check = (text) =>
  /^[0-9]+%$/.test(text) ? [] : [told("a valid percent string must be a numeric string followed by an ending '%'", '[0-9]+%', '1%', '93%')]

export const notIp = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
export const isAddress: Check = (text) => (isIP(text) === 0 ? [notIp] : [])
/** [address as a number, prefix length, bits], undefined for what is no CIDR */
export function parseCidr(text: string): [bigint, number, number] | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const version = match ? isIP(match[1] as string) : 0
  if (!match || version === 0) return undefined
  const bits = version === 4 ? 32 : 128
  const length = Number(match[2])
  return length > bits ? undefined : [addressNumber(match[1] as string), length, bits]
}
function addressNumber(text: string): bigint {
  if (isIP(text) === 4) return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const all = tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return all.reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n)
}
export const notCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
export const isCidr: Check = (text) => (parseCidr(text) ? [] : [notCidr])

// ---- causes ----
export const nonNegative = 'must be greater than or equal to 0'
export class Causes {
  readonly list: Cause[] = []
  add(...causes: Cause[]): undefined {
    this.list.push(...causes)
  }
  /** one cause for each message of a check */
  check(field: string, value: unknown, messages: readonly string[]): undefined {
    for (const message of messages) this.list.push(invalidValue(field, value, message))
  }
  /** the check, unless the value is empty, which is a cause of its own */
  required(field: string, value: string | undefined, check: Check = () => []): undefined {
    if (!value) this.list.push(requiredValue(field))
    else this.check(field, value, check(value))
  }
  notNegative(field: string, value: number | undefined | null): undefined {
    if (typeof value === 'number' && value < 0) this.list.push(invalidValue(field, value, nonNegative))
  }
}
export function labels(given: KubeObject, field: string, out: Causes): undefined {
  for (const [key, value] of Object.entries((given ?? {}) as Record<string, string>)) {
    out.check(field, key, isQualifiedName(key))
    out.check(field, value, isLabelValue(value))
  }
}
/** metav1.LabelSelector */
export function labelSelector(selector: KubeObject, field: string, out: Causes): undefined {
  if (!selector) return
  labels(selector.matchLabels, `${field}.matchLabels`, out)
  for (const [index, { key, operator, values }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${index}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (!values?.length) out.add(requiredValue(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values?.length) out.add(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else out.add(invalidValue(`${at}.operator`, operator ?? '', 'not a valid selector operator'))
    out.check(`${at}.key`, key ?? '', isQualifiedName(key ?? ''))
    for (const [at2, value] of (values ?? []).entries()) out.check(`${at}.values[${at2}]`, value, isLabelValue(value))
  }
}
/** whether a metav1.LabelSelector that is valid selects these labels */
export function selects(selector: KubeObject, given: Record<string, string> | undefined): boolean {
  const has = given ?? {}
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) if (has[key] !== value) return false
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    const there = key in has
    if (operator === 'In' && !(there && values.includes(has[key]))) return false
    if (operator === 'NotIn' && there && values.includes(has[key])) return false
    if (operator === 'Exists' && !there) return false
    if (operator === 'DoesNotExist' && there) return false
  }
  return true
}
/** a number, or a percentage of 0 % and more */
export function intOrPercent(value: unknown, field: string, out: Causes, most100 = false): undefined {
  if (value === undefined || value === null) return
  if (typeof value === 'string') {
    const wrong = isPercent(value)
    out.check(field, value, wrong)
    if (wrong.length === 0 && most100 && Number(value.slice(0, -1)) > 100)
      out.add(invalidValue(field, value, 'must not be greater than 100%'))
  } else out.notNegative(field, value as number)
}
export const isZeroOrNone = (value: unknown): boolean => value === 0 || value === '0%' || value === '0'
const acronyms: Record<string, string> = { APIGroup: 'apiGroup', SELinuxOptions: 'seLinuxOptions' }
/** a struct of the server's own, as its messages print it: Go's names in Go's order */
export function goStruct(value: KubeObject, names: readonly string[]): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const name of names) {
    const [go, zero] = name.split('=') as [string, string | undefined]
    const key = acronyms[go] ?? `${go.charAt(0).toLowerCase()}${go.slice(1)}`
    result[go] = value?.[key] ?? (zero === undefined ? null : JSON.parse(zero))
  }
  return result
}
