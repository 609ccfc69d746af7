// Generates lib/sim/schema/data from the Kubernetes modules: what the types of the API are, which resources there are, and the OpenAPI documents.
// Run by hand: node bin/sim-data.mjs <Go module cache> <version> [documents], e.g. ~/go/pkg/mod v1.35.4 /tmp/openapi. Knows nothing of behaviour: defaults,
// validation and admission are kubemend's own code. The module cache must hold k8s.io/kubernetes@v1.x.y and its staging modules @v0.x.y.
// `documents` is a folder with the OpenAPI v3 documents as a server of that version gives them, `kubectl get --raw /openapi/v3/apis/apps/v1` in
// apis_apps_v1.json and so on. Those name the values of enumerations, which kubectl explain prints; those of the module do not.
// @ts-nocheck (reads untyped documents and Go sources)
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'

const [cache, version, documents] = process.argv.slice(2)
if (!cache || !version) throw new Error('usage: node bin/sim-data.mjs <Go module cache> <version> [documents]')
const staging = version.replace(/^v1/, 'v0')
const kubernetes = `${cache}/k8s.io/kubernetes@${version}`
const out = new URL('../lib/sim/schema/data/', import.meta.url)

/** groups and versions that a cluster of kubeadm serves: every generally available one */
const stable = /^v\d+$/
const discovery = JSON.parse(readFileSync(`${kubernetes}/api/discovery/aggregated_v2.json`, 'utf8'))
discovery.items.unshift({
  metadata: { name: '' },
  versions: [{ version: 'v1', resources: fromPlain(JSON.parse(readFileSync(`${kubernetes}/api/discovery/api__v1.json`, 'utf8'))) }],
})

/** the legacy group's plain discovery in the form of the aggregated one */
function fromPlain(list) {
  const made = new Map()
  for (const item of list.resources) {
    const [name, sub] = item.name.split('/')
    const kind = { group: item.group ?? '', version: item.version ?? '', kind: item.kind }
    if (sub === undefined)
      made.set(name, {
        resource: name,
        responseKind: kind,
        scope: item.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: item.singularName,
        shortNames: item.shortNames,
        categories: item.categories,
        verbs: item.verbs,
        subresources: [],
      })
    else made.get(name)?.subresources.push({ subresource: sub, responseKind: kind, verbs: item.verbs })
  }
  return [...made.values()]
}

const resources = []
for (const group of discovery.items)
  for (const { version: v, resources: list } of group.versions) {
    if (!stable.test(v)) continue
    for (const r of list)
      resources.push({
        group: group.metadata.name,
        version: v,
        resource: r.resource,
        kind: r.responseKind.kind,
        singular: r.singularResource,
        shortNames: r.shortNames ?? [],
        categories: r.categories ?? [],
        namespaced: r.scope === 'Namespaced',
        verbs: r.verbs,
        subresources: (r.subresources ?? []).map((s) => ({
          name: s.subresource,
          kind: s.responseKind?.kind ?? '',
          ...(s.responseKind?.group ? { group: s.responseKind.group } : {}),
          ...(s.responseKind?.version ? { version: s.responseKind.version } : {}),
          verbs: s.verbs,
        })),
      })
  }

// ---- OpenAPI documents ----
rmSync(new URL('openapi/', out), { recursive: true, force: true })
mkdirSync(new URL('openapi/', out), { recursive: true })
const served = new Set(resources.map((r) => (r.group ? `apis__${r.group}__${r.version}` : 'api__v1')))
const bare = new Set(['api', 'apis', 'version', 'openid__v1__jwks', ...resources.filter((r) => r.group).map((r) => `apis__${r.group}`)])
const schemas = {}
for (const file of readdirSync(`${kubernetes}/api/openapi-spec/v3`)) {
  const name = file.replace(/_openapi\.json$/, '')
  if (!served.has(name) && !bare.has(name)) continue
  const given = `${documents}/${name.replaceAll('__', '_')}.json`
  const document = JSON.parse(readFileSync(documents && existsSync(given) ? given : `${kubernetes}/api/openapi-spec/v3/${file}`, 'utf8'))
  document.info.version = version
  Object.assign(schemas, document.components?.schemas ?? {})
  const compact = Buffer.from(JSON.stringify(document))
  writeFileSync(
    new URL(`openapi/${name}.json.br`, out),
    brotliCompressSync(compact, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 22,
        [constants.BROTLI_PARAM_SIZE_HINT]: compact.length,
      },
    }),
  )
}

