// Looks once at one condition and says what is expected, what is there, and shows its evidence. A condition that does not hold is
// data; that we could not look is the exception `CannotLook`. Knows nothing of holds, weights or scores.
import { Environment } from '@marcbachmann/cel-js'
import { parse as parseYaml } from 'yaml'
import {
  type Api,
  ApiError,
  type Cluster,
  clockOf,
  type KubeObject,
  type ProbeResult,
  type Target,
  type Vantage,
} from '#lib/cluster/index.ts'
import { LabError, type Text } from '#lib/protocol/index.ts'
import type { AnyCondition, ConditionKind } from '#lib/scenario/index.ts'
import { type Canaries, canaries } from './canary.ts'
import { compareWithHandover, type Handover } from './harmless.ts'
import { mismatch } from './match.ts'
import { expectedOf, labels, notThere, plain, refText, say } from './words.ts'

export interface Evidence {
  label: string
  text: string
}
export interface Observation {
  holds: boolean
  /** one line each */
  expected: Text
  actual: Text
  evidence: Evidence[]
  /** still on its way (a rollout in progress): a negative verdict would be early */
  moving?: boolean
  /** which one it is that was seen: when another one has taken its place, what must hold begins anew */
  of?: string
}
/** Our side failed (host, Docker, the grader): nothing was learnt about the cluster. */
export class CannotLook extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'CannotLook'
  }
}
export interface Eyes {
  cluster: Cluster
  api: Api
  /** null before the lab is handed over */
  handover: Handover | null
  canaries: Canaries
  signal?: AbortSignal | undefined
}

/** Eyes for a while; whoever opens them disposes of their canaries. */
export const open = (on: { cluster: Cluster; api: Api; handover: Handover | null }): Eyes => ({
  ...on,
  canaries: canaries(on.api, clockOf(on.cluster)),
})

const maxEvidence = 1200
const clip = (text: string, max = maxEvidence): string => (text.length > max ? `${text.slice(0, max)}…` : text)
const oneLine = (text: string): string => clip(text.replaceAll(/\s+/g, ' ').trim(), 300)
const asExpected = say('as expected', '올바릅니다')
const found = (names: string): Text => say(`there: ${names}`, `있음: ${names}`)
const cel = new Environment({ unlistedVariablesAreDyn: true })

/** The value, undefined where the object does not have what the expression reads (a field missing, another type): then nothing holds. Lint has parsed it before. */
function evaluate(expression: string, variables: Record<string, unknown>): unknown {
  try {
    return cel.evaluate(expression, variables)
  } catch {
    return undefined
  }
}
function show(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value.toString()
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? 'nothing'
}
type Observer<K extends ConditionKind> = (body: Extract<AnyCondition, { kind: K }>['body'], eyes: Eyes) => Promise<Observation>
type Observers = { [K in ConditionKind]: Observer<K> }

/**
 * One look. A cluster that its learner left unreachable is an observation (it does not hold); Docker or the grader gone is CannotLook.
 * @throws CannotLook; LabError cancelled
 */
export async function observe(condition: AnyCondition, eyes: Eyes): Promise<Observation> {
  try {
    const observer = observers[condition.kind] as Observer<ConditionKind>
    return await observer(condition.body as never, eyes)
  } catch (error) {
    if (eyes.signal?.aborted) throw new LabError('cancelled', 'Grading was cancelled.', { cause: error })
    if (error instanceof CannotLook) throw error
    if (error instanceof ApiError && (error.status === 401 || error.status === 403 || error.status >= 500))
      return unreachable(condition, `the API server answered ${error.status}: ${oneLine(error.message)}`)
    const code = error instanceof LabError ? error.code : undefined
    if (code === 'cluster-unreachable' || (error instanceof ApiError && error.status === 404)) {
      // The machines may be gone, or the learner may have cut the API off: health tells them apart.
      const health = await eyes.cluster
        .health(eyes.signal)
        .catch((cause: Error) => ({ state: 'backend-gone' as const, message: cause.message, hint: '' }))
      if (health.state === 'backend-gone') throw new CannotLook(health.message, error)
      return unreachable(condition, error instanceof Error ? oneLine(error.message) : 'no answer')
    }
    throw new CannotLook(error instanceof Error ? oneLine(error.message) : String(error), error)
  }
}

