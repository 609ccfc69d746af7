// A reader finds the scenario they look for.
import { describe, expect, test } from 'vitest'
import type { ScenarioCard } from '#lib/protocol/index.ts'
import { fromQuery, nextFor, noFilter, select, toQuery } from './filter.ts'

const card = (id: string, over: Partial<ScenarioCard> = {}): ScenarioCard => ({
  id,
  kind: 'incident',
  title: { en: id, ko: id },
  summary: { en: '', ko: '' },
  domain: 'troubleshooting',
  competency: 'cluster-components',
  difficulty: 'medium',
  weight: 7,
  minutes: 15,
  nodes: 3,
  backends: [{ name: 'sim', offered: true, trust: { state: 'unproven' } }],
  attempts: 0,
  bestScore: null,
  running: null,
  ...over,
})
const cards = [
  card('dns', {
    title: { en: 'Names no longer resolve', ko: '이름을 찾을 수 없습니다' },
    domain: 'services-networking',
    difficulty: 'hard',
    bestScore: 100,
  }),
  card('svc', {
    title: { en: 'A new service does not answer', ko: '새 서비스가 응답하지 않습니다' },
    summary: { en: 'From some nodes only', ko: '일부 노드에서만' },
    running: 's1',
  }),
  card('pods', { title: { en: 'Pods never start', ko: '파드가 시작되지 않습니다' }, difficulty: 'easy', minutes: 10, bestScore: 60 }),
]
const ids = (filter: Partial<typeof noFilter>) =>
  select(cards, { ...noFilter, ...filter }, 'en').flatMap((group) => group.cards.map((c) => c.id))

describe('the catalogue', () => {
  test('stands by domain in the exam’s order, easy first', () => {
    expect(select(cards, noFilter, 'en').map((g) => [g.domain, g.cards.map((c) => c.id)])).toEqual([
      ['troubleshooting', ['pods', 'svc']],
      ['services-networking', ['dns']],
    ])
  })
  test('is searched in both languages and in the summary, all words', () => {
    expect(ids({ query: 'service nodes' })).toEqual(['svc'])
    expect(ids({ query: ' 파드 ' })).toEqual(['pods'])
    expect(ids({ query: 'service elephants' })).toEqual([])
  })
  test.each([
    [{ progress: 'solved' as const }, ['dns']],
    [{ progress: 'todo' as const }, ['pods', 'svc']],
    [{ progress: 'running' as const }, ['svc']],
    [{ minutes: 10 }, ['pods']],
    [{ difficulty: 'hard' as const }, ['dns']],
    [{ domain: 'services-networking' as const }, ['dns']],
    [{ backend: 'sim' as const }, ['pods', 'svc', 'dns']],
    [{ backend: 'kind' as const }, []],
  ])('%o', (filter, expected) => expect(ids(filter)).toEqual(expected))
  test('keeps its filter in the address', () => {
    const filter = {
      query: 'a b',
      domain: 'storage' as const,
      difficulty: 'easy' as const,
      minutes: 20,
      progress: 'todo' as const,
      backend: 'kind' as const,
    }
    expect(fromQuery(new URLSearchParams(toQuery(filter)))).toEqual(filter)
    expect(fromQuery(new URLSearchParams('domain=nonsense&minutes=-3'))).toEqual(noFilter)
  })
  test('says what is next: the easiest of the domain with most to win', () => {
    expect(nextFor(cards, 'en')?.id).toBe('pods')
    // Troubleshooting has 30 % of the exam, but little of it is left to win here.
    const nearly = cards.map((one) => (one.domain === 'troubleshooting' ? { ...one, bestScore: 90, running: null } : one))
    expect(nextFor([...nearly, card('volume', { domain: 'storage' })], 'en')?.id).toBe('volume')
    expect(nextFor([card('planned', { backends: [{ name: 'kind', offered: false, trust: { state: 'unproven' } }] })], 'en')).toBeNull()
    expect(nextFor([card('done', { bestScore: 100 })], 'en')).toBeNull()
  })
})
