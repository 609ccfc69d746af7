// Randomness of a simulated cluster, seeded so that a lab can be played again. Not for secrets: keys and tokens come from node:crypto.

export interface Random {
  /** [0, 1) */
  next(): number
  /** whole number in [0, below) */
  int(below: number): number
  /** `length` letters as Kubernetes puts at the end of generated names (k8s.io/apimachinery/pkg/util/rand: no vowels, no 0, 1, 3) */
  suffix(length: number): string
  /** a random RFC 4122 UUID, version 4 */
  uuid(): string
  /** `length` hexadecimal digits */
  hex(length: number): string
}

const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** Marsaglia’s xorshift128, seeded by splitmix64; `seed` is any whole number. */
export function random(seed: number): Random {
  let state = BigInt.asUintN(64, BigInt(Math.trunc(seed)))
  const mix = () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n)
    let z = state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }
  let a = Number(mix() & 0xffffffffn) | 0
  let b = Number(mix() & 0xffffffffn) | 0
  let c = Number(mix() & 0xffffffffn) | 0
  let d = Number(mix() & 0xffffffffn) | 0 || 1
  const word = () => {
    const t = a ^ (a << 11)
    a = b
    b = c
    c = d
    d = d ^ (d >>> 19) ^ t ^ (t >>> 8)
    return d >>> 0
  }
  const int = (below: number) => Math.floor((word() / 4294967296) * below)
  const hex = (length: number) => Array.from({ length }, () => int(16).toString(16)).join('')
  return {
    next: () => word() / 4294967296,
    int,
    suffix: (length) => Array.from({ length }, () => letters[int(letters.length)]).join(''),
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[int(4)]}${hex(3)}-${hex(12)}`,
  }
}
