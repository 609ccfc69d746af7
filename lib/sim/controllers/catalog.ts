// Which resources the API has, built-in and custom, for the controllers that deal with all of them: garbage collection, namespaces, quota.
import type { KubeObject, Resource } from '../kube.ts'
import { resources } from '../schema/index.ts'
import type { Run } from './context.ts'
import { condition } from './objects.ts'

export interface Kind {
  resource: Resource
  /** `apps`; '' is the core group */
  group: string
  /** plural name */
  name: string
  apiVersion: string
  kind: string
  namespaced: boolean
}

/** built-in resources that can be listed, watched and deleted, each once, in the version in which it is kept */
const builtIn: readonly Kind[] = resources()
  .filter((one) => one.storageVersion !== false && ['list', 'watch', 'delete'].every((verb) => one.verbs.includes(verb)))
  .map(({ group, version, resource, kind, namespaced }) => ({
    resource: group === '' ? `${version}/${resource}` : `${group}/${version}/${resource}`,
    group,
    name: resource,
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    namespaced,
  }))

function custom(definition: KubeObject): Kind | undefined {
  if (condition(definition, 'Established')?.status !== 'True') return undefined
  const { group, names, scope, versions } = definition.spec
  const version =
    (versions ?? []).find((one: KubeObject) => one.storage && one.served) ?? (versions ?? []).find((one: KubeObject) => one.served)
  if (version === undefined) return undefined
  return {
    resource: `${group}/${version.name}/${names.plural}`,
    group,
    name: names.plural,
    apiVersion: `${group}/${version.name}`,
    kind: names.kind,
    namespaced: scope === 'Namespaced',
  }
}
const definitions = 'apiextensions.k8s.io/v1/customresourcedefinitions'

export function kinds(run: Run): Kind[] {
  return [...builtIn, ...run.list(definitions).flatMap((one) => custom(one) ?? [])]
}
/** the resource that an ownerReference speaks of, whatever its version; undefined when the API has none */
export function kindOf(run: Run, apiVersion: string, kind: string): Kind | undefined {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const own = builtIn.find((one) => one.group === group && one.kind === kind)
  if (own !== undefined) return own
  for (const one of run.seen(definitions).values()) {
    const found = one.spec.group === group && one.spec.names.kind === kind ? custom(one) : undefined
    if (found !== undefined) return found
  }
  return undefined
}
/** Calls `come` for every kind there is and will be, `go` when one is served no more. */
export function followKinds(run: Run, come: (kind: Kind) => void, go: (kind: Kind) => void): void {
  for (const one of builtIn) come(one)
  const known = new Map<string, Kind>()
  const look = (definition: KubeObject) => {
    const now = definition.metadata.deletionTimestamp ? undefined : custom(definition)
    const before = known.get(definition.metadata.name)
    if (now?.resource === before?.resource) return
    if (before !== undefined) go(before)
    known.delete(definition.metadata.name)
    if (now === undefined) return
    known.set(definition.metadata.name, now)
    come(now)
  }
  run.watch(definitions, {
    added: look,
    updated: look,
    deleted: (definition) => {
      const before = known.get(definition.metadata.name)
      known.delete(definition.metadata.name)
      if (before !== undefined) go(before)
    },
  })
}
