import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromKillercoda, loadScenario } from './index.ts'

const source = new Map([
  [
    'index.json',
    JSON.stringify({
      title: 'A pod with limits',
      description: 'Create one',
      difficulty: 'beginner',
      time: '5 minutes',
      details: {
        intro: { text: 'intro.md', background: 'init/background.sh' },
        steps: [
          { title: 'Create', text: 'step1/text.md', verify: 'step1/verify.sh' },
          { title: 'Look', text: 'step2/text.md', verify: 'step2/verify.sh' },
          { title: 'Read', text: 'step3/text.md', verify: 'step3/verify.sh' },
        ],
        finish: { text: 'finish.md' },
        assets: {
          host01: [
            { file: 'pod.yaml', target: '/opt/task', chmod: '+x' },
            { file: 'gone.bin', target: '/opt' },
          ],
        },
      },
      backend: { imageid: 'kubernetes-kubeadm-2nodes' },
    }),
  ],
  ['intro.md', 'Wait for it.'],
  ['init/background.sh', 'for i in 1 2; do echo "${i}"; done\n'],
  ['step1/text.md', 'Run `kubectl get pods`{{exec}} first.\n\n<details>\n<summary>Tip</summary>\n\nUse `kubectl run`.\n</details>\n'],
  ['step1/verify.sh', '#!/bin/bash\nkubectl get pod x'],
  ['step2/text.md', 'Look.'],
  ['step2/verify.sh', 'true'],
  ['step3/text.md', 'Read.'],
  ['step3/verify.sh', 'test "${HOME}"'],
  ['finish.md', 'Well done.'],
  ['assets/pod.yaml', 'kind: Pod\n'],
])

describe('a Killercoda scenario', () => {
  it('becomes a task whose checks are its verify scripts; what is missing is said', async () => {
    const { files, notes } = fromKillercoda(source, { domain: 'workloads' })
    const folder = join(await mkdtemp(join(tmpdir(), 'imported-')), 'pod-limits')
    await mkdir(folder)
    for (const [name, text] of files) await writeFile(join(folder, name), text)
    expect((await loadScenario(folder)).problems).toEqual([{ file: 'solution.sh', line: 0, message: 'is missing' }])
    await writeFile(join(folder, 'solution.sh'), '# score: 100\nkubectl run x --image=nginx\n')
    const { scenario, problems } = await loadScenario(folder)
    expect(problems).toEqual([])
    expect(scenario!.spec).toMatchObject({ kind: 'task', difficulty: 'easy', minutes: 5, needs: { workers: 1 } })
    expect(scenario!.spec.checks.map(({ id, weight }) => [id, weight])).toEqual([
      ['step-1', 33],
      ['step-2', 33],
      ['step-3', 34],
    ])
    expect(scenario!.spec.checks[2]!.script!.run).toBe('test "$${HOME}"')
    expect(scenario!.spec.prepare).toMatchObject([
      { file: { path: '/opt/task/pod.yaml', mode: '0755' } },
      { exec: { at: 'workstation', argv: ['bash', '-c', expect.stringContaining('$${i}')] } },
    ])
    expect(scenario!.brief.en).toBe('Wait for it.\n\n## Create\n\nRun `kubectl get pods` first.\n\n## Look\n\nLook.\n\n## Read\n\nRead.\n')
    expect(scenario!.spec.hints[0]!.en).toBe('Use `kubectl run`.')
    expect(notes.join('\n')).toContain('gone.bin')
    await rm(join(folder, '..'), { recursive: true })
  })
  it('is refused in words when there is nothing to import', () => {
    expect(() => fromKillercoda(new Map(), { domain: 'storage' })).toThrow('no index.json')
    expect(() => fromKillercoda(new Map([['index.json', '{']]), { domain: 'storage' })).toThrow('not JSON')
    expect(() => fromKillercoda(new Map([['index.json', '{}']]), { domain: 'storage' })).toThrow('title')
    const course = JSON.stringify({ title: 'x', details: { steps: [{ title: 'a' }] } })
    expect(() => fromKillercoda(new Map([['index.json', course]]), { domain: 'storage' })).toThrow('nothing to grade')
    const script = (text?: string) => () =>
      fromKillercoda(
        new Map(
          [...source].flatMap(([path, was]) => (path !== 'step2/verify.sh' ? [[path, was]] : text === undefined ? [] : [[path, text]])),
        ),
        {
          domain: 'storage',
        },
      )
    expect(script()).toThrow('step2/verify.sh of step 2 is not there')
    expect(script('\n')).toThrow('step2/verify.sh of step 2 is empty')
  })
})
