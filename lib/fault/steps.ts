// Typed steps that prepare a lab and break it, each with its inverse where one exists. Knows nothing of which scenario asks, or of grading.
// Objects are changed as kubectl would change them, so that nothing a learner can see names the fault.
import { parseAllDocuments } from 'yaml'
import { type Api, ApiError, type Cluster, clockOf, deadline, type KubeObject, type LabClock, type ObjectRef } from '#lib/cluster/index.ts'
import { expectedOf, nextLook, observe, open, watchObjects } from '#lib/grade/index.ts'
import { LabError, type Place } from '#lib/protocol/index.ts'
import { type Condition, conditionOf, type Step, stepOf } from '#lib/scenario/index.ts'

/** How to take one step back. Plain data, kept with the session. */
export type Undo =
  | { kind: 'object'; ref: ObjectRef; before: KubeObject | null }
  | { kind: 'file'; at: Place; path: string; before: string | null }
  | { kind: 'unit'; node: Place; argv: string[] }
  | { kind: 'exec'; at: Place; argv: string[] }

export interface StepContext {
  cluster: Cluster
  api: Api
  signal: AbortSignal
  progress: (detail: string) => void
}

/** Does the step; what is returned takes it back, last first. @throws LabError fault-not-injected, timeout, cancelled */
export async function perform(step: Step, context: StepContext): Promise<Undo[]> {
  const { api, cluster, signal } = context
  const { kind, body } = stepOf(step)
  if (signal.aborted) throw new LabError('cancelled', 'Cancelled.')
  switch (kind) {
    case 'apply': {
      const undo: Undo[] = []
      for (const object of manifestsOf(body as string)) {
        const ref = refOf(object)
        undo.push({ kind: 'object', ref, before: await current(api, ref, signal) })
        await retried(() => api.put(object, { signal }), clockOf(cluster), signal)
        context.progress(`${object.kind} ${object.metadata?.name}`)
      }
      return undo
    }
    case 'delete': {
      const objects =
        body.name === undefined ? await api.list(body, { signal }) : [await api.get(body, { signal })].filter((one) => one !== null)
      if (objects.length === 0) throw new LabError('fault-not-injected', `There is no ${body.kind} ${body.name ?? ''} to delete.`)
      for (const object of objects) await api.delete({ ...refOf(object), apiVersion: body.apiVersion, kind: body.kind }, { signal })
      return objects.map((before) => ({
        kind: 'object',
        ref: { ...refOf(before), apiVersion: body.apiVersion, kind: body.kind },
        before: bare(before),
      }))
    }
    case 'patch': {
      const before = await present(api, body, signal)
      await api.patch(body, body.type, body.patch, { signal })
      return [{ kind: 'object', ref: refOf(before), before: bare(before) }]
    }
    case 'scale': {
      const before = await present(api, body, signal)
      await api.patch(body, 'merge', { spec: { replicas: body.replicas } }, { signal })
      return [{ kind: 'object', ref: refOf(before), before: bare(before) }]
    }
    case 'edit': {
      const before = await present(api, body, signal)
      const text = body.field.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], before)
      if (typeof text !== 'string')
        throw new LabError('fault-not-injected', `${body.kind} ${body.name} has no text at ${body.field.join('.')}.`)
      const patch = body.field.reduceRight<unknown>(
        (value, name) => ({ [name]: value }),
        edited(text, body.replace, `${body.kind} ${body.name}`),
      )
      await api.patch(body, 'merge', patch, { signal })
      return [{ kind: 'object', ref: refOf(before), before: bare(before) }]
    }
    case 'restart': {
      const names = body.nodes?.map((place) => nodeName(cluster, place))
      const pods = (
        await api.list({ apiVersion: 'v1', kind: 'Pod', namespace: body.namespace, selector: body.selector }, { signal })
      ).filter((pod) => names === undefined || names.includes(pod.spec.nodeName))
      if (pods.length === 0)
        throw new LabError('fault-not-injected', `No pod in ${body.namespace} matches ${JSON.stringify(body.selector)}.`)
      for (const pod of pods) await api.delete({ ...refOf(pod), apiVersion: 'v1', kind: 'Pod' }, { signal, graceSeconds: 1 })
      await until(
        async () => {
          const left = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace: body.namespace, selector: body.selector }, { signal })
          return !left.some((pod) => pods.some((old) => old.metadata.uid === pod.metadata.uid))
        },
        60_000,
        clockOf(cluster),
        signal,
        `the pods of ${body.namespace} to be replaced`,
      )
      return []
    }
    case 'file': {
      const at = body.at
      const read = async (path: string): Promise<string | null> =>
        cluster
          .readFile(at, path)
          .then((bytes) => Buffer.from(bytes).toString('base64'))
          .catch((error: unknown) => {
            if (error instanceof LabError && error.code === 'not-found') return null
            throw error
          })
      const before = await read(body.path)
      const undo: Undo[] = [{ kind: 'file', at, path: body.path, before }]
      const options = body.mode === undefined ? {} : { mode: Number.parseInt(body.mode, 8) }
      if (body.copy) await cluster.writeFile(at, body.path, await cluster.readFile(body.copy.at, body.copy.path), options)
      else if (body.content !== undefined) await cluster.writeFile(at, body.path, Buffer.from(body.content as string), options)
      else {
        if (before === null) throw new LabError('fault-not-injected', `There is no ${body.path} on ${at}.`)
        const bytes = Buffer.from(before, 'base64')
        if (body.replace)
          await cluster.writeFile(at, body.path, Buffer.from(edited(bytes.toString('utf8'), body.replace, body.path)), options)
        else {
          if (body.moveTo) {
            undo.push({ kind: 'file', at, path: body.moveTo, before: await read(body.moveTo) })
            await cluster.writeFile(at, body.moveTo, bytes, options)
          }
          await ran(cluster, at, ['rm', '-f', '--', body.path], signal)
        }
      }
      return undo
    }
    case 'unit': {
      const inverse = {
        restart: null,
        stop: 'start',
        start: 'stop',
        disable: 'enable',
        enable: 'disable',
        mask: 'unmask',
        unmask: 'mask',
      } as const
      const back = inverse[body.action]
      await ran(cluster, body.node, ['systemctl', body.action, body.name], signal)
      return back === null ? [] : [{ kind: 'unit', node: body.node, argv: ['systemctl', back, body.name] }]
    }
    case 'exec': {
      await ran(cluster, body.at, body.argv, signal)
      return body.undo ? [{ kind: 'exec', at: body.at, argv: body.undo }] : []
    }
    case 'wait':
      await untilHolds([body], step.within, context)
      return []
  }
}

