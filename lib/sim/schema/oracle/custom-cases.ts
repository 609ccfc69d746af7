// Seeded cases of a custom resource whose schema uses most of what structural schemas can say. Knows nothing of how they are played.
import { random } from '../../random.ts'
import type { JsonSchema } from '../crd.ts'
import { type Case, changed, type Obj, pick, type Step } from './cases.ts'

const part: JsonSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string' },
    port: { type: 'integer', format: 'int32', default: 80 },
    protocol: { type: 'string', default: 'TCP', enum: ['TCP', 'UDP'] },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
  },
}
export const schema: JsonSchema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 10 },
        ratio: { type: 'number', exclusiveMinimum: true, minimum: 0 },
        color: { type: 'string', enum: ['red', 'green'], default: 'red' },
        code: { type: 'string', pattern: '^[a-z]{2,4}$', maxLength: 4 },
        title: { type: 'string', minLength: 2, nullable: true },
        on: { type: 'boolean', default: true },
        when: { type: 'string', format: 'date-time' },
        target: { 'x-kubernetes-int-or-string': true },
        open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        labels: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 3 },
        whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' }, b: { type: 'string' } } },
        parts: {
          type: 'array',
          items: part,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name', 'protocol'],
          maxItems: 4,
        },
        plain: { type: 'array', items: { type: 'object', properties: { x: { type: 'integer' } } }, minItems: 1 },
        deep: {
          type: 'object',
          default: {},
          properties: { level: { type: 'integer', default: 3 }, more: { type: 'object', properties: { y: { type: 'string' } } } },
        },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
}
export const definition: Obj = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'orders.oracle.example.com' },
  spec: {
    group: 'oracle.example.com',
    names: { kind: 'Order', plural: 'orders' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } }],
  },
}
const place = '/apis/oracle.example.com/v1/namespaces/{namespace}/orders'
const object = (name: string): Obj => ({
  apiVersion: 'oracle.example.com/v1',
  kind: 'Order',
  metadata: { name, labels: { app: 'shop' } },
  spec: {
    size: 3,
    code: 'abc',
    labels: { a: '1' },
    whole: { a: '1', b: '2' },
    parts: [
      { name: 'one', tags: ['x', 'y'] },
      { name: 'two', port: 90, protocol: 'UDP' },
    ],
    plain: [{ x: 1 }],
    open: { any: { thing: [1, 'two', null] } },
  },
})
const gone = Symbol('gone')
const values: readonly [string, unknown][] = [
  ['spec', gone],
  ['spec', 'text'],
  ['spec.size', gone],
  ['spec.size', 0],
  ['spec.size', 11],
  ['spec.size', 1.5],
  ['spec.size', '3'],
  ['spec.size', null],
  ['spec.ratio', 0],
  ['spec.ratio', 0.25],
  ['spec.color', 'blue'],
  ['spec.color', null],
  ['spec.color', 5],
  ['spec.code', 'ABC'],
  ['spec.code', 'abcdef'],
  ['spec.title', null],
  ['spec.title', 'x'],
  ['spec.on', 'yes'],
  ['spec.when', 'yesterday'],
  ['spec.when', '2026-01-02T03:04:05Z'],
  ['spec.target', 80],
  ['spec.target', '80'],
  ['spec.target', true],
  ['spec.open', { more: { and: 'more' } }],
  ['spec.open', []],
  ['spec.labels', { a: 1 }],
  ['spec.labels', { a: '1', b: '2', c: '3', d: '4' }],
  ['spec.whole.c', 'unknown'],
  ['spec.parts', 'text'],
  ['spec.parts', [{ port: 1 }]],
  ['spec.parts', [{ name: 'a' }, { name: 'a' }]],
  ['spec.parts', [{ name: 'a' }, { name: 'a', protocol: 'UDP' }]],
  ['spec.parts', [{ name: 'a', protocol: 'ICMP', port: 'x' }]],
  ['spec.parts', [{ name: 'a', tags: ['x', 'x'] }]],
  ['spec.parts', [1, 2, 3, 4, 5].map((n) => ({ name: `n${n}` }))],
  ['spec.plain', []],
  ['spec.plain', [{ x: 'y', z: 1 }]],
  ['spec.deep', { unknown: 1, more: { y: 'z', q: 1 } }],
  ['spec.deep', null],
  ['spec.unknown', 1],
  ['status', { phase: 'Ready' }],
  ['metadata.labels', { 'bad key': 'x' }],
  ['metadata.labels', { a: 1 }],
  ['metadata.name', 'Bad_Name'],
]
const patches: readonly [Step['verb'], unknown][] = [
  ['merge', { spec: { size: 5 } }],
  ['merge', { spec: { size: 50 } }],
  ['merge', { spec: { parts: null, labels: { a: null, b: '2' } } }],
  ['merge', { spec: { deep: { level: null } } }],
  ['merge', { spec: { unknown: 1 } }],
  ['json', [{ op: 'replace', path: '/spec/size', value: 7 }]],
  ['json', [{ op: 'add', path: '/spec/parts/-', value: { name: 'three' } }]],
  ['json', [{ op: 'remove', path: '/spec/size' }]],
]
const configurations: readonly Obj[] = [
  { spec: { size: 1, parts: [{ name: 'one' }] } },
  { spec: { size: 2, labels: { a: '1', b: '2' } } },
  { spec: { size: 2, parts: [{ name: 'one', port: 81 }, { name: 'two' }], whole: { a: 'x' } } },
  { spec: { size: 1, parts: [{ name: 'two', tags: ['a'] }], whole: { b: 'y' } } },
  { spec: { size: 1, parts: [{ name: 'two', tags: ['b', 'c'] }], plain: [{ x: 1 }] } },
  { spec: { size: 1, open: { a: { b: 1 } }, deep: { level: 9 } } },
  { spec: { size: 1, open: { a: { c: 2 } } } },
  { spec: { size: 'x' } },
  { spec: { size: 1, unknown: 2 } },
  { spec: { size: 1, parts: [{ port: 3 }] } },
]
export function customCases(seed: number): Case[] {
  const r = random(seed)
  const all: Case[] = []
  let count = 0
  const name = () => {
    count += 1
    return `order-${count}`
  }
  for (const [path, value] of values) {
    const own = name()
    const given = value === gone ? changed(object(own), path, undefined) : changed(object(own), path, value)
    all.push({
      about: `create Order with ${path} ${value === gone ? 'gone' : JSON.stringify(value).slice(0, 60)}`,
      name: own,
      dryOnly: true,
      steps: [{ verb: 'create', resource: place, dryRun: true, body: JSON.parse(JSON.stringify(given)) }],
    })
  }
  const own = name()
  all.push({
    about: 'changes of a live Order',
    name: own,
    steps: [
      { verb: 'create', resource: place, body: object(own) },
      ...patches.map(([verb, body]): Step => ({ verb, resource: place, dryRun: true, body })),
    ],
  })
  for (let round = 0; round < 25; round += 1) {
    const other = name()
    const steps: Step[] = round % 3 === 2 ? [{ verb: 'create', resource: place, manager: 'creator', body: object(other) }] : []
    for (let step = 0; step < 5; step += 1) {
      const config = structuredClone(step === 0 ? configurations[round % 3] : pick(r, configurations)) as Obj
      steps.push({
        verb: 'apply',
        resource: place,
        manager: pick(r, ['alpha', 'beta']),
        force: r.int(2) === 0,
        body: { apiVersion: 'oracle.example.com/v1', kind: 'Order', ...config, metadata: { name: other } },
      })
    }
    all.push({ about: 'apply Order', name: other, steps })
  }
  return all
}
