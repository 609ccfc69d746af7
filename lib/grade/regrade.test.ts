// A verdict given again on what was recorded: what was mended counts anew, what was not keeps its verdict, what was never asked is said.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Api, type Cluster, type FakeProvider, fakeProvider, kubernetesApi } from '#lib/cluster/index.ts'
import type { Check, ResolvedScenario } from '#lib/scenario/index.ts'
import { type EvidenceRecord, grade, regrade } from './index.ts'

let dir: string
let provider: FakeProvider
let cluster: Cluster
let api: Api
const cancel = new AbortController()
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'regrade-'))
  provider = fakeProvider({ dir })
  cluster = await provider.create({ workers: 2 }, () => {}, cancel.signal)
  api = kubernetesApi(cluster.kubeconfig)
})
afterEach(async () => {
  api.close()
  await cluster.destroy()
  await rm(dir, { recursive: true, force: true })
})

const text = (en: string) => ({ en, ko: en })
const check = (id: string, weight: number, condition: Partial<Check>): Check => ({
  id,
  role: weight > 0 ? 'goal' : 'guard',
  weight,
  hold: 0,
  title: text(id),
  why: text('because'),
  ...condition,
})
const setting = (name: string, wanted: string): Partial<Check> => ({
  resource: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name, expect: `object.data.value == "${wanted}"` },
})
const script = (run: string): Partial<Check> => ({ script: { at: 'workstation', run, describe: text('it runs'), timeout: 5 } })
const put = (name: string, value: string) =>
  api.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels: { of: name } }, data: { value } })
const gradeNow = async (checks: readonly Check[]) => {
  const graded = await grade(
    cluster,
    { checks } as ResolvedScenario,
    { handover: null },
    { signal: cancel.signal, limits: { settleMs: 50, silentMs: 50, settleHostMs: 50 } },
  )
  // As it is kept: text.
  return { ...graded, evidence: JSON.parse(JSON.stringify(graded.evidence)) as EvidenceRecord }
}

it('gives a mended check its verdict from the record, long after the cluster has changed', { timeout: 60_000 }, async () => {
  await put('a', 'right')
  await put('b', 'right')
  const before = [check('a', 60, setting('a', 'mistaken')), check('b', 40, setting('b', 'right')), check('w', 0, script('exit 0'))]
  const graded = await gradeNow(before)
  expect(graded.score).toBe(40)
  await put('a', 'other')
  await put('b', 'other')

  const mended = [check('a', 60, setting('a', 'right')), before[1]!, before[2]!]
  const again = await regrade(graded.evidence, graded.checks, mended)
  expect(again).toMatchObject({
    grade: {
      score: 100,
      checks: [
        { id: 'a', verdict: 'pass' },
        { id: 'b', verdict: 'pass' },
        { id: 'w', verdict: 'pass' },
      ],
    },
  })
  // Weights alone, a check that is gone, and one that is harder than it was.
  expect(
    await regrade(graded.evidence, graded.checks, [
      { ...before[0]!, weight: 10 },
      { ...before[1]!, weight: 90 },
    ]),
  ).toMatchObject({ grade: { score: 90 } })
  expect(await regrade(graded.evidence, graded.checks, [{ ...before[1]!, weight: 100 }])).toMatchObject({ grade: { score: 100 } })
  expect(await regrade(graded.evidence, graded.checks, [check('b', 100, setting('b', 'better'))])).toMatchObject({
    grade: { score: 0, checks: [{ verdict: 'fail' }] },
  })
})

it('answers what was not asked then from the lists that are kept, and says of the rest that it cannot', { timeout: 60_000 }, async () => {
  await put('a', 'right')
  await put('c', 'there')
  const graded = await gradeNow([check('a', 100, setting('a', 'right'))])
  const ask = (condition: Partial<Check>) => regrade(graded.evidence, graded.checks, [check('new', 100, condition)])
  expect(await ask(setting('c', 'there'))).toMatchObject({ grade: { score: 100 } })
  expect(await ask(setting('d', 'there'))).toMatchObject({ grade: { score: 0 } })
  expect(
    await ask({ resource: { apiVersion: 'v1', kind: 'ConfigMap', selector: { of: 'c' }, expect: 'objects.size() == 1' } }),
  ).toMatchObject({ grade: { score: 100 } })
  expect(await ask({ absent: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'c' } })).toMatchObject({
    grade: { score: 0 },
  })
  // A command, a file, a Secret: nobody wrote them down.
  for (const condition of [
    script('exit 0'),
    { file: { at: 'worker-1', path: '/etc/hosts', exists: true } } as Partial<Check>,
    { resource: { apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'c', expect: 'true' } } as Partial<Check>,
  ]) {
    const said = await ask(condition)
    expect(said).toMatchObject({ impossible: { en: expect.stringContaining('not recorded') } })
    expect('impossible' in said && said.impossible.ko).toMatch(/다시 확인할 수 없습니다/)
  }
})

it('keeps an answer that was a failure as one, and forgets an answer that has outgrown the record', { timeout: 60_000 }, async () => {
  await put('a', 'x'.repeat(2 * 1024 * 1024))
  const graded = await gradeNow([check('a', 100, setting('a', 'y')), check('s', 0, script('exit 0'))])
  expect(graded.score).toBe(0)
  expect(graded.evidence.left).toBeGreaterThan(0)
  expect(await regrade(graded.evidence, graded.checks, [check('a', 100, setting('a', 'z'))])).toMatchObject({ impossible: {} })
  expect(JSON.stringify(graded.evidence).length).toBeLessThan(7 * 1024 * 1024)
})
