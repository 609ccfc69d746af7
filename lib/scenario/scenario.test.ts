import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jsonSchema, loadCatalogue, loadScenario, resolve, type Scenario, trust } from './index.ts'

const own = fileURLToPath(new URL('../../scenarios', import.meta.url))
const nodes = [
  { place: 'control-plane', name: 'km-control-plane' },
  { place: 'worker-1', name: 'km-worker' },
  { place: 'worker-2', name: 'km-worker2' },
]
let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'scenarios-'))
  folder = join(root, 'troubleshooting', 'quiet')
  await mkdir(join(root, 'troubleshooting'))
  await cp(join(own, 'troubleshooting', 'kube-proxy-kubeconfig'), folder, { recursive: true })
  await rm(join(folder, 'proof.kind.json'), { force: true })
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function change(file: string, edit: (text: string) => string): Promise<void> {
  const path = join(folder, file)
  await writeFile(path, edit(await readFile(path, 'utf8').catch(() => '')))
}
const problems = async () => (await loadScenario(folder, root)).problems
const good = async (): Promise<Scenario> => {
  const { scenario, problems } = await loadScenario(folder, root)
  expect(problems).toEqual([])
  return scenario as Scenario
}

describe('the catalogue of this repository', () => {
  it('is without a problem', async () => {
    const catalogue = await loadCatalogue(own)
    expect(catalogue.problems).toEqual([])
    expect(catalogue.scenarios.map((one) => one.slug)).toEqual(
      expect.arrayContaining(['kube-proxy-kubeconfig', 'cni-deleted', 'coredns-loop']),
    )
  })
  it('has a published JSON Schema that is the one in use', async () => {
    expect(JSON.parse(await readFile(join(own, 'scenario.schema.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(jsonSchema())))
  })
  it('tells no learner the cause: neither slug nor id appears in title or summary, and ids are opaque', async () => {
    for (const scenario of (await loadCatalogue(own)).scenarios) {
      const shown = JSON.stringify([scenario.spec.title, scenario.spec.summary, scenario.id])
      expect(shown).not.toContain(scenario.slug)
      for (const word of ['kubeconfig', 'Corefile', 'flannel', 'kube-proxy']) expect(shown).not.toContain(word)
    }
  })
})

describe('lint', () => {
  it('refuses a parameter that would take the place of what a shell needs', async () => {
    await change('scenario.yaml', (text) => text.replace('params:\n', 'params:\n  home: { pick: [a, b] }\n'))
    expect((await problems()).map(({ message }) => message)).toEqual([expect.stringContaining('reaches scripts as HOME')])
  })

  it('reports every problem at once, each with file and line', async () => {
    await change('scenario.yaml', (text) =>
      text.replace('difficulty: medium', 'difficulty: fiendish').replace('weight: 7', 'weight: heavy').replace('minutes: 12', 'minuts: 12'),
    )
    const found = await problems()
    const line = async (word: string) =>
      (await readFile(join(folder, 'scenario.yaml'), 'utf8')).split('\n').findIndex((one) => one.includes(word)) + 1
    expect(found.find((problem) => problem.message.startsWith('difficulty'))).toMatchObject({
      file: 'troubleshooting/quiet/scenario.yaml',
      line: await line('fiendish'),
    })
    expect(found.find((problem) => problem.message.startsWith('weight'))?.line).toBe(await line('heavy'))
    expect(found.some((problem) => problem.message.includes('minuts'))).toBe(true)
  })
  it('says where YAML itself is broken', async () => {
    await change('scenario.yaml', (text) => text.replace('hints:\n', 'hints:\n  - en: "unclosed\n'))
    expect((await problems())[0]?.line).toBeGreaterThan(100)
  })
  it('finds goals that do not add up, duplicate ids and a guard with a weight', async () => {
    await change('scenario.yaml', (text) =>
      text.replace('weight: 50\n    hold: 10', 'weight: 40\n    hold: 10').replace('id: every-node', 'id: new-services'),
    )
    const messages = (await problems()).map((problem) => problem.message).join('\n')
    expect(messages).toContain('weigh 90 together, not 100')
    expect(messages).toContain('"new-services" is taken')
  })
  it('finds unknown parameters in YAML, in briefs and in manifests that are missing', async () => {
    await change('scenario.yaml', (text) =>
      text
        .replace("namespace: '${ns}', name: '${app}' } }\n\nfault", "namespace: '${nope}', name: '${app}' } }\n\nfault")
        .replace('files/app.yaml', 'files/gone.yaml'),
    )
    await change('brief.md', (text) => `${text}\nSee \${other}.\n`)
    const found = await problems()
    expect(found.some((problem) => problem.message.includes('${nope}'))).toBe(true)
    expect(found.some((problem) => problem.message.includes('files/gone.yaml'))).toBe(true)
    expect(found.find((problem) => problem.file.endsWith('brief.md'))?.line).toBeGreaterThan(5)
  })
  it('parses expressions before a learner meets them', async () => {
    await change('scenario.yaml', (text) =>
      text.replace('.size() == 2', '.size( == 2').replace('body: Welcome to nginx\n      expect', 'body: "(unclosed"\n      expect'),
    )
    const messages = (await problems()).map((problem) => problem.message).join('\n')
    expect(messages).toContain('not a CEL expression')
    expect(messages).toContain('not a regular expression')
  })
  it('wants alternatives, cheats and partials, each with the score it must get', async () => {
    await rm(join(folder, 'partials'), { recursive: true })
    await change('cheats/replace-curl.sh', (text) => text.replace('# score: 0', '# score: 30'))
    await change('alternatives/kubeadm-addon.sh', (text) => text.replace('# score: 100', 'set -e'))
    const messages = (await problems()).map((problem) => `${problem.file} ${problem.message}`).join('\n')
    expect(messages).toContain('no partial for variant "default"')
    expect(messages).toContain('a cheat must score 0')
    expect(messages).toContain('alternatives/kubeadm-addon.sh the first line')
  })
  it('lets a bad scenario take no other down, and refuses a slug twice', async () => {
    await cp(folder, join(root, 'storage', 'quiet'), { recursive: true })
    await mkdir(join(root, 'storage', 'broken'))
    const catalogue = await loadCatalogue(root)
    expect(catalogue.scenarios).toHaveLength(1)
    const messages = catalogue.problems.map((problem) => problem.message).join('\n')
    expect(messages).toContain('slug "quiet" is taken')
    expect(messages).toContain('is missing')
  })
})

describe('docs/authoring.md', () => {
  it('shows a scenario that is right as it stands', async () => {
    const guide = await readFile(fileURLToPath(new URL('../../docs/authoring.md', import.meta.url)), 'utf8')
    const yaml = /```yaml\n([\s\S]*?)```/.exec(guide)?.[1] ?? ''
    expect(yaml).toContain('kind: incident')
    await rm(join(folder, 'alternatives'), { recursive: true })
    for (const name of ['scenario.yaml', 'brief.md', 'brief.ko.md', 'explanation.md', 'explanation.ko.md'])
      await writeFile(join(folder, name), name === 'scenario.yaml' ? yaml : 'Words.\n')
    expect((await problems()).map((problem) => problem.message)).toEqual([
      'no alternative for variant "default": the verdict is unproven without one',
    ])
  })
})

describe('parameters', () => {
  it('are the same for the same seed and differ between seeds', async () => {
    const scenario = await good()
    const draw = (seed: string) => resolve(scenario, { seed, nodes }).values
    expect(draw('a')).toEqual(draw('a'))
    expect(new Set(Array.from({ length: 20 }, (_, seed) => JSON.stringify(draw(String(seed))))).size).toBeGreaterThan(10)
  })
  it('are filled in everywhere, keep their type alone, and reach scripts as environment', async () => {
    const resolved = resolve(await good(), { seed: 'a', nodes })
    const { ns, app, port } = resolved.values
    expect(resolved.checks[0]?.http?.to).toMatchObject({ service: { namespace: ns, name: app }, port, fresh: true })
    expect(resolved.brief.ko).toContain(String(app))
    expect(resolved.brief.en).toContain('km-worker2')
    expect(resolved.env).toMatchObject({ NS: ns, APP: app, PORT: String(port), NODE_WORKER_1: 'km-worker', VARIANT: 'default' })
    expect(JSON.stringify(resolved)).not.toContain('${')
  })
  it('stand in the solution that a learner reads, in place of variables', async () => {
    const cni = (await loadCatalogue(own)).bySlug('cni-deleted') as Scenario
    const { solution, values } = resolve(cni, { seed: 'a', nodes })
    expect(solution).toContain(`kubectl -n ${values.ns} rollout status deployment ${values.app}`)
    expect(solution).not.toContain('$NS')
  })
  it('leave out what belongs to other variants', async () => {
    const loop = (await loadCatalogue(own)).bySlug('coredns-loop') as Scenario
    const ids = (variant: string) => resolve(loop, { seed: 'x', nodes, variant }).checks.map((check) => check.id)
    expect(ids('corefile')).not.toContain('node-resolver')
    expect(ids('kubelet')).toContain('node-resolver')
    expect(() => resolve(loop, { seed: 'x', nodes, variant: 'other' })).toThrow('There is no variant "other"')
  })
})

describe('trust', () => {
  const identity = { kubernetesVersion: 'v1.35.4', image: 'sha256:1' }
  const proof = (scenario: Scenario, proven = true) => ({
    key: { scenario: scenario.hash, image: identity.image, kubernetes: identity.kubernetesVersion, grader: '1' },
    provenAt: '2026-01-01T00:00:00Z',
    variants: [
      {
        slug: 'quiet',
        backend: 'kind',
        variant: 'default',
        proven,
        seconds: 1,
        parts: [{ kind: 'cheat', name: 'one', expected: 0, score: 0, ok: true, seconds: 1, checks: [] }],
      },
    ],
  })
  const recorded = async (proven = true) => {
    await writeFile(join(folder, 'proof.kind.json'), JSON.stringify(proof(await good(), proven)))
    return good()
  }
  it('is none without a proof, and none with a proof that failed', async () => {
    expect(trust(await good(), 'kind', '1', identity).state).toBe('unproven')
    expect(trust(await recorded(false), 'kind', '1', identity).state).toBe('unproven')
  })
  it('is proven while nothing moved, and says what made it stale', async () => {
    const scenario = await recorded()
    expect(trust(scenario, 'kind', '1', identity)).toMatchObject({ state: 'proven', cheats: 1 })
    expect(trust(scenario, 'kind', '2', { ...identity, image: 'sha256:2' })).toMatchObject({
      state: 'stale',
      reason: 'changed since: the grader, the node image',
    })
    await change('brief.md', (text) => `${text}\nOne more line.\n`)
    await change('scenario.yaml', (text) => text.replace(/^minutes: .*$/m, 'minutes: 99'))
    expect(trust(await good(), 'kind', '1', identity).state, 'prose is not played').toBe('proven')
    await change('solution.sh', (text) => `${text}\ntrue\n`)
    expect(trust(await good(), 'kind', '1', identity)).toMatchObject({ state: 'stale', reason: 'changed since: the scenario' })
  })
})
