// Which scenarios a reader asked for, and in what order they stand. Pure; knows nothing of how they are drawn.
import {
  type BackendName,
  backendName,
  type Difficulty,
  type Domain,
  domain,
  examWeights,
  type Locale,
  type ScenarioCard,
} from '#lib/protocol/index.ts'

export type Progress = 'todo' | 'solved' | 'running'
export interface Filter {
  query: string
  domain: Domain | null
  difficulty: Difficulty | null
  /** at most this many minutes */
  minutes: number | null
  progress: Progress | null
  /** can be started on it */
  backend: BackendName | null
}
export const noFilter: Filter = { query: '', domain: null, difficulty: null, minutes: null, progress: null, backend: null }
export const isFiltered = (filter: Filter): boolean => Object.entries(filter).some(([, value]) => value !== null && value !== '')
export const isOffered = (card: ScenarioCard): boolean => card.backends.some(({ offered }) => offered)
export const isSolved = (card: ScenarioCard): boolean => card.bestScore === 100

/** Every word of the query is somewhere in what the card says, in either language: an engineer may search in both. */
function mentions(card: ScenarioCard, query: string): boolean {
  const said = [card.title.en, card.title.ko, card.summary.en, card.summary.ko].join('\n').toLowerCase()
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word))
}

const rank: Record<Difficulty, number> = { easy: 0, medium: 1, hard: 2 }

/** The cards that pass, grouped by domain in the exam's order; within one what can be started before what is planned, easy before hard, then by title. Empty groups are left out. */
export function select(cards: readonly ScenarioCard[], filter: Filter, locale: Locale): { domain: Domain; cards: ScenarioCard[] }[] {
  const passing = cards.filter(
    (card) =>
      mentions(card, filter.query.trim()) &&
      (filter.domain === null || card.domain === filter.domain) &&
      (filter.difficulty === null || card.difficulty === filter.difficulty) &&
      (filter.minutes === null || card.minutes <= filter.minutes) &&
      (filter.progress === null ||
        (filter.progress === 'running' ? card.running !== null : isSolved(card) === (filter.progress === 'solved'))) &&
      (filter.backend === null || card.backends.some(({ name, offered }) => offered && name === filter.backend)),
  )
  return domain.options
    .map((name) => ({
      domain: name,
      cards: passing
        .filter((card) => card.domain === name)
        .sort(
          (a, b) =>
            Number(isOffered(b)) - Number(isOffered(a)) ||
            rank[a.difficulty] - rank[b.difficulty] ||
            a.title[locale].localeCompare(b.title[locale], locale),
        ),
    }))
    .filter((group) => group.cards.length > 0)
}

/**
 * What to do next: of the domain in which most of an exam's points are still to be won (its share times what is missing of the best
 * scores), the easiest that can be started and is not solved. Null when nothing is left.
 */
export function nextFor(cards: readonly ScenarioCard[], locale: Locale): ScenarioCard | null {
  const open = cards.filter((card) => card.running === null && !isSolved(card) && isOffered(card))
  const toWin = (name: Domain) => {
    const mine = cards.filter((card) => card.domain === name)
    return (examWeights[name] * mine.reduce((sum, card) => sum + 100 - (card.bestScore ?? 0), 0)) / (100 * mine.length)
  }
  const [weakest] = domain.options.filter((name) => open.some((card) => card.domain === name)).sort((a, b) => toWin(b) - toWin(a))
  return select(open, { ...noFilter, domain: weakest ?? null }, locale)[0]?.cards[0] ?? null
}

/** A filter as a query string, and back; what cannot be read is left out. */
export function toQuery(filter: Filter): string {
  const params = new URLSearchParams()
  if (filter.query) params.set('q', filter.query)
  for (const key of ['domain', 'difficulty', 'minutes', 'progress', 'backend'] as const)
    if (filter[key] !== null) params.set(key, String(filter[key]))
  return params.toString()
}
export function fromQuery(query: { get(name: string): string | null }): Filter {
  const one = <T extends string>(name: string, allowed: readonly T[]): T | null =>
    allowed.find((value) => value === query.get(name)) ?? null
  const minutes = Number(query.get('minutes'))
  return {
    query: query.get('q') ?? '',
    domain: one('domain', domain.options),
    difficulty: one('difficulty', ['easy', 'medium', 'hard']),
    minutes: Number.isInteger(minutes) && minutes > 0 ? minutes : null,
    progress: one('progress', ['todo', 'solved', 'running']),
    backend: one('backend', backendName.options),
  }
}
