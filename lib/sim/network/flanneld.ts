// flanneld with --kube-subnet-mgr, as its container runs it: takes the node's subnet from the API, writes /run/flannel/subnet.env, makes flannel.1 (or plain
// routes for host-gw) and follows the other nodes. Its links, routes and rules stay when it ends. Knows nothing of how packets travel.
import { type ApiError, type Client, type KubeObject, Unreachable } from '../kube.ts'
import type { ContainerContext, Program } from '../process.ts'
import { type Following, following, type ProgramDeps } from './deps.ts'
import { formatIp, formatPrefix, network as networkOf, type Prefix, parseIp, parsePrefix } from './ip.ts'
import { klog } from './log.ts'
import type { Link, Namespace } from './namespace.ts'
import { namespaceOf, type SimNetwork } from './network.ts'
import { words } from './tables.ts'

const prefix = 'flannel.alpha.coreos.com'
const confFile = '/etc/kube-flannel/net-conf.json'
const subnetFile = '/run/flannel/subnet.env'

interface Conf {
  network: Prefix
  type: string
  vni: number
  port: number
  directRouting: boolean
}
interface Peer {
  subnet: Prefix
  publicIp: number
  mac: string
}

export function flanneld(deps: ProgramDeps): Program {
  return (context) => {
    const daemon = new Flanneld(deps, context)
    daemon.start()
    return {
      signal: (number) => {
        if (number === 1) return
        if (number === 2 || number === 15) daemon.log('I', 'main.go:495', 'shutdownHandler sent cancel signal...')
        daemon.end(0)
      },
    }
  }
}

class Flanneld {
  readonly #deps: ProgramDeps
  readonly #context: ContainerContext
  readonly #peers = new Map<string, Peer>()
  #nodes: Following | undefined
  #nodeName = ''
  #conf: Conf = { network: { ip: 0, bits: 0 }, type: 'vxlan', vni: 1, port: 8472, directRouting: false }
  #registered = false
  #ended = false
  #masquerade = false
  #subnet: Prefix = { ip: 0, bits: 32 }
  #generation = -1

