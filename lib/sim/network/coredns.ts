// CoreDNS 1.13, as its container runs it: reads its Corefile, listens, answers through a chain of plugins in CoreDNS' own order, and ends as it does when
// the loop plugin sees its own question come back. What is known of the cluster is coredns-kubernetes.ts. Plugins that are not here are refused by name.
import { createHash } from 'node:crypto'
import type { Client } from '../kube.ts'
import type { DnsAnswer, DnsQuestion, HttpAnswer, Listener } from '../net.ts'
import type { ContainerContext, Program } from '../process.ts'
import { bindRefusal } from './bind.ts'
import { KubernetesZone } from './coredns-kubernetes.ts'
import { type Answer, cache, hosts, matches, normal, type Plugin, type Query, rewrite, wrong, zoneOf } from './coredns-plugins.ts'
import { CorefileError, type Directive, parseCorefile, pluginOrder, type ServerBlock } from './corefile.ts'
import type { ProgramDeps } from './deps.ts'
import { exchange } from './dns.ts'
import { parseIp } from './ip.ts'

interface Zone {
  name: string
  port: number
  hosts: string[]
  chain: { name: string; plugin: Plugin }[]
}
/** plugins that change nothing here: of logs, traces, packets that this network does not have */
const silent = new Set([
  'root',
  'metadata',
  'cancel',
  'timeouts',
  'multisocket',
  'nsid',
  'bufsize',
  'debug',
  'pprof',
  'local',
  'any',
  'chaos',
  'minimal',
  'header',
])

export function coredns(deps: ProgramDeps): Program {
  return (context) => {
    const server = new CoreDns(deps, context)
    server.start()
    return { signal: (number) => server.signal(number) }
  }
}

const text = (status: number, body: string): HttpAnswer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: Buffer.from(body),
})
const rcodes: Record<string, number> = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }
function milliseconds(text: string | undefined, otherwise: number): number {
  const match = /^([\d.]+)(ms|s|m|h)?$/.exec(text ?? '')
  if (match === null) return otherwise
  return Number(match[1]) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? 's'] ?? 1000)
}
class CoreDns {
  readonly #deps: ProgramDeps
  readonly #context: ContainerContext
  #path = 'Corefile'
  #text = ''
  #zones: Zone[] = []
  #listeners: { close(): void }[] = []
  #ended = false
  #leaving = false
  #client: Client | undefined
  #reloadMs = 0

