// What this server counts and shows to Prometheus, in its text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Knows sessions,
// sockets and the store's door; no label names a person, a session or a scenario.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { asLabError, type SessionEvent } from '#lib/protocol/index.ts'
import type { Session, Sessions } from '#lib/session/index.ts'
import type { Store } from '#lib/store/index.ts'

type Labels = Readonly<Record<string, string>>
const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
const labelled = (labels: Labels): string => {
  const said = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return said.length === 0 ? '' : `{${said.join(',')}}`
}

export class Counter {
  readonly #values = new Map<string, number>()
  add(labels: Labels = {}, value = 1): void {
    const key = labelled(labels)
    this.#values.set(key, (this.#values.get(key) ?? 0) + value)
  }
  lines(name: string): string[] {
    return [...this.#values].map(([labels, value]) => `${name}${labels} ${value}`)
  }
}

export class Histogram {
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, { labels: Labels; buckets: number[]; sum: number; count: number }>()
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }
  observe(value: number, labels: Labels = {}): void {
    const key = labelled(labels)
    const series = this.#series.get(key) ?? { labels, buckets: this.#bounds.map(() => 0), sum: 0, count: 0 }
    this.#series.set(key, series)
    for (const [index, bound] of this.#bounds.entries()) if (value <= bound) series.buckets[index]! += 1
    series.sum += value
    series.count += 1
  }
  lines(name: string): string[] {
    return [...this.#series].flatMap(([key, { buckets, count, labels, sum }]) => [
      ...this.#bounds.map((bound, index) => `${name}_bucket${labelled({ ...labels, le: String(bound) })} ${buckets[index]}`),
      `${name}_bucket${labelled({ ...labels, le: '+Inf' })} ${count}`,
      `${name}_sum${key} ${sum}`,
      `${name}_count${key} ${count}`,
    ])
  }
}

export interface Gauge {
  name: string
  help: string
  read(): Promise<readonly [labels: Labels, value: number][]> | readonly [labels: Labels, value: number][]
}

export class Metrics {
  readonly #started = new Histogram([1, 2, 5, 10, 20, 30, 60, 120, 300, 600])
  readonly #failed = new Counter()
  readonly #ended = new Counter()
  readonly #verdicts = new Counter()
  readonly #storeErrors = new Counter()
  readonly #requests = new Counter()
  readonly #gauges: Gauge[] = []
  readonly #loop = monitorEventLoopDelay({ resolution: 20 })

  constructor() {
    this.#loop.enable()
  }

  gauge(gauge: Gauge): void {
    this.#gauges.push(gauge)
  }
  /** Follows what happens to every session. */
  watch(sessions: Sessions): void {
    const starting = new WeakMap<Session, number>()
    sessions.watch((session, event, at) => {
      if (event.type === 'step' && event.step.id === 'claim' && event.step.state === 'running') starting.set(session, at)
      if (event.type === 'state') this.#state(session, event, at, starting)
    })
  }
  #state(session: Session, event: Extract<SessionEvent, { type: 'state' }>, at: number, starting: WeakMap<Session, number>): void {
    const { backend } = event.view
    const from = starting.get(session)
    if (event.state !== 'starting') starting.delete(session)
    if (event.state === 'ready' && from !== undefined) this.#started.observe(Math.max(0, at - from) / 1000, { backend })
    if (event.state === 'failed') this.#failed.add({ backend, code: event.error?.code ?? 'internal' })
    if (event.state !== 'ended') return
    this.#ended.add({ backend, outcome: event.outcome ?? 'abandoned' })
  }
  /** A lab was graded, whether or not its owner may see it yet. */
  graded(backend: string, score: number | null): void {
    this.#verdicts.add({ backend, verdict: score === null ? 'not-evaluable' : score === 100 ? 'full' : score > 0 ? 'partial' : 'zero' })
  }
  answered(status: number): void {
    this.#requests.add({ status: `${Math.floor(status / 100)}xx` })
  }

  /** The same store, whose failures are counted and whose reports are seen. */
  store(store: Store): Store {
    return new Proxy(store, {
      get: (target, name, receiver) => {
        const found: unknown = Reflect.get(target, name, receiver)
        if (typeof found !== 'function') return found
        return (...args: unknown[]) => {
          const result: unknown = found.apply(target, args)
          if (!(result instanceof Promise)) return result
          result.then(
            () => {
              if (name === 'saveReport') this.#saved(args[0])
            },
            (thrown: unknown) => this.#storeErrors.add({ code: asLabError(thrown).code }),
          )
          return result
        }
      },
    })
  }
  #saved(row: unknown): void {
    const { body, score } = row as { body: string; score: number | null }
    this.graded((JSON.parse(body) as { backend: string }).backend, score)
  }

  async text(): Promise<string> {
    const lines: string[] = []
    const say = (name: string, type: string, help: string, values: readonly string[]) => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...values)
    }
    for (const { help, name, read } of this.#gauges)
      say(
        name,
        'gauge',
        help,
        (await read()).map(([labels, value]) => `${name}${labelled(labels)} ${value}`),
      )
    const counters: [name: string, help: string, counter: Counter][] = [
      [
        'kubemend_session_failures_total',
        'Labs that could not be prepared, by what went wrong (fault-not-injected, symptom-absent, …).',
        this.#failed,
      ],
      ['kubemend_sessions_ended_total', 'Sessions that ended, by how.', this.#ended],
      ['kubemend_verdicts_total', 'Labs that were graded, by score.', this.#verdicts],
      ['kubemend_store_errors_total', 'Reads and writes of the database that failed.', this.#storeErrors],
      ['kubemend_http_answers_total', 'Answers over HTTP, by class of status.', this.#requests],
    ]
    for (const [name, help, counter] of counters) say(name, 'counter', help, counter.lines(name))
    const starts = 'kubemend_session_start_seconds'
    say(starts, 'histogram', 'From the claim of a cluster to the handover.', this.#started.lines(starts))
    const { rss } = process.memoryUsage()
    const { system, user } = process.cpuUsage()
    say('process_resident_memory_bytes', 'gauge', 'Of the server, its workers not counted.', [`process_resident_memory_bytes ${rss}`])
    say('process_cpu_seconds_total', 'counter', 'Of the server, its workers not counted.', [
      `process_cpu_seconds_total ${(system + user) / 1e6}`,
    ])
    say('process_start_time_seconds', 'gauge', 'Since the epoch.', [
      `process_start_time_seconds ${Math.round(Date.now() / 1000 - process.uptime())}`,
    ])
    const delay = 'kubemend_event_loop_delay_seconds'
    say(delay, 'gauge', 'How late the event loop was since the last look.', [
      `${delay}{quantile="0.5"} ${this.#loop.percentile(50) / 1e9}`,
      `${delay}{quantile="0.99"} ${this.#loop.percentile(99) / 1e9}`,
    ])
    this.#loop.reset()
    return `${lines.join('\n')}\n`
  }
  close(): void {
    this.#loop.disable()
  }
}
