import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { CoreV1Api, Exec, KubeConfig, Watch } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SimClock } from '../clock.ts'
import type { Client, KubeObject } from '../kube.ts'
import { type Issued, issue } from '../pki.ts'
import { testServer } from './fixture.ts'
import type { ApiServer, KubeletDoor } from './index.ts'

const kubelets: KubeletDoor = {
  logs: async (_node, ref, options, sink) => {
    await sink.write(`of ${ref.container}${options.follow ? ', and more' : ''}\n`)
  },
  exec: async (_node, _ref, { command, stdin }, streams) => {
    streams.stdout(`ran ${command.join(' ')}\n`)
    if (stdin) for await (const bytes of streams.stdin) streams.stdout(bytes)
    return command[0] === 'false' ? 3 : 0
  },
  attach: async () => 0,
  page: (node, path) => ({ status: 200, type: 'text/plain', body: `${node} serves ${path}` }),
  open: () => ({
    outcome: 'open',
    from: '10.244.0.1',
    to: { netns: undefined as never, address: '127.0.0.1', port: 80 },
    listener: {
      protocol: 'tcp',
      address: '0.0.0.0',
      port: 80,
      program: { name: 'nginx', pid: 1 },
      http: ({ path }) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(`you asked ${path}`) }),
    },
  }),
}

let server: Server
let api: ApiServer
let client: Client
let clock: SimClock
let ca: Issued
let port: number
let folder: string
let config: KubeConfig

