// The network between simulated machines and pods, as the programs on them see it. One question is answered: can A open host:port, and what answers,
// decided by the addresses, routes, links and rules that the components have programmed on each machine. Interfaces only; `network/` implements.
// Knows nothing of Kubernetes.

/** An HTTP request and answer without a socket. Header names in lower case. */
export interface HttpRequest {
  method: string
  /** path with query */
  path: string
  headers: Readonly<Record<string, string>>
  body: Uint8Array
  /** address of whoever asks, as the server sees it (after masquerading) */
  from: string
}
export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}
export interface DnsQuestion {
  name: string
  type: 'A' | 'AAAA' | 'PTR' | 'SRV' | 'CNAME' | 'TXT' | 'NS' | 'MX' | 'SOA' | 'HINFO' | 'ANY'
}
export interface DnsRecord {
  name: string
  type: string
  ttl: number
  /** address, target, or text as dig prints it */
  data: string
}
export interface DnsAnswer {
  rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED'
  answers: DnsRecord[]
  authority?: DnsRecord[]
  authoritative?: boolean
}

/** What listens on a port. What is left out is not spoken there: a TCP client may open it and hears nothing. */
export interface Listener {
  protocol: 'tcp' | 'udp'
  /** '0.0.0.0' for all of the namespace's addresses */
  address: string
  port: number
  /** who listens, for ss and netstat: program name and pid */
  program: { name: string; pid: number }
  tls?: boolean
  http?(request: HttpRequest): Promise<HttpAnswer> | HttpAnswer
  dns?(question: DnsQuestion, from: string): Promise<DnsAnswer> | DnsAnswer
  /** bytes that a raw TCP or UDP client gets for its bytes; default: nothing */
  raw?(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array
}

/** One network namespace: a machine's own, or a pod's. */
export interface Netns {
  /** `host` for a machine's own, else the sandbox's id */
  readonly id: string
  /** name of the machine that it is on */
  readonly machine: string
  /** addresses on its interfaces, the primary first, loopback left out */
  addresses(): readonly string[]
  /** throws Error `bind: address already in use` */
  listen(listener: Listener): { close(): void }
  listeners(): readonly Listener[]
  /** settings of this namespace that were set, by name as in sysctl(8) */
  readonly sysctls?: Map<string, string>
}

export type Outcome = 'open' | 'refused' | 'timeout' | 'unreachable'
/** An opened connection: the listener that answers, and as whom it sees the client. */
export interface Opened {
  outcome: 'open'
  listener: Listener
  /** where the packet ended, after translation */
  to: { netns: Netns; address: string; port: number }
  /** the source address that the listener sees */
  from: string
}
export interface Failed {
  outcome: Exclude<Outcome, 'open'>
  /** why, for tests and diagnostics; a learner's tool prints only what the real one would */
  why: string
}

/** Everything of one lab. Time-outs are the caller's: a lost packet is told at once, as `timeout`. */
export interface Network {
  /** opens address:port from this namespace; `address` is an IP address */
  open(from: Netns, protocol: 'tcp' | 'udp', address: string, port: number): Opened | Failed
  /** the machine's own namespace */
  host(machine: string): Netns
  netns(id: string): Netns | undefined
}

export interface PortMapping {
  hostPort: number
  containerPort: number
  protocol: 'tcp' | 'udp' | 'sctp'
  /** '' for every address of the machine */
  hostIP: string
}
/** The pod for which a container runtime asks a network, as CNI_ARGS and the runtime configuration tell it. */
export interface CniSandbox {
  /** 64 hexadecimal digits */
  sandboxId: string
  namespace: string
  name: string
  uid: string
  portMappings: readonly PortMapping[]
}
/**
 * What a machine's container runtime knows of CNI: it reads the configuration in /etc/cni/net.d and runs the plugins of /opt/cni/bin. The runtime
 * hands the hooks of its own machine around; they read that machine's files at each call.
 */
export interface CniHooks {
  /** containerd starts, and reads where to look; returns why no network configuration is loaded then, if none is */
  begin?(): string | undefined
  /** undefined when a network configuration is loaded; else why not, as containerd puts it in its NetworkReady condition: `Network plugin returns error: cni plugin not initialized` */
  ready(): string | undefined
  /** a network namespace with the pod's address; throws Error with the text that containerd gives after `failed to setup network for sandbox "<id>": ` (or whole when it says `cni plugin not initialized`) */
  add(sandbox: CniSandbox): { ip: string; netns: Netns }
  /** throws like `add`, after `failed to destroy network for sandbox "<id>": `; nothing to take away is no error */
  del(sandbox: CniSandbox): void
}