const unreachable = (condition: AnyCondition, message: string): Observation => ({
  holds: false,
  expected: expectedOf(condition),
  actual: say(`the cluster cannot be asked: ${message}`, `클러스터에 물어볼 수 없습니다: ${message}`),
  evidence: [{ label: 'API server', text: message }],
})

// ---- where from, where to
interface Spot {
  name: string
  vantage: Vantage
}
async function spots(from: Extract<AnyCondition, { kind: 'reach' }>['body']['from'], eyes: Eyes): Promise<Spot[]> {
  if ('nodes' in from) {
    const { nodes } = from
    return eyes.cluster.nodes
      .filter((node) => nodes === 'all' || (nodes === 'workers' ? node.role === 'worker' : nodes.includes(node.place)))
      .map((node) => ({ name: node.name, vantage: node.place }))
  }
  const pods = await runningPods(from.pods, eyes)
  const wanted = from.pods.nodes?.map((place) => eyes.cluster.nodes.find((node) => node.place === place)?.name)
  return pods
    .filter((pod) => wanted === undefined || wanted.includes(pod.spec.nodeName))
    .map((pod) => ({
      name: `${pod.metadata.name} on ${pod.spec.nodeName}`,
      vantage: { namespace: pod.metadata.namespace, pod: pod.metadata.name },
    }))
}
async function runningPods(ref: { namespace: string; selector: Record<string, string> }, eyes: Eyes): Promise<KubeObject[]> {
  const pods = await eyes.api.list(
    { apiVersion: 'v1', kind: 'Pod', namespace: ref.namespace, selector: ref.selector },
    { signal: eyes.signal },
  )
  return pods.filter((pod) => pod.status?.phase === 'Running' && !pod.metadata.deletionTimestamp)
}
/** host and port of each target; words are why there is none */
async function addresses(
  to: Extract<AnyCondition, { kind: 'reach' }>['body']['to'],
  eyes: Eyes,
): Promise<{ host: string; port: number }[] | Text> {
  if ('host' in to) return [{ host: to.host, port: to.port }]
  if ('node' in to) {
    const node = eyes.cluster.nodes.find((one) => one.place === to.node)
    return node ? [{ host: node.address, port: to.port }] : notThere(to.node)
  }
  if ('pods' in to) {
    const pods = (await runningPods(to.pods, eyes)).filter((pod) => pod.status.podIP)
    return pods.length > 0
      ? pods.map((pod) => ({ host: pod.status.podIP, port: to.port }))
      : say('no such pod is running', '실행 중인 해당 파드가 없습니다')
  }
  const service = to.fresh
    ? await eyes.canaries.like(to.service, eyes.signal)
    : await eyes.api.get({ apiVersion: 'v1', kind: 'Service', ...to.service }, { signal: eyes.signal })
  if (!service) return notThere(`Service ${to.service.namespace}/${to.service.name}`)
  const port = service.spec.ports?.find((one: KubeObject) => one.port === to.port || one.name === to.port)
  if (!port) return say(`service ${to.service.name} has no port ${to.port}`, `서비스 ${to.service.name}에 포트 ${to.port}이(가) 없습니다`)
  if (!service.spec.clusterIP || service.spec.clusterIP === 'None')
    return say(`service ${to.service.name} has no cluster IP`, `서비스 ${to.service.name}에 클러스터 IP가 없습니다`)
  return [{ host: service.spec.clusterIP, port: port.port }]
}

