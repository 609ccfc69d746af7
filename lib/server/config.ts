// The server's settings out of the environment: one schema, every problem said at once, before anything is started.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Provider } from '#lib/auth/index.ts'
import { kubernetesVersion } from '#lib/host/index.ts'
import { asLabError, backendName, LabError } from '#lib/protocol/index.ts'

/** the checkout */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** of this kubemend, as package.json has it */
export const readVersion = (): string =>
  z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))).version

const flag = z.enum(['0', '1', 'true', 'false', '']).transform((value) => value === '1' || value === 'true')
const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `from ${least} to ${most}`)

const loopbackNames = ['127.0.0.1', '::1', 'localhost']

const environment = z
  .object({
    NODE_ENV: z
      .enum(['production', 'development', 'test'])
      .default('production')
      .describe('development serves the pages uncompiled, with hot reload'),
    PORT: whole(0, 65535).default(3000).describe('0 takes any free one'),
    HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
    PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('the address people use, when a proxy stands in front'),
    KUBEMEND_DATA: z.string().min(1).optional().describe('directory of database and recordings; default data/ in the checkout'),
    KUBEMEND_SCENARIOS: z.string().min(1).optional().describe('directory of scenarios; default scenarios/ in the checkout'),
    KUBEMEND_BACKENDS: z
      .string()
      .transform((value) => value.split(',').map((name) => name.trim()))
      .pipe(z.array(backendName).min(1))
      .optional()
      .describe('backends in the order of preference, separated by commas; default kind,sim, with accounts sim'),
    DATABASE_URL: z
      .url({ protocol: /^postgres(ql)?$/, error: 'an address like postgres://user:password@host:5432/database' })
      .optional()
      .describe('a PostgreSQL database in place of the SQLite file'),
    KUBEMEND_AUTH: z
      .enum(['on', 'off'])
      .default('off')
      .describe('on: people have accounts and sign in; off: everybody who reaches this server is its one local person'),
    KUBEMEND_SECRET: z
      .string()
      .min(32, 'at least 32 characters')
      .optional()
      .describe('signs the cookies of accounts; default: made at the first start and kept in the data directory'),
    KUBEMEND_PROXIES: whole(0, 10)
      .default(0)
      .describe('reverse proxies in front that add to X-Forwarded-For; 0: that header is not believed'),
    OIDC_ISSUER: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('identity provider (OpenID Connect) by which people may sign in'),
    OIDC_CLIENT_ID: z.string().min(1).optional(),
    OIDC_CLIENT_SECRET: z.string().min(1).optional(),
    OIDC_NAME: z.string().min(1).max(40).default('single sign-on').describe('what people call it'),
    OIDC_OPEN: flag
      .default(false)
      .describe('1: whoever the identity provider lets in gets an account, as a learner; 0: an invitation is needed'),
    KUBEMEND_POOL: whole(0, 20).default(1).describe('warm clusters that are kept ready'),
    KUBEMEND_SESSIONS_PER_USER: whole(1, 100)
      .default(2)
      .describe('sessions one user may have at a time; the labs of a drill are not counted'),
    KUBEMEND_SESSIONS: whole(0, 10_000).default(0).describe('labs in all, those of drills counted; 0: as many as the backends hold'),
    KUBEMEND_IDLE_MINUTES: whole(0, 10_080)
      .default(0)
      .describe(
        'minutes without an open page after which a practice lab is suspended, or ended where its backend cannot; 0: only by its age',
      ),
    KUBEMEND_KEEP_RECORDINGS_DAYS: whole(0, 3650)
      .default(0)
      .describe('days after its end for which a session’s recordings, events and diagnostics are kept; 0: for good. Reports stay'),
    KUBEMEND_METRICS_TOKEN: z
      .string()
      .min(16, 'at least 16 characters')
      .optional()
      .describe('lets others than this machine read /metrics, as a bearer token'),
    KUBEMEND_MAX_HOURS: whole(1, 168).default(8).describe('hours after which a session is ended'),
    KUBEMEND_TRUST_LEARNERS: flag
      .default(false)
      .describe('1: people other than the owner of this machine may reach its labs, though a lab is root on it'),
    KUBEMEND_UNPROVEN: flag.default(false).describe('1: scenarios that nobody has proven may be started too, for authors'),
    KUBEMEND_KUBERNETES: z.string().optional().describe('Kubernetes version of new clusters, in full'),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe('what is logged at least'),
  })
  .superRefine((value, context) => {
    try {
      kubernetesVersion({ KUBEMEND_KUBERNETES: value.KUBEMEND_KUBERNETES })
    } catch (thrown) {
      const { message, hint = '' } = asLabError(thrown)
      context.addIssue({ code: 'custom', path: ['KUBEMEND_KUBERNETES'], message: `${message} ${hint}`.trim() })
    }
    const oidc = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const
    const lacking = oidc.filter((name) => value[name] === undefined)
    if (lacking.length > 0 && lacking.length < oidc.length)
      for (const name of lacking)
        context.addIssue({ code: 'custom', path: [name], message: `an identity provider needs ${oidc.join(', ')}` })
    if (value.KUBEMEND_AUTH === 'on') {
      if (value.KUBEMEND_BACKENDS?.includes('kind') && !value.KUBEMEND_TRUST_LEARNERS)
        context.addIssue({
          code: 'custom',
          path: ['KUBEMEND_BACKENDS'],
          message:
            'a learner on kind is root in privileged containers of this machine (docs/threat-model.md), so that with accounts labs are simulated. Set KUBEMEND_TRUST_LEARNERS=1 if you trust everybody who gets an account, or KUBEMEND_BACKENDS=sim',
        })
    } else if (lacking.length === 0)
      context.addIssue({ code: 'custom', path: ['KUBEMEND_AUTH'], message: 'an identity provider needs accounts: set KUBEMEND_AUTH=on' })
    else if (!loopbackNames.includes(value.HOST) && !value.KUBEMEND_TRUST_LEARNERS) {
      context.addIssue({
        code: 'custom',
        path: ['HOST'],
        message: `${value.HOST} is reachable by others, and whoever reaches this server has a root shell on nodes that are privileged containers of this machine (docs/threat-model.md). Set KUBEMEND_AUTH=on to give people accounts and simulated labs, KUBEMEND_TRUST_LEARNERS=1 if you trust all of them, or leave HOST at 127.0.0.1`,
      })
    }
  })

