// Builds the graph of objects that is the lab, once per process. Knows which backend is which; knows nothing of Next or of sockets.
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import {
  Accounts,
  Audit,
  type Ended,
  type Identify,
  localPerson,
  may,
  requireRole,
  Tickets,
  type Verb,
  type Visitor,
} from '#lib/auth/index.ts'
import { Classroom } from '#lib/classroom/index.ts'
import { type ClusterProvider, fakeProvider, Pool } from '#lib/cluster/index.ts'
import { Drills, type DrillsOptions } from '#lib/exam/index.ts'
import { confirm, inject, prepare } from '#lib/fault/index.ts'
import { baselineOf, type EvidenceRecord, type GradeBaseline, grade, graderVersion, handOver, regrade, watch } from '#lib/grade/index.ts'
import { currentSetup, doctor, planSetup, setup } from '#lib/host/index.ts'
import {
  type AccountView,
  type AuditView,
  asLabError,
  type BackendName,
  type BackendView,
  type DoctorReport,
  type DrillView,
  type ExamView,
  type Identity,
  LabError,
  type PeopleView,
  type Report,
  type ScenarioCard,
  type SessionView,
  type SetupPlan,
  type SetupView,
  type TokenView,
} from '#lib/protocol/index.ts'
import { loadCatalogue, resolve, type Scenario, trust } from '#lib/scenario/index.ts'
import { type Clusters, type Engine, type Log, Sessions, type SessionsOptions } from '#lib/session/index.ts'
import { openStore, type StoreOptions } from '#lib/store/index.ts'
import { systemClock } from '#lib/terminal/index.ts'
import { type Config, readVersion } from './config.ts'
import { type Api, createApi } from './http.ts'
import { kindBackend } from './kind.ts'
import { Metrics } from './metrics.ts'
import { sweep } from './retention.ts'
import { simBackend } from './sim.ts'

/** What pages see. `me` is who asks; of others' things it sees what they may (lib/auth). */
export interface LabHandle {
  /** who asks; null: somebody who has to sign in first */
  identify: Identify
  /** classes, assignments, grades; it decides who may see which */
  readonly classes: Classroom
  /** every scenario's card */
  catalogue(me: Identity): Promise<ScenarioCard[]>
  /** null when there is none of that id */
  session(me: Identity, id: string): Promise<SessionView | null>
  /** newest first */
  sessions(me: Identity): Promise<SessionView[]>
  /** null while there is none, and while an exam keeps it closed */
  report(me: Identity, id: string): Promise<Report | null>
  backends(): Promise<BackendView[]>
  /** drills that can be begun, the one that runs, those that were; `backend`: for which they are drawn */
  exam(me: Identity, backend?: BackendName): Promise<ExamView>
  /** null when there is none of that id */
  drill(me: Identity, id: string): Promise<DrillView | null>
  /** looks at the machine; takes up to a second */
  doctor(): Promise<DoctorReport>
  setup(): Promise<SetupView>
  /** what it would change; looks at the machine and at which registries are reached, takes some seconds */
  setupPlan(): Promise<SetupPlan>
  /** one's own account; null without accounts */
  account(me: Visitor): Promise<AccountView | null>
  /** one's own tokens for programs, newest first; none without accounts */
  tokens(me: Visitor): Promise<TokenView[]>
  /** whether there are accounts, and the identity provider that people may sign in by */
  readonly doors: { accounts: boolean; provider: string | null }
  /** for admins; null without accounts */
  people(me: Identity): Promise<PeopleView | null>
  /** for admins, newest first; `before`: the `next` of the page before */
  audit(me: Identity, before?: string): Promise<AuditView>
  /** the HTTP API, for route handlers */
  readonly api: Api
}
export interface Lab extends LabHandle {
  readonly sessionsOf: Sessions
  readonly drillsOf: Drills
  readonly tickets: Tickets
  readonly metrics: Metrics
  /** rejects when the database does not answer */
  ping(): Promise<void>
  /** null without accounts */
  readonly accounts: Accounts | null
  /** where this server is reached, once it is known; to be told before anybody asks */
  servedAt(url: string): void
  /** Calls back with sign-ins that have ended, whose sockets are to be closed. */
  onEnded(listener: (of: Ended) => void): void
  /** looks for what an earlier run left, then keeps clusters warm; returns at once */
  warm(): void
  /** lets go of everything; clusters run on, to be adopted */
  close(): Promise<void>
}

