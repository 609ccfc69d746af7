// CNI on one machine: which configuration a container runtime finds, and what the plugins flannel, bridge, ptp, host-local, portmap and loopback do
// with it. They act on the machine's real files (/etc/cni/net.d, /opt/cni/bin, /run/flannel, /var/lib/cni) and on its namespace. Plugins' messages
// are those of containernetworking/plugins v1.9.1 and of flannel's v0.9.1-style plugin, as the nodes' images have them.
import { createHash } from 'node:crypto'
import type { Files } from '../machine.ts'
import type { CniHooks, CniSandbox } from '../net.ts'
import { formatIp, formatPrefix, ip, maskOf, network, type Prefix, parseIp, parsePrefix } from './ip.ts'
import type { Link, Namespace } from './namespace.ts'
import type { SimNetwork } from './network.ts'
import { change, words } from './tables.ts'

/** Where containerd looks, as its configuration said when it started. */
interface Places {
  conf: string
  bins: readonly string[]
}
const usual: Places = { conf: '/etc/cni/net.d', bins: ['/opt/cni/bin'] }
/** Of /etc/containerd/config.toml what the CRI plugin says of CNI: conf_dir, bin_dir (which wins) and bin_dirs, in the sections of version 2 and 3. */
function placesOf(text: string): Places {
  let section = ''
  let { conf, bins } = usual
  let bin: string | undefined
  for (const line of text.split('\n')) {
    const head = /^\s*\[([^[\]]+)\]/.exec(line)?.[1]
    if (head !== undefined) section = head.replace(/["'\s]/g, '')
    if (section !== 'plugins.io.containerd.grpc.v1.cri.cni' && section !== 'plugins.io.containerd.cri.v1.runtime.cni') continue
    const [, key, value = ''] = /^\s*(conf_dir|bin_dirs?)\s*=\s*(.*)$/.exec(line) ?? []
    const words = [...value.matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2] ?? '')
    if (key === 'conf_dir') conf = words[0] ?? conf
    if (key === 'bin_dir') bin = words[0]
    if (key === 'bin_dirs') bins = words
  }
  return { conf: conf || usual.conf, bins: bin ? [bin] : bins }
}

// biome-ignore lint/suspicious/noExplicitAny: a plugin's configuration is whatever its author wrote
type Conf = Record<string, any>
interface Loaded {
  name: string
  plugins: Conf[]
}
/** What a plugin leaves for the next of the list. */
interface Result {
  address?: Prefix
  gateway?: number
}
interface Call {
  files: Files
  net: SimNetwork
  host: Namespace
  pod: Namespace
  name: string
  sandbox: CniSandbox
  result: Result
  /** where its programs are looked for */
  bins: readonly string[]
}
interface Plugin {
  add(conf: Conf, call: Call): void
  del(conf: Conf, call: Omit<Call, 'pod'> & { pod: Namespace | undefined }): void
}

/** containerd's choice: the first file by name that ends in .conf, .conflist or .json; one that cannot be read spoils all. */
function load(files: Files, confDir: string): Loaded | undefined {
  for (const file of files.list(confDir)) {
    if (!/\.(conf|conflist|json)$/.test(file)) continue
    let conf: Conf
    try {
      conf = JSON.parse(files.text(`${confDir}/${file}`) ?? '')
    } catch {
      return undefined
    }
    if (conf === null || typeof conf !== 'object') return undefined
    if (file.endsWith('.conflist')) {
      if (typeof conf.name !== 'string' || !Array.isArray(conf.plugins)) return undefined
      if (conf.plugins.length === 0) continue
      return { name: conf.name, plugins: conf.plugins }
    }
    if (typeof conf.type !== 'string') return undefined
    return { name: String(conf.name ?? ''), plugins: [conf] }
  }
  return undefined
}

/** Which plugin runs when a configuration asks for `type`: what the program in its place really is. @throws Error as libcni does */
function program({ files, bins }: Pick<Call, 'files' | 'bins'>, type: string): string {
  const path = bins.map((dir) => `${dir}/${type}`).find((one) => files.stat(one)?.type === 'file')
  const stat = path === undefined ? undefined : files.stat(path)
  if (path === undefined || stat === undefined) throw new Error(`failed to find plugin "${type}" in path [${bins.join(' ')}]`)
  const failed = (why: string) => new Error(`netplugin failed with no error message: fork/exec ${path}: ${why}`)
  if ((stat.mode & 0o111) === 0) throw failed('permission denied')
  const name = /^(?:\u007fELF |#!\/simulated\/cni\/)([\w-]+)/.exec(files.text(path) ?? '')?.[1]
  if (name === undefined || !(name in plugins || name === 'host-local')) throw failed('exec format error')
  return name
}

export function cniHooks(net: SimNetwork, machine: string, files: Files): CniHooks {
  const host = () => net.host(machine)
  let places = placesOf(files.text('/etc/containerd/config.toml') ?? '')
  const run = (type: string, verb: 'add' | 'delete', act: (plugin: Plugin) => void) => {
    try {
      const plugin = plugins[program({ files, bins: places.bins }, type)]
      // host-local knows nothing of interfaces.
      if (plugin === undefined) throw new Error('netplugin failed with no error message: exit status 1')
      act(plugin)
    } catch (error) {
      throw new Error(`plugin type="${type}" failed (${verb}): ${(error as Error).message}`)
    }
  }
  return {
    begin: () => {
      places = placesOf(files.text('/etc/containerd/config.toml') ?? '')
      // It is watched, so it has to be there.
      if (!files.exists(places.conf)) files.mkdir(places.conf, 0o700)
      return load(files, places.conf) === undefined
        ? `cni config load failed: no network config found in ${places.conf}: cni plugin not initialized: failed to load cni config`
        : undefined
    },
    ready: () => (load(files, places.conf) === undefined ? 'Network plugin returns error: cni plugin not initialized' : undefined),
    add: (sandbox) => {
      const conf = load(files, places.conf)
      if (conf === undefined) throw new Error('cni plugin not initialized')
      const pod = net.addNetns(sandbox.sandboxId, machine)
      const call: Call = { files, net, host: host(), pod, name: conf.name, sandbox, result: {}, bins: places.bins }
      const done: Conf[] = []
      try {
        run('loopback', 'add', (plugin) => plugin.add({}, call))
        for (const plugin of conf.plugins) {
          done.unshift(plugin)
          run(String(plugin.type), 'add', (one) => one.add(plugin, call))
        }
        if (call.result.address === undefined) throw new Error('failed to find network info for sandbox')
        return { ip: formatIp(call.result.address.ip), netns: pod }
      } catch (error) {
        // containerd takes back what the first plugins did.
        for (const plugin of done) {
          try {
            plugins[String(plugin.type)]?.del(plugin, call)
          } catch {}
        }
        net.removeNetns(sandbox.sandboxId)
        throw error
      }
    },
    del: (sandbox) => {
      const conf = load(files, places.conf)
      if (conf === undefined) throw new Error('cni plugin not initialized')
      const pod = net.netns(sandbox.sandboxId)
      const address = pod?.links.get('eth0')?.addresses[0]
      const call = { files, net, host: host(), pod, name: conf.name, sandbox, result: address ? { address } : {}, bins: places.bins }
      for (const plugin of [...conf.plugins].reverse()) run(String(plugin.type), 'delete', (one) => one.del(plugin, call))
      run('loopback', 'delete', () => {})
      net.removeNetns(sandbox.sandboxId)
    },
  }
}

// --- host-local: addresses from a range, one file each ---------------------------------------------------------------------------------------------
interface Range {
  subnet: Prefix
  gateway: number
  start: number
  end: number
}
function ranges(ipam: Conf): Range[] {
  const sets: Conf[] = ipam.ranges !== undefined ? ipam.ranges.flat() : ipam.subnet !== undefined ? [ipam] : []
  if (sets.length === 0) throw new Error('no IP ranges specified')
  return sets.map((set) => {
    const subnet = parsePrefix(String(set.subnet))
    if (subnet === undefined) throw new Error(`failed to load netconf: invalid CIDR address: ${set.subnet}`)
    const net = network(subnet)
    const last = (net.ip | ~maskOf(net.bits)) >>> 0
    return {
      subnet: net,
      gateway: parseIp(String(set.gateway ?? '')) ?? net.ip + 1,
      start: parseIp(String(set.rangeStart ?? '')) ?? net.ip + 1,
      end: parseIp(String(set.rangeEnd ?? '')) ?? last - 1,
    }
  })
}
const leases = (call: { name: string }, ipam: Conf) => `${ipam.dataDir ?? '/var/lib/cni/networks'}/${call.name}`
function allocate(ipam: Conf, call: Call): { address: Prefix; gateway: number } {
  if (program(call, String(ipam.type ?? '')) !== 'host-local')
    throw new Error(`netplugin failed with no error message: ${ipam.type} hands out no addresses`)
  const dir = leases(call, ipam)
  const taken = new Set(call.files.list(dir))
  const all = ranges(ipam)
  const total = all.reduce((sum, range) => sum + range.end - range.start + 1, 0)
  const last = parseIp(call.files.text(`${dir}/last_reserved_ip.0`)?.trim() ?? '')
  let at = 0
  let offset = 0
  for (const [index, range] of all.entries())
    if (last !== undefined && last >= range.start && last <= range.end) {
      at = index
      offset = last - range.start + 1
    }
  for (let tried = 0; tried <= total; tried += 1) {
    let range = all[at] as Range
    if (range.start + offset > range.end) {
      at = (at + 1) % all.length
      offset = 0
      range = all[at] as Range
    }
    const candidate = range.start + offset
    offset += 1
    if (candidate === range.gateway || taken.has(formatIp(candidate))) continue
    call.files.write(`${dir}/${formatIp(candidate)}`, `${call.sandbox.sandboxId}\r\neth0`)
    call.files.write(`${dir}/last_reserved_ip.0`, formatIp(candidate))
    return { address: { ip: candidate, bits: range.subnet.bits }, gateway: range.gateway }
  }
  throw new Error(
    `failed to allocate for range 0: no IP addresses available in range set: ${all.map(({ start, end }) => `${formatIp(start)}-${formatIp(end)}`).join(',')}`,
  )
}
function release(ipam: Conf, call: { name: string; files: Files; sandbox: CniSandbox }): void {
  const dir = leases(call, ipam)
  for (const file of call.files.list(dir))
    if (parseIp(file) !== undefined && call.files.text(`${dir}/${file}`)?.startsWith(call.sandbox.sandboxId))
      call.files.remove(`${dir}/${file}`)
}

// --- links and routes of a pod ---------------------------------------------------------------------------------------------------------------------
function vethPair(call: Call, mtu: number): { inside: Link; outside: Link } {
  const { host, pod, net } = call
  const name = `veth${net.random.hex(8)}`
  const outside = host.addLink({
    name,
    kind: 'veth',
    mac: net.mac(),
    mtu,
    up: true,
    peer: { netns: pod.id, link: 'eth0' },
    peerIndex: 2,
    peerNetnsName: pod.name,
  })
  const inside = pod.addLink({
    name: 'eth0',
    kind: 'veth',
    index: 2,
    mac: net.mac(),
    mtu,
    up: true,
    peer: { netns: `host/${host.machine}`, link: name },
    peerIndex: outside.index,
  })
  inside.index = 2
  outside.peerIndex = 2
  return { inside, outside }
}
function configure(call: Call, inside: Link, ipam: Conf, address: Prefix, gateway: number | undefined): void {
  call.pod.addAddress(inside, { ...address, scope: 'global', broadcast: true })
  for (const route of ipam.routes ?? []) {
    const to = parsePrefix(String(route.dst))
    const via = parseIp(String(route.gw ?? '')) ?? gateway
    if (to !== undefined) call.pod.addRoute({ to: network(to), dev: inside.name, ...(via === undefined ? {} : { via }) })
  }
  call.result = { address, ...(gateway === undefined ? {} : { gateway }) }
}
const chainName = (prefix: string, name: string, id: string) =>
  `${prefix}${createHash('sha512')
    .update(`${name}${id}`)
    .digest('hex')
    .slice(0, 28 - prefix.length)}`
const apply = (host: Namespace, table: 'nat' | 'filter', line: string) => change(host.tables, table, words(line))
function masquerade(call: Call, address: Prefix): void {
  const { host, name, sandbox } = call
  const chain = chainName('CNI-', name, sandbox.sandboxId)
  const comment = `-m comment --comment "name: \\"${name}\\" id: \\"${sandbox.sandboxId}\\""`
  host.tables.create('nat', chain, true)
  apply(host, 'nat', `-A ${chain} -d ${formatPrefix(network(address))} ${comment} -j ACCEPT`)
  apply(host, 'nat', `-A ${chain} ! -d 224.0.0.0/4 ${comment} -j MASQUERADE`)
  apply(host, 'nat', `-A POSTROUTING -s ${formatIp(address.ip)} ${comment} -j ${chain}`)
}
/** Takes a chain away with every rule that leads to it. */
function dropChain(host: Namespace, chain: string): void {
  const table = host.tables.table('nat')
  if (!table?.has(chain)) return
  for (const [name, { rules }] of table)
    for (let at = rules.length - 1; at >= 0; at -= 1) if (rules[at]?.target.name === chain) host.tables.delete('nat', name, at)
  host.tables.flush('nat', chain)
  host.tables.remove('nat', chain)
}

const bridge: Plugin = {
  add(conf, call) {
    const name = String(conf.bridge ?? 'cni0')
    if (conf.hairpinMode && conf.promiscMode) throw new Error('cannot set hairpin mode and promiscuous mode at the same time')
    const { host, net } = call
    const isGateway = Boolean(conf.isGateway || conf.isDefaultGateway)
    const mtu = Number(conf.mtu ?? 0) || 1500
    const existing = host.links.get(name)
    if (existing !== undefined && existing.kind !== 'bridge')
      throw new Error(`failed to create bridge "${name}": "${name}" already exists but is not a bridge`)
    const link = existing ?? host.addLink({ name, kind: 'bridge', mac: net.mac(), mtu, up: true })
    host.setUp(link, true)
    const { inside, outside } = vethPair(call, mtu)
    outside.master = name
    outside.hairpin = Boolean(conf.hairpinMode)
    if (conf.ipam === undefined || conf.ipam.type === undefined || conf.ipam.type === '') return
    const given = allocate(conf.ipam, call)
    configure(call, inside, conf.ipam, given.address, isGateway || (conf.ipam.routes ?? []).length > 0 ? given.gateway : undefined)
    if (conf.isDefaultGateway) call.pod.addRoute({ to: { ip: 0, bits: 0 }, via: given.gateway, dev: 'eth0' })
    if (isGateway) {
      const own = { ip: given.gateway, bits: given.address.bits }
      const other = link.addresses[0]
      if (other !== undefined && (other.ip !== own.ip || other.bits !== own.bits)) {
        if (!conf.forceAddress)
          throw new Error(`failed to set bridge addr: "${name}" already has an IP address different from ${formatPrefix(own)}`)
        host.removeAddress(link, other)
      }
      host.addAddress(link, { ...own, scope: 'global', broadcast: true })
      host.setForwarding('all', '1')
    }
    if (conf.ipMasq) masquerade(call, given.address)
  },
  del(conf, call) {
    if (conf.ipam?.type) release(conf.ipam, call)
    if (conf.ipMasq) dropChain(call.host, chainName('CNI-', call.name, call.sandbox.sandboxId))
    const link = call.pod?.links.get('eth0')
    if (link?.peer) call.host.removeLink(link.peer.link)
    call.pod?.removeLink('eth0')
  },
}
const ptp: Plugin = {
  add(conf, call) {
    const { inside, outside } = vethPair(call, Number(conf.mtu ?? 0) || 1500)
    const { address, gateway } = allocate(conf.ipam ?? {}, call)
    call.host.addAddress(outside, { ip: gateway, bits: 32, scope: 'global' })
    call.host.addRoute({ to: { ip: address.ip, bits: 32 }, dev: outside.name, scope: 'host' })
    configure(call, inside, conf.ipam, { ip: address.ip, bits: 32 }, gateway)
    call.pod.addRoute({ to: { ip: gateway, bits: 32 }, dev: 'eth0', scope: 'link', src: address.ip })
    call.pod.addRoute({ to: network(address), via: gateway, dev: 'eth0', src: address.ip })
    call.host.setForwarding('all', '1')
    if (conf.ipMasq) masquerade(call, address)
  },
  del: bridge.del,
}
/** @throws Error when flanneld has not written its file */
function flannelDelegate(conf: Conf, files: Files): Conf {
  const path = String(conf.subnetFile ?? '/run/flannel/subnet.env')
  const text = files.text(path)
  if (text === undefined) throw new Error(`open ${path}: no such file or directory`)
  const env = Object.fromEntries([...text.matchAll(/^FLANNEL_(\w+)=(.*)$/gm)].map((match) => [match[1], match[2]?.trim()]))
  const missing = [
    ...(env.SUBNET ? [] : ['FLANNEL_SUBNET']),
    ...(env.MTU ? [] : ['FLANNEL_MTU']),
    ...(env.IPMASQ ? [] : ['FLANNEL_IPMASQ']),
  ]
  if (!env.NETWORK) missing.unshift('FLANNEL_NETWORK')
  if (missing.length > 0) throw new Error(`${path} is missing ${missing.join(', ')}`)
  const subnet = parsePrefix(env.SUBNET as string)
  if (subnet === undefined) throw new Error(`invalid CIDR address: ${env.SUBNET}`)
  const delegate: Conf = { ...(conf.delegate ?? {}) }
  delegate.type ??= 'bridge'
  if (delegate.type === 'bridge') delegate.isGateway ??= true
  delegate.ipMasq ??= env.IPMASQ !== 'true'
  delegate.mtu ??= Number(env.MTU)
  delegate.cniVersion = conf.cniVersion ?? '0.3.1'
  delegate.ipam = { ranges: [[{ subnet: formatPrefix(network(subnet)) }]], routes: [{ dst: env.NETWORK }], type: 'host-local' }
  return delegate
}
const stateOf = (call: { sandbox: CniSandbox }, conf: Conf) => `${conf.dataDir ?? '/var/lib/cni/flannel'}/${call.sandbox.sandboxId}`
const flannel: Plugin = {
  add(conf, call) {
    const delegate = flannelDelegate(conf, call.files)
    const sorted = Object.fromEntries(Object.entries({ ...delegate, name: call.name }).sort(([a], [b]) => (a < b ? -1 : 1)))
    call.files.write(stateOf(call, conf), JSON.stringify(sorted), 0o600)
    try {
      plugins[program(call, String(delegate.type))]?.add(delegate, call)
    } catch (error) {
      throw new Error(`failed to delegate add: ${(error as Error).message}`)
    }
  },
  del(conf, call) {
    const text = call.files.text(stateOf(call, conf))
    // Without its file there is nothing that this plugin has added.
    if (text === undefined) return
    const delegate = JSON.parse(text) as Conf
    plugins[program(call, String(delegate.type))]?.del(delegate, call)
    call.files.remove(stateOf(call, conf))
  },
}
const portmap: Plugin = {
  add(_conf, call) {
    const { sandbox, host, name, result } = call
    const mappings = sandbox.portMappings.filter(({ hostPort }) => hostPort > 0)
    if (mappings.length === 0 || result.address === undefined) return
    const to = result.address
    for (const chain of ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-SETMARK', 'CNI-HOSTPORT-MASQ']) host.tables.create('nat', chain, true)
    host.tables.ensure('nat', 'CNI-HOSTPORT-SETMARK', words('-m comment --comment "CNI portfwd masquerade mark" -j MARK --or-mark 0x2000'))
    host.tables.ensure('nat', 'CNI-HOSTPORT-MASQ', words('-m mark --mark 0x2000/0x2000 -j MASQUERADE'))
    host.tables.ensure('nat', 'POSTROUTING', words('-m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ'))
    for (const hook of ['PREROUTING', 'OUTPUT'])
      host.tables.ensure('nat', hook, words('-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT'), 'last')
    const chain = chainName('CNI-DN-', name, sandbox.sandboxId)
    host.tables.create('nat', chain, true)
    for (const protocol of new Set(mappings.map((mapping) => mapping.protocol))) {
      const ports = mappings.filter((mapping) => mapping.protocol === protocol).map(({ hostPort }) => hostPort)
      apply(
        host,
        'nat',
        `-A CNI-HOSTPORT-DNAT -p ${protocol} -m comment --comment "dnat name: \\"${name}\\" id: \\"${sandbox.sandboxId}\\"" -m multiport --dports ${ports.join(',')} -j ${chain}`,
      )
    }
    for (const { hostPort, containerPort, protocol, hostIP } of mappings) {
      const at = hostIP !== '' && hostIP !== '0.0.0.0' ? ` -d ${hostIP}` : ''
      apply(host, 'nat', `-A ${chain} -s ${formatPrefix(network(to))}${at} -p ${protocol} --dport ${hostPort} -j CNI-HOSTPORT-SETMARK`)
      apply(host, 'nat', `-A ${chain} -s 127.0.0.1${at} -p ${protocol} --dport ${hostPort} -j CNI-HOSTPORT-SETMARK`)
      apply(host, 'nat', `-A ${chain}${at} -p ${protocol} --dport ${hostPort} -j DNAT --to-destination ${formatIp(to.ip)}:${containerPort}`)
    }
    host.sysctls.set('net.ipv4.conf.cni0.route_localnet', '1')
  },
  del(_conf, call) {
    dropChain(call.host, chainName('CNI-DN-', call.name, call.sandbox.sandboxId))
  },
}
const nothing: Plugin = { add() {}, del() {} }
const plugins: Readonly<Record<string, Plugin>> = {
  loopback: {
    add(_conf, { pod }) {
      const lo = pod.links.get('lo') as Link
      pod.setUp(lo, true)
      pod.addAddress(lo, { ip: ip('127.0.0.1'), bits: 8, scope: 'host' })
    },
    del() {},
  },
  bridge,
  ptp,
  flannel,
  portmap,
  bandwidth: nothing,
  firewall: nothing,
  tuning: nothing,
}
