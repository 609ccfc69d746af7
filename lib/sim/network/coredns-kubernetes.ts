// CoreDNS' kubernetes plugin: names of Services, endpoints and pods as https://github.com/kubernetes/dns/blob/master/docs/specification.md has them,
// answered from what its own client follows. Knows nothing of the other plugins.
import type { Client, KubeObject } from '../kube.ts'
import type { DnsAnswer, DnsQuestion, DnsRecord } from '../net.ts'
import { type Following, following } from './deps.ts'
import { parseIp } from './ip.ts'

export interface KubernetesOptions {
  /** cluster.local and reverse zones, without final dots */
  zones: readonly string[]
  pods: 'disabled' | 'insecure' | 'verified'
  ttl: number
  /** zones for which a name that is not found goes on; [] for all; undefined for none */
  fallthrough: readonly string[] | undefined
  /** undefined for all */
  namespaces: readonly string[] | undefined
  endpointPodNames: boolean
  /** false with noendpoints: what stands behind services is neither followed nor answered */
  endpoints: boolean
}
export type Answered = DnsAnswer | 'next'

export class KubernetesZone {
  readonly #options: KubernetesOptions
  readonly #services: Following
  readonly #slices: Following | undefined
  readonly #namespaces: Following
  readonly #pods: Following | undefined
  readonly #serial: () => number

