// resource.Quantity: parsing, comparing, canonical form, as k8s.io/apimachinery/pkg/api/resource. Values are exact: bigint in billionths, the
// finest that Kubernetes keeps. Knows nothing of objects.

export interface Quantity {
  /** in 10⁻⁹ */
  readonly nano: bigint
  readonly format: 'BinarySI' | 'DecimalSI' | 'DecimalExponent'
}
const pattern = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+|)$/
const decimal: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const nanos = 1_000_000_000n
const max = (2n ** 63n - 1n) * nanos

export const quantityError = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/** Undefined when the text is no quantity. What is finer than 10⁻⁹ is rounded up, away from zero. */
export function parseQuantity(text: string | number): Quantity | undefined {
  const match = pattern.exec(String(text))
  if (!match) return undefined
  const [, sign, digits, suffix] = match as unknown as [string, string, string, string]
  const [whole = '', fraction = ''] = digits.split('.')
  let mantissa = BigInt(whole + fraction || '0')
  let exponent = 9 - fraction.length
  let format: Quantity['format'] = 'DecimalSI'
  if (suffix in binary) {
    format = 'BinarySI'
    mantissa <<= BigInt(binary[suffix] as number)
  } else if (suffix in decimal) exponent += decimal[suffix] as number
  else {
    format = 'DecimalExponent'
    exponent += Number(suffix.slice(1))
  }
  if (Math.abs(exponent) > 200) return undefined
  let nano: bigint
  if (exponent >= 0) nano = mantissa * 10n ** BigInt(exponent)
  else {
    const by = 10n ** BigInt(-exponent)
    nano = (mantissa + by - 1n) / by
  }
  if (nano > max) nano = max
  return { nano: sign === '-' ? -nano : nano, format }
}
/** The canonical text: `0.5` → `500m`, `1024Mi` → `1Gi`, `1000m` → `1`. */
export function formatQuantity(quantity: Quantity): string {
  const negative = quantity.nano < 0n
  const nano = negative ? -quantity.nano : quantity.nano
  if (nano === 0n) return '0'
  const sign = negative ? '-' : ''
  if (quantity.format === 'BinarySI' && nano >= 1024n * nanos) {
    let value = (nano + nanos - 1n) / nanos
    let step = 0
    while (step < 6 && value % 1024n === 0n) {
      value /= 1024n
      step += 1
    }
    return `${sign}${value}${['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'][step]}`
  }
  let value = nano
  let exponent = -9
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n
    exponent += 3
  }
  if (quantity.format === 'DecimalExponent') return `${sign}${value}${exponent === 0 ? '' : `e${exponent}`}`
  return `${sign}${value}${Object.keys(decimal).find((key) => decimal[key] === exponent)}`
}
/** canonical text, or undefined */
export function canonicalQuantity(text: string | number): string | undefined {
  const quantity = parseQuantity(text)
  return quantity && formatQuantity(quantity)
}
/** in 10⁻⁹; what is none or no quantity counts as 0 */
export const nanoOf = (text: string | number | undefined | null): bigint => parseQuantity(text ?? 0)?.nano ?? 0n
/** As a number, for what is not counted exactly; what is none or no quantity counts as 0. */
export function quantity(text: string | number | undefined | null): number {
  const nano = nanoOf(text)
  return nano % nanos === 0n ? Number(nano / nanos) : Number(nano) / 1e9
}
/** thousandths, rounded up, as cpu is counted */
export function milli(text: string | number | undefined | null): number {
  const nano = nanoOf(text)
  return Number(nano > 0n ? (nano + 999_999n) / 1_000_000n : nano / 1_000_000n)
}
/** An amount of a resource in 10⁻⁹ as text: memory and storage in powers of two, everything else in powers of ten. */
export const formatAmount = (nano: bigint, resource: string): string =>
  formatQuantity({ nano, format: /memory|storage|hugepages/.test(resource) ? 'BinarySI' : 'DecimalSI' })
/** -1, 0, 1; what is no quantity counts as 0 */
export function compareQuantities(a: string | number, b: string | number): number {
  const x = nanoOf(a)
  const y = nanoOf(b)
  return x < y ? -1 : x > y ? 1 : 0
}