const engine: Engine = {
  resolve: (scenario, options) => resolve(scenario, options),
  prepare,
  baselineOf,
  inject,
  confirm,
  handOver: (cluster, { signal, healthy }) => handOver(cluster, { signal, healthy: healthy as GradeBaseline }),
  watch: (cluster, resolved, baseline, options) => watch(cluster, resolved, baseline as GradeBaseline, options),
  grade: (cluster, resolved, baseline, context) => grade(cluster, resolved, baseline as GradeBaseline, context),
  regrade: (evidence, before, of) => regrade(evidence as EvidenceRecord, before, of((evidence as EvidenceRecord).nodes).checks),
}

/** A backend that this build does not have yet, so that the choice can be offered and explained. */
function missing(name: BackendName): Clusters {
  const none = () =>
    new LabError('backend-unavailable', `The backend "${name}" is not part of this version.`, {
      hint: 'Use kind: `KUBEMEND_BACKENDS=kind npm start`.',
    })
  return {
    backend: name,
    can: new Set(),
    status: async () => ({ name, state: 'unavailable', message: none().message, remedy: none().hint ?? '', warm: 0 }),
    claim: () => Promise.reject(none()),
    release: () => Promise.resolve(),
    async *adopt() {},
  }
}

const sweepEveryMs = 3_600_000

/** What a test puts in the place of the real thing. */
export interface Parts {
  /** in place of the one that the name stands for */
  provider?: (name: BackendName) => ClusterProvider | undefined
  engine?: Partial<Engine>
  sessions?: Partial<Pick<SessionsOptions, 'healthMs' | 'adoptMs' | 'terminals' | 'clock'>>
  drills?: Partial<Pick<DrillsOptions, 'atOnce' | 'patienceMs'>>
  open?: StoreOptions['open']
  /** in place of accounts */
  identify?: Identify
}

/** What signs cookies: kept beside the database, not in it, so that a copy of the rows lets nobody in. */
function keptSecret(dataDir: string): string {
  const file = path.join(dataDir, 'secret')
  try {
    writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  }
  const secret = readFileSync(file, 'utf8').trim()
  if (secret.length >= 32) return secret
  throw new LabError('backend-unavailable', `${file} holds no secret that could sign cookies.`, {
    hint: 'Delete it; a new one is made, and people sign in anew. Or set KUBEMEND_SECRET.',
  })
}

/**
 * Opens the store, loads the catalogue, makes the backends. Nothing long is waited for.
 * @throws LabError when the data directory or the database cannot be used
 */