/** Asks from every spot and joins the answers. */
async function fromEach(
  from: Extract<AnyCondition, { kind: 'reach' }>['body']['from'],
  quantifier: 'every' | 'any',
  eyes: Eyes,
  ask: (spot: Spot) => Promise<{ good: boolean; line: string; detail?: string }[]>,
): Promise<Pick<Observation, 'holds' | 'actual' | 'evidence'>> {
  const places = await spots(from, eyes)
  if (places.length === 0)
    return {
      holds: false,
      actual:
        'nodes' in from
          ? say('nobody to ask from: no such node', '확인할 노드가 없습니다')
          : say('nobody to ask from: no such running pod', '확인할 실행 중인 파드가 없습니다'),
      evidence: [],
    }
  const answers = (
    await Promise.all(places.map(async (spot) => (await ask(spot)).map((answer) => ({ ...answer, spot: spot.name }))))
  ).flat()
  const good = answers.filter((answer) => answer.good).length
  const bad = answers.filter((answer) => !answer.good)
  const holds = quantifier === 'every' ? bad.length === 0 : good > 0
  const failing = bad
    .slice(0, 3)
    .map((answer) => `${answer.spot}: ${answer.line}`)
    .join('; ')
  const actual =
    bad.length === 0
      ? say(oneLine(`yes, from all ${answers.length}: ${answers[0]?.line}`), oneLine(`${answers.length}곳 모두 확인: ${answers[0]?.line}`))
      : say(oneLine(`${good} of ${answers.length}; ${failing}`), oneLine(`${answers.length}곳 중 ${good}곳; ${failing}`))
  return {
    holds,
    actual,
    evidence: answers
      .slice(0, 12)
      .map((answer) => ({ label: answer.spot, text: clip(answer.detail ? `${answer.line}: ${answer.detail}` : answer.line, 400) })),
  }
}
const asked = (eyes: Eyes, spot: Spot, target: Target): Promise<ProbeResult | string> =>
  eyes.cluster.probe(spot.vantage, target, eyes.signal).catch((error: unknown) => {
    // A pod that went away between the list and the look is a thing seen, not a failure of ours.
    if (error instanceof LabError && error.code === 'not-found') return `gone: ${error.message}`
    throw error
  })

