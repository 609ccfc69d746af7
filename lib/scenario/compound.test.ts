import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadCatalogue, resolve } from './index.ts'

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const nodes = ['control-plane', 'worker-1', 'worker-2'].map((place) => ({ place, name: `km-${place}` }))
const compound = `combines:
  - { scenario: prices, share: 40 }
  - { scenario: coredns-loop, variant: kubelet, share: 60 }
title: { en: Two things at once, ko: 두 가지가 한꺼번에 }
summary: { en: No names and no prices., ko: 이름도 가격도 없습니다. }
domain: troubleshooting
competency: services-and-networking
difficulty: hard
weight: 10
minutes: 25
hints: [{ en: One after the other., ko: 하나씩 해결하세요. }]
`
let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'scenarios-'))
  for (const domain of ['services-networking', 'troubleshooting']) await mkdir(join(root, domain))
  await cp(file('bin/template'), join(root, 'services-networking/prices'), { recursive: true })
  await cp(file('scenarios/troubleshooting/coredns-loop'), join(root, 'troubleshooting/coredns-loop'), { recursive: true })
  await mkdir(join(root, 'troubleshooting/both'))
  await write('compound.yaml', compound)
  for (const name of ['brief.md', 'brief.ko.md']) await write(name, 'Prices in `${firstNs}`, names in `${secondNs}`.\n')
})
afterEach(() => rm(root, { recursive: true, force: true }))
const write = (name: string, content: string) => writeFile(join(root, 'troubleshooting/both', name), content)
const problems = async () => (await loadCatalogue(root)).problems.map(({ file, line, message }) => `${file}:${line} ${message}`)

describe('two incidents at once', () => {
  it('keep their parameters apart, are broken one after the other and share the score', async () => {
    const catalogue = await loadCatalogue(root)
    expect(catalogue.problems).toEqual([])
    const both = catalogue.bySlug('both')!
    const lab = resolve(both, { seed: 'one', nodes })
    expect(lab.values).toMatchObject({ firstNs: expect.stringMatching(/shop|store/), secondNs: expect.any(String), variant: 'default' })
    expect(lab.brief.en).toBe(`Prices in \`${lab.values.firstNs}\`, names in \`${lab.values.secondNs}\`.\n`)
    expect(JSON.stringify(lab.fault[0])).toContain(`"namespace":"${lab.values.firstNs}"`)
    expect(JSON.stringify(lab.fault.at(-1))).toContain('kube-dns')
    expect(lab.fault.every((step) => step.only === undefined)).toBe(true)
    const goals = lab.checks.filter((check) => check.role === 'goal')
    expect(goals.reduce((sum, check) => sum + check.weight, 0)).toBe(100)
    expect(goals.filter((check) => check.id.startsWith('first-')).reduce((sum, check) => sum + check.weight, 0)).toBe(40)
    expect(
      goals.some((check) => check.id === 'second-outside-names'),
      'of the other variant',
    ).toBe(false)
    expect(
      lab.checks.filter((check) => check.harmless),
      'asked once',
    ).toHaveLength(1)
    expect(lab.explanation.en).toMatch(/^## 1\. .*### What happened.*\n## 2\. /s)
  })
  it('are proven by the scripts of the two, each seeing its own parameters', async () => {
    const both = (await loadCatalogue(root)).bySlug('both')!
    expect(both.parts.map(({ kind, name, score }) => [kind, name, score])).toEqual([
      ['solution', 'solution', 100],
      ['alternative', 'the-other-way-round', 100],
      ['partial', 'only-the-first', 40],
      ['partial', 'only-the-second', 60],
      ['cheat', 'both-1', 0],
    ])
    const solution = both.parts[0]!.script
    expect(solution).toContain('export NS="$FIRST_NS"')
    expect(solution).toContain('export NS="$SECOND_NS"')
    expect(solution).toContain('export VARIANT=kubelet')
  })
  it('never draw the same name', async () => {
    await write('compound.yaml', compound.replace('coredns-loop, variant: kubelet', 'more-prices'))
    await cp(file('bin/template'), join(root, 'services-networking/more-prices'), { recursive: true })
    const yaml = join(root, 'services-networking/more-prices/scenario.yaml')
    await writeFile(yaml, (await readFile(yaml, 'utf8')).replace('pick: [shop, store]', 'pick: [shop, store, market]'))
    const both = (await loadCatalogue(root)).bySlug('both')!
    expect(both.spec.params).toMatchObject({ firstNs: { pick: ['shop', 'store'] }, secondNs: { pick: ['market'] } })
  })
  it('is stale when one of them moves', async () => {
    const before = (await loadCatalogue(root)).bySlug('both')!
    await writeFile(join(root, 'services-networking/prices/solution.sh'), '# score: 100\ntrue\n')
    const after = (await loadCatalogue(root)).bySlug('both')!
    expect(after.hash).not.toBe(before.hash)
    expect(after.stage).toBe(before.stage)
  })
  it('says what is wrong, with the line', async () => {
    await write('compound.yaml', compound.replace('prices,', 'nothing,').replace('variant: kubelet', 'variant: none'))
    expect(await problems()).toEqual([
      'troubleshooting/both/compound.yaml:2 there is no good scenario "nothing"',
      'troubleshooting/both/compound.yaml:3 "coredns-loop" has no variant "none"',
    ])
    await write('compound.yaml', compound.replace('share: 40', 'share: 50'))
    expect(await problems()).toEqual(['troubleshooting/both/compound.yaml:2 combines: the shares add up to 100'])
    await write('compound.yaml', compound)
    await write('brief.md', '${ns}')
    expect(await problems()).toEqual([expect.stringContaining('brief.md:1 ${ns} is not a parameter')])
  })
})
