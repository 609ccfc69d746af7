// What a container is started with: environment, arguments, user, resolv.conf, hosts file; from the pod's spec and what it refers to. Knows nothing of the
// runtime's processes.
import { isIPv6 } from 'node:net'
import { ApiError, type Client, type KubeObject } from '../kube.ts'
import type { Files } from '../machine.ts'
import type { SimImage } from '../process.ts'
import { quantity } from '../schema/index.ts'
import { podName } from './status.ts'

/** A container cannot be configured: CreateContainerConfigError with this message. */
export class ConfigFailure extends Error {}

/** `$(NAME)` by its value, `$$` by `$`; what is not known stays (k8s.io/kubernetes/third_party/forked/golang/expansion). */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => (whole === '$$' ? '$' : (env[name as string] ?? whole)))
}

/** The value of a field that the downward API offers. @throws Error for others */
export function fieldValue(pod: KubeObject, path: string, podIP: string): string {
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  if (keyed) return pod.metadata[keyed[1] as string]?.[keyed[2] as string] ?? ''
  const map = (values: Record<string, string> | undefined) =>
    Object.entries(values ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join('\n')
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return map(pod.metadata.labels)
    case 'metadata.annotations':
      return map(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
    case 'status.hostIPs':
      return pod.status?.hostIP ?? ''
    case 'status.podIP':
    case 'status.podIPs':
      return podIP || (pod.status?.podIP ?? '')
    default:
      throw new Error(`unsupported fieldPath: ${path}`)
  }
}

/** A container's request or limit; a limit that is not set is what the node has. */
export function resourceValue(
  pod: KubeObject,
  reference: KubeObject,
  own: string | undefined,
  node: { cpus: number; memoryBytes: number },
): string {
  const name = reference.containerName ?? own
  const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one: KubeObject) => one.name === name)
  if (!container) throw new Error(`container ${name} not found`)
  const found = /^(limits|requests)\.(.+)$/.exec(reference.resource)
  if (!found) throw new Error(`unsupported container resource : ${reference.resource}`)
  const [, kind, resource] = found as unknown as [string, string, string]
  const set = container.resources?.[kind]?.[resource]
  const fallback = kind === 'requests' ? 0 : resource === 'cpu' ? node.cpus : resource === 'memory' ? node.memoryBytes : 0
  const value = set === undefined ? fallback : quantity(set)
  const divisor = quantity(reference.divisor && reference.divisor !== '0' ? reference.divisor : '1')
  return String(Math.ceil(value / divisor))
}

export interface EnvironmentSource {
  client(): Client
  node: { cpus: number; memoryBytes: number }
}

const get = (source: EnvironmentSource, resource: string, kind: string, name: string, namespace: string): KubeObject | undefined => {
  try {
    return source.client().find(resource, name, namespace)
  } catch (error) {
    if (error instanceof ApiError) throw new ConfigFailure(error.message)
    throw new ConfigFailure(`failed to sync ${kind} cache: timed out waiting for the condition`)
  }
}

/** @throws ConfigFailure */
export function environment(
  source: EnvironmentSource,
  pod: KubeObject,
  container: KubeObject,
  image: SimImage,
  podIP: string,
  hostname: string,
): Record<string, string> {
  const { namespace } = pod.metadata
  const services = serviceVariables(source, pod)
  const out: Record<string, string> = {}
  for (const from of container.envFrom ?? []) {
    const reference = from.configMapRef ?? from.secretRef
    const found = from.configMapRef
      ? get(source, 'v1/configmaps', 'configmap', reference.name, namespace)
      : get(source, 'v1/secrets', 'secret', reference.name, namespace)
    if (!found) {
      if (reference.optional) continue
      throw new ConfigFailure(`${from.configMapRef ? 'configmap' : 'secret'} ${JSON.stringify(reference.name)} not found`)
    }
    for (const [key, value] of Object.entries(found.data ?? {}))
      out[`${from.prefix ?? ''}${key}`] = from.configMapRef ? (value as string) : Buffer.from(value as string, 'base64').toString('utf8')
  }
  for (const one of container.env ?? []) {
    const from = one.valueFrom
    if (!from) {
      out[one.name] = expand(one.value ?? '', { ...services, ...out })
      continue
    }
    if (from.fieldRef) out[one.name] = fieldValue(pod, from.fieldRef.fieldPath, podIP)
    else if (from.resourceFieldRef) out[one.name] = resourceValue(pod, from.resourceFieldRef, container.name, source.node)
    else if (from.configMapKeyRef || from.secretKeyRef) {
      const reference = from.configMapKeyRef ?? from.secretKeyRef
      const map = Boolean(from.configMapKeyRef)
      const found = map
        ? get(source, 'v1/configmaps', 'configmap', reference.name, namespace)
        : get(source, 'v1/secrets', 'secret', reference.name, namespace)
      const value = found?.data?.[reference.key]
      if (value === undefined) {
        if (reference.optional) continue
        if (!found) throw new ConfigFailure(`${map ? 'configmap' : 'secret'} ${JSON.stringify(reference.name)} not found`)
        throw new ConfigFailure(`couldn't find key ${reference.key} in ${map ? 'ConfigMap' : 'Secret'} ${namespace}/${reference.name}`)
      }
      out[one.name] = map ? value : Buffer.from(value, 'base64').toString('utf8')
    }
  }
  return { ...image.env, HOSTNAME: hostname, ...out, ...Object.fromEntries(Object.entries(services).filter(([name]) => !(name in out))) }
}

