// etcd of a control plane: the data directories that hold a store, the program that serves one, and the snapshots that etcdctl saves. The content itself is
// api/'s Store, kept in memory; a data directory's file names the store that it holds. Knows nothing of the API.
import { createHash, type X509Certificate } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Store, type StoreDump } from '../api/index.ts'
import type { Clock } from '../clock.ts'
import type { Files } from '../machine.ts'
import type { Listener, Network } from '../net.ts'
import { certificates, distrust, matches } from '../pki.ts'
import type { ContainerContext, Program } from '../process.ts'
import type { Random } from '../random.ts'
import { FlagError, readFlags } from './flags.ts'

const marker = 'kubemend-etcd-data '
/** Every data directory of the lab, by the id that its file holds. */
export class EtcdMembers {
  readonly #clock: Clock
  readonly #random: Random
  readonly #stores = new Map<string, Store>()
  constructor(clock: Clock, random: Random, saved: Readonly<Record<string, StoreDump>> = {}) {
    this.#clock = clock
    this.#random = random
    for (const [id, dump] of Object.entries(saved)) this.#stores.set(id, Store.load(dump, clock))
  }
  /** of the data directory; undefined when it holds none. @throws Error when its file is not one of a data directory */
  read(files: Files, directory: string): { id: string; store: Store } | undefined {
    const path = `${directory}/member/snap/db`
    if (!files.exists(path)) return undefined
    const text = files.text(path) ?? ''
    const id = text.startsWith(marker) ? text.slice(marker.length).split(/\s/)[0] : undefined
    const store = id === undefined ? undefined : this.#stores.get(id)
    if (id === undefined || store === undefined) throw new Error('invalid database')
    return { id, store }
  }
  /** a new, empty data directory, or one with the content of a snapshot */
  make(files: Files, directory: string, dump?: StoreDump): { id: string; store: Store } {
    const id = this.#random.hex(16)
    const store = dump ? Store.load(dump, this.#clock) : new Store(this.#clock)
    this.#stores.set(id, store)
    for (const at of ['', '/member', '/member/snap', '/member/wal']) files.mkdir(`${directory}${at}`, 0o700)
    files.write(`${directory}/member/wal/0000000000000000-0000000000000000.wal`, '', 0o600)
    files.write(
      `${directory}/member/snap/db`,
      `${marker}${id}\nThe content is kept by the simulation; etcdctl snapshot save writes it down.\n`,
      0o600,
    )
    return { id, store }
  }
  save(): Record<string, StoreDump> {
    return Object.fromEntries([...this.#stores].map(([id, store]) => [id, store.dump()]))
  }
  stores(): IterableIterator<Store> {
    return this.#stores.values()
  }
}

const header = 'kubemend-etcd-snapshot/1 '
/** What `etcdctl snapshot save` writes: a header with the hash, then the content. */
export function writeSnapshot(store: Store): { bytes: Buffer; hash: string } {
  const body = gzipSync(JSON.stringify(store.dump()))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 8)
  return { bytes: Buffer.concat([Buffer.from(`${header}${hash}\n`), body]), hash }
}
/** @throws Error with etcdutl's words for what is no snapshot */
export function readSnapshot(bytes: Buffer): { dump: StoreDump; hash: string; keys: number } {
  const end = bytes.indexOf(10)
  const first = bytes.subarray(0, Math.max(0, end)).toString('latin1')
  if (!first.startsWith(header)) throw new Error(bytes.length === 0 ? 'file size too small' : 'invalid database')
  const body = bytes.subarray(end + 1)
  const hash = first.slice(header.length)
  if (createHash('sha256').update(body).digest('hex').slice(0, 8) !== hash) throw new Error('snapshot file corrupted')
  const dump = JSON.parse(gunzipSync(body).toString('utf8')) as StoreDump
  return { dump, hash, keys: Object.values(dump.objects).reduce((sum, objects) => sum + objects.length, 0) }
}

/** An etcd that serves clients. */
export interface EtcdEndpoint {
  store: Store
  directory: string
  name: string
  /** 16 hexadecimal digits */
  memberId: string
  certificate: X509Certificate | undefined
  /** that sign client certificates; empty when anybody may come */
  trusted: readonly X509Certificate[]
  advertised: { client: string; peer: string }
}
export interface EtcdDeps {
  clock: Clock
  members: EtcdMembers
  endpoints: WeakMap<Listener, EtcdEndpoint>
  /** after one began to serve, and after one stopped */
  changed(): void
}

/**
 * Why a client with these files gets nothing of an etcd at this URL, in grpc's words; or the endpoint.
 * `ca`, `cert`, `key`: PEM texts.
 */
export function dialEtcd(
  network: Network,
  deps: Pick<EtcdDeps, 'endpoints' | 'clock'>,
  from: Parameters<Network['open']>[0],
  url: string,
  tls: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined },
): EtcdEndpoint | string {
  const parsed = new URL(url.includes('://') ? url : `http://${url}`)
  const host = parsed.hostname === 'localhost' ? '127.0.0.1' : parsed.hostname
  const port = Number(parsed.port || 2379)
  const opened = network.open(from, 'tcp', host, port)
  const wrap = (why: string) => `connection error: desc = "${why}"`
  if (opened.outcome !== 'open') {
    const words = { refused: 'connect: connection refused', timeout: 'i/o timeout', unreachable: 'connect: no route to host' }
    return wrap(`transport: Error while dialing: dial tcp ${host}:${port}: ${words[opened.outcome]}`)
  }
  const endpoint = deps.endpoints.get(opened.listener)
  if (!endpoint) return wrap('error reading server preface: EOF')
  if (endpoint.certificate === undefined)
    return parsed.protocol === 'http:'
      ? endpoint
      : wrap('transport: authentication handshake failed: tls: first record does not look like a TLS handshake')
  if (parsed.protocol !== 'https:') return wrap('error reading server preface: EOF')
  const now = deps.clock.now()
  // Signatures are checked once per pair of certificates: an API server asks with every request.
  const pair = `${host} ${tls.ca} ${tls.cert}`
  const trust = trusts.get(endpoint)
  if (trust && trust.pair === pair && now < trust.until) return endpoint
  const wrong = distrust(endpoint.certificate, certificates(tls.ca ?? ''), now, host)
  if (wrong) return wrap(`transport: authentication handshake failed: tls: failed to verify certificate: ${wrong}`)
  if (endpoint.trusted.length > 0) {
    const own = certificates(tls.cert ?? '')[0]
    if (!own) return wrap('error reading server preface: remote error: tls: certificate required')
    if (distrust(own, endpoint.trusted, now))
      return wrap(`error reading server preface: remote error: tls: ${now > Date.parse(own.validTo) ? 'expired' : 'bad'} certificate`)
  }
  trusts.set(endpoint, { pair, until: now + 60_000 })
  return endpoint
}
const trusts = new WeakMap<EtcdEndpoint, { pair: string; until: number }>()

/** The program `etcd`. */
export const etcd =
  (deps: EtcdDeps): Program =>
  (context: ContainerContext) => {
    const line = (level: string, caller: string, msg: string, fields: Record<string, unknown> = {}) =>
      context.log(`${JSON.stringify({ level, ts: stamp(context.clock.now()), caller, msg, ...fields })}\n`, 'stderr')
    const quiet = context.saved !== undefined
    const fatal = (error: string) => {
      line('fatal', 'etcdmain/etcd.go:183', 'discovery failed', {
        error,
        stacktrace:
          'go.etcd.io/etcd/server/v3/etcdmain.startEtcdOrProxyV2\n\tgo.etcd.io/etcd/server/v3/etcdmain/etcd.go:183\ngo.etcd.io/etcd/server/v3/etcdmain.Main\n\tgo.etcd.io/etcd/server/v3/etcdmain/main.go:40\nmain.main\n\tgo.etcd.io/etcd/server/v3/main.go:31\nruntime.main\n\truntime/proc.go:283',
      })
      context.exit(1)
      return { signal: () => {} }
    }
    let flags: Map<string, string>
    try {
      flags = readFlags('etcd', context.argv.slice(1))
    } catch (error) {
      if (!(error instanceof FlagError)) throw error
      context.log(`error verifying flags, '${error.message}'. See 'etcd --help'.\n`, 'stderr')
      context.exit(1)
      return { signal: () => {} }
    }
    const flag = (name: string, fallback = '') => flags.get(name) ?? fallback
    const text = (path: string) => context.files.text(path)
    for (const [cert, key] of [
      ['peer-cert-file', 'peer-key-file'],
      ['cert-file', 'key-file'],
    ] as const) {
      for (const name of [cert, key])
        if (flag(name) && text(flag(name)) === undefined) return fatal(`open ${flag(name)}: no such file or directory`)
      if (!flag(cert)) continue
      const leaf = certificates(text(flag(cert)) ?? '')[0]
      if (!leaf) return fatal('tls: failed to find any PEM data in certificate input')
      if (!matches(leaf, text(flag(key)) ?? '')) return fatal('tls: private key does not match public key')
    }
    for (const name of ['trusted-ca-file', 'peer-trusted-ca-file'])
      if (flag(name) && text(flag(name)) === undefined) return fatal(`open ${flag(name)}: no such file or directory`)
    const listeners: { close(): void }[] = []
    const close = () => {
      for (const one of listeners.splice(0)) one.close()
      deps.changed()
    }
    const urls = (name: string) =>
      flag(name)
        .split(',')
        .filter(Boolean)
        .map((one) => new URL(one))
    const bad = urls('listen-client-urls').find((url) => !local(context, url.hostname))
    if (bad) return fatal(`listen tcp ${bad.host}: bind: cannot assign requested address`)
    const badPeer = urls('listen-peer-urls').find((url) => !local(context, url.hostname))
    if (badPeer) return fatal(`listen tcp ${badPeer.host}: bind: cannot assign requested address`)
    const directory = flag('data-dir', `${flag('name', 'default')}.etcd`)
    let data: { id: string; store: Store } | undefined
    try {
      data = deps.members.read(context.files, directory)
    } catch (error) {
      return fatal((error as Error).message)
    }
    const fresh = data === undefined
    try {
      data ??= deps.members.make(context.files, directory)
    } catch (error) {
      return fatal(`cannot access data directory: ${(error as Error).message}`)
    }
    const { store } = data
    const memberId = createHash('sha1')
      .update(`${flag('initial-advertise-peer-urls')}${flag('name')}`)
      .digest('hex')
      .slice(0, 16)
    const endpoint: EtcdEndpoint = {
      store,
      directory,
      name: flag('name', 'default'),
      memberId,
      certificate: flag('cert-file') ? certificates(text(flag('cert-file')) ?? '')[0] : undefined,
      trusted: flag('client-cert-auth') === 'true' ? certificates(text(flag('trusted-ca-file')) ?? '') : [],
      advertised: { client: flag('advertise-client-urls'), peer: flag('initial-advertise-peer-urls') },
    }
    const program = { name: 'etcd', pid: context.pid }
    const begin = () => {
      try {
        for (const url of urls('listen-client-urls')) {
          const listener: Listener = {
            protocol: 'tcp',
            address: url.hostname,
            port: Number(url.port),
            program,
            tls: url.protocol === 'https:',
          }
          deps.endpoints.set(listener, endpoint)
          listeners.push(context.net.listen(listener))
        }
        for (const url of urls('listen-peer-urls'))
          listeners.push(context.net.listen({ protocol: 'tcp', address: url.hostname, port: Number(url.port), program, tls: true }))
        for (const url of urls('listen-metrics-urls'))
          listeners.push(
            context.net.listen({
              protocol: 'tcp',
              address: url.hostname,
              port: Number(url.port),
              program,
              http: (request) => {
                const known = /^\/(health|livez|readyz|metrics)/.test(request.path)
                const body = request.path.startsWith('/health') ? '{"health":"true","reason":""}' : 'ok\n'
                return {
                  status: known ? 200 : 404,
                  headers: { 'content-type': 'text/plain' },
                  body: Buffer.from(known ? body : '404 page not found\n'),
                }
              },
            }),
          )
      } catch (error) {
        close()
        fatal(`listen tcp: ${(error as Error).message}`)
        return
      }
      if (!quiet) {
        line('info', 'etcdserver/server.go:2420', 'setting up initial cluster version using v3 API', { 'cluster-version': '3.6' })
        line('info', 'embed/serve.go:138', 'ready to serve client requests')
        line('info', 'etcdmain/main.go:50', 'successfully notified init daemon')
      }
      deps.changed()
    }
    if (quiet) begin()
    else {
      line('info', 'embed/etcd.go:146', 'configuring client listeners', { 'listen-client-urls': flag('listen-client-urls').split(',') })
      line('info', 'embed/etcd.go:323', 'starting an etcd server', {
        'etcd-version': '3.6.6',
        name: endpoint.name,
        'data-dir': directory,
        'listen-client-urls': flag('listen-client-urls').split(','),
      })
      line('info', 'storage/backend.go:80', 'opened backend db', { path: `${directory}/member/snap/db`, took: '8.401113ms' })
      line(
        'info',
        fresh ? 'etcdserver/bootstrap.go:94' : 'etcdserver/bootstrap.go:176',
        fresh ? 'bootstrapping cluster' : 'recovered v3 backend from snapshot',
      )
      line('info', 'mvcc/kvstore.go:408', 'kvstore restored', { 'current-rev': store.revision })
    }
    const timer = quiet ? undefined : context.clock.after(900, begin)
    return {
      signal: (number) => {
        timer?.cancel()
        close()
        if (number === 9) return
        line('info', 'osutil/interrupt_unix.go:65', 'received signal; shutting down', { signal: number === 2 ? 'interrupt' : 'terminated' })
        line('info', 'embed/etcd.go:420', 'closed etcd server', { name: endpoint.name, 'data-dir': directory })
        context.exit(0)
      },
      save: () => ({}),
    }
  }
const local = (context: ContainerContext, host: string) =>
  host === '127.0.0.1' || host === 'localhost' || host === '0.0.0.0' || context.net.addresses().includes(host)
const stamp = (ms: number) => new Date(ms).toISOString().replace('Z', '000Z')