const observers: Observers = {
  async resource(body, eyes) {
    const expected = expectedOf({ kind: 'resource', body })
    const nodes = eyes.cluster.nodes.length
    const label = `kubectl get ${body.kind.toLowerCase()}${body.namespace ? ` -n ${body.namespace}` : ''}${
      body.name ? ` ${body.name}` : body.selector ? ` -l ${labels(body.selector)}` : ''
    }`
    if (body.name) {
      const object = await eyes.api.get(body, { signal: eyes.signal })
      if (!object) return { holds: false, expected, actual: notThere(refText(body)), evidence: [{ label, text: 'not found' }] }
      const why = body.match === undefined ? null : mismatch(body.match, object)
      const value = body.expect === undefined ? true : evaluate(body.expect, { object, nodes })
      const actual = body.show
        ? plain(oneLine(show(evaluate(body.show, { object, nodes }))))
        : why === null && value === true
          ? asExpected
          : plain(oneLine(why ?? summary(object)))
      return {
        holds: why === null && value === true,
        expected,
        actual,
        evidence: [{ label, text: clip(JSON.stringify(object.status ?? strip(object), null, 1)) }],
        moving: rolling(object),
      }
    }
    const objects = await eyes.api.list(body, { signal: eyes.signal })
    const missing =
      body.match === undefined
        ? null
        : objects.length === 0
          ? 'there is none'
          : (objects.map((object) => mismatch(body.match, object)).find((why) => why !== null) ?? null)
    const value = body.expect === undefined ? true : evaluate(body.expect, { objects, nodes })
    const actual = body.show
      ? plain(oneLine(show(evaluate(body.show, { objects, nodes }))))
      : objects.length === 0
        ? say('there is none', '하나도 없습니다')
        : plain(oneLine(missing ?? objects.map(summary).join('; ')))
    return {
      holds: missing === null && value === true,
      expected,
      actual,
      evidence: objects.slice(0, 8).map((object) => ({ label: `${object.metadata.name}`, text: clip(summary(object), 300) })),
      moving: objects.some(rolling),
    }
  },
  async absent(body, eyes) {
    const objects = body.name
      ? [await eyes.api.get(body, { signal: eyes.signal })].filter((object) => object !== null)
      : await eyes.api.list(body, { signal: eyes.signal })
    return {
      holds: objects.length === 0,
      expected: expectedOf({ kind: 'absent', body }),
      actual: objects.length === 0 ? say('none is there', '없습니다') : found(objects.map((object) => object.metadata.name).join(', ')),
      evidence: [],
      moving: objects.some((object) => object.metadata.deletionTimestamp),
    }
  },
  async rollout(body, eyes) {
    const expected = expectedOf({ kind: 'rollout', body })
    const object = await eyes.api.get(
      { apiVersion: 'apps/v1', kind: body.kind, namespace: body.namespace, name: body.name },
      { signal: eyes.signal },
    )
    if (!object) return { holds: false, expected, actual: notThere(`${body.kind} ${body.name}`), evidence: [] }
    const { status = {}, spec, metadata } = object
    const current = (status.observedGeneration ?? 0) >= metadata.generation
    const wanted =
      body.kind === 'DaemonSet' ? (body.everyNode ? eyes.cluster.nodes.length : (status.desiredNumberScheduled ?? 0)) : (spec.replicas ?? 1)
    const ready = body.kind === 'DaemonSet' ? (status.numberReady ?? 0) : (status.readyReplicas ?? 0)
    const updated = (body.kind === 'DaemonSet' ? status.updatedNumberScheduled : status.updatedReplicas) ?? 0
    const total = (body.kind === 'DaemonSet' ? status.currentNumberScheduled : status.replicas) ?? 0
    const holds = current && wanted > 0 && ready >= wanted && updated >= wanted && total === updated
    return {
      holds,
      expected,
      actual: say(`${ready} of ${wanted} ready, ${updated} up to date`, `${wanted}개 중 ${ready}개 준비, ${updated}개 최신`),
      evidence: [{ label: `${body.kind} ${body.namespace}/${body.name} status`, text: clip(JSON.stringify(status, null, 1)) }],
      moving: rolling(object),
    }
  },
  async reach(body, eyes) {
    const expected = expectedOf({ kind: 'reach', body })
    const targets = await addresses(body.to, eyes)
    if (!Array.isArray(targets)) return { holds: false, expected, actual: targets, evidence: [] }
    const joined = await fromEach(body.from, body.quantifier, eyes, (spot) =>
      Promise.all(
        targets.map(async ({ host, port }) => {
          const result = await asked(eyes, spot, { kind: body.protocol, host, port })
          if (typeof result === 'string') return { good: false, line: result }
          const good = body.expect === 'closed' ? result.outcome !== 'open' : result.outcome === body.expect
          return { good, line: `${host}:${port} ${result.outcome}`, detail: result.detail }
        }),
      ),
    )
    return { expected, ...joined }
  },
  async dns(body, eyes) {
    const expected = expectedOf({ kind: 'dns', body })
    const clusterIP = async (ref: { namespace: string; name: string }): Promise<string | null> =>
      (await eyes.api.get({ apiVersion: 'v1', kind: 'Service', ...ref }, { signal: eyes.signal }))?.spec?.clusterIP ?? null
    const server = body.server === undefined || typeof body.server === 'string' ? body.server : await clusterIP(body.server.service)
    if (server === null)
      return { holds: false, expected, actual: say('the DNS service is not there', 'DNS 서비스가 없습니다'), evidence: [] }
    const address =
      body.address === undefined || typeof body.address === 'string'
        ? body.address
        : 'node' in body.address
          ? nodeAddress(eyes, body.address.node)
          : await clusterIP(body.address.service)
    if (address === null)
      return {
        holds: false,
        expected,
        actual: say('the service that the name stands for is not there', '이름이 가리키는 서비스가 없습니다'),
        evidence: [],
      }
    const joined = await fromEach(body.from, body.quantifier, eyes, async (spot) => {
      const result = await asked(eyes, spot, {
        kind: 'dns',
        name: body.name,
        protocol: body.protocol,
        ...(server === undefined ? {} : { server }),
      })
      if (typeof result === 'string') return [{ good: false, line: result }]
      const right = body.expect === 'failed' ? result.outcome !== 'answered' : result.outcome === body.expect
      const good = right && (address === undefined || result.addresses.includes(address))
      return [
        {
          good,
          line: `${body.name} ${result.outcome}${result.addresses.length > 0 ? ` ${result.addresses.join(', ')}` : ''}${right && !good ? `, not ${address}` : ''}`,
          detail: result.detail,
        },
      ]
    })
    return { expected, ...joined }
  },
  async http(body, eyes) {
    const expected = expectedOf({ kind: 'http', body })
    const targets = await addresses(body.to, eyes)
    if (!Array.isArray(targets)) return { holds: body.expect === 'failed', expected, actual: targets, evidence: [] }
    const joined = await fromEach(body.from, body.quantifier, eyes, (spot) =>
      Promise.all(
        targets.map(async ({ host, port }) => {
          const result = await asked(eyes, spot, {
            kind: 'http',
            url: `http://${host}:${port}${body.path}`,
            ...(body.hostHeader ? { hostHeader: body.hostHeader } : {}),
          })
          if (typeof result === 'string') return { good: false, line: result }
          const answered =
            result.outcome === 'answered' &&
            (body.status === undefined || result.status === body.status) &&
            (body.body === undefined || new RegExp(body.body, 'mu').test(result.body ?? ''))
          return {
            good: answered === (body.expect === 'answered'),
            line: `${result.outcome}${result.status ? ` ${result.status}` : ''}${result.outcome === 'answered' && !answered ? ', another page' : ''}`,
            detail: result.detail,
          }
        }),
      ),
    )
    return { expected, ...joined }
  },
  async logs(body, eyes) {
    const expected = expectedOf({ kind: 'logs', body })
    const pods = await eyes.api.list(
      { apiVersion: 'v1', kind: 'Pod', namespace: body.namespace, selector: body.selector },
      { signal: eyes.signal },
    )
    const pattern = new RegExp(body.match, 'mu')
    const found: Evidence[] = []
    for (const pod of pods)
      for (const previous of body.previous ? [false, true] : [false]) {
        const text = await eyes.api
          .log(
            {
              namespace: body.namespace,
              pod: pod.metadata.name,
              ...(body.container ? { container: body.container } : {}),
              previous,
              tail: body.tail,
            },
            { signal: eyes.signal },
          )
          .catch((error: unknown) => {
            if (error instanceof ApiError) return '' // no log yet, or no previous container
            throw error
          })
        const line = text.split('\n').find((one) => pattern.test(one))
        if (line !== undefined) found.push({ label: pod.metadata.name, text: clip(line, 400) })
      }
    return {
      holds: found.length > 0 === (body.expect === 'present'),
      expected,
      actual: found[0] ? plain(found[0].text) : say('no such line', '그런 줄이 없습니다'),
      evidence: found.slice(0, 6),
    }
  },
  async unit(body, eyes) {
    const state = await eyes.cluster.unit(body.node as never, body.name)
    const holds = state.active === body.active && (body.enabled === undefined || state.enabled === body.enabled)
    return {
      holds,
      expected: expectedOf({ kind: 'unit', body }),
      actual: plain(`${state.active} (${state.sub}), ${state.enabled}`),
      evidence: [
        {
          label: `systemctl status ${body.name} on ${body.node}`,
          text: `Loaded: ${state.load} (${state.enabled})\nActive: ${state.active} (${state.sub})`,
        },
      ],
      moving: ['activating', 'deactivating', 'reloading'].includes(state.active),
      // One that is started anew every second is active at some looks, and another process at each.
      of: String(state.pid),
    }
  },
  async file(body, eyes) {
    const expected = expectedOf({ kind: 'file', body })
    const content = await eyes.cluster
      .readFile(body.at, body.path)
      .then((bytes) => Buffer.from(bytes).toString('utf8'))
      .catch((error: unknown) => {
        if (error instanceof LabError && error.code === 'not-found') return null
        throw error
      })
    const evidence = content === null ? [] : [{ label: body.path, text: clip(content) }]
    if (content === null || !body.exists)
      return {
        holds: (content === null) === !body.exists,
        expected,
        actual: content === null ? say('the file is not there', '파일이 없습니다') : say('the file is there', '파일이 있습니다'),
        evidence,
      }
    if (body.matches !== undefined && !new RegExp(body.matches, 'mu').test(content))
      return { holds: false, expected, actual: say('the text is not as it must be', '내용이 올바르지 않습니다'), evidence }
    if (body.yaml !== undefined) {
      let object: unknown
      try {
        object = parseYaml(content)
      } catch (error) {
        return {
          holds: false,
          expected,
          actual: say(`not YAML: ${oneLine((error as Error).message)}`, `YAML이 아닙니다: ${oneLine((error as Error).message)}`),
          evidence,
        }
      }
      if (evaluate(body.yaml, { object }) !== true)
        return { holds: false, expected, actual: say('its content is not as it must be', '내용이 올바르지 않습니다'), evidence }
    }
    return { holds: true, expected, actual: asExpected, evidence }
  },
  async canI(body, eyes) {
    const [namespace, name] = body.serviceAccount?.split('/') ?? []
    const user = body.serviceAccount ? `system:serviceaccount:${namespace}:${name}` : (body.user ?? '')
    const groups = body.serviceAccount
      ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated', ...body.groups]
      : body.groups
    const review = await eyes.api.raw(
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user,
          groups,
          resourceAttributes: {
            verb: body.verb,
            group: body.group,
            resource: body.resource,
            subresource: body.subresource,
            name: body.name,
            namespace: body.namespace,
          },
        },
      },
      { signal: eyes.signal },
    )
    const allowed = review.status?.allowed === true
    return {
      holds: allowed === body.expect,
      expected: expectedOf({ kind: 'canI', body }),
      actual: allowed ? say('allowed', '허용됨') : say('not allowed', '허용되지 않음'),
      evidence: [
        { label: `kubectl auth can-i ${body.verb} ${body.resource} --as ${user}`, text: review.status?.reason || (allowed ? 'yes' : 'no') },
      ],
    }
  },
  async answer(body, eyes) {
    const text = await eyes.cluster
      .readFile('workstation', body.path)
      .then((bytes) => Buffer.from(bytes).toString('utf8').trim())
      .catch((error: unknown) => {
        if (error instanceof LabError && error.code === 'not-found') return null
        throw error
      })
    if (text === null) return { holds: false, expected: body.describe, actual: notThere(body.path), evidence: [] }
    const objects = body.of ? await eyes.api.list(body.of, { signal: eyes.signal }) : []
    return {
      holds: evaluate(body.expect, { answer: text, objects }) === true,
      expected: body.describe,
      actual: plain(oneLine(text)),
      evidence: [{ label: body.path, text: clip(text) }],
    }
  },
  async script(body, eyes) {
    const result = await eyes.cluster.exec(body.at, ['bash', '-c', body.run], {
      timeoutMs: body.timeout * 1000,
      ...(eyes.signal ? { signal: eyes.signal } : {}),
    })
    return {
      holds: result.exitCode === 0,
      expected: body.describe,
      actual: result.exitCode === 0 ? asExpected : plain(oneLine(result.stderr || result.stdout || `exit code ${result.exitCode}`)),
      evidence: [{ label: `exit code ${result.exitCode}`, text: clip(`${result.stdout}${result.stderr}`) }],
    }
  },
  async harmless(body, eyes) {
    const expected = expectedOf({ kind: 'harmless', body })
    if (eyes.handover === null)
      return { holds: true, expected, actual: say('nothing was handed over yet', '아직 실습이 시작되지 않았습니다'), evidence: [] }
    const findings = (await compareWithHandover(eyes.handover, eyes.api, eyes.signal)).filter(
      (finding) => !body.allow.includes(finding.object),
    )
    return {
      holds: findings.length === 0,
      expected,
      actual:
        findings.length === 0
          ? say('all is as it was', '모두 처음 그대로입니다')
          : say(
              oneLine(findings.map((finding) => `${finding.object} ${finding.what.en}`).join('; ')),
              oneLine(findings.map((finding) => `${finding.object}: ${finding.what.ko}`).join('; ')),
            ),
      evidence: findings.slice(0, 10).map((finding) => ({ label: finding.object, text: finding.what.en })),
    }
  },
}