  constructor(deps: ProgramDeps, context: ContainerContext) {
    this.#deps = deps
    this.#context = context
  }
  get #at(): Namespace {
    return namespaceOf(this.#context.net)
  }
  log(level: 'I' | 'W' | 'E', where: string, message: string): void {
    this.#context.log(klog(level, this.#context.clock.now(), where, message), 'stderr')
  }
  end(code: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#nodes?.stop()
    this.#context.exit(code)
  }
  #fail(where: string, message: string): void {
    this.log('E', where, message)
    this.end(1)
  }

  start() {
    const { argv, env, files, net } = this.#context
    this.#masquerade = argv.some((word) => /^--?ip-masq(=true)?$/.test(word))
    const create = (message: string) => this.#fail('main.go:227', `Failed to create SubnetManager: ${message}`)
    let client: Client
    try {
      this.log(
        'W',
        'client_config.go:667',
        'Neither --kubeconfig nor --master was specified.  Using the inClusterConfig.  This might not work.',
      )
      client = this.#deps.connect(files, 'in-cluster', net)
    } catch (error) {
      return create(`fail to create kubernetes config: ${(error as Error).message}`)
    }
    const { POD_NAME: pod = '', POD_NAMESPACE: namespace = '' } = env
    if (env.NODE_NAME) this.#nodeName = env.NODE_NAME
    else {
      if (pod === '' || namespace === '') return create('env variables POD_NAME and POD_NAMESPACE must be set')
      try {
        this.#nodeName = client.get('v1/pods', pod, namespace).spec.nodeName ?? ''
      } catch (error) {
        const { message } = error as Error
        const slow = error instanceof Unreachable && /i\/o timeout/.test(message)
        const fail = () => !this.#ended && create(`error retrieving pod spec for '${namespace}/${pod}': ${message}`)
        // A lost packet is noticed after Go's 30 s.
        if (slow) this.#context.clock.after(30_000, fail)
        else fail()
        return
      }
      if (this.#nodeName === '') return create(`node name not present in pod spec '${namespace}/${pod}'`)
    }
    const text = files.text(confFile)
    if (text === undefined) return create(`failed to read net conf: open ${confFile}: no such file or directory`)
    try {
      // biome-ignore lint/suspicious/noExplicitAny: what the file holds is not known
      const conf: any = JSON.parse(text)
      const net = parsePrefix(String(conf.Network ?? ''))
      const backend = conf.Backend ?? {}
      if (net === undefined && conf.Network !== undefined) throw new Error(`invalid CIDR address: ${conf.Network}`)
      if (net === undefined) throw new Error('please define a correct Network parameter in the flannel config')
      this.#conf = {
        network: networkOf(net),
        // The manager of backends asks for them in small letters.
        type: String(backend.Type ?? 'udp').toLowerCase(),
        vni: backend.VNI ?? 1,
        port: backend.Port || 8472,
        directRouting: Boolean(backend.DirectRouting),
      }
    } catch (error) {
      return create(
        `error parsing subnet config: ${error instanceof SyntaxError ? 'invalid character looking for beginning of value' : (error as Error).message}`,
      )
    }
    this.log('I', 'kube.go:139', 'Waiting 10m0s for node controller to sync')
    this.log('I', 'kube.go:537', 'Starting kube subnet manager')
    this.#nodes = following(
      client,
      'v1/nodes',
      {},
      {
        changed: (node) => this.#changed(client, node),
        broken: (error) =>
          this.log(
            'E',
            'reflector.go:204',
            `"Failed to watch" err="failed to list *v1.Node: ${error.message.replace(/"/g, '\\"')}" logger="UnhandledError" reflector="k8s.io/client-go@v0.34.3/tools/cache/reflector.go:290" type="*v1.Node"`,
          ),
      },
    )
  }

  #changed(client: Client, node: KubeObject | undefined) {
    if (this.#ended) return
    if (this.#registered) return this.#lookAtPeers(node)
    this.#registered = true
    this.log('I', 'kube.go:163', 'Node controller sync successful')
    const at = this.#at
    const route = at.route(0x08080808)
    const external = route && at.links.get(route.dev)
    const own = external?.addresses[0]?.ip
    if (external === undefined || own === undefined)
      return this.#fail(
        'main.go:283',
        'Failed to find any valid interface to use: failed to get default interface: unable to find default route',
      )
    this.log('I', 'match.go:211', 'Determining IP address of default interface')
    this.log('I', 'match.go:269', `Using interface with name ${external.name} and address ${formatIp(own)}`)
    this.log('I', 'match.go:291', `Defaulting external address to interface address (${formatIp(own)})`)
    const { type } = this.#conf
    if (type !== 'vxlan' && type !== 'host-gw') return this.#fail('main.go:333', `Error fetching backend: unknown backend type: ${type}`)
    if (type === 'vxlan')
      this.log(
        'I',
        'vxlan.go:128',
        `VXLAN config: VNI=${this.#conf.vni} Port=${this.#conf.port === 8472 ? 0 : this.#conf.port} GBP=false Learning=false DirectRouting=${this.#conf.directRouting}`,
      )
    this.#acquire(client, external, own, 0)
  }

  /** The node's subnet; asked every 3 s for 30 s while the node is not there. */
  #acquire(client: Client, external: Link, own: number, waited: number) {
    if (this.#ended) return
    const node = this.#nodes?.objects.get(this.#nodeName)
    if (node === undefined) {
      if (waited >= 30_000)
        return this.#fail(
          'main.go:340',
          `Error registering network: failed to acquire lease: timeout contacting kube-api, failed to patch node "${this.#nodeName}". Error: context deadline exceeded`,
        )
      this.#context.clock.after(3000, () => this.#acquire(client, external, own, waited + 3000))
      return
    }
    const cidr = parsePrefix(String(node.spec.podCIDR ?? ''))
    if (cidr === undefined)
      return this.#fail('main.go:340', `Error registering network: failed to acquire lease: node "${this.#nodeName}" pod cidr not assigned`)
    this.#subnet = networkOf(cidr)
    const at = this.#at
    const vxlan = this.#conf.type === 'vxlan'
    const link = vxlan ? this.#device(external, own) : undefined
    const annotations = {
      [`${prefix}/backend-type`]: this.#conf.type,
      [`${prefix}/backend-data`]: link ? JSON.stringify({ VNI: this.#conf.vni, VtepMAC: link.mac }) : 'null',
      [`${prefix}/public-ip`]: formatIp(own),
      [`${prefix}/kube-subnet-manager`]: 'true',
    }
    const time = `${new Date(this.#context.clock.now()).toISOString().slice(0, 19)}Z`
    try {
      const current = node.metadata.annotations ?? {}
      if (Object.entries(annotations).some(([name, value]) => current[name] !== value))
        client.patch(
          'v1/nodes',
          this.#nodeName,
          undefined,
          'strategic',
          { metadata: { annotations } },
          { subresource: 'status', fieldManager: 'flanneld' },
        )
      // pkg/subnet/kube/kube.go, AcquireLease: the node is told first, then its share is looked at.
      const whole = this.#conf.network
      if (cidr.bits < whole.bits || networkOf({ ip: cidr.ip, bits: whole.bits }).ip !== whole.ip)
        return this.#fail(
          'main.go:340',
          `Error registering network: failed to acquire lease: subnet ${JSON.stringify(formatPrefix(whole))} specified in the flannel net config doesn't contain ${JSON.stringify(formatPrefix(this.#subnet))} PodCIDR of the ${JSON.stringify(this.#nodeName)} node`,
        )
      const known = (node.status?.conditions ?? []).find((one: KubeObject) => one.type === 'NetworkUnavailable')
      if (known?.status !== 'False' || known?.reason !== 'FlannelIsUp') {
        const condition = {
          type: 'NetworkUnavailable',
          status: 'False',
          reason: 'FlannelIsUp',
          message: 'Flannel is running on this node',
          lastTransitionTime: time,
          lastHeartbeatTime: time,
        }
        client.patch(
          'v1/nodes',
          this.#nodeName,
          undefined,
          'strategic',
          { status: { conditions: [condition] } },
          { subresource: 'status', fieldManager: 'flanneld' },
        )
      }
    } catch (error) {
      return this.#fail(
        'main.go:340',
        `Error registering network: failed to acquire lease: failed to patch node "${this.#nodeName}": ${(error as ApiError).message}`,
      )
    }
    if (link !== undefined) {
      for (const address of [...link.addresses]) if (address.ip !== this.#subnet.ip || address.bits !== 32) at.removeAddress(link, address)
      at.addAddress(link, { ip: this.#subnet.ip, bits: 32, scope: 'global' })
      at.setUp(link, true)
    }
    this.log('I', 'iptables.go:50', 'Starting flannel in iptables mode...')
    if (this.#masquerade) {
      this.log(
        'I',
        'iptables.go:101',
        `Current network or subnet (${formatPrefix(this.#conf.network)}, ${formatPrefix(this.#subnet)}) is not equal to previous one (0.0.0.0/0, 0.0.0.0/0), trying to recycle old iptables rules`,
      )
      this.log('I', 'iptables.go:111', 'Setting up masking rules')
    }
    this.log('I', 'iptables.go:212', 'Changing default FORWARD chain policy to ACCEPT')
    const mtu = external.mtu - (vxlan ? 50 : 0)
    this.#context.files.write(
      subnetFile,
      `FLANNEL_NETWORK=${formatPrefix(this.#conf.network)}\nFLANNEL_SUBNET=${formatPrefix({ ip: this.#subnet.ip + 1, bits: this.#subnet.bits })}\nFLANNEL_MTU=${mtu}\nFLANNEL_IPMASQ=${this.#masquerade}\n`,
    )
    this.log('I', 'main.go:88', `Running backend ${this.#conf.type}, subnet ${formatPrefix(this.#subnet)}.`)
    this.log(
      'I',
      vxlan ? 'vxlan_network.go:68' : 'route_network.go:56',
      vxlan ? 'watching for new subnet leases' : 'Watching for new subnet leases',
    )
    if (vxlan) this.log('I', 'vxlan_network.go:115', 'starting vxlan device watcher')
    this.#ensureRules()
    for (const _ of this.#masquerade ? [1, 2] : [1]) this.log('I', 'iptables.go:358', 'bootstrap done')
    this.#lookAtPeers(undefined)
    this.#resync()
  }
  /** flannel.1 as it is when it fits, else made anew */
  #device(external: Link, own: number): Link {
    const at = this.#at
    const name = `flannel.${this.#conf.vni}`
    const existing = at.links.get(name)
    const { vni, port } = this.#conf
    if (
      existing?.kind === 'vxlan' &&
      existing.vxlan?.vni === vni &&
      existing.vxlan.port === port &&
      existing.vxlan.local === own &&
      existing.vxlan.dev === external.name
    )
      return existing
    if (existing !== undefined) at.removeLink(name)
    return at.addLink({
      name,
      kind: 'vxlan',
      mac: this.#network.mac(),
      mtu: external.mtu - 50,
      up: true,
      vxlan: { vni, port, local: own, dev: external.name },
    })
  }
  get #network(): SimNetwork {
    return this.#deps.network
  }

  #lookAtPeers(only: KubeObject | undefined): void {
    if (this.#subnet.bits === 32) return
    const seen = new Map<string, Peer>()
    for (const node of this.#nodes?.objects.values() ?? []) {
      const annotations = node.metadata.annotations ?? {}
      const subnet = parsePrefix(String(node.spec.podCIDR ?? ''))
      const publicIp = parseIp(String(annotations[`${prefix}/public-ip`] ?? ''))
      if (
        node.metadata.name === this.#nodeName ||
        subnet === undefined ||
        publicIp === undefined ||
        annotations[`${prefix}/kube-subnet-manager`] !== 'true' ||
        annotations[`${prefix}/backend-type`] !== this.#conf.type
      )
        continue
      let mac = ''
      try {
        mac = String(JSON.parse(String(annotations[`${prefix}/backend-data`] ?? 'null'))?.VtepMAC ?? '')
      } catch {}
      seen.set(node.metadata.name, { subnet: networkOf(subnet), publicIp, mac })
    }
    void only
    for (const [name, peer] of this.#peers) {
      const now = seen.get(name)
      if (now !== undefined && JSON.stringify(now) === JSON.stringify(peer)) continue
      this.#forget(peer)
      this.#peers.delete(name)
    }
    for (const [name, peer] of seen) {
      if (this.#peers.has(name)) continue
      this.#peers.set(name, peer)
      this.log('I', 'kube.go:558', `Creating the node lease for IPv4. This is the n.Spec.PodCIDRs: [${formatPrefix(peer.subnet)}]`)
      if (this.#conf.type === 'vxlan')
        this.log(
          'I',
          'vxlan_network.go:265',
          `Received Subnet Event with VxLan: BackendType: vxlan, PublicIP: ${formatIp(peer.publicIp)}, PublicIPv6: (nil), BackendData: ${JSON.stringify({ VNI: this.#conf.vni, VtepMAC: peer.mac })}, BackendV6Data: (nil)`,
        )
      else this.log('I', 'route_network.go:93', `Subnet added: ${formatPrefix(peer.subnet)} via ${formatIp(peer.publicIp)}`)
      this.#learn(peer)
    }
  }
  #learn({ subnet, publicIp, mac }: Peer): void {
    const at = this.#at
    if (this.#conf.type === 'host-gw') {
      const route = at.route(publicIp)
      at.addRoute({ to: subnet, via: publicIp, dev: route?.dev ?? 'eth0' }, true)
      return
    }
    const dev = `flannel.${this.#conf.vni}`
    at.neighbour(dev, subnet.ip, mac, 'PERMANENT')
    at.forwarding = at.forwarding.filter((one) => one.dev !== dev || one.mac !== mac)
    at.forwarding.push({ mac, dev, dst: publicIp })
    at.addRoute({ to: subnet, via: subnet.ip, dev, onlink: true }, true)
  }
  #forget({ subnet, mac }: Peer): void {
    const at = this.#at
    const dev = `flannel.${this.#conf.vni}`
    at.removeRoute((route) => route.to.ip === subnet.ip && route.to.bits === subnet.bits && route.proto !== 'kernel')
    at.neighbours = at.neighbours.filter((one) => one.dev !== dev || one.ip !== subnet.ip)
    at.forwarding = at.forwarding.filter((one) => one.dev !== dev || one.mac !== mac)
  }

  /** Every 5 s, as the real one: rules that somebody has taken away come back, and so do routes. */
  #resync(): void {
    if (this.#ended) return
    this.#context.clock.after(5000, () => {
      if (this.#ended) return
      if (this.#generation !== this.#at.tables.generation) this.#ensureRules()
      this.#resync()
    })
  }
  #ensureRules(): void {
    const { tables } = this.#at
    const note = '-m comment --comment "flanneld masq"'
    const [net, own] = [formatPrefix(this.#conf.network), formatPrefix(this.#subnet)]
    const masq = [
      `-m mark --mark 0x4000/0x4000 ${note} -j RETURN`,
      `-s ${own} -d ${net} ${note} -j RETURN`,
      `-s ${net} -d ${own} ${note} -j RETURN`,
      `! -s ${net} -d ${own} ${note} -j RETURN`,
      `-s ${net} ! -d 224.0.0.0/4 ${note} -j MASQUERADE --random-fully`,
      `! -s ${net} -d ${net} ${note} -j MASQUERADE --random-fully`,
    ]
    const forward = '-m comment --comment "flanneld forward"'
    const chains: ['nat' | 'filter', string, string, string[], string][] = [
      ['filter', 'FLANNEL-FWD', 'FORWARD', [`-s ${net} ${forward} -j ACCEPT`, `-d ${net} ${forward} -j ACCEPT`], forward],
    ]
    if (this.#masquerade) chains.push(['nat', 'FLANNEL-POSTRTG', 'POSTROUTING', masq, note])
    for (const [table, chain, hook, rules, comment] of chains) {
      tables.create(table, chain, true)
      const present = tables.chain(table, chain).rules
      // Order matters, so a chain that is not whole is written anew.
      if (present.length !== rules.length || rules.some((rule) => tables.find(table, chain, words(rule)) === -1)) {
        tables.flush(table, chain)
        for (const rule of rules) tables.insert(table, chain, words(rule))
      }
      tables.ensure(table, hook, words(`${comment} -j ${chain}`), 'last')
    }
    this.#generation = tables.generation
  }
}