/** Takes steps back, last first; what fails is collected, the rest is still done. */
export async function takeBack(undo: readonly Undo[], context: Omit<StepContext, 'progress'>): Promise<Error[]> {
  const failures: Error[] = []
  for (const one of undo.toReversed()) {
    try {
      if (one.kind === 'object') {
        if (one.before === null) await context.api.delete(one.ref, { signal: context.signal })
        else await context.api.put(one.before, { signal: context.signal })
      } else if (one.kind === 'file') {
        if (one.before === null) await ran(context.cluster, one.at, ['rm', '-f', '--', one.path], context.signal)
        else await context.cluster.writeFile(one.at, one.path, Buffer.from(one.before, 'base64'))
      } else await ran(context.cluster, one.kind === 'unit' ? one.node : one.at, one.argv, context.signal)
    } catch (error) {
      failures.push(error as Error)
    }
  }
  return failures
}

/**
 * Waits until all conditions are seen at the same time; looks again when an object changed, at the latest every 1.5 s.
 * @throws LabError timeout naming what is not seen and what is there instead
 */
export async function untilHolds(conditions: readonly Condition[], seconds: number, context: StepContext): Promise<void> {
  const { cluster, api, signal } = context
  const clock = clockOf(cluster)
  const late = deadline(clock, seconds * 1000)
  const eyes = open({ cluster, api, handover: null })
  const inner = new AbortController()
  const all = AbortSignal.any([signal, inner.signal])
  const next = nextLook(clock, { soon: 200, beat: 1500 }, all)
  watchObjects(api, conditions, next.changed, all)
  try {
    for (;;) {
      const seen = await Promise.all(
        conditions.map(async (condition) => {
          const what = conditionOf(condition)
          const observation = await observe(what, { ...eyes, signal })
          return { holds: observation.holds, text: `${expectedOf(what).en}: ${observation.actual.en}` }
        }),
      )
      const left = seen.filter((one) => !one.holds)
      if (left.length === 0) return
      context.progress(`${seen.length - left.length} of ${seen.length}: ${left[0]?.text}`)
      if (signal.aborted) throw new LabError('cancelled', 'Cancelled.')
      if (late()) throw new LabError('timeout', `Not seen within ${seconds} s: ${left.map((one) => one.text).join('; ')}`)
      await next.wait()
    }
  } finally {
    inner.abort()
    await eyes.canaries.dispose()
  }
}