  constructor(deps: ProgramDeps, context: ContainerContext) {
    this.#deps = deps
    this.#context = context
  }
  #log(line: string): void {
    this.#context.log(`${line}\n`, 'stdout')
  }
  #exit(code: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#close()
    this.#context.exit(code)
  }
  #close(): void {
    for (const zone of this.#zones) for (const { plugin } of zone.chain) plugin.stop?.()
    for (const listener of this.#listeners) listener.close()
    this.#listeners = []
    this.#zones = []
  }
  signal(number: number) {
    if (number === 9) return this.#exit(137)
    if (number === 10 || number === 1 || this.#leaving) return
    this.#leaving = true
    if (number === 15) this.#log('[INFO] SIGTERM: Shutting down servers then terminating')
    const wait = Math.max(0, ...this.#zones.flatMap((zone) => zone.chain.map(({ plugin }) => plugin.lameduckMs ?? 0)))
    if (number !== 15 || wait === 0) return this.#exit(0)
    this.#log(`[INFO] plugin/health: Going into lameduck mode for ${wait / 1000}s`)
    this.#context.clock.after(wait, () => this.#exit(0))
  }

  start() {
    const { argv, files, cwd } = this.#context
    const flag = argv.findIndex((word) => /^--?conf$/.test(word))
    const joined = argv.find((word) => /^--?conf=/.test(word))
    const given = flag === -1 ? joined?.split('=')[1] : argv[flag + 1]
    this.#path = given ?? `${cwd === '/' ? '' : cwd}/Corefile`
    const read = files.text(this.#path)
    this.#log('maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined')
    if (read === undefined && given !== undefined) {
      this.#log(`open ${this.#path}: no such file or directory`)
      return this.#exit(1)
    }
    this.#text = read ?? '.:53 {\n whoami\n log\n}\n'
    try {
      this.#zones = this.#build(this.#parse(this.#text))
    } catch (error) {
      this.#log((error as Error).message)
      return this.#exit(1)
    }
    this.#waitForApi(() => {
      if (!this.#listen((message) => this.#log(message))) return this.#exit(1)
      for (const zone of this.#zones) this.#log(`${zone.name === '' ? '.' : `${zone.name}.`}:${zone.port}`)
      this.#announce()
      this.#log('CoreDNS-1.13.1')
      this.#log('linux/amd64, go1.26.8, ')
      this.#begun()
    })
  }
  #announce(): void {
    if (this.#reloadMs > 0)
      this.#log(
        `[INFO] plugin/reload: Running configuration SHA512 = ${createHash('sha512')
          .update(JSON.stringify(this.#parse(this.#text)))
          .digest('hex')}`,
      )
  }
  #begun(): void {
    for (const zone of this.#zones) for (const { plugin } of zone.chain) plugin.started?.()
    if (this.#reloadMs > 0) this.#reloadLater(this.#text)
  }
  #reloadLater(known: string): void {
    this.#context.clock.after(this.#reloadMs, () => {
      if (this.#ended || this.#leaving) return
      const now = this.#context.files.text(this.#path) ?? known
      if (now === known) return this.#reloadLater(known)
      let zones: Zone[]
      this.#log('[INFO] Reloading')
      const [oldZones, oldText, oldReloadMs] = [this.#zones, this.#text, this.#reloadMs]
      try {
        zones = this.#build(this.#parse(now))
      } catch (error) {
        this.#zones = oldZones
        this.#log(`[ERROR] Restart failed: ${(error as Error).message}`)
        this.#log(
          `[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: ${(error as Error).message}`,
        )
        this.#text = oldText
        this.#reloadMs = oldReloadMs
        return this.#reloadLater(now)
      }
      this.#close()
      this.#zones = zones
      this.#text = now
      if (!this.#listen((message) => this.#log(`[ERROR] Restart failed: ${message}`))) return this.#exit(1)
      this.#announce()
      this.#log('[INFO] Reloading complete')
      for (const zone of this.#zones) for (const { plugin } of zone.chain) plugin.started?.()
      if (this.#reloadMs > 0) this.#reloadLater(now)
    })
  }
  #parse(text: string): ServerBlock[] {
    const { files, env } = this.#context
    return parseCorefile(this.#path, text, env, (pattern) => {
      const full = pattern.startsWith('/') ? pattern : `${this.#path.replace(/[^/]*$/, '')}${pattern}`
      if (!/[*?[]/.test(full)) {
        const one = files.text(full)
        return one === undefined ? undefined : [one]
      }
      const dir = full.replace(/\/[^/]*$/, '')
      const shape = new RegExp(
        `^${full
          .slice(dir.length + 1)
          .replace(/[.+^${}()|]/g, '\\$&')
          .replace(/\*/g, '.*')
          .replace(/\?/g, '.')}$`,
      )
      const names = files.list(dir).filter((name) => shape.test(name))
      if (names.length === 0) this.#log(`[WARNING] No files matching import glob pattern: ${pattern}`)
      return names.map((name) => files.text(`${dir}/${name}`) ?? '')
    })
  }

  /** The kubernetes plugin holds the start back until its caches are filled, for five seconds at most. */
  #waitForApi(then: () => void) {
    const { clock } = this.#context
    const waiting = this.#zones.flatMap((zone) => zone.chain.filter(({ name }) => name === 'kubernetes').map(({ plugin }) => plugin))
    if (waiting.length === 0) return then()
    const begin = clock.now()
    let told = begin
    const look = () => {
      if (this.#ended) return
      if (waiting.every((plugin) => plugin.ready?.())) return then()
      const now = clock.now()
      if (now - begin >= 5000) {
        this.#log('[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API')
        return then()
      }
      if (now - told >= 500) {
        told = now
        this.#log('[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server')
      }
      clock.after(100, look)
    }
    clock.after(0, look)
  }

  #listen(tell: (message: string) => void): boolean {
    const { net, pid } = this.#context
    const program = { name: 'coredns', pid }
    const opened: { close(): void }[] = []
    const open = (listener: Listener) => {
      try {
        const refused = bindRefusal(this.#context, listener.port)
        if (refused !== undefined) throw new Error(refused)
        opened.push(net.listen(listener))
        return true
      } catch (error) {
        const at = `${listener.address === '::' ? '' : listener.address}:${listener.port}`
        // caddy.go startServers puts its own word before what a server says; what plugins open at their start has none.
        const step = listener.dns === undefined ? '' : listener.protocol === 'udp' ? 'ListenPacket: ' : 'Listen: '
        tell(`${step}listen ${listener.protocol} ${at}: ${(error as Error).message}`)
        for (const one of opened) one.close()
        return false
      }
    }
    const places = new Set(
      this.#zones.flatMap((zone) => (zone.hosts.length === 0 ? ['::'] : zone.hosts).map((host) => `${host} ${zone.port}`)),
    )
    for (const place of places) {
      const [address = '::', port] = place.split(' ')
      for (const protocol of ['tcp', 'udp'] as const)
        if (!open({ protocol, address, port: Number(port), program, dns: (question, from) => this.#answer(question, from, Number(port)) }))
          return false
    }
    const https = new Map<string, NonNullable<Plugin['http']>>()
    for (const zone of this.#zones)
      for (const { plugin } of zone.chain) if (plugin.http) https.set(`${plugin.http.address}:${plugin.http.port}`, plugin.http)
    for (const http of https.values())
      if (!open({ protocol: 'tcp', address: http.address, port: http.port, program, http: ({ path }) => http.answer(path) })) return false
    this.#listeners = opened
    return true
  }

  async #answer(question: DnsQuestion, from: string, port: number): Promise<DnsAnswer> {
    const name = normal(question.name)
    const zone = this.#zones.filter((one) => one.port === port && matches(one.name, name)).sort((a, b) => b.name.length - a.name.length)[0]
    if (zone === undefined) return { rcode: 'REFUSED', answers: [] }
    const query: Query = { question: { ...question, name: question.name.endsWith('.') ? question.name : `${question.name}.` }, from }
    const at = (index: number): Promise<Answer> => {
      for (let i = index; i < zone.chain.length; i += 1) {
        const handler = zone.chain[i]?.plugin.handler
        if (handler) return Promise.resolve(handler(query, () => at(i + 1)))
      }
      return Promise.resolve({ rcode: 'REFUSED', answers: [] })
    }
    const { error: _, ...answer } = await at(0)
    return answer
  }

  #build(blocks: ServerBlock[]): Zone[] {
    const made: Plugin[] = []
    try {
      return this.#zonesOf(blocks, made)
    } catch (error) {
      for (const plugin of made) plugin.stop?.()
      throw error
    }
  }
  /** `made` gets every plugin as soon as it is there */
  #zonesOf(blocks: ServerBlock[], made: Plugin[]): Zone[] {
    const zones: Zone[] = []
    this.#reloadMs = 0
    for (const block of blocks) {
      const keys = block.keys.map((key) => {
        const match = /^(?:(\w+):\/\/)?(.*?)(?::(\d+))?$/.exec(key)
        if (match?.[1] !== undefined && match[1] !== 'dns')
          throw new CorefileError(`${this.#path}: server type ${match[1]}:// is not part of this simulated CoreDNS`)
        return { name: zoneOf(match?.[2] ?? '.'), port: Number(match?.[3] ?? 53) }
      })
      const names = keys.map(({ name }) => name)
      const chain = block.directives
        .map((directive) => {
          const plugin = this.#plugin(directive, names)
          made.push(plugin)
          return { name: directive.name, plugin }
        })
        .sort((a, b) => pluginOrder.indexOf(a.name) - pluginOrder.indexOf(b.name))
      const hosts = block.directives.filter(({ name }) => name === 'bind').flatMap(({ args }) => args)
      for (const { name, port } of keys) {
        if (zones.some((one) => one.name === name && one.port === port))
          throw new CorefileError(`cannot serve dns://${name === '' ? '.' : `${name}.`}:${port} - it is already defined`)
        zones.push({ name, port, hosts, chain })
      }
    }
    return zones
  }
  #argument(directive: Directive, word: string, line = directive.line): CorefileError {
    return wrong(directive, `${this.#path}:${line} - Error during parsing: ${word}`)
  }
  #known(directive: Directive, properties: readonly string[]): void {
    for (const [at, [word = '']] of directive.block.entries())
      if (!properties.includes(word)) throw this.#argument(directive, `unknown property '${word}'`, directive.lines[at])
  }

  #plugin(directive: Directive, zones: string[]): Plugin {
    const { name, args, block } = directive
    if (silent.has(name) || name === 'bind') return {}
    switch (name) {
      case 'errors':
        return { handler: async (query, next) => this.#told(query, await next()) }
      case 'log':
        return { handler: async (query, next) => this.#logged(query, await next()) }
      case 'health': {
        const address = /^(.*):(\d+)$/.exec(args[0] ?? ':8080')
        if (address === null) throw wrong(directive, `address ${args[0]}: missing port in address`)
        const lame = block.find(([word]) => word === 'lameduck')?.[1]
        return {
          http: {
            address: address[1] === '' ? '::' : (address[1] as string),
            port: Number(address[2]),
            answer: (path) => (path === '/health' ? text(200, 'OK') : text(404, '404 page not found\n')),
          },
          lameduckMs: milliseconds(lame, 0),
        }
      }
      case 'ready': {
        const address = /^(.*):(\d+)$/.exec(args[0] ?? ':8181')
        return {
          http: { address: address?.[1] ? address[1] : '::', port: Number(address?.[2] ?? 8181), answer: (path) => this.#readiness(path) },
        }
      }
      case 'prometheus': {
        const address = /^(.*):(\d+)$/.exec(args[0] ?? 'localhost:9153')
        const host = address?.[1] === 'localhost' ? '127.0.0.1' : address?.[1] || '::'
        return {
          http: {
            address: host,
            port: Number(address?.[2] ?? 9153),
            answer: (path) =>
              path === '/metrics'
                ? text(
                    200,
                    '# HELP coredns_build_info A metric with a constant \'1\' value labeled by version, revision, and goversion from which CoreDNS was built.\n# TYPE coredns_build_info gauge\ncoredns_build_info{goversion="go1.26.8",revision="",version="1.13.1"} 1\n',
                  )
                : text(404, '404 page not found\n'),
          },
        }
      }
      case 'reload': {
        const interval = milliseconds(args[0], 30_000)
        if (interval < 2000) throw wrong(directive, 'interval value must be greater or equal to 2s')
        this.#reloadMs = interval
        return {}
      }
      case 'loadbalance':
        return {
          handler: async (_query, next) => {
            const answer = await next()
            const rest = answer.answers.filter((one) => one.type !== 'A')
            const addresses = answer.answers.filter((one) => one.type === 'A')
            const turn = addresses.length === 0 ? 0 : this.#deps.network.random.int(addresses.length)
            return addresses.length < 2 ? answer : { ...answer, answers: [...rest, ...addresses.slice(turn), ...addresses.slice(0, turn)] }
          },
        }
      case 'cache':
        return cache(directive, this.#context.clock)
      case 'rewrite':
        return rewrite(directive)
      case 'hosts':
        return hosts(directive, zones, this.#context.files, (word, line) => this.#argument(directive, word, line))
      case 'whoami':
        return { handler: () => ({ rcode: 'NOERROR', answers: [] }) }
      case 'kubernetes':
        return this.#kubernetes(directive, zones)
      case 'loop':
        if (args.length > 0) throw this.#argument(directive, `Wrong argument count or unexpected line ending after '${args[0]}'`)
        return this.#loop(zones[0] ?? '')
      case 'forward':
        return this.#forward(directive)
      default:
        throw wrong(directive, 'this plugin is not part of this simulated CoreDNS')
    }
  }

  #told({ question }: Query, answer: Answer): Answer {
    if (answer.error !== undefined)
      this.#log(`[ERROR] plugin/errors: ${rcodes[answer.rcode]} ${question.name} ${question.type}: ${answer.error}`)
    return answer
  }
  #logged({ question, from }: Query, answer: Answer): Answer {
    const { random } = this.#deps.network
    const flags = `qr${answer.authoritative ? ',aa' : ''},rd${answer.authoritative ? '' : ',ra'}`
    const size = question.name.length + 12 + 16 * (answer.answers.length + (answer.authority?.length ?? 0)) + 5
    this.#log(
      `[INFO] ${from} - ${random.int(65536)} "${question.type} IN ${question.name} udp ${question.name.length + 17} false 512" ${answer.rcode} ${flags} ${size} 0.000${100 + random.int(800)}${random.int(1000)}s`,
    )
    return answer
  }
  #readiness(path: string): HttpAnswer {
    if (path !== '/ready') return text(404, '404 page not found\n')
    const waiting = [
      ...new Set(this.#zones.flatMap((zone) => zone.chain.filter(({ plugin }) => plugin.ready?.() === false).map(({ name }) => name))),
    ].sort()
    if (this.#leaving) return text(503, 'Shutting down')
    if (waiting.length === 0) return text(200, 'OK')
    this.#log(`[INFO] plugin/ready: Plugins not ready: ${JSON.stringify(waiting.join(','))}`)
    return text(503, waiting.join(','))
  }

  #kubernetes(directive: Directive, zones: string[]): Plugin {
    const { clock, files, net } = this.#context
    const own = directive.args.length > 0 ? directive.args.map(zoneOf) : zones
    const option = (name: string) => directive.block.find(([word]) => word === name)?.slice(1)
    this.#known(directive, [
      'pods',
      'fallthrough',
      'ttl',
      'namespaces',
      'endpoint_pod_names',
      'noendpoints',
      'kubeconfig',
      'transfer',
      'upstream',
      'resyncperiod',
      'labels',
      'ignore',
      'apiserver_qps',
      'apiserver_burst',
    ])
    const pods = option('pods')?.[0] ?? 'disabled'
    if (pods !== 'disabled' && pods !== 'insecure' && pods !== 'verified')
      throw this.#argument(directive, `wrong value for pods: ${pods},  must be one of: disabled, verified, insecure`)
    const ttl = Number(option('ttl')?.[0] ?? 5)
    if (!(ttl >= 0 && ttl <= 3600)) throw this.#argument(directive, `ttl must be in range [0, 3600]: ${ttl}`)
    try {
      this.#client ??= this.#deps.connect(files, option('kubeconfig')?.[0] ?? 'in-cluster', net)
    } catch (error) {
      throw wrong(directive, (error as Error).message)
    }
    const zone = new KubernetesZone(
      this.#client,
      {
        zones: own,
        pods,
        ttl,
        fallthrough: option('fallthrough')?.map(zoneOf),
        namespaces: option('namespaces'),
        endpointPodNames: option('endpoint_pod_names') !== undefined,
        endpoints: option('noendpoints') === undefined,
      },
      () => clock.now(),
      () => !this.#ended && this.#log('[ERROR] plugin/kubernetes: Failed to watch'),
    )
    return {
      stop: () => zone.stop(),
      ready: () => zone.synced,
      handler: async (query, next) => {
        const answer = zone.answer(query.question)
        if (answer === 'next') return next()
        // The name behind an ExternalName is looked up by the server itself.
        const alias = answer.answers.length === 1 && answer.answers[0]?.type === 'CNAME' ? answer.answers[0] : undefined
        if (alias === undefined || query.question.type === 'CNAME') return answer
        const port = this.#zones.find((one) => one.chain.some(({ plugin }) => plugin.ready))?.port ?? 53
        const rest = await this.#answer({ name: alias.data, type: query.question.type }, query.from, port)
        // An alias within the zone is told only together with what it leads to (plugin/backend_lookup.go).
        const within = own.some((zone) => zone === '' || alias.data === `${zone}.` || alias.data.endsWith(`.${zone}.`))
        if (within && rest.answers.length === 0) return { ...answer, answers: [], authority: rest.authority ?? [] }
        return { ...answer, answers: [alias, ...rest.answers] }
      },
    }
  }

  /** Its own question, sent to its own address: whoever sees it three times is in a loop. */
  #loop(zone: string): Plugin {
    const { net, clock } = this.#context
    const { network } = this.#deps
    const number = () => `${1 + network.random.int(9)}${Array.from({ length: 18 }, () => network.random.int(10)).join('')}`
    const name = `${number()}.${number()}.${zone === '' ? '' : `${zone}.`}`
    const title = zone === '' ? '.' : `${zone}.`
    let seen = 0
    let disabled = false
    let stopped = false
    const ask = async (until: number): Promise<void> => {
      if (stopped || this.#ended || clock.now() >= until) {
        disabled = true
        return
      }
      const port = this.#zones.find((one) => one.name === zone)?.port ?? 53
      const got = await exchange({ network, clock, from: net }, '127.0.0.1', { name, type: 'HINFO' }, { port, timeoutMs: 5000 })
      if (got.kind === 'answer') {
        clock.after(2000, () => {
          disabled = true
        })
        return
      }
      seen = 0
      clock.after(1000, () => void ask(until))
    }
    return {
      started: () => void ask(clock.now() + 30_000),
      stop: () => {
        stopped = true
      },
      handler: ({ question, from }, next) => {
        if (question.type !== 'HINFO' || disabled || !matches(zone, normal(question.name))) return next()
        if (question.name === name) seen += 1
        if (seen > 2 && !this.#ended) {
          const port = this.#zones.find((one) => one.name === zone)?.port ?? 53
          this.#log(
            `[FATAL] plugin/loop: Loop (${from} -> :${port}) detected for zone ${JSON.stringify(title)}, see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO ${name}"`,
          )
          this.#exit(1)
          return { rcode: 'SERVFAIL', answers: [] }
        }
        return next()
      },
    }
  }

  #forward(directive: Directive): Plugin {
    const { files, net, clock } = this.#context
    const { network } = this.#deps
    const [from, ...to] = directive.args
    if (from === undefined || to.length === 0)
      throw this.#argument(directive, `Wrong argument count or unexpected line ending after '${from ?? 'forward'}'`)
    const zone = zoneOf(from)
    const upstreams: { address: string; port: number }[] = []
    for (const one of to) {
      const plain = one.replace(/^dns:\/\//, '')
      if (/^\w+:\/\//.test(plain))
        throw wrong(directive, `upstreams with ${plain.split('://')[0]}:// are not part of this simulated CoreDNS`)
      const [, address = '', port] = /^([\d.]+)(?::(\d+))?$/.exec(plain) ?? []
      if (parseIp(address) !== undefined) upstreams.push({ address, port: Number(port ?? 53) })
      else {
        const file = files.text(plain)
        if (file === undefined || !plain.includes('/')) throw wrong(directive, `not an IP address or file: ${JSON.stringify(plain)}`)
        const named = [...file.matchAll(/^\s*nameserver\s+(\S+)/gm)]
          .map((match) => match[1] as string)
          .filter((server) => parseIp(server) !== undefined)
        if (named.length === 0) throw wrong(directive, 'no nameservers found')
        upstreams.push(...named.map((server) => ({ address: server, port: 53 })))
      }
    }
    if (upstreams.length > 15) throw wrong(directive, `more than 15 TOs configured: ${upstreams.length}`)
    const option = (name: string) => directive.block.find(([word]) => word === name)?.slice(1)
    const known = [
      'except',
      'max_fails',
      'health_check',
      'force_tcp',
      'prefer_udp',
      'tls',
      'tls_servername',
      'expire',
      'max_idle_conns',
      'policy',
      'max_concurrent',
      'next',
      'failfast_all_unhealthy_upstreams',
      'failover',
    ]
    this.#known(directive, known)
    const except = (option('except') ?? []).map(zoneOf)
    const most = Number(option('max_concurrent')?.[0] ?? 0)
    const policy = option('policy')?.[0] ?? 'random'
    const protocol = option('force_tcp') === undefined ? 'udp' : 'tcp'
    let turn = 0
    let running = 0
    return {
      handler: async ({ question }, next) => {
        const name = normal(question.name)
        if (!matches(zone, name) || except.some((one) => matches(one, name))) return next()
        // Without a limit of its own a server that asks itself stops when its memory does; here at this many.
        if (running >= (most > 0 ? most : 5000))
          return { rcode: most > 0 ? 'REFUSED' : 'SERVFAIL', answers: [], error: `concurrent queries exceeded maximum ${most}` }
        running += 1
        try {
          const first = policy === 'sequential' ? 0 : policy === 'round_robin' ? turn++ : network.random.int(upstreams.length)
          const order = upstreams.map((_, at) => upstreams[(first + at) % upstreams.length] as (typeof upstreams)[number])
          const deadline = clock.now() + 5000
          let error = 'no healthy proxies'
          for (let at = 0; clock.now() < deadline && at < order.length * 3 && !this.#ended; at += 1) {
            const { address, port } = order[at % order.length] as (typeof upstreams)[number]
            const sport = 32768 + network.random.int(28000)
            const got = await exchange({ network, clock, from: net }, address, question, {
              protocol,
              port,
              timeoutMs: Math.min(2000, deadline - clock.now()),
              sport,
            })
            if (got.kind === 'answer') return { ...got.answer, authoritative: false }
            const own = net.addresses()[0] ?? '127.0.0.1'
            const ends = `read ${protocol} ${address.startsWith('127.') ? '127.0.0.1' : own}:${sport}->${address}:${port}`
            error =
              got.kind === 'timeout'
                ? `${ends}: i/o timeout`
                : got.kind === 'refused'
                  ? `${ends}: read: connection refused`
                  : `dial ${protocol} ${address}:${port}: connect: network is unreachable`
            if (got.kind !== 'timeout' && at >= order.length - 1) break
          }
          return { rcode: 'SERVFAIL', answers: [], error }
        } finally {
          running -= 1
        }
      },
    }
  }
}
