// What kube-proxy in iptables mode programs for Services and EndpointSlices: the same chains, names, order and comments as pkg/proxy/iptables of
// Kubernetes 1.35. A pure function from objects to the text of an iptables-restore. Knows nothing of when it runs.
import { createHash } from 'node:crypto'
import type { KubeObject } from '../kube.ts'

export interface ProxyRulesOptions {
  nodeName: string
  /** detectLocal: '' for none */
  clusterCidr: string
  masqueradeAll: boolean
  /** 14 unless the configuration says otherwise */
  masqueradeBit: number
  localhostNodePorts: boolean
  /** CIDRs of spec.nodePortAddresses resolved to this node's addresses; undefined: every local address */
  nodePortAddresses: readonly string[] | undefined
  tcpBeLiberal: boolean
  nfacct: boolean
}
/** One port of one Service. */
interface ServicePort {
  namespace: string
  name: string
  portName: string
  protocol: string
  port: number
  nodePort: number
  clusterIp: string
  externalIps: string[]
  loadBalancerIps: string[]
  sourceRanges: string[]
  affinitySeconds: number
  internalLocal: boolean
  externalLocal: boolean
  healthCheckNodePort: number
}
interface Endpoint {
  ip: string
  port: number
  ready: boolean
  serving: boolean
  terminating: boolean
  local: boolean
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** base32 of SHA-256, its first 16 letters: how proxier.go names chains */
export function chainHash(...parts: string[]): string {
  const digest = createHash('sha256').update(parts.join('')).digest()
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of digest) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      text += base32[(held >>> (bits - 5)) & 31]
      bits -= 5
      if (text.length === 16) return text
    }
    held &= (1 << bits) - 1
  }
  return text
}

const isIpv4 = (text: unknown): text is string => typeof text === 'string' && /^\d+\.\d+\.\d+\.\d+$/.test(text)

function servicePorts(service: KubeObject): ServicePort[] {
  const { metadata, spec } = service
  if (
    !isIpv4(spec.clusterIP) ||
    spec.type === 'ExternalName' ||
    metadata.labels?.['service.kubernetes.io/service-proxy-name'] !== undefined
  )
    return []
  return (spec.ports ?? []).map(
    (port: KubeObject): ServicePort => ({
      namespace: metadata.namespace,
      name: metadata.name,
      portName: port.name ?? '',
      protocol: String(port.protocol ?? 'TCP').toLowerCase(),
      port: port.port,
      nodePort: spec.type === 'ClusterIP' ? 0 : (port.nodePort ?? 0),
      clusterIp: spec.clusterIP,
      externalIps: (spec.externalIPs ?? []).filter(isIpv4),
      loadBalancerIps:
        spec.type === 'LoadBalancer'
          ? (service.status?.loadBalancer?.ingress ?? [])
              .filter((one: KubeObject) => one.ipMode !== 'Proxy')
              .map((one: KubeObject) => one.ip)
              .filter(isIpv4)
          : [],
      sourceRanges: spec.loadBalancerSourceRanges ?? [],
      affinitySeconds: spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : 0,
      internalLocal: spec.internalTrafficPolicy === 'Local',
      externalLocal: (spec.type === 'NodePort' || spec.type === 'LoadBalancer') && spec.externalTrafficPolicy === 'Local',
      healthCheckNodePort: spec.healthCheckNodePort ?? 0,
    }),
  )
}
function endpointsOf(slices: readonly KubeObject[], port: ServicePort, nodeName: string): Endpoint[] {
  const found = new Map<string, Endpoint>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    for (const one of slice.ports ?? []) {
      if ((one.name ?? '') !== port.portName || String(one.protocol ?? 'TCP').toLowerCase() !== port.protocol || one.port === undefined)
        continue
      for (const endpoint of slice.endpoints ?? []) {
        const { ready, serving, terminating } = endpoint.conditions ?? {}
        const address = endpoint.addresses?.[0]
        if (!isIpv4(address)) continue
        const isReady = ready ?? true
        found.set(`${address}:${one.port}`, {
          ip: address,
          port: one.port,
          ready: isReady,
          serving: serving ?? isReady,
          terminating: terminating ?? false,
          local: endpoint.nodeName === nodeName,
        })
      }
    }
  }
  return [...found.values()].sort((a, b) => (`${a.ip}:${a.port}` < `${b.ip}:${b.port}` ? -1 : 1))
}
/** ready ones; when there are none, those that still serve while they terminate */
const usable = (all: readonly Endpoint[]): Endpoint[] => {
  const ready = all.filter((one) => one.ready)
  return ready.length > 0 ? ready : all.filter((one) => one.serving && one.terminating)
}

