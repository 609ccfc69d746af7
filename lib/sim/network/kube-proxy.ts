// kube-proxy, as its container runs it: reads its configuration and kubeconfig from the container's files, follows Services and EndpointSlices, and
// programs the machine's rules. What it programmed stays when it ends. Knows nothing of how packets pass the rules.
import { parse } from 'yaml'
import type { Client, KubeObject } from '../kube.ts'
import type { Listener } from '../net.ts'
import type { ContainerContext, Program } from '../process.ts'
import { type Following, following, type ProgramDeps } from './deps.ts'
import { contains, parseIp, parsePrefix } from './ip.ts'
import { klog, quoted } from './log.ts'
import { namespaceOf } from './network.ts'
import { jumps, proxyRules } from './proxy-rules.ts'
import { restore, words } from './tables.ts'

// biome-ignore lint/suspicious/noExplicitAny: a configuration file is whatever its author wrote
type Config = Record<string, any>
const whole = new Map<string, Config>()
/** All nodes' proxies read the same text. @throws YAMLParseError */
function readConfig(text: string): Config {
  const config = whole.get(text) ?? (parse(text) as Config | null) ?? {}
  if (whole.size >= 16) whole.delete(whole.keys().next().value as string)
  whole.set(text, config)
  return config
}
const flagValue = (argv: readonly string[], flag: string) => {
  for (const [at, word] of argv.entries()) {
    if (word.startsWith(`--${flag}=`)) return word.slice(flag.length + 3)
    if (word === `--${flag}`) return argv[at + 1]
  }
  return undefined
}
/** Go's durations: 1s, 500ms, 1m30s; ms */
function duration(text: unknown, otherwise: number): number {
  if (typeof text !== 'string') return otherwise
  const unit: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  let total = 0
  for (const match of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) total += Number(match[1]) * (unit[match[2] as string] ?? 0)
  return total === 0 ? otherwise : total
}

export function kubeProxy(deps: ProgramDeps): Program {
  return (context) => {
    const proxy = new KubeProxy(deps, context)
    proxy.start()
    return { signal: (number) => number !== 1 && proxy.end(number === 2 || number === 15 ? 2 : 128 + number) }
  }
}

class KubeProxy {
  readonly #deps: ProgramDeps
  readonly #context: ContainerContext
  readonly #open: { close(): void }[] = []
  readonly #follows: Following[] = []
  readonly #logged = new Set<string>()
  #config: Config = {}
  #nodeName = ''
  #services: Following | undefined
  #slices: Following | undefined
  /** service → slice's key → slice: one that was given to another service stays with the first too (endpointslicecache.go, updatePending) */
  readonly #bySvc = new Map<string, Map<string, KubeObject>>()
  /** the slices as they were last seen, by key */
  readonly #tracked = new Map<string, KubeObject>()
  #started = false
  #ended = false
  #lastSync = Number.NEGATIVE_INFINITY
  #due = false
  #programmed = ''