export async function createLab(config: Config, log: Log, env: NodeJS.ProcessEnv = process.env, parts: Parts = {}): Promise<Lab> {
  const metrics = new Metrics()
  const store = metrics.store(
    await openStore({
      dataDir: config.dataDir,
      databaseUrl: config.databaseUrl,
      ...(parts.open === undefined ? {} : { open: parts.open }),
    }),
  )
  const catalogue = await loadCatalogue(config.scenariosDir)
  for (const problem of catalogue.problems) log.warn({ ...problem }, 'a scenario was left out')

  const providers = new Map<BackendName, ClusterProvider>()
  const backends: Clusters[] = []
  const pools: Pool[] = []
  const backendOf = async (name: BackendName): Promise<ClusterProvider | undefined> => {
    if (name === 'kind')
      return kindBackend({ owner: await store.settingOr('owner', randomBytes(4).toString('hex')), dataDir: config.dataDir, env })
    if (name === 'sim') return simBackend({ dataDir: config.dataDir, env, log: (line) => log.info({ backend: 'sim' }, line) })
    if (name === 'fake') return fakeProvider({ dir: path.join(config.dataDir, 'fake') })
    return undefined
  }
  for (const name of config.backends) {
    const provider = parts.provider?.(name) ?? (await backendOf(name))
    if (provider === undefined) {
      backends.push(missing(name))
      continue
    }
    providers.set(name, provider)
    const pool = new Pool(provider, {
      warm: config.pool,
      onError: (error, doing) => log.warn({ backend: name, doing, code: error.code, error: error.message }, 'pool'),
    })
    pools.push(pool)
    backends.push(pool)
  }

  // What proofs are compared with: known once the backend is up.
  const identities = new Map<BackendName, { kubernetesVersion: string; image: string } | null>()
  const lookAtBackends = async () => {
    for (const [name, provider] of providers) identities.set(name, await provider.identity().catch(() => null))
  }
  const sessions = new Sessions({
    catalogue,
    engine: { ...engine, ...parts.engine },
    backends,
    trust: (scenario: Scenario, backend) => trust(scenario, backend, graderVersion, identities.get(backend) ?? null),
    store,
    log,
    offerUnproven: config.offerUnproven,
    perUser: config.sessionsPerUser,
    inAll: config.sessionsInAll,
    idleMs: config.idleMs,
    maxAgeMs: config.maxAgeMs,
    ...parts.sessions,
  })
  const clock = parts.sessions?.clock ?? systemClock
  const drills = new Drills({
    sessions,
    store,
    clock,
    log,
    maxAgeMs: config.maxAgeMs,
    ...parts.drills,
  })
  metrics.watch(sessions)
  metrics.gauge({
    name: 'kubemend_sessions',
    help: 'Sessions that have not ended, by state; grading are those that are being looked at.',
    read: () => sessions.counts().map(({ backend, count, state }) => [{ backend, state }, count] as const),
  })
  metrics.gauge({
    name: 'kubemend_sessions_suspended',
    help: 'Sessions whose lab sleeps, for nobody had looked at it; they are counted as ready as well.',
    read: () => [[{}, sessions.suspended()]],
  })
  metrics.gauge({
    name: 'kubemend_grading_queue',
    help: 'Tasks of drills that are handed in and have no verdict yet.',
    read: () => [[{}, drills.ungraded()]],
  })
  metrics.gauge({
    name: 'kubemend_backend_ready',
    help: 'Whether a backend could start a lab when it was last asked.',
    read: () => sessions.knownBackends().map(({ name, state }) => [{ backend: name }, state === 'ready' ? 1 : 0] as const),
  })
  metrics.gauge({
    name: 'kubemend_backend_warm',
    help: 'Clusters that are kept ready, when the backend was last asked.',
    read: () => sessions.knownBackends().map(({ name, warm }) => [{ backend: name }, warm] as const),
  })
  if (config.backends.includes('sim'))
    metrics.gauge({
      name: 'kubemend_sim_workers',
      help: 'Processes that hold simulated labs.',
      read: async () => [[{}, (await readdir(path.join(config.dataDir, 'sim', 'workers')).catch(() => [])).length]],
    })
  const audit = new Audit({
    store,
    onError: (thrown) => log.error({ error: asLabError(thrown).message }, 'the audit log could not be written'),
  })
  const classes = new Classroom({
    sessions,
    drills,
    store,
    clock,
    log,
    audit: ({ about, what, who }) =>
      void audit.record(
        who,
        what,
        null,
        Object.entries(about)
          .map(([name, value]) => `${name} ${value}`)
          .join(', '),
      ),
  })
  await sessions.recall()
  await drills.recall()
  await classes.recall()
  const tickets = new Tickets()
  const listeners = new Set<(of: Ended) => void>()
  let url = config.publicUrl ?? ''
  const accounts =
    config.auth === null
      ? null
      : new Accounts({
          store,
          audit,
          secret: config.auth.secret ?? keptSecret(config.dataDir),
          url: () => url,
          secure: config.publicUrl?.startsWith('https:') ?? false,
          provider: config.auth.provider,
          log,
          now: () => clock.now(),
          onEnded(of) {
            tickets.revoke(of)
            for (const listener of listeners) listener(of)
          },
          async erase(person, keepGrades) {
            await drills.erase(person.id)
            await classes.forget(person, keepGrades)
            await sessions.erase(person.id)
          },
        })
  const identify: Identify = parts.identify ?? (accounts === null ? async () => localPerson : (headers) => accounts.identify(headers))
  // Of what somebody may not see they hear what they hear of what is not there: it is looked for among their own.
  const whose = async (me: Identity, verb: Verb, kind: 'session' | 'drill', id: string): Promise<string> => {
    const owner = await (kind === 'session' ? sessions : drills).owner(id)
    return owner !== null && may(me, verb, { kind, owner }) ? owner : me.id
  }
  const orNull = async <T>(work: Promise<T>, codes: readonly string[] = ['not-found']): Promise<T | null> => {
    try {
      return await work
    } catch (thrown) {
      if (codes.includes(asLabError(thrown).code)) return null
      throw thrown
    }
  }
  let settingUp: Promise<unknown> | null = null
  const startSetup = async (): Promise<SetupView> => {
    if (settingUp === null) {
      const begun = Promise.withResolvers<SetupView>()
      settingUp = setup({ consent: async () => true, onView: (view) => begun.resolve(view) })
        .then(begun.resolve, (thrown: unknown) => {
          log.error({ error: asLabError(thrown).message }, 'set-up failed')
          begun.reject(thrown)
        })
        .finally(() => {
          settingUp = null
          void lookAtBackends()
        })
      return begun.promise
    }
    return currentSetup()
  }

  const handle = {
    identify,
    classes,
    catalogue: (me: Identity) => sessions.cards(me.id),
    session: async (me: Identity, id: string) => orNull(sessions.view(await whose(me, 'see', 'session', id), id)),
    sessions: (me: Identity) => sessions.list(me.id),
    report: async (me: Identity, id: string) =>
      orNull(sessions.report(await whose(me, 'see', 'session', id), id), ['not-found', 'forbidden']),
    backends: () => sessions.backendViews(),
    exam: (me: Identity, backend?: BackendName) => drills.overview(me.id, backend),
    drill: async (me: Identity, id: string) => orNull(drills.view(await whose(me, 'see', 'drill', id), id)),
    account: async (me: Visitor) => accounts?.view(me) ?? null,
    tokens: async (me: Visitor) => accounts?.tokens.list(me) ?? [],
    doors: { accounts: accounts !== null, provider: config.auth?.provider?.name ?? null },
    people: async (me: Identity) => {
      requireRole(me, 'admin')
      return (await accounts?.people()) ?? null
    },
    audit: async (me: Identity, before?: string) => {
      requireRole(me, 'admin')
      return audit.page(before)
    },
    doctor: () => doctor({ serving: true }),
    setup: () => currentSetup(),
    setupPlan: async () => ({ changes: (await planSetup()).changes }),
  }
  let cancelKeep = () => {}
  /** Now and then, not all the time: folders are read for it. */
  const keep = () => {
    const { dataDir, keepRecordingsMs: keepMs } = config
    if (keepMs === undefined) return
    void sweep(dataDir, store, log, { now: clock.now(), keepMs })
    cancelKeep = clock.after(sweepEveryMs, keep)
  }
  return {
    ...handle,
    api: createApi(
      { version: readVersion(), ...handle, sessionsOf: sessions, drillsOf: drills, tickets, accounts, whose, startSetup },
      (error, path) =>
        log.error(
          { path, code: error.code, error: error.message, ...(error.cause === undefined ? {} : { cause: String(error.cause) }) },
          'request failed',
        ),
    ),
    sessionsOf: sessions,
    drillsOf: drills,
    tickets,
    metrics,
    ping: async () => void (await store.setting('owner')),
    accounts,
    servedAt(served) {
      url = config.publicUrl ?? served
    },
    onEnded: (listener) => void listeners.add(listener),
    warm() {
      keep()
      void (async () => {
        await lookAtBackends()
        sessions.adopt()
        drills.resume()
      })().catch((thrown: unknown) => log.error({ error: asLabError(thrown).message }, 'earlier sessions could not be looked for'))
    },
    async close() {
      cancelKeep()
      metrics.close()
      await drills.close()
      await classes.close()
      await sessions.close()
      await Promise.all(pools.map((pool) => pool.shutdown()))
      for (const provider of providers.values()) provider.close?.()
      await store.close()
    },
  }
}