/** jump rules of the built-in chains: table, chain, rule; each is put first unless it is there, in this order */
export const jumps: readonly (readonly ['filter' | 'nat', string, string, string])[] = [
  [
    'filter',
    'KUBE-EXTERNAL-SERVICES',
    'INPUT',
    '-m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals"',
  ],
  [
    'filter',
    'KUBE-EXTERNAL-SERVICES',
    'FORWARD',
    '-m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals"',
  ],
  ['filter', 'KUBE-NODEPORTS', 'INPUT', '-m comment --comment "kubernetes health check service ports"'],
  ['filter', 'KUBE-SERVICES', 'FORWARD', '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals"'],
  ['filter', 'KUBE-SERVICES', 'OUTPUT', '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals"'],
  ['filter', 'KUBE-FORWARD', 'FORWARD', '-m comment --comment "kubernetes forwarding rules"'],
  ['filter', 'KUBE-PROXY-FIREWALL', 'INPUT', '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"'],
  ['filter', 'KUBE-PROXY-FIREWALL', 'OUTPUT', '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"'],
  ['filter', 'KUBE-PROXY-FIREWALL', 'FORWARD', '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"'],
  ['nat', 'KUBE-SERVICES', 'OUTPUT', '-m comment --comment "kubernetes service portals"'],
  ['nat', 'KUBE-SERVICES', 'PREROUTING', '-m comment --comment "kubernetes service portals"'],
  ['nat', 'KUBE-POSTROUTING', 'POSTROUTING', '-m comment --comment "kubernetes postrouting rules"'],
  ['filter', 'KUBE-FIREWALL', 'INPUT', ''],
  ['filter', 'KUBE-FIREWALL', 'OUTPUT', ''],
]
const isServiceChain = (name: string) => /^KUBE-(SVC|SVL|FW|EXT|SEP)-/.test(name)

/**
 * The text for `iptables-restore --noflush`. `existing`: names of the nat table's chains; service chains among them that nothing needs any more are
 * flushed and deleted.
 */