/** Every setting with what it is for and what it is when it is not given ('': nothing), for the documentation. */
export const settings = (): { name: string; about: string; otherwise: string }[] =>
  Object.entries(environment.shape).map(([name, schema]) => {
    const value: unknown = schema.safeParse(undefined).data
    return {
      name,
      about: schema.description ?? '',
      otherwise: typeof value === 'boolean' ? String(Number(value)) : Array.isArray(value) ? value.join(',') : String(value ?? ''),
    }
  })

export interface Config {
  dev: boolean
  port: number
  host: string
  publicUrl: string | undefined
  dataDir: string
  scenariosDir: string
  backends: readonly z.infer<typeof backendName>[]
  pool: number
  offerUnproven: boolean
  sessionsPerUser: number
  /** undefined: as many as the backends hold */
  sessionsInAll: number | undefined
  /** undefined: never */
  idleMs: number | undefined
  /** undefined: for good */
  keepRecordingsMs: number | undefined
  metricsToken: string | undefined
  maxAgeMs: number
  logLevel: string
  databaseUrl: string | undefined
  /** null: no accounts */
  auth: { secret: string | undefined; provider: Provider | undefined } | null
  /** proxies whose X-Forwarded-For is believed */
  proxies: number
}

/**
 * @param env as process.env
 * @throws LabError bad-request listing every setting that is wrong
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty value is one that is not set, as in `PORT= npm start`.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environment.safeParse(given)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? '')
      // What is secret stays so, also when it is wrong.
      const value = /TOKEN|SECRET|PASSWORD|DATABASE_URL/.test(name) ? '…' : (given[name] ?? '')
      return `  ${name}=${value}: ${issue.message}`
    })
    throw new LabError('bad-request', `The settings are not right:\n${lines.join('\n')}`, {
      hint: 'Correct these environment variables and start again.',
    })
  }
  const value = parsed.data
  return {
    dev: value.NODE_ENV === 'development',
    port: value.PORT,
    host: value.HOST,
    publicUrl: value.PUBLIC_URL,
    dataDir: path.resolve(root, value.KUBEMEND_DATA ?? 'data'),
    scenariosDir: path.resolve(root, value.KUBEMEND_SCENARIOS ?? 'scenarios'),
    backends: [
      ...new Set(
        value.KUBEMEND_BACKENDS ??
          (value.KUBEMEND_AUTH === 'on' && !value.KUBEMEND_TRUST_LEARNERS ? (['sim'] as const) : (['kind', 'sim'] as const)),
      ),
    ],
    pool: value.KUBEMEND_POOL,
    offerUnproven: value.KUBEMEND_UNPROVEN,
    sessionsPerUser: value.KUBEMEND_SESSIONS_PER_USER,
    sessionsInAll: value.KUBEMEND_SESSIONS || undefined,
    idleMs: value.KUBEMEND_IDLE_MINUTES * 60_000 || undefined,
    keepRecordingsMs: value.KUBEMEND_KEEP_RECORDINGS_DAYS * 86_400_000 || undefined,
    metricsToken: value.KUBEMEND_METRICS_TOKEN,
    maxAgeMs: value.KUBEMEND_MAX_HOURS * 3_600_000,
    logLevel: value.LOG_LEVEL,
    databaseUrl: value.DATABASE_URL,
    auth:
      value.KUBEMEND_AUTH === 'off'
        ? null
        : {
            secret: value.KUBEMEND_SECRET,
            provider:
              value.OIDC_ISSUER === undefined
                ? undefined
                : {
                    name: value.OIDC_NAME,
                    issuer: value.OIDC_ISSUER,
                    clientId: value.OIDC_CLIENT_ID!,
                    clientSecret: value.OIDC_CLIENT_SECRET!,
                    open: value.OIDC_OPEN,
                  },
          },
    proxies: value.KUBEMEND_PROXIES,
  }
}