function asked(path: string, options: { method?: string; headers?: Record<string, string>; body?: string; as?: Issued } = {}) {
  return new Promise<{ code: number; headers: Record<string, unknown>; text: string; json: KubeObject }>((resolve, reject) => {
    const { method = 'GET', headers = {}, body, as } = options
    const agent = new Agent({ ca: ca.cert, ...(as ? { cert: as.cert, key: as.key } : {}) })
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        let json: KubeObject
        try {
          json = JSON.parse(text)
        } catch {
          json = undefined
        }
        resolve({ code: answer.statusCode ?? 0, headers: answer.headers, text, json })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}
let root: Issued

beforeAll(async () => {
  const made = testServer()
  made.server.stop()
  const now = made.clock.now()
  ca = issue({ subject: { commonName: 'kubernetes' }, ca: true, now })
  const leaf = (commonName: string, organizations: string[], usages: ('serverAuth' | 'clientAuth')[], lifetime?: number) =>
    issue({ subject: { commonName, organizations }, usages, names: ['127.0.0.1'], now, issuer: ca, ...(lifetime ? { lifetime } : {}) })
  const own = leaf('kube-apiserver', [], ['serverAuth'])
  root = leaf('kubernetes-admin', ['system:masters'], ['clientAuth'])
  ;({ server: api, client, clock } = testServer({ clientCa: ca.cert, kubelets }))
  client.create('v1/serviceaccounts', { metadata: { name: 'default', namespace: 'default' } })
  server = createServer({ key: own.key, cert: own.cert, ca: ca.cert, requestCert: true, rejectUnauthorized: false }, (incoming, answer) =>
    api.handle(incoming, answer),
  )
  server.on('upgrade', (incoming, socket, head) => api.upgrade(incoming, socket, head))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  folder = mkdtempSync(join(tmpdir(), 'kubemend-api-'))
  const data = (text: string) => Buffer.from(text).toString('base64')
  config = new KubeConfig()
  config.loadFromString(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': data(ca.cert) } }],
      users: [{ name: 'u', user: { 'client-certificate-data': data(root.cert), 'client-key-data': data(root.key) } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }),
  )
  writeFileSync(join(folder, 'config'), config.exportConfig())
})
afterAll(() => {
  api.stop()
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('over HTTPS', () => {
  it('warns of what is stored and not enforced', async () => {
    const made = await asked('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', {
      method: 'POST',
      as: root,
      body: JSON.stringify({ metadata: { name: 'p' }, spec: { validations: [{ expression: 'true' }] } }),
    })
    expect(made.code).toBe(201)
    expect(made.headers.warning).toBe(
      '299 - "the simulated cluster stores this ValidatingAdmissionPolicy but does not enforce it: its expressions are not evaluated"',
    )
  })
  it('says who may not, and who is not known', async () => {
    expect((await asked('/api/v1/pods')).json).toMatchObject({
      code: 403,
      message: 'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
    })
    const wrong = await asked('/api/v1/pods', { headers: { authorization: 'Bearer abc' } })
    expect(wrong.json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    })
    expect((await asked('/healthz')).text).toBe('ok')
    const self = await asked('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      method: 'POST',
      as: root,
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(self.json.status.userInfo).toMatchObject({ username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] })
  })
  it('does not let in a certificate whose time is over, or that another authority signed', async () => {
    const expired = issue({
      subject: { commonName: 'x', organizations: ['system:masters'] },
      usages: ['clientAuth'],
      now: clock.now() - 7200_000,
      lifetime: 3600_000,
      issuer: ca,
    })
    expect((await asked('/api/v1/pods', { as: expired })).code).toBe(401)
    const other = issue({ subject: { commonName: 'kubernetes' }, ca: true, now: clock.now() })
    const foreign = issue({
      subject: { commonName: 'x', organizations: ['system:masters'] },
      usages: ['clientAuth'],
      now: clock.now(),
      issuer: other,
    })
    expect((await asked('/api/v1/pods', { as: foreign })).code).toBe(401)
  })
  it('discovers, in the newest form and the oldest', async () => {
    const newest = await asked('/apis', {
      as: root,
      headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' },
    })
    expect(newest.json.items[0].metadata.name).toBe('apiregistration.k8s.io')
    expect(newest.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
    const again = await asked('/apis', {
      as: root,
      headers: {
        accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
        'if-none-match': String(newest.headers.etag),
      },
    })
    expect(again.code).toBe(304)
    expect((await asked('/apis', { as: root })).json.kind).toBe('APIGroupList')
    const apps = (await asked('/apis/apps/v1', { as: root })).json.resources.find((one: KubeObject) => one.name === 'deployments')
    expect(apps).toMatchObject({ shortNames: ['deploy'], storageVersionHash: '8aSe+NMegvE=' })
    expect((await asked('/apis/nope/v1', { as: root })).text).toBe('404 page not found\n')
    expect((await asked('/apis/apps/v1/nope', { as: root })).json.message).toBe('the server could not find the requested resource')
  })
  it('prints tables, pages and parts of objects', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
    const table = (await asked('/api/v1/namespaces?limit=2', { as: root, headers: { accept } })).json
    expect(table.columnDefinitions.map((column: KubeObject) => column.name)).toEqual(['Name', 'Status', 'Age'])
    expect(table.rows.map((row: KubeObject) => row.cells[0])).toEqual(['default', 'kube-node-lease'])
    expect(table.metadata.remainingItemCount).toBe(2)
    const rest = (await asked(`/api/v1/namespaces?limit=2&continue=${table.metadata.continue}`, { as: root, headers: { accept } })).json
    expect(rest.rows.map((row: KubeObject) => row.cells[0])).toEqual(['kube-public', 'kube-system'])
    const list = (await asked('/api/v1/namespaces?fieldSelector=metadata.name%3Ddefault', { as: root })).json
    expect([list.kind, list.items.length, list.items[0].kind]).toEqual(['NamespaceList', 1, undefined])
    const part = await asked('/api/v1/namespaces/default', {
      as: root,
      headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    })
    expect(part.json).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'default' } })
  })
  it('is strict about fields when asked, and warns otherwise', async () => {
    const body = JSON.stringify({ metadata: { name: 'fields' }, data: { a: 'b' }, nope: 1 })
    const create = (query: string) =>
      asked(`/api/v1/namespaces/default/configmaps?${query}`, {
        method: 'POST',
        as: root,
        body,
        headers: { 'content-type': 'application/json', 'user-agent': 'tester/1' },
      })
    expect((await create('fieldValidation=Strict')).json.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "nope"',
    )
    const made = await create('fieldValidation=Warn')
    expect([made.code, made.headers.warning]).toEqual([201, '299 - "unknown field \\"nope\\""'])
    expect(made.json.metadata.managedFields[0]).toMatchObject({ manager: 'tester', operation: 'Update' })
    const applied = await asked('/api/v1/namespaces/default/configmaps/applied?fieldManager=me', {
      method: 'PATCH',
      as: root,
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: b}\n',
    })
    expect([applied.code, applied.json.data]).toEqual([201, { a: 'b' }])
    const gone = await asked('/api/v1/namespaces/default/configmaps/applied', { method: 'DELETE', as: root })
    expect(gone.json).toMatchObject({ status: 'Success', details: { name: 'applied', kind: 'configmaps' } })
  })
  it('watches from a revision, with the list first when asked', async () => {
    const first = client.create('v1/configmaps', { metadata: { name: 'w1', namespace: 'kube-public' } })
    clock.rate = 20
    const lines = async (query: string) => {
      const answer = asked(`/api/v1/namespaces/kube-public/configmaps?watch=1&timeoutSeconds=1&${query}`, { as: root })
      return (await answer).text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    }
    client.patch('v1/configmaps', 'w1', 'kube-public', 'merge', { data: { a: '1' } })
    const [after, listed, old] = await Promise.all([
      lines(`resourceVersion=${first.metadata.resourceVersion}`),
      lines('sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&labelSelector=none%3D1'),
      lines('resourceVersion=0'),
    ])
    expect(after.map((event) => [event.type, event.object.data?.a])).toEqual([['MODIFIED', '1']])
    expect(listed.map((event) => [event.type, event.object.metadata.annotations])).toEqual([
      ['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }],
      ['BOOKMARK', undefined],
    ])
    expect(old.map((event) => [event.type, event.object.metadata.name])).toEqual([['ADDED', 'w1']])
  })
  it("hands a request on to a node's kubelet", async () => {
    client.create('v1/nodes', { metadata: { name: 'n1' } })
    expect((await asked('/api/v1/nodes/n1/proxy/configz?a=b', { as: root })).text).toBe('n1 serves /configz?a=b')
    expect((await asked('/api/v1/nodes/none/proxy/configz', { as: root })).json.message).toBe('nodes "none" not found')
  })
  it('hands a request on to a pod', async () => {
    client.create('v1/pods', {
      metadata: { name: 'proxied', namespace: 'default' },
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'nginx' }] },
    })
    client.patch(
      'v1/pods',
      'proxied',
      'default',
      'merge',
      { status: { phase: 'Running', podIP: '10.244.0.2', podIPs: [{ ip: '10.244.0.2' }] } },
      { subresource: 'status' },
    )
    expect((await asked('/api/v1/namespaces/default/pods/proxied:80/proxy/a/b?c=d', { as: root })).text).toBe('you asked /a/b?c=d')
    expect((await asked('/api/v1/namespaces/default/pods/proxied/log', { as: root })).text).toBe('of c\n')
    expect((await asked('/api/v1/namespaces/default/pods/proxied/log?container=x', { as: root })).json.message).toBe(
      'container x is not valid for pod proxied',
    )
  })
})