export function proxyRules(
  services: readonly KubeObject[],
  slices: ReadonlyMap<string, readonly KubeObject[]>,
  existing: Iterable<string>,
  options: ProxyRulesOptions,
): string {
  const mark = `0x${(2 ** options.masqueradeBit).toString(16).padStart(8, '0')}`
  const filterChains = ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-FORWARD', 'KUBE-NODEPORTS', 'KUBE-PROXY-FIREWALL']
  const natChains = ['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ']
  const filter: string[] = []
  const nat: string[] = [
    `-A KUBE-POSTROUTING -m mark ! --mark ${mark}/${mark} -j RETURN`,
    `-A KUBE-POSTROUTING -j MARK --xor-mark ${mark}`,
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    `-A KUBE-MARK-MASQ -j MARK --or-mark ${mark}`,
  ]
  if (options.localhostNodePorts) {
    filterChains.push('KUBE-FIREWALL')
    filter.push(
      '-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    )
  }
  const active = new Set<string>()
  for (const service of services)
    for (const port of servicePorts(service))
      portRules(port, endpointsOf(slices.get(`${port.namespace}/${port.name}`) ?? [], port, options.nodeName))
  const unused = [...existing].filter((chain) => isServiceChain(chain) && !active.has(chain))
  const last = unused.map((chain) => `-X ${chain}`)
  const note = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"'
  if (options.nodePortAddresses === undefined)
    nat.push(
      `-A KUBE-SERVICES ${note} -m addrtype --dst-type LOCAL${options.localhostNodePorts ? '' : ' ! -d 127.0.0.0/8'} -j KUBE-NODEPORTS`,
    )
  else for (const address of options.nodePortAddresses) nat.push(`-A KUBE-SERVICES ${note} -d ${address} -j KUBE-NODEPORTS`)
  if (!options.tcpBeLiberal)
    filter.push(
      `-A KUBE-FORWARD -m conntrack --ctstate INVALID${options.nfacct ? ' -m nfacct --nfacct-name ct_state_invalid_dropped_pkts' : ''} -j DROP`,
    )
  filter.push(
    `-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark ${mark}/${mark} -j ACCEPT`,
    '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  )
  const chainLines = (names: Iterable<string>) => [...names].map((name) => `:${name} - [0:0]`)
  return [
    '*filter',
    ...chainLines(filterChains),
    ...filter,
    'COMMIT',
    '*nat',
    ...chainLines([...natChains, ...active, ...unused]),
    ...nat,
    ...last,
    'COMMIT',
    '',
  ].join('\n')

  function portRules(port: ServicePort, all: Endpoint[]): void {
    const { protocol, clusterIp } = port
    const title = `${port.namespace}/${port.name}${port.portName === '' ? '' : `:${port.portName}`}`
    const hash = chainHash(title, protocol)
    const [svc, svl, ext, fw] = [`KUBE-SVC-${hash}`, `KUBE-SVL-${hash}`, `KUBE-EXT-${hash}`, `KUBE-FW-${hash}`]
    const sep = (one: Endpoint) => `KUBE-SEP-${chainHash(title, protocol, `${one.ip}:${one.port}`)}`
    const accessible = port.nodePort !== 0 || port.externalIps.length > 0 || port.loadBalancerIps.length > 0
    const usesCluster = !port.internalLocal || accessible
    const usesLocal = port.internalLocal || (accessible && port.externalLocal)
    const cluster = usesCluster ? usable(all) : []
    const local = usesLocal ? usable(all.filter((one) => one.local)) : []
    const any = usable(all).length > 0
    const internal = port.internalLocal ? svl : svc
    const hasInternal = port.internalLocal ? local.length > 0 : any
    const hasExternal = port.externalLocal ? local.length > 0 : any
    const usesExt = any && accessible
    const usesFw = any && port.loadBalancerIps.length > 0 && port.sourceRanges.length > 0
    const proto = `-m ${protocol} -p ${protocol}`
    const comment = (text: string) => `-m comment --comment "${text}"`
    const target = (has: boolean) =>
      !any
        ? { jump: 'REJECT', why: `${title} has no endpoints` }
        : has
          ? { jump: '', why: '' }
          : { jump: 'DROP', why: `${title} has no local endpoints` }
    const inside = target(hasInternal)
    const outside = target(hasExternal)
    if (hasInternal)
      nat.push(`-A KUBE-SERVICES ${comment(`${title} cluster IP`)} ${proto} -d ${clusterIp} --dport ${port.port} -j ${internal}`)
    else filter.push(`-A KUBE-SERVICES ${comment(inside.why)} ${proto} -d ${clusterIp} --dport ${port.port} -j ${inside.jump}`)
    for (const address of port.externalIps) {
      if (any) nat.push(`-A KUBE-SERVICES ${comment(`${title} external IP`)} ${proto} -d ${address} --dport ${port.port} -j ${ext}`)
      if (!hasExternal)
        filter.push(`-A KUBE-EXTERNAL-SERVICES ${comment(outside.why)} ${proto} -d ${address} --dport ${port.port} -j ${outside.jump}`)
    }
    for (const address of port.loadBalancerIps) {
      if (any)
        nat.push(
          `-A KUBE-SERVICES ${comment(`${title} loadbalancer IP`)} ${proto} -d ${address} --dport ${port.port} -j ${usesFw ? fw : ext}`,
        )
      if (usesFw)
        filter.push(
          `-A KUBE-PROXY-FIREWALL ${comment(`${title} traffic not accepted by ${fw}`)} ${proto} -d ${address} --dport ${port.port} -j DROP`,
        )
      if (!hasExternal)
        filter.push(`-A KUBE-EXTERNAL-SERVICES ${comment(outside.why)} ${proto} -d ${address} --dport ${port.port} -j ${outside.jump}`)
    }
    if (port.nodePort !== 0) {
      if (any) {
        if (options.localhostNodePorts && options.nfacct)
          nat.push(
            `-A KUBE-NODEPORTS ${comment(title)} ${proto} -d 127.0.0.0/8 --dport ${port.nodePort} -m nfacct --nfacct-name localhost_nps_accepted_pkts -j ${ext}`,
          )
        nat.push(`-A KUBE-NODEPORTS ${comment(title)} ${proto} --dport ${port.nodePort} -j ${ext}`)
      }
      if (!hasExternal)
        filter.push(
          `-A KUBE-EXTERNAL-SERVICES ${comment(outside.why)} -m addrtype --dst-type LOCAL ${proto} --dport ${port.nodePort} -j ${outside.jump}`,
        )
    }
    if (port.healthCheckNodePort !== 0)
      filter.push(
        `-A KUBE-NODEPORTS ${comment(`${title} health check node port`)} -m tcp -p tcp --dport ${port.healthCheckNodePort} -j ACCEPT`,
      )
    if (hasInternal) {
      const match = `${comment(`${title} cluster IP`)} ${proto} -d ${clusterIp} --dport ${port.port}`
      if (options.masqueradeAll) nat.push(`-A ${internal} ${match} -j KUBE-MARK-MASQ`)
      else if (options.clusterCidr !== '') nat.push(`-A ${internal} ${match} ! -s ${options.clusterCidr} -j KUBE-MARK-MASQ`)
    }
    if (usesExt) {
      active.add(ext)
      if (!port.externalLocal) nat.push(`-A ${ext} ${comment(`masquerade traffic for ${title} external destinations`)} -j KUBE-MARK-MASQ`)
      else {
        if (options.clusterCidr !== '')
          nat.push(`-A ${ext} ${comment(`pod traffic for ${title} external destinations`)} -s ${options.clusterCidr} -j ${svc}`)
        nat.push(
          `-A ${ext} ${comment(`masquerade LOCAL traffic for ${title} external destinations`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
        )
        nat.push(`-A ${ext} ${comment(`route LOCAL traffic for ${title} external destinations`)} -m addrtype --src-type LOCAL -j ${svc}`)
      }
      if (hasExternal) nat.push(`-A ${ext} -j ${port.externalLocal ? svl : svc}`)
    }
    if (usesFw) {
      active.add(fw)
      for (const range of port.sourceRanges) nat.push(`-A ${fw} ${comment(`${title} loadbalancer IP`)} -s ${range} -j ${ext}`)
      nat.push(`-A ${fw} ${comment(`other traffic to ${title} will be dropped by KUBE-PROXY-FIREWALL`)}`)
    }
    for (const [chain, endpoints] of [
      [svc, cluster],
      [svl, local],
    ] as const) {
      if (endpoints.length === 0) continue
      active.add(chain)
      if (port.affinitySeconds > 0)
        for (const one of endpoints)
          nat.push(
            `-A ${chain} ${comment(`${title} -> ${one.ip}:${one.port}`)} -m recent --name ${sep(one)} --rcheck --seconds ${port.affinitySeconds} --reap -j ${sep(one)}`,
          )
      for (const [at, one] of endpoints.entries()) {
        const left = endpoints.length - at
        nat.push(
          `-A ${chain} ${comment(`${title} -> ${one.ip}:${one.port}`)}${left > 1 ? ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}` : ''} -j ${sep(one)}`,
        )
      }
    }
    for (const one of new Set([...cluster, ...local])) {
      active.add(sep(one))
      nat.push(`-A ${sep(one)} ${comment(title)} -s ${one.ip} -j KUBE-MARK-MASQ`)
      nat.push(
        `-A ${sep(one)} ${comment(title)}${port.affinitySeconds > 0 ? ` -m recent --name ${sep(one)} --set` : ''} ${proto} -j DNAT --to-destination ${one.ip}:${one.port}`,
      )
    }
  }
}
