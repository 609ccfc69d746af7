// What the parts that work on one pod have of their kubelet. Interface only.
import type { Clock } from '../clock.ts'
import type { Client, KubeObject } from '../kube.ts'
import type { Machine } from '../machine.ts'
import type { Network } from '../net.ts'
import type { Random } from '../random.ts'
import type { Configuration } from './config.ts'
import type { Runtime } from './types.ts'

/** What a worker has of its kubelet. */
export interface Kit {
  machine: Machine
  runtime: Runtime
  network: Network
  clock: Clock
  random: Random
  config: Configuration
  nodeName: string
  hostIP: string
  client(): Client
  event(pod: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void
  /** a klog line: severity, file and line, text */
  log(severity: 'I' | 'W' | 'E', file: string, text: string): void
  /** `container runtime network not ready: …` as last seen, undefined when it is ready */
  networkError(): string | undefined
  /** one after another, as the kubelet pulls images (serializeImagePulls) */
  serially<T>(run: () => Promise<T>): Promise<T>
  /** everything of a pod has ended */
  ended(uid: string): void
}
