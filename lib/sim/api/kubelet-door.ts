// What the API server asks of kubelets: logs, exec, attach, port-forward. The kubelet implements it; the API server carries the bytes to a client.
// Errors that a client must see are ApiErrors (400 `container "x" in pod "y" is waiting to start: ContainerCreating`, 404 …) or plain Errors (500).
import type { Failed, Opened } from '../net.ts'

export interface ContainerRef {
  namespace: string
  pod: string
  container: string
}
export interface LogOptions {
  follow: boolean
  previous: boolean
  timestamps: boolean
  /** epoch ms */
  since?: number
  tailLines?: number
  limitBytes?: number
}
export interface LogSink {
  /** resolves when more may be written; a slow client slows the source */
  write(bytes: Uint8Array | string): Promise<void> | void
  end(): void
}
export interface ExecRequest {
  command: readonly string[]
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}
/** One exec or attach as the kubelet sees it. */
export interface ExecStreams {
  /** ends when the client closes standard input; empty when it was not asked for */
  readonly stdin: AsyncIterable<Uint8Array>
  stdout(bytes: Uint8Array | string): void
  stderr(bytes: Uint8Array | string): void
  /** calls at once with the last known size, if any, then with every change */
  onResize(listener: (size: { cols: number; rows: number }) => void): void
  /** the client has gone */
  readonly signal: AbortSignal
}
export interface KubeletDoor {
  /** Resolves when all is written (with `follow`: when the container ended, or the signal aborts). Throws before the first byte what the client must see. */
  logs(node: string, ref: ContainerRef, options: LogOptions, sink: LogSink, signal: AbortSignal): Promise<void>
  /** The exit code. Throws when it could not be run: the message is what stands in the Status of the error channel. */
  exec(node: string, ref: ContainerRef, request: ExecRequest, streams: ExecStreams): Promise<number>
  attach(node: string, ref: ContainerRef, request: Omit<ExecRequest, 'command'>, streams: ExecStreams): Promise<number>
  /** who answers on this port inside the pod */
  open(node: string, pod: { namespace: string; pod: string }, port: number): Opened | Failed
  /** What the kubelet itself serves at a path, for nodes/proxy. Throws what the client must see when it does not answer. */
  page(node: string, path: string): { status: number; type: string; body: string }
}
