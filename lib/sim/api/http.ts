// HTTP side; see below.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { User } from '../kube.ts'
export class Http {
  constructor(options: {
    user(certificate: string | Uint8Array | undefined, authorization: string | undefined): User | null
    [key: string]: unknown
  }) {
    this.options = options
  }
  readonly options: unknown
  handle(_request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(503)
    response.end()
  }
  upgrade(_request: IncomingMessage, socket: Duplex, _head: Buffer): void {
    socket.destroy()
  }
  health(_path: string): string | undefined {
    return undefined
  }
  stop(): void {}
}
