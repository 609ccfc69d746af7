// What every part of the kind adapter stands on: Docker, the grader, the records, the options. Knows nothing of what is done with it.
import { processes, type Runner } from '#lib/exec/index.ts'
import { Docker } from './docker.ts'
import { Grader } from './grader.ts'
import { checkOwner, Records } from './names.ts'
import type { KindOptions } from './options.ts'

export interface Ground {
  options: KindOptions
  owner: string
  docker: Docker
  grader: Grader
  records: Records
  runner: Runner
}

/** @throws LabError bad-request for an owner's name that cannot be a label */
export function groundOf(options: KindOptions): Ground {
  const owner = checkOwner(options.owner)
  const docker = new Docker(options.docker)
  return {
    options,
    owner,
    docker,
    grader: new Grader(docker, owner, options.images.grader),
    records: new Records(options.dataDir),
    runner: options.runner ?? processes,
  }
}
/** The environment in which the kind program is run: this Docker, this network, and nobody's kubeconfig. */
export const kindEnvironment = (ground: Ground, network?: string): Record<string, string | undefined> => ({
  DOCKER_HOST: `unix://${ground.docker.socketPath}`,
  DOCKER_CONTEXT: undefined,
  KIND_EXPERIMENTAL_PROVIDER: 'docker',
  KIND_EXPERIMENTAL_DOCKER_NETWORK: network,
  KUBECONFIG: undefined,
})
