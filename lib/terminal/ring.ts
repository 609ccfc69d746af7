// The newest bytes of a stream, addressed by their absolute offset. Knows nothing of terminals.

/** A ring of at most `capacity` bytes that grows as it fills. Invariant: bytes [start, end) of the stream are held. */
export class Ring {
  readonly #capacity: number
  #buffer: Buffer
  #end: number
  #size = 0

  /** @param offset of the first byte that will be pushed */
  constructor(capacity: number, offset = 0) {
    this.#capacity = capacity
    this.#buffer = Buffer.alloc(Math.min(capacity, 64 * 1024))
    this.#end = offset
  }
  get start(): number {
    return this.#end - this.#size
  }
  get end(): number {
    return this.#end
  }

  push(bytes: Uint8Array): void {
    const kept = bytes.byteLength > this.#capacity ? bytes.subarray(bytes.byteLength - this.#capacity) : bytes
    this.#grow(Math.min(this.#capacity, this.#size + kept.byteLength))
    this.#end += bytes.byteLength - kept.byteLength
    if (kept !== bytes) this.#size = 0
    const at = this.#end % this.#buffer.byteLength
    const first = Math.min(kept.byteLength, this.#buffer.byteLength - at)
    this.#buffer.set(kept.subarray(0, first), at)
    if (first < kept.byteLength) this.#buffer.set(kept.subarray(first), 0)
    this.#end += kept.byteLength
    this.#size = Math.min(this.#capacity, this.#size + kept.byteLength)
  }

  /** Starts anew at `offset`, for when bytes in between are gone. */
  jump(offset: number): void {
    this.#end = offset
    this.#size = 0
  }

  /** A copy of at most `max` bytes from `offset` on, which must lie within [start, end]. */
  read(offset: number, max: number): Uint8Array {
    const length = Math.min(max, this.#end - offset)
    const out = new Uint8Array(length)
    const at = offset % this.#buffer.byteLength
    const first = Math.min(length, this.#buffer.byteLength - at)
    out.set(this.#buffer.subarray(at, at + first), 0)
    if (first < length) out.set(this.#buffer.subarray(0, length - first), first)
    return out
  }

  #grow(needed: number): void {
    if (needed <= this.#buffer.byteLength) return
    let size = this.#buffer.byteLength
    while (size < needed) size *= 2
    size = Math.min(size, this.#capacity)
    const start = this.start
    const held = this.read(start, this.#size)
    this.#buffer = Buffer.alloc(size)
    const at = start % size
    const first = Math.min(held.byteLength, size - at)
    this.#buffer.set(held.subarray(0, first), at)
    this.#buffer.set(held.subarray(first), 0)
  }
}