// ---- Go types: JSON names, omission, protobuf numbers, patch tags ----
/** import path → where its files are, and the name of the package in the OpenAPI documents */
function packageOf(path) {
  const rest = path.replace(/^k8s\.io\//, '')
  const [module, ...within] = rest.split('/')
  const dir = `${cache}/k8s.io/${module}@${staging}/${within.join('/')}`
  const shortened = rest
    .replace(/^api\//, '')
    .replace(/^apimachinery\/pkg\/apis\//, '')
    .replace(/^apiextensions-apiserver\/pkg\/apis\//, '')
    .replace(/^kube-aggregator\/pkg\/apis\//, '')
  return { dir, short: shortened, openapi: `io.k8s.${rest.replaceAll('/', '.')}` }
}
/** what JSON and protobuf encode in ways of their own; the table names them, code knows them */
const builtin = {
  'k8s.io/apimachinery/pkg/api/resource.Quantity': 'quantity',
  'k8s.io/apimachinery/pkg/util/intstr.IntOrString': 'intstr',
  'k8s.io/apimachinery/pkg/apis/meta/v1.Time': 'time',
  'k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime': 'microtime',
  'k8s.io/apimachinery/pkg/apis/meta/v1.Duration': 'duration',
  'k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1': 'fields',
  'k8s.io/apimachinery/pkg/runtime.RawExtension': 'raw',
  'k8s.io/apimachinery/pkg/runtime.Object': 'raw',
  'k8s.io/apimachinery/pkg/types.UID': 'string',
  'k8s.io/apimachinery/pkg/types.NodeName': 'string',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON': 'json',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray': 'schemaOrArray',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool': 'schemaOrBool',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray': 'schemaOrStrings',
}
const parsed = new Map()
function parse(path) {
  const known = parsed.get(path)
  if (known) return known
  const { dir } = packageOf(path)
  const found = { types: new Map() }
  parsed.set(path, found)
  if (!existsSync(dir)) throw new Error(`${path} is not in the module cache (${dir})`)
  for (const file of readdirSync(dir)) {
    if (!/^(types.*|group_version|watch|register)\.go$/.test(file) || /swagger|_test/.test(file)) continue
    const text = readFileSync(`${dir}/${file}`, 'utf8')
    const imports = new Map()
    for (const [, alias, target] of text.matchAll(/^\s*(?:import\s+)?(\w+)?\s*"([^"]+)"$/gm))
      imports.set(alias ?? target.split('/').at(-1), target)
    for (const [, name, under] of text.matchAll(/^type (\w+) (?!struct\b|interface\b|func\b)(.+)$/gm))
      found.types.set(name, { under: under.replace(/\s*\/\/.*/, '').trim(), imports, path })
    for (const [, name] of text.matchAll(/^type (\w+) struct ?\{\s*\}/gm)) found.types.set(name, { fields: [], imports, path })
    for (const [, name, body] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
      const fields = []
      for (const line of body.split('\n')) {
        const match = /^\t(?:(\w+)\s+)?([\w.*[\]]+)\s+`(.*)`/.exec(line)
        if (!match) continue
        const tag = (key) => new RegExp(`${key}:"([^"]*)"`).exec(match[3])?.[1]
        const json = tag('json')
        if (json === undefined || json === '-') continue
        const [jsonName, ...options] = json.split(',')
        fields.push({
          go: match[1],
          type: match[2],
          name: jsonName,
          inline: options.includes('inline') || jsonName === '',
          omit: options.includes('omitempty') || options.includes('omitzero'),
          omitzero: options.includes('omitzero'),
          proto: Number(tag('protobuf')?.split(',')[1] ?? 0),
          strategy: tag('patchStrategy'),
          key: tag('patchMergeKey'),
        })
      }
      found.types.set(name, { fields, imports, path })
    }
  }
  return found
}
/** a Go type as written in a file → as the table writes it: []T, {}T, *T, a builtin, or package.Type */
function resolve(type, from) {
  if (type.startsWith('*')) return `*${resolve(type.slice(1), from)}`
  if (type === '[]byte') return 'bytes'
  if (type.startsWith('[]')) return `[]${resolve(type.slice(2), from)}`
  const map = /^map\[([\w.]+)\](.+)$/.exec(type)
  if (map) {
    const key = resolve(map[1], from)
    return `{${key === 'string' ? '' : key}}${resolve(map[2], from)}`
  }
  if (/^(string|bool|int|int32|int64|float64|byte)$/.test(type)) return type
  const [alias, name] = type.includes('.') ? type.split('.') : [undefined, type]
  const path = alias === undefined ? from.path : from.imports.get(alias)
  if (path === undefined) throw new Error(`${type} in ${from.path}: unknown import`)
  const special = builtin[`${path}.${name}`]
  if (special) return special
  const key = `${packageOf(path).short}.${name}`
  if (!(key in types)) define(key, path, name)
  return key
}
const types = {}
function define(key, path, name) {
  const type = parse(path).types.get(name)
  if (!type) throw new Error(`no type ${name} in ${path}`)
  if (type.under !== undefined) {
    types[key] = ''
    types[key] = resolve(type.under, type)
    return
  }
  const entry = { f: {} }
  types[key] = entry
  const schema = schemas[`${packageOf(path).openapi}.${name}`]
  if (schema?.['x-kubernetes-map-type'] === 'atomic') entry.atomic = 1
  const gvks = schema?.['x-kubernetes-group-version-kind']
  if (gvks?.length === 1 && schema?.properties?.apiVersion)
    entry.kind = [gvks[0].group ? `${gvks[0].group}/${gvks[0].version}` : gvks[0].version, gvks[0].kind].join(' ')
  let inlined = 0
  for (const field of type.fields) {
    const to = resolve(field.type, type)
    const property = schema?.properties?.[field.name]
    const row = {
      t: to,
      ...(field.proto ? { p: field.proto } : {}),
      ...(field.omit ? { o: field.omitzero ? 2 : 1 } : {}),
      ...(field.inline ? { i: 1 } : {}),
      ...(field.strategy ? { s: field.strategy } : {}),
      ...(field.key ? { k: field.key } : {}),
    }
    if (property) {
      const list = property['x-kubernetes-list-type']
      if (list === 'set') row.l = 'set'
      if (list === 'map') row.l = property['x-kubernetes-list-map-keys']
      if (property['x-kubernetes-map-type'] === 'atomic') row.a = 1
      const fallback = property.default
      // Server-side apply takes an empty one for the key of a list; nothing is written for it.
      if (fallback === '' || fallback === 0 || fallback === false) row.z = 1
      if (
        fallback !== undefined &&
        fallback !== '' &&
        fallback !== 0 &&
        fallback !== false &&
        JSON.stringify(fallback) !== '{}' &&
        fallback !== null
      )
        row.d = fallback
    }
    if (schema?.required?.includes(field.name)) row.r = 1
    entry.f[field.inline ? `+${++inlined}` : field.name] = row
  }
}
const roots = {
  '': 'k8s.io/api/core',
  'apiextensions.k8s.io': 'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions',
  'apiregistration.k8s.io': 'k8s.io/kube-aggregator/pkg/apis/apiregistration',
}
const rootOf = (group) =>
  roots[group] ?? `k8s.io/api/${group === 'flowcontrol.apiserver.k8s.io' ? 'flowcontrol' : group.replace(/\..*/, '')}`
for (const { group, version: v, kind, subresources } of resources) {
  const path = `${rootOf(group)}/${v}`
  define(`${packageOf(path).short}.${kind}`, path, kind)
  const list = parse(path).types.has(`${kind}List`)
  if (list) define(`${packageOf(path).short}.${kind}List`, path, `${kind}List`)
  for (const sub of subresources) {
    const at = `${rootOf(sub.group ?? group)}/${sub.version ?? v}`
    if (sub.kind && parse(at).types.has(sub.kind) && !(`${packageOf(at).short}.${sub.kind}` in types))
      define(`${packageOf(at).short}.${sub.kind}`, at, sub.kind)
  }
}
for (const kind of ['DeleteOptions', 'Status', 'CreateOptions', 'UpdateOptions', 'PatchOptions', 'PartialObjectMetadata', 'List'])
  define(`meta/v1.${kind}`, 'k8s.io/apimachinery/pkg/apis/meta/v1', kind)

mkdirSync(out, { recursive: true })
/** one entry a line: what changes with a new version is seen */
const lines = (entries) => `${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n`
writeFileSync(new URL('types.jsonl', out), lines(Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1))))
writeFileSync(new URL('resources.jsonl', out), lines(resources))
process.stdout.write(`${resources.length} resources, ${Object.keys(types).length} types\n`)

// ---- the server's own structs, as its messages print them: Go's names and order; only what specs contain ----
const internal = {}
const source = [`${kubernetes}/pkg/apis/core/types.go`].map((file) => readFileSync(file, 'utf8')).join('\n')
const structs = new Map([...source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)].map(([, name, body]) => [name, body]))
const named = new Map(
  [...source.matchAll(/^type (\w+) (?!struct\b|interface\b)(\S.*)$/gm)].map(([, name, under]) => [name, under.replace(/\s*\/\/.*/, '')]),
)
/** Go's name of a field of the served type → its JSON name */
function jsonNames(name) {
  const found = parse('k8s.io/api/core/v1').types.get(name)
  return new Map((found?.fields ?? []).filter((field) => field.go).map((field) => [field.go, field.inline ? '' : field.name]))
}
function printable(type) {
  for (const prefix of ['*', '[]']) if (type.startsWith(prefix)) return prefix + printable(type.slice(prefix.length))
  const map = /^map\[[\w.]+\](.+)$/.exec(type)
  if (map) return `{}${printable(map[1])}`
  if (type === 'ResourceList') return '{}'
  if (structs.has(type)) {
    printStruct(type)
    return `core/${type}`
  }
  return named.has(type) ? printable(named.get(type)) : ''
}
const zeroes = { string: '', bool: false, int: 0, int32: 0, int64: 0 }
function zeroOf(type) {
  if (type in zeroes) return zeroes[type]
  if (named.has(type)) return zeroOf(named.get(type))
  return /^types\.(UID|NodeName)$/.test(type) ? '' : null
}
function printStruct(name) {
  if (`core/${name}` in internal) return
  const rows = []
  internal[`core/${name}`] = rows
  const names = jsonNames(name)
  for (const line of structs.get(name).split('\n')) {
    const match = /^\t(?:(\w+)\s+)?([\w.*[\]]+)(?:\s+`.*`)?\s*(?:\/\/.*)?$/.exec(line)
    if (!match) continue
    const [, go, type] = match
    if (go === undefined) {
      // embedded: its fields are the struct's own
      const inner = type.replace(/^\*/, '')
      if (!structs.has(inner)) continue
      printStruct(inner)
      rows.push(...internal[`core/${inner}`])
      continue
    }
    const json = names.get(go) ?? `${go.charAt(0).toLowerCase()}${go.slice(1)}`
    rows.push([go, json, printable(type), zeroOf(type)])
  }
}
for (const name of ['PodSpec', 'PersistentVolumeClaimSpec', 'PersistentVolumeSource']) printStruct(name)
writeFileSync(new URL('internal.jsonl', out), lines(Object.entries(internal).sort(([a], [b]) => (a < b ? -1 : 1))))