  constructor(deps: ProgramDeps, context: ContainerContext) {
    this.#deps = deps
    this.#context = context
  }
  #log(level: 'I' | 'W' | 'E', where: string, message: string): void {
    this.#context.log(klog(level, this.#context.clock.now(), where, message), 'stderr')
  }
  end(code: number): void {
    if (this.#ended) return
    this.#ended = true
    for (const follow of this.#follows) follow.stop()
    for (const listener of this.#open) listener.close()
    this.#context.exit(code)
  }
  /** as RunE does for an error of Run, then cli.Run for what RunE returned */
  #fail(message: string, prefix = ''): void {
    if (prefix === '') this.#log('E', 'server.go:134', `"Error running ProxyServer" err=${quoted(message)}`)
    this.#log('E', 'run.go:72', `"command failed" err=${quoted(`${prefix}${message}`)}`)
    this.end(1)
  }

  start() {
    const { argv, files, net, machine } = this.#context
    const path = flagValue(argv, 'config')
    if (path !== undefined) {
      const text = files.text(path)
      if (text === undefined) return this.#fail(`open ${path}: no such file or directory`, 'failed complete: ')
      try {
        this.#config = readConfig(text)
      } catch (error) {
        return this.#fail(
          `failed to decode: couldn't get version/kind; json parse error: ${(error as Error).message.split('\n')[0]}`,
          'failed complete: ',
        )
      }
      const { kind, apiVersion } = this.#config
      if (kind !== 'KubeProxyConfiguration')
        return this.#fail(
          kind
            ? `failed to decode: no kind ${quoted(String(kind))} is registered for version ${quoted(String(apiVersion ?? ''))} in scheme "k8s.io/kubernetes/pkg/proxy/apis/config/scheme/scheme.go:36"`
            : `failed to decode: Object 'Kind' is missing in '${text.slice(0, 200)}'`,
          'failed complete: ',
        )
    }
    const mode = String(this.#config.mode ?? '')
    if (!['', 'iptables', 'nftables', 'ipvs'].includes(mode))
      // pkg/proxy/apis/config/validation: the path is Mode's, and ProxyMode below it.
      return this.#fail(
        `KubeProxyConfiguration.Mode.ProxyMode: Invalid value: ${quoted(mode)}: must be iptables, ipvs, nftables or blank (blank means the best-available proxy [currently iptables])`,
        'failed validate: ',
      )
    const cidr = String(this.#config.clusterCIDR ?? '')
    if (cidr !== '' && cidr.split(',').some((one) => !one.includes('/') || (parsePrefix(one) === undefined && !one.includes(':'))))
      return this.#fail(
        `KubeProxyConfiguration.clusterCIDR: Invalid value: ${quoted(cidr)}: must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)`,
        'failed validate: ',
      )
    this.#nodeName = (flagValue(argv, 'hostname-override') ?? this.#config.hostnameOverride ?? '').trim().toLowerCase() || machine.name
    const kubeconfig = String(this.#config.clientConnection?.kubeconfig ?? '')
    let client: Client
    try {
      if (kubeconfig === '')
        this.#log('I', 'server.go:410', '"Neither kubeconfig file nor master URL was specified, falling back to in-cluster config"')
      client = this.#deps.connect(files, kubeconfig === '' ? 'in-cluster' : kubeconfig, net)
    } catch (error) {
      return this.#fail((error as Error).message)
    }
    this.#log('I', 'shared_informer.go:370', '"Waiting for caches to sync"')
    const node = following(
      client,
      'v1/nodes',
      { fieldSelector: `metadata.name=${this.#nodeName}` },
      { changed: () => this.#ready(client, node.objects.get(this.#nodeName)), broken: (error) => this.#broken('Node', error) },
    )
    this.#follows.push(node)
  }
  #broken(kind: string, error: Error): void {
    // client-go tries a refused connection again without a word (reflector.go watchList, isWatchErrorRetriable: said at verbosity 2 only).
    if (error.message.endsWith('connect: connection refused')) return
    this.#log(
      'E',
      'reflector.go:204',
      `"Failed to watch" err=${quoted(`failed to list *v1.${kind}: ${error.message}`)} logger="UnhandledError" reflector="k8s.io/client-go/informers/factory.go:161" type="*v1.${kind}"`,
    )
  }

  /** once the node is known */
  #ready(client: Client, node: KubeObject | undefined) {
    if (this.#started || this.#ended) return
    this.#started = true
    const at = namespaceOf(this.#context.net)
    const info = (where: string, text: string) => this.#log('I', where, text)
    info('shared_informer.go:377', '"Caches are synced"')
    const addresses = ((node?.status?.addresses ?? []) as KubeObject[])
      .filter((one) => one.type === 'InternalIP')
      .map((one) => one.address as string)
    if (addresses.length > 0) info('server.go:218', `"Successfully retrieved NodeIPs" NodeIPs=${JSON.stringify(addresses)}`)
    const conntrack = this.#config.conntrack ?? {}
    for (const [name, value] of [
      ['tcp_timeout_established', duration(conntrack.tcpEstablishedTimeout, 86_400_000) / 1000],
      ['tcp_timeout_close_wait', duration(conntrack.tcpCloseWaitTimeout, 3_600_000) / 1000],
    ] as const) {
      const sysctl = `net.netfilter.nf_conntrack_${name}`
      if (at.sysctl(sysctl) === String(value)) continue
      info('conntrack.go:115', `"Set sysctl" entry="net/netfilter/nf_conntrack_${name}" value=${value}`)
      at.sysctls.set(sysctl, String(value))
    }
    if ((this.#config.nodePortAddresses ?? []).length === 0)
      this.#log(
        'E',
        'server.go:255',
        '"Kube-proxy configuration may be incomplete or incorrect" err="nodePortAddresses is unset; NodePort connections will be accepted on all local IPs. Consider using `--nodeport-addresses primary`"',
      )
    info('server.go:264', '"kube-proxy running in dual-stack mode" primary ipFamily="IPv4"')
    const mode = this.#config.mode || 'iptables'
    // ipvs/proxier.go CanUseIPVSProxier on a kernel without it: a virtual server is accepted, and is not there.
    if (mode === 'ipvs') info('proxier.go:644', `"Dummy VS not created" scheduler=${quoted(String(this.#config.ipvs?.scheduler || 'rr'))}`)
    if (mode !== 'iptables')
      return this.#fail(
        mode === 'ipvs'
          ? "can't use the IPVS proxier: Ipvs not supported"
          : 'unable to create proxier: nftables mode is not supported by this simulated cluster, use iptables',
      )
    info('server_linux.go:136', '"Using iptables Proxier"')
    if (this.#localhostNodePorts()) {
      info(
        'proxier.go:242',
        '"Setting route_localnet=1 to allow node-ports on localhost; to change this either disable iptables.localhostNodePorts (--iptables-localhost-nodeports) or set nodePortAddresses (--nodeport-addresses) to filter loopback addresses" ipFamily="IPv4"',
      )
      at.sysctls.set('net.ipv4.conf.all.route_localnet', '1')
    }
    info('server.go:529', '"Version info" version="v1.35.4"')
    info('server.go:531', '"Golang settings" GOGC="" GOMAXPROCS="" GOTRACEBACK=""')
    for (const table of ['mangle', 'nat', 'filter'] as const) at.tables.create(table, 'KUBE-PROXY-CANARY', true)
    this.#guard()
    this.#listen()
    const start = (where: string, title: string) => {
      info(where, `"Starting ${title} config controller"`)
      info('shared_informer.go:349', `"Waiting for caches to sync" controller="${title} config"`)
    }
    const synced = (title: string) => {
      if (this.#logged.has(title)) return
      this.#logged.add(title)
      info('shared_informer.go:356', `"Caches are synced" controller="${title} config"`)
    }
    start('config.go:200', 'service')
    start('config.go:106', 'endpoint slice')
    start('config.go:403', 'serviceCIDR')
    start('config.go:309', 'node')
    synced('node')
    const labels = '!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless'
    const changed = (title: string) => () => {
      synced(title)
      this.#sync()
    }
    this.#services = following(
      client,
      'v1/services',
      { labelSelector: labels },
      { changed: changed('service'), broken: (error) => this.#broken('Service', error) },
    )
    this.#slices = following(
      client,
      'discovery.k8s.io/v1/endpointslices',
      { labelSelector: labels },
      {
        changed: () => {
          this.#track()
          changed('endpoint slice')()
        },
        broken: (error) => this.#broken('EndpointSlice', error),
      },
    )
    const cidrs = following(
      client,
      'networking.k8s.io/v1/servicecidrs',
      {},
      { changed: () => synced('serviceCIDR'), broken: (error) => this.#broken('ServiceCIDR', error) },
    )
    this.#follows.push(this.#services, this.#slices, cidrs)
  }
  /** Every 30 s: whoever deletes the canary has deleted the rules too, and all are written again. */
  #guard(): void {
    this.#context.clock.after(30_000, () => {
      if (this.#ended) return
      const { tables } = namespaceOf(this.#context.net)
      const canaries = ['mangle', 'nat', 'filter'] as const
      if (canaries.some((table) => !tables.has(table, 'KUBE-PROXY-CANARY'))) {
        for (const table of canaries) tables.create(table, 'KUBE-PROXY-CANARY', true)
        this.#programmed = ''
        this.#sync()
      }
      this.#guard()
    })
  }
  #localhostNodePorts(): boolean {
    return this.#config.iptables?.localhostNodePorts !== false && (this.#config.nodePortAddresses ?? []).length === 0
  }
  #listen(): void {
    const { net, pid, clock } = this.#context
    const text = (status: number, body: string, type = 'text/plain; charset=utf-8') => ({
      status,
      headers: { 'content-type': type },
      body: Buffer.from(body),
    })
    const program = { name: 'kube-proxy', pid }
    const began = clock.now()
    const nanos = (ms: number) => new Date(ms).toISOString().replace('Z', '000000Z')
    const health = () => {
      const now = nanos(clock.now())
      const family = (at: number) => ({ lastUpdated: nanos(at), healthy: true })
      // healthcheck/proxy_health.go: who has not programmed anything yet is healthy and has no family to tell of.
      const status = Number.isFinite(this.#lastSync) ? { IPv4: family(this.#lastSync), IPv6: family(began) } : undefined
      return text(
        200,
        JSON.stringify({ lastUpdated: now, currentTime: now, nodeEligible: true, healthy: true, status }),
        'application/json',
      )
    }
    const place = (configured: unknown, address: string, port: number): [string, number] => {
      const [, at, number] = /^(.*):(\d+)$/.exec(String(configured ?? '')) ?? []
      return at === undefined ? [address, port] : [at === '' ? '0.0.0.0' : at, Number(number)]
    }
    const [healthAt, healthPort] = place(this.#config.healthzBindAddress, '::', 10256)
    const [metricsAt, metricsPort] = place(this.#config.metricsBindAddress, '127.0.0.1', 10249)
    const listeners: Listener[] = [
      {
        protocol: 'tcp',
        address: healthAt,
        port: healthPort,
        program,
        http: ({ path }) => (path.startsWith('/healthz') || path.startsWith('/livez') ? health() : text(404, '404 page not found\n')),
      },
      {
        protocol: 'tcp',
        address: metricsAt,
        port: metricsPort,
        program,
        http: ({ path }) =>
          path === '/proxyMode'
            ? text(200, 'iptables')
            : path === '/healthz'
              ? text(200, 'ok')
              : path === '/metrics'
                ? text(200, '# HELP kubeproxy_sync_proxy_rules_iptables_total [ALPHA] Total number of iptables rules owned by kube-proxy\n')
                : text(404, '404 page not found\n'),
      },
    ]
    for (const listener of listeners) {
      try {
        this.#open.push(net.listen(listener))
      } catch (error) {
        const at = `${listener.address === '::' ? '0.0.0.0' : listener.address}:${listener.port}`
        if (listener.port === healthPort)
          this.#log(
            'E',
            'server.go:445',
            `"Healthz server failed" err=${quoted(`failed to start proxy healthz on ${at}: listen tcp ${at}: ${(error as Error).message}`)}`,
          )
        else
          this.#log(
            'E',
            'server.go:496',
            `"Unhandled Error" err=${quoted(`starting metrics server failed: listen tcp ${at}: ${(error as Error).message}`)} logger="UnhandledError"`,
          )
      }
    }
  }

  #track(): void {
    const now = this.#slices?.objects ?? new Map<string, KubeObject>()
    const serviceOf = (slice: KubeObject) => {
      const name = slice.metadata.labels?.['kubernetes.io/service-name']
      return name ? `${slice.metadata.namespace}/${name}` : undefined
    }
    for (const [key, slice] of this.#tracked) {
      if (now.has(key)) continue
      this.#tracked.delete(key)
      this.#bySvc.get(serviceOf(slice) ?? '')?.delete(key)
    }
    for (const [key, slice] of now) {
      if (this.#tracked.get(key) === slice) continue
      this.#tracked.set(key, slice)
      const service = serviceOf(slice)
      if (service === undefined) continue
      const known = this.#bySvc.get(service) ?? new Map<string, KubeObject>()
      this.#bySvc.set(service, known.set(key, slice))
    }
  }
  /** At most once in minSyncPeriod, as its BoundedFrequencyRunner. */
  #sync(): void {
    if (this.#due || this.#ended || !this.#services?.synced || !this.#slices?.synced) return
    const { clock } = this.#context
    const wait = this.#lastSync + duration(this.#config.iptables?.minSyncPeriod, 1000) - clock.now()
    this.#due = true
    // Also the first time in a later turn, so that a burst of changes is one sync.
    clock.after(Math.max(0, wait), () => {
      this.#due = false
      if (this.#ended) return
      this.#lastSync = clock.now()
      this.#program()
    })
  }
  #program(): void {
    const { tables, links } = namespaceOf(this.#context.net)
    const services = [...(this.#services?.objects.values() ?? [])]
    const bySvc = new Map([...this.#bySvc].map(([service, slices]) => [service, [...slices.values()]]))
    const wanted = (this.#config.nodePortAddresses ?? []) as string[]
    const own = [...links.values()].flatMap((link) => link.addresses.map(({ ip }) => ip))
    const primary = parseIp(this.#context.machine.address)
    const text = proxyRules(services, bySvc, tables.table('nat')?.keys() ?? [], {
      nodeName: this.#nodeName,
      clusterCidr: String(this.#config.clusterCIDR ?? '').split(',')[0] ?? '',
      masqueradeAll: Boolean(this.#config.iptables?.masqueradeAll),
      masqueradeBit: this.#config.iptables?.masqueradeBit ?? 14,
      localhostNodePorts: this.#localhostNodePorts(),
      nodePortAddresses:
        wanted.length === 0
          ? undefined
          : own
              .filter((ip) =>
                wanted.some((one) => (one === 'primary' ? ip === primary : contains(parsePrefix(one) ?? { ip: 0, bits: 32 }, ip))),
              )
              .map((ip) => `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`),
      tcpBeLiberal: Boolean(this.#config.conntrack?.tcpBeLiberal),
      nfacct: true,
    })
    const stamp = `${text}#${tables.generation}`
    if (stamp === this.#programmed) return
    try {
      for (const [table, chain, from, match] of jumps) {
        tables.create(table, chain, true)
        tables.ensure(table, from, words(`${match} -j ${chain}`))
      }
      restore(tables, text, { noflush: true })
    } catch (error) {
      this.#log('E', 'proxier.go:1544', `"Failed to execute iptables-restore" err=${quoted((error as Error).message)} ipFamily="IPv4"`)
    }
    this.#programmed = `${text}#${tables.generation}`
  }
}

/** What the kubelet programs of its own on a node, once at its start. */
export function kubeletRules(net: Parameters<typeof namespaceOf>[0]): void {
  const { tables } = namespaceOf(net)
  tables.create('mangle', 'KUBE-IPTABLES-HINT', true)
  tables.create('filter', 'KUBE-FIREWALL', true)
  tables.ensure(
    'filter',
    'KUBE-FIREWALL',
    words(
      '-m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    ),
  )
  for (const hook of ['OUTPUT', 'INPUT']) tables.ensure('filter', hook, ['-j', 'KUBE-FIREWALL'])
  for (const table of ['mangle', 'nat', 'filter'] as const) tables.create(table, 'KUBE-KUBELET-CANARY', true)
}
