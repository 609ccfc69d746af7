// Plays seeded cases (objects, patches, applies, invalid objects) against a real API server and records what was sent and answered as fixtures
// of lib/sim/schema. Run by hand against a disposable cluster: node bin/sim-oracle.ts <kubeconfig> [seed] [custom]. It makes one namespace, writes there
// and, by dry run only, cluster-wide objects; the namespace is deleted at the end. Knows nothing of the simulation's code.
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { gzipSync } from 'node:zlib'
import { KubeConfig } from '@kubernetes/client-node'
import { type Case, cases, type Step } from '../lib/sim/schema/oracle/cases.ts'
import { customCases, definition } from '../lib/sim/schema/oracle/custom-cases.ts'

const config = new KubeConfig()
config.loadFromFile(process.argv[2] ?? '')
const seed = Number(process.argv[3] ?? 1)
/** cases of a custom resource, whose definition is made and deleted */
const custom = process.argv[4] === 'custom'
const cluster = config.getCurrentCluster()
const user = config.getCurrentUser()
if (!cluster || !user) throw new Error('usage: node bin/sim-oracle.ts <kubeconfig> [seed]')
const decoded = (text: string | undefined) => Buffer.from(text ?? '', 'base64')
const agent = new Agent({
  keepAlive: true,
  maxSockets: 4,
  ca: decoded(cluster.caData),
  cert: decoded(user.certData),
  key: decoded(user.keyData),
})

const types: Record<string, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}
function send(method: string, path: string, body: unknown, contentType = 'application/json'): Promise<{ code: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, cluster?.server),
      { method, agent, headers: { accept: 'application/json', 'content-type': contentType } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve({ code: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) }))
      },
    )
    call.on('error', reject)
    call.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
}
const namespace = `schema-${seed}-${Date.now().toString(36)}`
await send('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
if (custom) {
  await send('POST', definitions, definition)
  await new Promise((resolve) => setTimeout(resolve, 3000))
}
for (let wait = 0; wait < 20; wait += 1) {
  const account = await send('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`, undefined)
  if (account.code === 200) break
  await new Promise((resolve) => setTimeout(resolve, 200))
}

async function play(step: Step, name: string, before: unknown): Promise<{ code: number; body: unknown }> {
  const place = step.resource.replace('{namespace}', namespace)
  const query = new URLSearchParams({ fieldManager: step.manager ?? 'oracle' })
  if (step.dryRun) query.set('dryRun', 'All')
  if (step.force) query.set('force', 'true')
  if (step.strict) query.set('fieldValidation', 'Strict')
  const own = `${place}/${name}${step.subresource ? `/${step.subresource}` : ''}`
  if (step.verb === 'create') return send('POST', `${place}?${query}`, step.body)
  if (step.verb === 'update') {
    const { resourceVersion } = (before as { metadata: { resourceVersion: string } }).metadata
    const { metadata } = step.body as { metadata: object }
    return send('PUT', `${own}?${query}`, { ...(step.body as object), metadata: { ...metadata, resourceVersion } })
  }
  return send('PATCH', `${own}?${query}`, step.body, types[step.verb])
}
/** objects as the server writes them in both encodings */
const encodings: { json: unknown; protobuf: string }[] = []
async function binary(path: string): Promise<void> {
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    request(new URL(path, cluster?.server), { agent, headers: { accept: 'application/vnd.kubernetes.protobuf' } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => resolve(Buffer.concat(chunks)))
    })
      .on('error', reject)
      .end()
  })
  const { body, code } = await send('GET', path, undefined)
  if (code === 200) encodings.push({ json: body, protobuf: bytes.toString('base64') })
}
/** what differs from one run to another */
function normal(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(namespace, 'ns'))
}
interface Recorded extends Omit<Case, 'steps'> {
  steps: (Step & { before?: unknown; code: number; answer: unknown })[]
}
const recorded: Recorded[] = []
const all = custom ? customCases(seed) : cases(seed)
let next = 0
async function worker(): Promise<void> {
  for (let at = next++; at < all.length; at = next++) {
    const one = all[at] as Case
    const steps: Recorded['steps'] = []
    for (const step of one.steps) {
      const place = step.resource.replace('{namespace}', namespace)
      // A controller may come between the look and the write: then both are done again.
      for (let attempt = 0; ; attempt += 1) {
        let before: unknown
        if (step.verb !== 'create' && !one.dryOnly) {
          const live = await send('GET', `${place}/${one.name}`, undefined)
          if (live.code === 200) before = normal(live.body)
        }
        const { code, body } = await play(step, one.name, before)
        if (code === 409 && attempt < 5 && /the object has been modified/.test(JSON.stringify(body)) && step.verb === 'update') continue
        steps.push({ ...step, ...(before === undefined ? {} : { before }), code, answer: normal(body) })
        break
      }
    }
    recorded[at] = { ...one, steps }
    const [first] = one.steps
    if (one.dryOnly || !first) continue
    const own = `${first.resource.replace('{namespace}', namespace)}/${one.name}`
    if (one.about.startsWith('changes')) await binary(own)
    await send('PATCH', own, { metadata: { finalizers: null } }, types.merge)
    await send('DELETE', `${own}?gracePeriodSeconds=0`, undefined)
  }
}
await Promise.all([worker(), worker()])
if (!custom) await encode()
else await send('DELETE', `${definitions}/${(definition.metadata as { name: string }).name}`, undefined)
await send('DELETE', `/api/v1/namespaces/${namespace}`, undefined)
writeFileSync(
  new URL(`../lib/sim/schema/oracle/${custom ? 'custom-' : ''}${seed}.json.gz`, import.meta.url),
  gzipSync(JSON.stringify(recorded), { level: 9 }),
)
process.stdout.write(`${recorded.length} cases, ${recorded.reduce((sum, one) => sum + one.steps.length, 0)} answers\n`)
agent.destroy()

async function encode(): Promise<void> {
  const { items: nodes } = (await send('GET', '/api/v1/nodes', undefined)).body as { items: { metadata: { name: string } }[] }
  for (const path of [
    `/api/v1/nodes/${nodes[0]?.metadata.name}`,
    '/api/v1/namespaces/kube-system',
    '/api/v1/namespaces/default/endpoints/kubernetes',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/view',
    '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/probes',
    '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical',
  ])
    await binary(path)
  writeFileSync(new URL('../lib/sim/schema/oracle/encodings.json.gz', import.meta.url), gzipSync(JSON.stringify(encodings), { level: 9 }))
}