function serviceVariables(source: EnvironmentSource, pod: KubeObject): Record<string, string> {
  const links = pod.spec.enableServiceLinks !== false
  let services: readonly KubeObject[]
  try {
    const api = source.client()
    const master = api.find('v1/services', 'kubernetes', 'default')
    const own = links ? api.list('v1/services', { namespace: pod.metadata.namespace }).items : []
    services = [
      ...(master ? [master] : []),
      ...own.filter((one) => !(one.metadata.name === 'kubernetes' && one.metadata.namespace === 'default')),
    ]
  } catch (error) {
    if (error instanceof ApiError && error.code < 500) throw new ConfigFailure(error.message)
    // As with a kubelet that has not synced: static pods start without, etcd's among them, when an API server without etcd still answers.
    return {}
  }
  const out: Record<string, string> = {}
  for (const service of services) {
    const ip = service.spec.clusterIP
    if (!ip || ip === 'None') continue
    const prefix = service.metadata.name.toUpperCase().replaceAll('-', '_')
    const ports: readonly KubeObject[] = service.spec.ports ?? []
    if (ports.length === 0) continue
    out[`${prefix}_SERVICE_HOST`] = ip
    out[`${prefix}_SERVICE_PORT`] = String(ports[0].port)
    for (const port of ports)
      if (port.name) out[`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`] = String(port.port)
    for (const [at, port] of ports.entries()) {
      const protocol = port.protocol ?? 'TCP'
      const url = `${protocol.toLowerCase()}://${isIPv6(ip) ? `[${ip}]` : ip}:${port.port}`
      if (at === 0) out[`${prefix}_PORT`] = url
      const one = `${prefix}_PORT_${port.port}_${protocol}`
      out[one] = url
      out[`${one}_PROTO`] = protocol.toLowerCase()
      out[`${one}_PORT`] = String(port.port)
      out[`${one}_ADDR`] = ip
    }
  }
  return out
}

/** Entrypoint and arguments, by the rules of `command` and `args`. */
export function commandLine(container: KubeObject, image: SimImage, env: Readonly<Record<string, string>>): string[] {
  const command: readonly string[] = container.command ?? []
  const args: readonly string[] = container.args ?? []
  const chosen = command.length ? [...command, ...args] : args.length ? [...image.entrypoint, ...args] : [...image.entrypoint, ...image.cmd]
  return command.length || args.length
    ? chosen.map((word, at) => (command.length || at >= image.entrypoint.length ? expand(word, env) : word))
    : chosen
}

/** @throws ConfigFailure when it must not be root and is */
export function userOf(
  pod: KubeObject,
  container: KubeObject,
  image: SimImage,
): { uid: number; gid: number; supplementalGroups: number[] } {
  const own = container.securityContext ?? {}
  const whole = pod.spec.securityContext ?? {}
  const asked: number | undefined = own.runAsUser ?? whole.runAsUser
  const [name = '', group = ''] = image.user.split(':')
  const numeric = /^\d*$/.test(name)
  const where = `(pod: ${JSON.stringify(podName(pod))}, container: ${container.name})`
  if (own.runAsNonRoot ?? whole.runAsNonRoot) {
    if (asked === 0) throw new ConfigFailure(`container's runAsUser breaks non-root policy ${where}`)
    if (asked === undefined && !numeric)
      throw new ConfigFailure(
        `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root ${where}`,
      )
    if (asked === undefined && Number(name || '0') === 0)
      throw new ConfigFailure(`container has runAsNonRoot and image will run as root ${where}`)
  }
  const uid = asked ?? Number(numeric ? name || '0' : '0')
  const gid: number = own.runAsGroup ?? whole.runAsGroup ?? (asked === undefined && /^\d+$/.test(group) ? Number(group) : 0)
  const groups = new Set<number>([gid])
  if (whole.fsGroup !== undefined) groups.add(whole.fsGroup)
  for (const one of whole.supplementalGroups ?? []) groups.add(one)
  return { uid, gid, supplementalGroups: [...groups] }
}

