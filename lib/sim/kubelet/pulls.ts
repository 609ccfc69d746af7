// Getting one pod's images: by pull policy, with events in the kubelet's words, with back-off. Knows nothing of containers' states.
import type { KubeObject } from '../kube.ts'
import type { SimImage } from '../process.ts'
import { type Backoff, Backoffs } from './backoff.ts'
import { parseReference } from './images.ts'
import type { Kit } from './kit.ts'

/** `reason` and `message` of the waiting container. */
export class ImageFailure extends Error {
  readonly reason: string
  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}
export interface PullMemory {
  backoffs: [string, Backoff][]
  failed: [string, { at: number; words: string }][]
}

export class Pulls {
  readonly #kit: Pick<Kit, 'runtime' | 'clock' | 'event' | 'client' | 'serially'>
  readonly #backoffs: Backoffs
  /** the last failure, by image */
  readonly #failed: Map<string, { at: number; words: string }>

  constructor(kit: Pick<Kit, 'runtime' | 'clock' | 'event' | 'client' | 'serially' | 'config'>, memory?: PullMemory) {
    this.#kit = kit
    this.#backoffs = new Backoffs(kit.config.imageMaximumBackoffMs, memory?.backoffs)
    this.#failed = new Map(memory?.failed)
  }
  save(): PullMemory {
    return { backoffs: this.#backoffs.save(), failed: [...this.#failed] }
  }

  /**
   * The image that a container is to be started with, pulled when that is asked for. `say`: an event of the container.
   * @throws ImageFailure
   */
  async image(
    pod: KubeObject,
    container: KubeObject,
    say: (type: 'Normal' | 'Warning', reason: string, message: string) => void,
  ): Promise<SimImage> {
    const { runtime, clock } = this.#kit
    const name: string = container.image
    let full: string
    try {
      full = parseReference(name).full
    } catch (error) {
      const words = `Failed to apply default image tag ${JSON.stringify(name)}: couldn't parse image name ${JSON.stringify(name)}: ${(error as Error).message}`
      say('Warning', 'InspectFailed', words)
      say('Warning', 'Failed', 'Error: InvalidImageName')
      throw new ImageFailure('InvalidImageName', words)
    }
    const policy = container.imagePullPolicy ?? (full.endsWith(':latest') ? 'Always' : 'IfNotPresent')
    const there = runtime.imageStatus(name)
    if (policy === 'Never' && !there) {
      const words = `Container image ${JSON.stringify(name)} is not present with pull policy of Never`
      say('Warning', 'ErrImageNeverPull', words)
      say('Warning', 'Failed', 'Error: ErrImageNeverPull')
      throw new ImageFailure('ErrImageNeverPull', words)
    }
    if (there && policy !== 'Always') {
      say('Normal', 'Pulled', `Container image ${JSON.stringify(name)} already present on machine and can be accessed by the pod`)
      return there
    }
    const now = clock.now()
    if (this.#inBackoff(name, now)) {
      const words = `Back-off pulling image ${JSON.stringify(name)}`
      say('Normal', 'BackOff', words)
      say('Warning', 'Failed', 'Error: ImagePullBackOff')
      throw new ImageFailure('ImagePullBackOff', `${words}: ErrImagePull: ${this.#failed.get(name)?.words}`)
    }
    const secrets = this.#missingSecrets(pod)
    if (secrets.length)
      this.#kit.event(
        pod,
        'Warning',
        'FailedToRetrieveImagePullSecret',
        `Unable to retrieve some image pull secrets (${secrets.join(', ')}); attempting to pull the image may not succeed.`,
      )
    say('Normal', 'Pulling', `Pulling image ${JSON.stringify(name)}`)
    const asked = clock.now()
    try {
      let started = asked
      const image = await this.#kit.serially(() => {
        started = clock.now()
        return runtime.pull(name)
      })
      const duration = (ms: number) => (ms < 1000 ? `${ms}ms` : `${(ms / 1000).toFixed(3).replace(/\.?0+$/, '')}s`)
      const [took, waited] = [duration(clock.now() - started), duration(clock.now() - asked)]
      say(
        'Normal',
        'Pulled',
        `Successfully pulled image ${JSON.stringify(name)} in ${took} (${waited} including waiting). Image size: ${image.sizeBytes} bytes.`,
      )
      this.#failed.delete(name)
      return image
    } catch (error) {
      const words = (error as Error).message
      say('Warning', 'Failed', `Failed to pull image ${JSON.stringify(name)}: ${words}`)
      say('Warning', 'Failed', 'Error: ErrImagePull')
      this.#backoffs.next(name, clock.now())
      this.#failed.set(name, { at: clock.now(), words })
      throw new ImageFailure('ErrImagePull', words)
    }
  }
  #inBackoff(name: string, now: number): boolean {
    const failed = this.#failed.get(name)
    return failed !== undefined && this.#backoffs.left(name, failed.at, now) > 0
  }
  #missingSecrets(pod: KubeObject): string[] {
    try {
      return (pod.spec.imagePullSecrets ?? [])
        .map((one: KubeObject) => one.name)
        .filter((name: string) => !this.#kit.client().find('v1/secrets', name, pod.metadata.namespace))
    } catch {
      return []
    }
  }
}
