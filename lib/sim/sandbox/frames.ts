// The frames between a tool that a real process has called and the lab: one letter, the length in four bytes, big-endian, then the payload. The clients
// (client.pl, client.mjs) speak the same. What comes from a place is not trusted: a frame that is too long or unknown ends the connection.

/** From the client. `hello` is NUL-separated: columns or 0, rows, 1 when input and output are a terminal and 2 when only the input is, working directory, number of arguments, arguments, environment. */
export const fromClient = {
  hello: 'H',
  input: 'I',
  inputEnd: 'E',
  signal: 'S',
  resize: 'W',
  connected: 'C',
  refused: 'N',
  data: 'D',
  dataEnd: 'F',
} as const
/** To the client. `give` asks for one piece of its input, `raw` makes its terminal raw, `become` is NUL-separated. */
export const toClient = { out: 'O', err: 'R', give: 'G', raw: 'M', become: 'B', exit: 'X', connect: 'c', data: 'd', dataEnd: 'f' } as const

export const maxPayload = 1024 * 1024
/** The kernel's own limit for arguments and environment is higher; nobody needs it for a tool. */
export const maxHello = 4 * 1024 * 1024

export function frame(type: string, payload: string | Uint8Array = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const head = Buffer.allocUnsafe(5)
  head.write(type, 0, 'latin1')
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** Cuts a stream into frames. `push` answers with an error's words when the stream is none of ours; it must then be closed. */
export function frames(emit: (type: string, payload: Buffer) => void): { push(chunk: Buffer): string | undefined } {
  let waiting: Buffer[] = []
  let size = 0
  const known = new Set<string>(Object.values(fromClient))
  return {
    push(chunk) {
      waiting.push(chunk)
      size += chunk.length
      while (size >= 5) {
        let all = waiting.length === 1 ? (waiting[0] as Buffer) : undefined
        // Only the head is looked at until all has come, so that many small pieces are not joined again and again.
        const head = all ?? ((waiting[0] as Buffer).length >= 5 ? (waiting[0] as Buffer) : Buffer.concat(waiting))
        const type = String.fromCharCode(head[0] as number)
        const length = head.readUInt32BE(1)
        if (!known.has(type)) return `unknown frame ${JSON.stringify(type)}`
        if (length > (type === fromClient.hello ? maxHello : maxPayload)) return `frame ${type} of ${length} bytes`
        if (size < 5 + length) return undefined
        all ??= Buffer.concat(waiting)
        const rest = all.subarray(5 + length)
        waiting = rest.length > 0 ? [rest] : []
        size = rest.length
        emit(type, all.subarray(5, 5 + length))
      }
      return undefined
    },
  }
}