  constructor(client: Client, options: KubernetesOptions, now: () => number, broken: (kind: string, error: Error) => void) {
    this.#options = options
    this.#serial = () => Math.floor(now() / 1000)
    const follow = (resource: string, kind: string) =>
      following(client, resource, {}, { changed: () => {}, broken: (error) => broken(kind, error) })
    this.#services = follow('v1/services', 'Service')
    this.#slices = options.endpoints ? follow('discovery.k8s.io/v1/endpointslices', 'EndpointSlice') : undefined
    this.#namespaces = follow('v1/namespaces', 'Namespace')
    this.#pods = options.pods === 'verified' ? follow('v1/pods', 'Pod') : undefined
  }
  get synced(): boolean {
    return this.#services.synced && (this.#slices?.synced ?? true) && this.#namespaces.synced && (this.#pods?.synced ?? true)
  }
  stop(): void {
    for (const one of [this.#services, this.#slices, this.#namespaces, this.#pods]) one?.stop()
  }

  /** 'next' for names of other zones and those that fall through */
  answer({ name, type }: DnsQuestion): Answered {
    const asked = name.toLowerCase().replace(/\.$/, '')
    const zone = this.#options.zones
      .filter((one) => asked === one || asked.endsWith(`.${one}`) || one === '')
      .sort((a, b) => b.length - a.length)[0]
    if (zone === undefined) return 'next'
    const records =
      zone.endsWith('in-addr.arpa') || zone.endsWith('ip6.arpa') ? this.#reverse(asked, type) : this.#forward(asked, zone, type, name)
    if (records !== undefined && records.length > 0) return { rcode: 'NOERROR', answers: records, authoritative: true }
    const { fallthrough } = this.#options
    if (
      records === undefined &&
      fallthrough !== undefined &&
      (fallthrough.length === 0 || fallthrough.some((one) => asked === one || asked.endsWith(`.${one}`)))
    )
      return 'next'
    // Without its caches CoreDNS does not know what exists.
    if (!this.synced) return { rcode: 'SERVFAIL', answers: [] }
    return { rcode: records === undefined ? 'NXDOMAIN' : 'NOERROR', answers: [], authority: [this.#soa(zone)], authoritative: true }
  }
  #soa(zone: string): DnsRecord {
    return {
      name: `${zone}.`,
      type: 'SOA',
      ttl: this.#options.ttl,
      data: `ns.dns.${zone}. hostmaster.${zone}. ${this.#serial()} 7200 1800 86400 ${this.#options.ttl}`,
    }
  }
  #record(name: string, type: string, data: string): DnsRecord {
    return { name: name.endsWith('.') ? name : `${name}.`, type, ttl: this.#options.ttl, data }
  }
  #exposed(namespace: string): boolean {
    return (
      this.#namespaces.objects.has(namespace) && (this.#options.namespaces === undefined || this.#options.namespaces.includes(namespace))
    )
  }

  /** undefined: there is no such name; []: there is, but no such record */
  #forward(asked: string, zone: string, type: DnsQuestion['type'], name: string): DnsRecord[] | undefined {
    const labels = asked === zone ? [] : asked.slice(0, asked.length - zone.length - 1).split('.')
    if (labels.length === 0) {
      if (type === 'SOA') return [this.#soa(zone)]
      if (type === 'NS') return [this.#record(zone, 'NS', `ns.dns.${zone}.`)]
      return []
    }
    if (labels.length === 1 && labels[0] === 'dns-version') return type === 'TXT' ? [this.#record(name, 'TXT', '"1.1.0"')] : []
    const kind = labels.at(-1)
    const namespace = labels.at(-2)
    if (kind !== 'svc' && kind !== 'pod') return asked === `ns.dns.${zone}` || asked === `dns.${zone}` ? [] : undefined
    if (namespace === undefined) return []
    if (!this.#exposed(namespace)) return undefined
    const rest = labels.slice(0, -2)
    if (rest.length === 0) return []
    if (kind === 'pod') return this.#pod(rest, namespace, type, name)
    return this.#service(rest, namespace, zone, type, name)
  }
  #pod(rest: string[], namespace: string, type: DnsQuestion['type'], name: string): DnsRecord[] | undefined {
    const { pods } = this.#options
    const address = rest[0]?.replace(/-/g, '.') ?? ''
    if (pods === 'disabled' || rest.length !== 1 || parseIp(address) === undefined) return undefined
    if (
      pods === 'verified' &&
      ![...(this.#pods?.objects.values() ?? [])].some((pod) => pod.metadata.namespace === namespace && pod.status?.podIP === address)
    )
      return undefined
    return type === 'A' ? [this.#record(name, 'A', address)] : []
  }
  #service(rest: string[], namespace: string, zone: string, type: DnsQuestion['type'], name: string): DnsRecord[] | undefined {
    const service = this.#services.objects.get(`${namespace}/${rest.at(-1)}`)
    if (service === undefined) return undefined
    const own = `${service.metadata.name}.${namespace}.svc.${zone}.`
    const before = rest.slice(0, -1)
    if (service.spec.type === 'ExternalName') {
      if (before.length > 0) return undefined
      return type === 'A' || type === 'AAAA' || type === 'CNAME'
        ? [this.#record(name, 'CNAME', `${String(service.spec.externalName).replace(/\.$/, '')}.`)]
        : []
    }
    const headless = service.spec.clusterIP === 'None'
    const endpoints = headless || before.length === 1 ? this.#endpoints(service) : []
    // _port._protocol names SRV records; their A records are those of what is behind.
    if (before.length === 2 && before[0]?.startsWith('_') && before[1]?.startsWith('_')) {
      const [port, protocol] = before.map((label) => label.slice(1))
      if (headless) {
        const found = endpoints.filter((one) => one.port?.name === port && String(one.port?.protocol ?? 'TCP').toLowerCase() === protocol)
        return found.length === 0
          ? undefined
          : type === 'SRV'
            ? found.map((one) => this.#record(name, 'SRV', `0 ${Math.floor(100 / found.length)} ${one.port.port} ${one.label}.${own}`))
            : []
      }
      const found = (service.spec.ports ?? []).find(
        (one: KubeObject) => one.name === port && String(one.protocol ?? 'TCP').toLowerCase() === protocol,
      )
      if (found === undefined) return undefined
      return type === 'SRV'
        ? [this.#record(name, 'SRV', `0 100 ${found.port} ${own}`)]
        : type === 'A'
          ? [this.#record(name, 'A', service.spec.clusterIP)]
          : []
    }
    if (before.length === 1) {
      const found = endpoints.filter(({ label }) => label === before[0])
      if (found.length === 0) return undefined
      return type === 'A' ? [...new Set(found.map(({ ip }) => ip))].map((ip) => this.#record(name, 'A', ip)) : []
    }
    if (before.length > 0) return undefined
    if (headless) {
      if (endpoints.length === 0) return undefined
      if (type === 'SRV')
        return endpoints.map((one) =>
          this.#record(name, 'SRV', `0 ${Math.floor(100 / endpoints.length)} ${one.port?.port ?? 0} ${one.label}.${own}`),
        )
      return type === 'A' ? [...new Set(endpoints.map(({ ip }) => ip))].map((ip) => this.#record(name, 'A', ip)) : []
    }
    if (type === 'SRV') return (service.spec.ports ?? []).map((port: KubeObject) => this.#record(name, 'SRV', `0 100 ${port.port} ${own}`))
    return type === 'A' && parseIp(service.spec.clusterIP ?? '') !== undefined ? [this.#record(name, 'A', service.spec.clusterIP)] : []
  }
  #endpoints(service: KubeObject): { label: string; ip: string; port: KubeObject }[] {
    const found: { label: string; ip: string; port: KubeObject }[] = []
    for (const slice of this.#slices?.objects.values() ?? []) {
      if (
        slice.metadata.namespace !== service.metadata.namespace ||
        slice.metadata.labels?.['kubernetes.io/service-name'] !== service.metadata.name ||
        slice.addressType !== 'IPv4'
      )
        continue
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.conditions?.ready === false) continue
        const ip = endpoint.addresses?.[0] as string
        const label =
          endpoint.hostname ??
          (this.#options.endpointPodNames && endpoint.targetRef?.name ? endpoint.targetRef.name : ip.replace(/\./g, '-'))
        for (const port of slice.ports?.length ? slice.ports : [undefined]) found.push({ label, ip, port })
      }
    }
    return found
  }
  #reverse(asked: string, type: DnsQuestion['type']): DnsRecord[] | undefined {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(asked)
    if (match === null) return undefined
    const address = `${match[4]}.${match[3]}.${match[2]}.${match[1]}`
    const zone = this.#options.zones.find((one) => !one.endsWith('.arpa')) ?? 'cluster.local'
    const names: string[] = []
    for (const service of this.#services.objects.values()) {
      if (service.spec.clusterIP === address) names.push(`${service.metadata.name}.${service.metadata.namespace}.svc.${zone}.`)
    }
    if (names.length === 0)
      for (const service of this.#services.objects.values())
        if (service.spec.clusterIP === 'None' || service.spec.selector)
          for (const { label, ip } of this.#endpoints(service))
            if (ip === address) names.push(`${label}.${service.metadata.name}.${service.metadata.namespace}.svc.${zone}.`)
    if (names.length === 0) return undefined
    return type === 'PTR' ? [...new Set(names)].map((name) => this.#record(`${asked}.`, 'PTR', name)) : []
  }
}
