// Every answer that a real API server gave to the seeded cases, against this module's own. What differs is listed, each with its reason.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube.ts'
import { coerce, decode, defaults, equal, type StructShape, shapeOf } from '../index.ts'
import { answer, comparable, type Recorded } from './replay.ts'

const fixture = (name: string) => JSON.parse(gunzipSync(readFileSync(new URL(`./${name}.json.gz`, import.meta.url))).toString())

/** what the case is about, what the server said → why this module alone does not say it */
const different: readonly [about: RegExp, said: RegExp, reason: string][] = [
  [/^create Node$/, /^$/, 'admission taints a node that has just been made'],
  [/^create/, /is forbidden: /, 'admission refuses before validation: what the object names is not there, or the signer is not allowed'],
  [/^create Job with spec.selector/, /not auto-generated/, "the Job's strategy makes the selector and labels of a Job from its uid"],
  [/Service/, /ipFamil|clusterIPs|already allocated/, 'addresses and families are allocated before validation, by what the cluster has'],
  [/ConfigMap/, /Precondition failed: UID/, 'storage checks the uid before validation'],
  [/PodTemplate/, /does not match the name on the URL|has been modified/, 'the request is compared with its URL and with storage'],
  [
    /PodTemplate/,
    /^ "" is invalid: patch:/,
    'the message repeats the whole object, its keys in the order of a Go map where the patch went',
  ],
  [/^apply/, /not found$/, 'a patch of what does not exist'],
]

for (const [seed, least] of [
  ['1', 900],
  ['2', 900],
  ['custom-1', 180],
] as const)
  test(`a real API server's answers, seed ${seed}`, () => {
    const cases = fixture(seed) as Recorded[]
    const wrong: unknown[] = []
    let asked = 0
    for (const one of cases)
      for (const [index, step] of one.steps.entries()) {
        asked += 1
        const theirs = comparable(step.answer)
        const said = typeof theirs.message === 'string' && theirs.code >= 400 ? theirs.message : ''
        const ours = comparable(answer(step))
        if (equal(ours, theirs)) continue
        if (different.some(([about, message]) => about.test(one.about) && message.test(said))) continue
        wrong.push({ about: one.about, index, ours, theirs })
      }
    expect(wrong).toEqual([])
    expect(asked).toBeGreaterThan(least)
  })

test('what the server writes in protobuf and in JSON is one object', () => {
  const objects = fixture('encodings') as { json: KubeObject; protobuf: string }[]
  let compared = 0
  for (const { json, protobuf } of objects) {
    const decoded = decode(Buffer.from(protobuf, 'base64'))
    // A controller may have come between both reads.
    if (decoded.metadata.resourceVersion !== json.metadata.resourceVersion) continue
    const shape = shapeOf(json.apiVersion, json.kind) as StructShape
    expect(coerce(defaults(coerce(decoded, shape)), shape)).toEqual(json)
    compared += 1
  }
  expect(compared).toBeGreaterThan(20)
})