interface Resolver {
  nameservers: string[]
  searches: string[]
  options: string[]
}
export function parseResolvConf(text: string): Resolver {
  const out: Resolver = { nameservers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const words = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
      .filter(Boolean)
    if (words[0] === 'nameserver' && words[1]) out.nameservers.push(words[1])
    if (words[0] === 'search') out.searches = words.slice(1).map((word) => (word === '.' ? word : word.replace(/\.$/, '')))
    if (words[0] === 'options') out.options = merge(out.options, words.slice(1))
  }
  return out
}
const merge = (before: readonly string[], more: readonly string[]): string[] => {
  const byName = new Map(before.map((option) => [option.split(':')[0], option]))
  for (const option of more) byName.set(option.split(':')[0], option)
  return [...byName.values()]
}
const distinct = (values: readonly string[]): string[] => [...new Set(values)]

export interface Dns {
  /** the text of the pod's /etc/resolv.conf */
  text: string
  /** events of the pod that come with it: reason DNSConfigForming or MissingClusterDNS */
  warnings: { reason: string; message: string }[]
}
/**
 * The resolv.conf of a pod, as network/dns/dns.go makes it.
 * @throws Error `open /x: no such file or directory`, whatever the pod's policy is
 */
export function podDns(
  files: Files,
  pod: KubeObject,
  config: { resolvConf: string; clusterDNS: readonly string[]; clusterDomain: string },
): Dns {
  const warnings: Dns['warnings'] = []
  let host: Resolver = { nameservers: [], searches: [], options: [] }
  if (config.resolvConf) {
    const stat = files.stat(config.resolvConf)
    if (!stat) throw new Error(`open ${config.resolvConf}: no such file or directory`)
    if (stat.type === 'directory')
      throw new Error(`Encountered error while parsing resolv conf file. Error: read ${config.resolvConf}: is a directory`)
    host = parseResolvConf(files.text(config.resolvConf) ?? '')
  }
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork)
  let resolver = host
  if (policy === 'None') resolver = { nameservers: [], searches: [], options: [] }
  else if (cluster && config.clusterDNS.length) {
    const suffix = config.clusterDomain
    const own = suffix ? [`${pod.metadata.namespace}.svc.${suffix}`, `svc.${suffix}`, suffix] : []
    resolver = { nameservers: [...config.clusterDNS], searches: distinct([...own, ...host.searches]), options: ['ndots:5'] }
  } else {
    if (cluster)
      warnings.push({
        reason: 'MissingClusterDNS',
        message: `pod: ${JSON.stringify(podName(pod))}. kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.`,
      })
    if (!config.resolvConf) resolver = { nameservers: ['127.0.0.1'], searches: ['.'], options: host.options }
  }
  const more = pod.spec.dnsConfig
  if (more)
    resolver = {
      nameservers: distinct([...resolver.nameservers, ...(more.nameservers ?? [])]),
      searches: distinct([...resolver.searches, ...(more.searches ?? [])]),
      options: merge(
        resolver.options,
        (more.options ?? []).map((one: KubeObject) => (one.value ? `${one.name}:${one.value}` : one.name)),
      ),
    }
  let { nameservers } = resolver
  if (nameservers.length > 3) {
    nameservers = nameservers.slice(0, 3)
    warnings.push({
      reason: 'DNSConfigForming',
      message: `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${nameservers.join(' ')}`,
    })
  }
  // containerd's order: search, nameservers, options.
  const lines = [
    ...(resolver.searches.length ? [`search ${resolver.searches.join(' ')}`] : []),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(resolver.options.length ? [`options ${resolver.options.join(' ')}`] : []),
  ]
  return { text: lines.length ? `${lines.join('\n')}\n` : '', warnings }
}

/** The hosts file that the kubelet keeps for a pod (kubelet_pods.go). */
export function hostsFile(pod: KubeObject, podIP: string, hostname: string, files: Files): string {
  const aliases: readonly KubeObject[] = pod.spec.hostAliases ?? []
  const extra = aliases.length
    ? `\n# Entries added by HostAliases.\n${aliases.map((one) => `${one.ip}\t${(one.hostnames ?? []).join('\t')}\n`).join('')}`
    : ''
  if (pod.spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${files.text('/etc/hosts') ?? ''}${extra}`
  const domain = pod.spec.subdomain ? `\t${hostname}` : ''
  const full = pod.spec.subdomain ? `${hostname}.${pod.spec.subdomain}.${pod.metadata.namespace}.svc.cluster.local` : hostname
  return `# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n${podIP}\t${full}${domain}\n${extra}`
}
/** What the pod calls itself. */
export const hostnameOf = (pod: KubeObject, nodeName: string): string =>
  pod.spec.hostNetwork ? nodeName : (pod.spec.hostname ?? pod.metadata.name).slice(0, 63).replace(/[-.]+$/, '')