describe('@kubernetes/client-node', () => {
  it('lists, watches and runs commands', async () => {
    const core = config.makeApiClient(CoreV1Api)
    expect((await core.listNamespace()).items.map((item) => item.metadata?.name)).toContain('kube-system')
    const seen: string[] = []
    const watch = new Watch(config)
    const abort = await watch.watch(
      '/api/v1/namespaces/kube-node-lease/configmaps',
      {},
      (type, object) => seen.push(`${type} ${object.metadata.name}`),
      () => {},
    )
    await core.createNamespacedConfigMap({ namespace: 'kube-node-lease', body: { metadata: { name: 'x' } } })
    await expect.poll(() => seen).toEqual(['ADDED x'])
    abort.abort()
    client.create('v1/pods', {
      metadata: { name: 'run', namespace: 'default' },
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'nginx' }] },
    })
    let out = ''
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        out += chunk
        done()
      },
    })
    const status = await new Promise<KubeObject>((resolve, reject) => {
      new Exec(config).exec('default', 'run', 'c', ['false', 'x'], stdout, null, null, false, resolve).catch(reject)
    })
    expect(out).toBe('ran false x\n')
    expect(status.details.causes).toEqual([{ reason: 'ExitCode', message: '3' }])
  })
})

const binary = ['/usr/local/bin/kubectl', '/usr/bin/kubectl'].find((path) => existsSync(path))
describe.runIf(binary)('kubectl', () => {
  const kubectl = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const env = { ...process.env, HOME: folder, KUBECONFIG: join(folder, 'config') }
      const child = execFile(binary as string, args, { env, timeout: 20_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
      })
      child.stdin?.end('typed')
    })
  it('gets, applies, explains, runs and forwards nothing that the server would not', async () => {
    const file = join(folder, 'deployment.yaml')
    writeFileSync(
      file,
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}\n',
    )
    expect((await kubectl('apply', '-f', file)).out).toBe('deployment.apps/d created\n')
    expect((await kubectl('apply', '-f', file)).out).toBe('deployment.apps/d unchanged\n')
    expect((await kubectl('scale', 'deploy', 'd', '--replicas=3')).out).toBe('deployment.apps/d scaled\n')
    expect((await kubectl('get', 'deploy', 'd', '-o', 'jsonpath={.spec.replicas} {.metadata.generation}')).out).toBe('3 2')
    expect((await kubectl('get', 'deploy', '-o', 'wide', '--no-headers')).out.split(/ +/).slice(0, 4)).toEqual(['d', '0/3', '0', '0'])
    expect((await kubectl('get', 'nope')).err).toBe(`error: the server doesn't have a resource type "nope"\n`)
    const ran = await kubectl('exec', '-i', 'run', '--', 'cat')
    expect([ran.code, ran.out]).toEqual([0, 'ran cat\ntyped'])
    expect((await kubectl('exec', 'run', '--', 'false')).code).toBe(3)
    client.patch('v1/pods', 'run', 'default', 'merge', { status: { phase: 'Running' } }, { subresource: 'status' })
    const env = { ...process.env, HOME: folder, KUBECONFIG: join(folder, 'config') }
    const forward = execFile(binary as string, ['port-forward', 'pod/run', ':80'], { env })
    const local = await new Promise<string>((resolve, reject) => {
      forward.stdout?.on('data', (text: string) => {
        const found = /127\.0\.0\.1:(\d+) ->/.exec(text)?.[1]
        if (found !== undefined) resolve(found)
      })
      forward.once('exit', () => reject(new Error('port-forward ended')))
    })
    expect(await (await fetch(`http://127.0.0.1:${local}/page`)).text()).toBe('you asked /page')
    forward.kill()
    expect((await kubectl('delete', 'deploy', 'd', '--cascade=orphan', '--wait=false')).out).toContain('deleted')
  })
})
