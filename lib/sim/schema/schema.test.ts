// The door of the schema: what kubectl and the API server ask of it, beyond what the recorded answers of a real server prove (oracle/).
import { describe, expect, test } from 'vitest'
import {
  apply,
  canonicalQuantity,
  checkFields,
  coerce,
  compareQuantities,
  decode,
  defaults,
  invalid,
  jsonPatch,
  mergePatch,
  openapiDocument,
  openapiIndex,
  requiredValue,
  resources,
  type StructShape,
  shapeOf,
  strategicMerge,
  track,
} from './index.ts'

const shape = (apiVersion: string, kind: string) => shapeOf(apiVersion, kind) as StructShape

test('resources are those of a kubeadm cluster', () => {
  const all = resources()
  expect(all.length).toBe(66)
  const deployments = all.find((info) => info.resource === 'deployments')
  expect(deployments).toMatchObject({
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    listKind: 'DeploymentList',
    shortNames: ['deploy'],
    categories: ['all'],
    namespaced: true,
  })
  expect(deployments?.subresources.map((sub) => sub.name).sort()).toEqual(['scale', 'status'])
  for (const info of all) expect(shapeOf(info.group ? `${info.group}/${info.version}` : info.version, info.kind), info.kind).toBeDefined()
})

test('OpenAPI documents are found by the paths of the index', () => {
  const paths = openapiIndex().paths
  expect(paths['apis/apps/v1']?.serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/)
  const document = JSON.parse(openapiDocument('apis/apps/v1')?.toString() ?? '')
  expect(document.components.schemas['io.k8s.api.apps.v1.Deployment']['x-kubernetes-group-version-kind']).toEqual([
    { group: 'apps', kind: 'Deployment', version: 'v1' },
  ])
  expect(openapiDocument('apis/none/v1')).toBeUndefined()
})

test.each([
  ['0.5', '500m'],
  ['1000m', '1'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['128974848', '128974848'],
  ['129e6', '129e6'],
  ['129M', '129M'],
  ['0.1n', '1n'],
  ['-1', '-1'],
  ['100Ki', '100Ki'],
  ['0Gi', '0'],
  ['.5', '500m'],
])('quantity %s is written %s', (given, written) => {
  expect(canonicalQuantity(given)).toBe(written)
})
test('quantities compare by value', () => {
  expect(compareQuantities('1', '1000m')).toBe(0)
  expect(compareQuantities('1Gi', '1G')).toBe(1)
  expect(canonicalQuantity('1Zi')).toBeUndefined()
})

describe('strict decoding', () => {
  test('names unknown and repeated fields', () => {
    const text = '{"apiVersion":"v1","kind":"Pod","spec":{"nodeName":"a","nodeName":"b","containers":[{"name":"x","img":"y"}]}}'
    expect(checkFields(JSON.parse(text), shape('v1', 'Pod'), text)).toEqual({
      unknown: ['unknown field "spec.containers[0].img"'],
      duplicate: ['duplicate field "spec.nodeName"'],
    })
  })
  test('keys of maps are not fields', () => {
    expect(checkFields({ metadata: { labels: { anything: 'x' } } }, shape('v1', 'Pod')).unknown).toEqual([])
  })
})

test('a key that means something to JavaScript is a key like any other', () => {
  const object = JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"__proto__":"x","constructor":"y"}}')
  expect(JSON.stringify(coerce(object, shape('v1', 'ConfigMap')).data)).toBe('{"__proto__":"x","constructor":"y"}')
  expect(JSON.stringify(mergePatch(object, JSON.parse('{"data":{"__proto__":"z"}}')))).not.toContain('"__proto__":"x"')
  expect(({} as Record<string, unknown>).x).toBeUndefined()
})

test('arguments stay as they are', () => {
  const object = Object.freeze({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: Object.freeze({ name: 'a' }),
    spec: Object.freeze({ containers: Object.freeze([Object.freeze({ name: 'x', image: 'y' })]) }),
  })
  const before = JSON.stringify(object)
  defaults(coerce(object, shape('v1', 'Pod')))
  jsonPatch(object, [{ op: 'replace', path: '/spec/containers/0/image', value: 'z' }])
  strategicMerge(object, { spec: { containers: [{ name: 'x', image: 'z' }] } }, shape('v1', 'Pod'))
  mergePatch(object, { spec: { containers: null } })
  expect(JSON.stringify(object)).toBe(before)
})

test('a body that is no protobuf is refused', () => {
  expect(() => decode(new Uint8Array([1, 2, 3, 4]))).toThrow(/unknown format/)
})

test('an invalid object names its kind with the group', () => {
  const error = invalid('Deployment', 'apps', 'web', [requiredValue('spec.selector'), requiredValue('spec.template')])
  expect(error.message).toBe('Deployment.apps "web" is invalid: [spec.selector: Required value, spec.template: Required value]')
  expect(error.status.details?.causes?.[0]).toEqual({ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.selector' })
})

describe('managed fields', () => {
  const kind = shape('v1', 'ConfigMap')
  const config = (data: Record<string, string>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data })
  const by = (manager: string, force = false) => ({ manager, force, time: '2026-01-01T00:00:00Z', shape: kind, apiVersion: 'v1' })
  const write = (manager: string, time: string) => ({ manager, operation: 'Update' as const, time, shape: kind, apiVersion: 'v1' })

  test('two that apply the same field conflict, and force takes it over', () => {
    const live = apply(undefined, config({ a: '1' }), by('one'))
    expect(() => apply(live, config({ a: '2' }), by('two'))).toThrow('Apply failed with 1 conflict: conflict with "one": .data.a')
    const forced = apply(live, config({ a: '2' }), by('two', true))
    expect(forced.data).toEqual({ a: '2' })
    expect(forced.metadata.managedFields.map((entry: { manager: string }) => entry.manager)).toEqual(['two'])
  })
  test('what is applied no more goes, unless somebody else has it', () => {
    const one = apply(undefined, config({ a: '1', b: '1' }), by('one'))
    const both = apply(one, config({ b: '1' }), by('two'))
    expect(apply(both, config({}), by('one')).data).toEqual({ b: '1' })
  })
  test('the oldest of many updaters become one', () => {
    let live = track(undefined, config({}), write('m0', '2026-01-01T00:00:00Z'))
    for (let n = 1; n < 14; n += 1)
      live = track(
        live,
        { ...live, data: { ...live.data, [`k${n}`]: 'x' } },
        write(`m${n}`, `2026-01-01T00:00:${String(n).padStart(2, '0')}Z`),
      )
    const managers = live.metadata.managedFields.map((entry: { manager: string }) => entry.manager)
    expect(managers).toHaveLength(10)
    expect(managers).toContain('ancient-changes')
  })
  test('a write that changes nothing leaves no trace', () => {
    const live = track(undefined, config({ a: '1' }), write('one', '2026-01-01T00:00:00Z'))
    expect(track(live, live, write('two', '2026-01-01T00:00:09Z'))).toEqual(live)
  })
})
