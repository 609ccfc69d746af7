// Resource quantities as numbers, and back in the form that the server prints. Knows nothing of what they measure.
// Source: apimachinery/pkg/api/resource/quantity.go

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}
/** NaN for what is none */
export function parseQuantity(text: unknown): number {
  const parts = /^([+-]?[0-9.]+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(String(text ?? ''))
  if (parts === null) return Number.NaN
  return Number(`${parts[1]}${parts[2] ?? ''}`) * (factors[parts[3] ?? ''] ?? Number.NaN)
}
export const compare = (a: unknown, b: unknown): number => parseQuantity(a) - parseQuantity(b)

/** An amount in its canonical form: memory and storage in powers of two, everything else in powers of ten. */
export function format(amount: number, resource: string): string {
  if (amount === 0) return '0'
  if (/memory|storage|hugepages/.test(resource)) {
    for (const unit of ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki']) {
      const factor = factors[unit] as number
      if (amount % factor === 0) return `${amount / factor}${unit}`
    }
    return String(Math.ceil(amount))
  }
  if (!Number.isInteger(amount)) return `${Math.round(amount * 1e3)}m`
  for (const unit of ['E', 'P', 'T', 'G', 'M', 'k']) {
    const factor = factors[unit] as number
    if (amount % factor === 0) return `${amount / factor}${unit}`
  }
  return String(amount)
}
