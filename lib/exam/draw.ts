// Which scenarios a drill has, in which order, each with which seed and weight: a pure function of blueprint, seed and what is offered.
// Knows nothing of sessions, people or time.
//
// Every choice is a rank out of SHA-256 over the seed and the scenario's id and hash, so that the order in which the catalogue lists them
// means nothing, and a scenario that moves by a character is another one. Shares become whole tasks by systematic sampling: each domain
// gets its quota rounded down or up, as the seed wants it, and over many seeds exactly its share. So a drill of three tasks is not always
// of the three largest domains.
import { createHash } from 'node:crypto'
import {
  type Blueprint,
  type Difficulty,
  type Domain,
  type DrillPreview,
  difficulty,
  domain,
  domainWords,
  type Text,
} from '#lib/protocol/index.ts'

/** A scenario that may be drawn. */
export interface Candidate {
  id: string
  /** of all that a proof plays */
  hash: string
  slug: string
  domain: Domain
  difficulty: Difficulty
  weight: number
  /** slugs of the incidents that it is made of; empty when it stands for itself */
  members: readonly string[]
}
export interface DrawnTask {
  scenario: string
  /** what its names, ports and variant are drawn from */
  seed: string
  domain: Domain
  /** percent of the drill's score */
  weight: number
}
export interface Drawn {
  tasks: readonly DrawnTask[]
  preview: DrillPreview
}

const digest = (...parts: readonly string[]): Buffer => createHash('sha256').update(parts.join('\n')).digest()
/** 0 ≤ x < 1 */
const unit = (...parts: readonly string[]): number => digest(...parts).readUIntBE(0, 6) / 2 ** 48

/**
 * `count` whole things over keys with shares, none above its cap: each key's quota rounded down or up by where `offset` falls, what caps
 * keep back is shared out among the rest. The sum is `count`, or all caps with a share where that is less.
 */
export function apportion<K extends string>(
  count: number,
  keys: readonly { key: K; share: number; cap: number }[],
  offset: (round: number) => number,
): Map<K, number> {
  const given = new Map<K, number>(keys.map(({ key }) => [key, 0]))
  let left = count
  for (let round = 0; left > 0; round++) {
    const open = keys.filter(({ key, share, cap }) => share > 0 && given.get(key)! < cap)
    const total = open.reduce((sum, { share }) => sum + share, 0)
    if (open.length === 0) break
    const at = offset(round)
    let reached = 0
    let handed = 0
    for (const [index, { key, share, cap }] of open.entries()) {
      const before = reached
      // The last ends where all end, whatever the fractions before it have lost.
      reached = index === open.length - 1 ? left : reached + (share / total) * left
      // Whole numbers k with before ≤ k + at < reached.
      const hits = Math.ceil(reached - at) - Math.ceil(before - at)
      const take = Math.min(Math.max(0, hits), cap - given.get(key)!)
      given.set(key, given.get(key)! + take)
      handed += take
    }
    left -= handed
  }
  return given
}

/** Of two, one is made of the other, or both are parts of the same compound: who has mended the one knows the other. */
export function relatedIn(all: readonly Candidate[]): (left: Candidate, right: Candidate) => boolean {
  const groups = new Map<string, Set<string>>()
  for (const compound of all)
    for (const slug of compound.members.length === 0 ? [] : [compound.slug, ...compound.members])
      groups.set(slug, (groups.get(slug) ?? new Set()).add(compound.slug))
  return (left, right) => {
    const mine = groups.get(left.slug)
    const others = groups.get(right.slug)
    return left.id !== right.id && mine !== undefined && others !== undefined && [...mine].some((group) => others.has(group))
  }
}

