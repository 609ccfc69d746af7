// What the comparison must not overlook, and what it must not stumble over.
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { compare, type Facts, loadScripts, normalise, type Recording } from './index.ts'

const facts = (id: string, last: number): Facts => ({
  id,
  nodes: [
    { place: 'control-plane', name: `${id}-control-plane`, address: `172.18.0.${last}` },
    { place: 'worker-1', name: `${id}-worker`, address: `172.18.0.${last + 1}` },
    { place: 'worker-2', name: `${id}-worker2`, address: `172.18.0.${last + 2}` },
  ],
})
const one = facts('kubemend-aaaaaa', 2)
const two = facts('kubemend-bbbbbb', 12)

describe('what may differ between two healthy clusters has one form', () => {
  const same: [string, string, string][] = [
    ['names of nodes, the longer first', 'kubemend-aaaaaa-worker2 Ready', 'kubemend-bbbbbb-worker2 Ready'],
    ['their addresses, whole', 'at 172.18.0.2:6443', 'at 172.18.0.12:6443'],
    ['names of pods', 'web-68d995574f-vzd7f', 'web-7d5c8b9f6c-2k4lm'],
    ['names from a DaemonSet', 'kube-proxy-2fwvv', 'kube-proxy-69cnb'],
    ['ages and widths', 'a   1/1   Running   2 (15s ago)   3m2s', 'a  1/1  Running  2 (4m ago)  10h'],
    [
      'times',
      '2026-11-21T09:00:11.123456789Z and Sat, 21 Nov 2026 09:00:11 +0000',
      '2027-01-02T03:04:05Z and Sun, 02 Jan 2027 03:04:05 +0000',
    ],
    ['klog', 'E1121 09:27:54.401931       1 run.go:72] "x"', 'E0102 01:02:03.000001    4906 run.go:72] "x"'],
    ['addresses of pods and services', '10.244.1.7 10.96.31.4', '10.244.2.19 10.96.200.17'],
  ]
  for (const [title, a, b] of same) it(title, () => expect(normalise(a, one)).toBe(normalise(b, two)))
})

describe('what must not differ is kept', () => {
  const different: [string, string, string][] = [
    ['another node', 'kubemend-aaaaaa-worker', 'kubemend-bbbbbb-worker2'],
    ['a state', 'web 0/1 Running', 'web 1/1 Running'],
    ['how often it was restarted', 'web 1/1 Running 1 (15s ago)', 'web 1/1 Running 2 (15s ago)'],
    ['the addresses that every cluster has', '10.96.0.1', '10.96.0.10'],
    ['a word that looks like a name', 'kube-proxy', 'kube-dns'],
    ['indentation', '  a: 1', 'a: 1'],
    ['an amount', 'memory: 64Mi', 'memory: 32Mi'],
  ]
  for (const [title, a, b] of different) it(title, () => expect(normalise(a, one)).not.toBe(normalise(b, two)))
})

describe('the comparison', () => {
  const script = {
    name: 's',
    area: 'get',
    title: 't',
    last: false,
    steps: [{ run: 'make', setup: true }, { run: 'a' }, { run: 'b', sort: true }, { run: 'c', quiet: true }, { run: 'd' }],
  }
  const answer = (run: string, stdout: string, exitCode = 0, stderr = '') => ({ run, stdout, exitCode, stderr })
  const recording = (of: Facts, answers: Recording['answers']): Recording => ({ script: 's', kubernetes: 'v1.35.4', facts: of, answers })
  const truth = recording(one, [answer('make', 'x'), answer('a', 'one\n'), answer('b', '1\n2\n'), answer('c', 'x'), answer('d', 'd')])

  it('counts what is equal, by area, and leaves out what only makes a state', () => {
    const seen = recording(two, [answer('make', 'y'), answer('a', 'one\n'), answer('b', '2\n1\n'), answer('c', 'y'), answer('d', 'd')])
    expect(compare([{ script, truth, seen }], [])).toMatchObject({
      commands: 4,
      equal: 4,
      areas: [{ name: 'get', commands: 4, equal: 4 }],
      differences: [],
    })
  })
  it('sees output, errors and exit code, and gives the known reason or the first line', () => {
    const seen = recording(two, [
      answer('make', 'x'),
      answer('a', 'two\n'),
      answer('b', '1\n2\n', 0, 'oh'),
      answer('c', 'x', 3),
      answer('d', 'e'),
    ])
    const result = compare([{ script, truth, seen }], [{ script: 's', command: 'd', reason: 'not yet' }])
    expect(result.equal).toBe(0)
    expect(result.differences.map((difference) => difference.reason)).toEqual([
      'unexplained: line 1 is "two", on kind "one"',
      expect.stringContaining('"oh"'),
      expect.stringContaining('exit code 3'),
      'not yet',
    ])
  })
  it('takes nothing for equal that was recorded for another command', () => {
    const seen = recording(two, [answer('make', 'x'), answer('A', 'one\n')])
    expect(compare([{ script, truth, seen }], []).equal).toBe(0)
  })
})

it('the scripts can be read and are recorded, each command of each', async () => {
  const here = import.meta.dirname
  const scripts = await loadScripts(path.join(here, 'scripts'))
  expect(scripts.reduce((sum, each) => sum + each.steps.filter((step) => !step.setup).length, 0)).toBeGreaterThanOrEqual(150)
  const { readFile } = await import('node:fs/promises')
  for (const each of scripts) {
    const recorded: Recording = JSON.parse(await readFile(path.join(here, 'truth', `${each.name}.json`), 'utf8'))
    expect([each.name, recorded.answers.map((a) => a.run)]).toEqual([each.name, each.steps.map((step) => step.run)])
  }
})
