// What the machine is asked to have: the Kubernetes version, the images' names, the cache folder, where tools are looked for.
// Reads settings from an environment that is handed in. Knows nothing of what is really there.
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { LabError } from '#lib/protocol/index.ts'
import { type Machine, thisMachine } from './machine.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The version the exam runs. */
const defaultKubernetes = 'v1.35.4'

/** KUBEMEND_KUBERNETES, e.g. v1.35.4 (the default). @throws LabError bad-request when it is not a full version */
export function kubernetesVersion(env: Env = process.env): string {
  const version = env.KUBEMEND_KUBERNETES || defaultKubernetes
  if (!/^v1\.\d{1,3}\.\d{1,3}$/.test(version)) {
    throw new LabError('bad-request', `KUBEMEND_KUBERNETES is ${JSON.stringify(version)}, which is not a full Kubernetes version.`, {
      hint: `Write it like ${defaultKubernetes}.`,
    })
  }
  return version
}

export interface Images {
  node: string
  workstation: string
  grader: string
}
/** The names under which set-up leaves the images in Docker; all three carry the Kubernetes version as their tag. */
export function images(env: Env = process.env): Images {
  const version = kubernetesVersion(env)
  return { node: `kubemend/node:${version}`, workstation: `kubemend/workstation:${version}`, grader: `kubemend/grader:${version}` }
}

/** What is kept outside the checkout: KUBEMEND_CACHE, else kubemend under XDG_CACHE_HOME, else ~/.cache/kubemend. */
export const cacheFolder = (env: Env = process.env): string =>
  resolve(env.KUBEMEND_CACHE || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'kubemend'))

/** Where set-up puts tools that the machine lacks. */
export const toolFolder = (env: Env = process.env): string => join(cacheFolder(env), 'bin')

/** The absolute path of a tool: the first in PATH, else the one that set-up put into the cache; undefined when there is none. */
export async function findTool(name: string, machine: Machine = thisMachine): Promise<string | undefined> {
  const folders = (machine.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'))
  for (const folder of [...folders, toolFolder(machine.env)]) {
    const path = join(folder, name)
    if (await machine.executable(path)) return path
  }
  return undefined
}