/** @param offered what may be started on the backend of the drill, in any order */
export function draw(blueprint: Blueprint, offered: readonly Candidate[]): Drawn {
  const { seed } = blueprint
  const allowed = (name: Domain) => (blueprint.domains?.includes(name) ?? true) && blueprint.weights[name] > 0
  const only = blueprint.only === null ? null : new Set(blueprint.only)
  const related = relatedIn(offered)
  const ranked = (list: readonly Candidate[], what: string): Candidate[] =>
    list
      .map((one) => ({ one, rank: unit(what, seed, one.id, one.hash) }))
      .sort((a, b) => a.rank - b.rank || a.one.id.localeCompare(b.one.id))
      .map(({ one }) => one)
  const candidates = ranked(
    offered
      .filter((one) => allowed(one.domain) && (only?.has(one.id) ?? true))
      .filter((one) => blueprint.difficulties === null || blueprint.difficulties[one.difficulty] > 0),
    'choice',
  )
  const chosen: Candidate[] = []
  const fits = (one: Candidate) => !chosen.includes(one) && !chosen.some((other) => related(one, other))

  // Relatives shrink what is left to choose from, so shares are counted anew until nothing more can be chosen.
  for (let pass = 0; chosen.length < blueprint.tasks; pass++) {
    const open = candidates.filter(fits)
    if (open.length === 0) break
    const counts = apportion(
      blueprint.tasks - chosen.length,
      domain.options.map((key) => ({ key, share: blueprint.weights[key], cap: open.filter((one) => one.domain === key).length })),
      (round) => unit('domains', seed, String(pass), String(round)),
    )
    for (const [name, count] of counts) {
      const mine = open.filter((one) => one.domain === name)
      const mix = blueprint.difficulties
      const quota =
        mix === null
          ? null
          : apportion(
              count,
              difficulty.options.map((key) => ({ key, share: mix[key], cap: mine.filter((one) => one.difficulty === key).length })),
              (round) => unit('difficulties', seed, name, String(pass), String(round)),
            )
      let left = count
      for (const one of mine) {
        if (left === 0) break
        if (!fits(one)) continue
        if (quota !== null) {
          const rest = quota.get(one.difficulty) ?? 0
          if (rest === 0) continue
          quota.set(one.difficulty, rest - 1)
        }
        chosen.push(one)
        left -= 1
      }
    }
  }

  const present = domain.options.filter((name) => chosen.some((one) => one.domain === name))
  const total = present.reduce((sum, name) => sum + blueprint.weights[name], 0)
  const share = (name: Domain) => (present.includes(name) ? (100 * blueprint.weights[name]) / total : 0)
  const inDomain = (name: Domain) => chosen.filter((one) => one.domain === name)
  const tasks = ranked(chosen, 'order').map((one) => ({
    scenario: one.id,
    seed: digest('task', seed, one.id, one.hash).toString('hex').slice(0, 12),
    domain: one.domain,
    weight: (share(one.domain) * one.weight) / inDomain(one.domain).reduce((sum, { weight }) => sum + weight, 0),
  }))
  const asked = domain.options.filter(allowed)
  const askedTotal = asked.reduce((sum, name) => sum + blueprint.weights[name], 0)
  const domains = asked.map((name) => ({
    domain: name,
    share: share(name),
    wanted: askedTotal === 0 ? 0 : (100 * blueprint.weights[name]) / askedTotal,
    tasks: inDomain(name).length,
    offered: candidates.filter((one) => one.domain === name).length,
  }))
  const preview: DrillPreview = {
    name: nameOf(blueprint, chosen.length, domains),
    tasks: tasks.length,
    domains,
    notices: noticesOf(blueprint, domains, chosen.length),
  }
  return { tasks, preview }
}

const list = (names: readonly Domain[], locale: keyof Text): string => names.map((name) => domainWords[name][locale]).join(', ')

/** What is other than asked for. A domain without a task only because the drill is short is no lack of the catalogue. */
function noticesOf(blueprint: Blueprint, domains: DrillPreview['domains'], tasks: number): Text[] {
  const empty = domains.filter(({ offered }) => offered === 0).map((one) => one.domain)
  const notices: Text[] = []
  if (empty.length > 0)
    notices.push({
      en: `Nothing is offered here for: ${list(empty, 'en')}. Its share of the score goes to the other domains.`,
      ko: `다음 영역은 아직 출제할 시나리오가 없습니다: ${list(empty, 'ko')}. 그 배점은 다른 영역에 나누어 줍니다.`,
    })
  const short = domains.filter(
    (one) => one.tasks > 0 && one.tasks === one.offered && (one.wanted / 100) * blueprint.tasks >= one.offered + 1,
  )
  if (short.length > 0)
    notices.push({
      en: `Fewer tasks than its share asks for: ${short.map((one) => `${domainWords[one.domain].en} (${one.offered})`).join(', ')}. Each of them weighs more.`,
      ko: `배점에 비해 문제 수가 적은 영역: ${short.map((one) => `${domainWords[one.domain].ko}(${one.offered}개)`).join(', ')}. 문제마다 배점이 커집니다.`,
    })
  if (tasks < blueprint.tasks)
    notices.push({
      en: `${tasks} instead of ${blueprint.tasks} tasks: there are no more that fit. The time stays as it is.`,
      ko: `조건에 맞는 시나리오가 부족하여 ${blueprint.tasks}문제 대신 ${tasks}문제가 출제됩니다. 시간은 그대로입니다.`,
    })
  return notices
}

/** Says what it is: only a drill of the exam's size over all of its domains is called one. */
function nameOf(blueprint: Blueprint, tasks: number, domains: DrillPreview['domains']): Text {
  const size = { en: `${tasks} ${tasks === 1 ? 'task' : 'tasks'}, ${blueprint.minutes} min`, ko: `${tasks}문제, ${blueprint.minutes}분` }
  const scale =
    blueprint.mode === 'mastery' ? { en: `${tasks} ${tasks === 1 ? 'task' : 'tasks'}, no clock`, ko: `${tasks}문제, 시간 제한 없음` } : size
  const named = (en: string, ko: string): Text => ({ en: `${en} (${scale.en})`, ko: `${ko} (${scale.ko})` })
  if (blueprint.only !== null) return named('Weak spots', '취약 영역')
  if (blueprint.domains?.length === 1)
    return named(`Domain drill: ${domainWords[blueprint.domains[0]!].en}`, `영역별 모의시험: ${domainWords[blueprint.domains[0]!].ko}`)
  // Half of what was asked for is no exam any more, whatever was asked for.
  const sized = blueprint.tasks >= 15 && blueprint.minutes >= 90 && 2 * tasks >= blueprint.tasks
  if (!sized) return named(tasks <= 5 ? 'Mini drill' : 'Drill', tasks <= 5 ? '미니 모의시험' : '모의시험')
  const without = domains.filter((one) => one.tasks === 0).map((one) => one.domain)
  if (without.length > 0) return named(`CKA drill without ${list(without, 'en')}`, `CKA 모의시험, ${list(without, 'ko')} 제외`)
  return tasks < blueprint.tasks ? named('CKA drill, shortened', 'CKA 모의시험, 축약') : named('CKA drill', 'CKA 모의시험')
}