function edited(text: string, replace: readonly { find: string; with: string }[], where: string): string {
  return replace.reduce((current, entry) => {
    const pattern = new RegExp(entry.find, 'mu')
    if (!pattern.test(current))
      throw new LabError('fault-not-injected', `Nothing in ${where} matches /${entry.find}/.`, {
        hint: 'The cluster is not what the scenario was written for.',
      })
    return current.replace(pattern, entry.with)
  }, text)
}
export function manifestsOf(text: string): KubeObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((object) => object !== null && object !== undefined)
}
const refOf = (object: KubeObject): ObjectRef => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  namespace: object.metadata?.namespace,
  name: object.metadata?.name,
})
/** An object as it could be created again: what the server filled in is gone. */
function bare(object: KubeObject): KubeObject {
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _created,
    generation: _generation,
    managedFields: _fields,
    selfLink: _link,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    ...metadata
  } = object.metadata
  const { status: _status, ...rest } = object
  return { ...rest, metadata }
}
async function current(api: Api, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | null> {
  const object = await api.get(ref, { signal }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  })
  return object === null ? null : bare(object)
}
async function present(api: Api, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject> {
  const object = await api.get(ref, { signal })
  if (object === null)
    throw new LabError('fault-not-injected', `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name} is not there.`, {
      hint: 'The cluster is not what the scenario was written for.',
    })
  return object
}
function nodeName(cluster: Cluster, place: string): string {
  const node = cluster.nodes.find((one) => one.place === place)
  if (!node) throw new LabError('scenario-invalid', `The cluster has no node ${place}.`)
  return node.name
}
async function ran(cluster: Cluster, at: Place, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await cluster.exec(at, argv, { signal, timeoutMs: 60_000, ...(at === 'workstation' ? {} : { user: 'root' }) })
  if (result.exitCode !== 0)
    throw new LabError(
      'fault-not-injected',
      `\`${argv.join(' ')}\` on ${at} ended with ${result.exitCode}: ${(result.stderr || result.stdout).trim().slice(0, 300)}`,
    )
}
/** A new namespace has no default service account for a moment, and a webhook or API server may just be starting. */
async function retried<T>(action: () => Promise<T>, clock: LabClock, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action()
    } catch (error) {
      const passing =
        error instanceof ApiError &&
        (error.status === 409 || error.status >= 500 || (error.status === 403 && /service account|serviceaccount/.test(error.message)))
      if (!passing || attempt >= 8 || signal.aborted) throw error
      await clock.wait(250 * attempt, signal)
    }
  }
}
async function until(done: () => Promise<boolean>, ms: number, clock: LabClock, signal: AbortSignal, what: string): Promise<void> {
  const late = deadline(clock, ms)
  while (!(await done())) {
    if (signal.aborted) throw new LabError('cancelled', 'Cancelled.')
    if (late()) throw new LabError('timeout', `Waited ${ms / 1000} s for ${what}.`)
    await clock.wait(400, signal)
  }
}