function nodeAddress(eyes: Eyes, place: string): string | null {
  return eyes.cluster.nodes.find((node) => node.place === place)?.address ?? null
}
function strip(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {}
  return { ...object, metadata }
}
/** A line on any object, as a person would say it. */
function summary(object: KubeObject): string {
  const name = object.metadata?.name ?? '?'
  if (object.kind === 'Pod') {
    const statuses = object.status?.containerStatuses ?? []
    const waiting = statuses.map((one: KubeObject) => one.state?.waiting?.reason ?? one.state?.terminated?.reason).find(Boolean)
    return `${name} ${statuses.filter((one: KubeObject) => one.ready).length}/${object.spec?.containers?.length ?? 0} ${object.metadata?.deletionTimestamp ? 'Terminating' : (waiting ?? object.status?.phase)}`
  }
  if (object.kind === 'Node') {
    const ready = object.status?.conditions?.find((one: KubeObject) => one.type === 'Ready')
    return `${name} ${ready?.status === 'True' ? 'Ready' : `NotReady${ready?.reason ? ` (${ready.reason})` : ''}`}${object.spec?.unschedulable ? ', SchedulingDisabled' : ''}`
  }
  const { status } = object
  if (status?.desiredNumberScheduled !== undefined) return `${name} ${status.numberReady ?? 0} of ${status.desiredNumberScheduled} ready`
  if (status?.replicas !== undefined) return `${name} ${status.readyReplicas ?? 0} of ${object.spec?.replicas ?? status.replicas} ready`
  return `${name} is there`
}
/** A controller has not caught up yet. */
function rolling(object: KubeObject): boolean {
  const { status, metadata } = object
  if (metadata?.deletionTimestamp) return true
  if (status?.observedGeneration !== undefined && metadata?.generation !== undefined && status.observedGeneration < metadata.generation)
    return true
  return false
}
