// Records what a real API server makes by itself, for the simulated one: the columns of its tables, its bootstrap objects, the names of its health
// checks. Run by hand against an untouched cluster: node bin/sim-api-data.ts <kubeconfig>. Knows nothing of the simulation's code.
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { brotliCompressSync } from 'node:zlib'
import { KubeConfig } from '@kubernetes/client-node'

const config = new KubeConfig()
config.loadFromFile(process.argv[2] ?? '')
const cluster = config.getCurrentCluster()
const user = config.getCurrentUser()
if (!cluster || !user) throw new Error('usage: node bin/sim-api-data.ts <kubeconfig>')
const decoded = (text: string | undefined) => Buffer.from(text ?? '', 'base64')

const get = async (path: string, accept = 'application/json'): Promise<string> => (await fetched(path, accept)).toString()
function fetched(path: string, accept: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, cluster?.server),
      {
        ca: decoded(cluster?.caData),
        cert: decoded(user?.certData),
        key: decoded(user?.keyData),
        headers: { accept },
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve(Buffer.concat(chunks)))
      },
    )
    call.on('error', reject)
    call.end()
  })
}
const into = (name: string) => new URL(`../lib/sim/api/data/${name}`, import.meta.url)
/** one entry per line: small differences stay small */
const lines = (entries: readonly string[], open: string, close: string) => `${open}\n${entries.join(',\n')}\n${close}\n`

interface Column {
  name: string
  type: string
  format: string
  priority: number
}
const columns: Record<string, [string, string, string, number][]> = {}
const bootstrap: unknown[] = []
const groups = JSON.parse(await get('/apis')) as { groups: { versions: { groupVersion: string }[] }[] }
const versions = ['v1', ...groups.groups.flatMap((group) => group.versions.map((version) => version.groupVersion))]
for (const version of versions) {
  const base = version === 'v1' ? '/api/v1' : `/apis/${version}`
  const list = JSON.parse(await get(base)) as { resources: { name: string; verbs: string[] }[] }
  for (const resource of list.resources) {
    if (!resource.verbs.includes('list')) continue
    const table = JSON.parse(await get(`${base}/${resource.name}?limit=1`, 'application/json;as=Table;v=v1;g=meta.k8s.io')) as {
      columnDefinitions: Column[]
    }
    columns[`${version}/${resource.name}`] = table.columnDefinitions.map((column) => [
      column.name,
      column.type,
      column.format,
      column.priority,
    ])
  }
}
writeFileSync(
  into('columns.json'),
  lines(
    Object.entries(columns)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`),
    '{',
    '}',
  ),
)

interface Listed {
  apiVersion: string
  kind: string
  items: { metadata: Record<string, unknown> & { name: string; labels?: Record<string, string>; annotations?: Record<string, string> } }[]
}
const made: [path: string, ours: (item: Listed['items'][number]) => boolean][] = [
  ['/api/v1/namespaces', (item) => ['default', 'kube-node-lease', 'kube-public', 'kube-system'].includes(item.metadata.name)],
  ['/apis/scheduling.k8s.io/v1/priorityclasses', (item) => item.metadata.name.startsWith('system-')],
  ['/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations', () => true],
  ['/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas', () => true],
  ...['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
    (resource): [string, (item: Listed['items'][number]) => boolean] => [
      `/apis/rbac.authorization.k8s.io/v1/${resource}`,
      (item) => item.metadata.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults',
    ],
  ),
  [
    '/apis/apiregistration.k8s.io/v1/apiservices',
    (item) => item.metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'] === 'onstart',
  ],
]
for (const [path, ours] of made) {
  const list = JSON.parse(await get(path)) as Listed
  for (const item of list.items.filter(ours)) {
    const { name, namespace, labels, annotations } = item.metadata
    const { metadata: _metadata, status: _status, ...rest } = item as Record<string, unknown>
    // What a controller fills in later by aggregation is the controller's work.
    if (rest.aggregationRule !== undefined) delete rest.rules
    const metadata = { name, namespace, labels, annotations }
    bootstrap.push({ apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, ''), metadata, ...rest })
  }
}
writeFileSync(
  into('bootstrap.json'),
  lines(
    bootstrap.map((object) => JSON.stringify(object)),
    '[',
    ']',
  ),
)
const checks = async (path: string) => [...(await get(`${path}?verbose`)).matchAll(/^\[\+\](\S+) ok$/gm)].map((match) => match[1])
writeFileSync(
  into('health.json'),
  `${JSON.stringify({ healthz: await checks('/healthz'), livez: await checks('/livez'), readyz: await checks('/readyz') }, null, 1)}\n`,
)
// Clients that validate by themselves (kubectl, for a List) read this one; it is large, and the same for every cluster of a version.
const swagger = await fetched('/openapi/v2', 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
writeFileSync(into('openapi-v2.pb.br'), brotliCompressSync(swagger))
const root = JSON.parse(await get('/')) as { paths: string[] }
writeFileSync(
  into('paths.json'),
  `${JSON.stringify(
    root.paths.filter((path) => !path.startsWith('/api')),
    null,
    1,
  )}\n`,
)
