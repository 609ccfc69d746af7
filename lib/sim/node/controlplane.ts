// The programs of a control plane: kube-apiserver, kube-controller-manager, kube-scheduler. Each reads its flags and the files that they name, and fails
// with the real one's words; what they then run is api/ and controllers/. Knows nothing of kubelets but their door.
import type { X509Certificate } from 'node:crypto'
import { ApiServer, type KubeletDoor, secretTokenSigner, serviceAccountUser } from '../api/index.ts'
import type { Clock, Timer } from '../clock.ts'
import { type ControllerContext, enabledControllers, startControllers, startScheduler } from '../controllers/index.ts'
import { recorder } from '../events.ts'
import { ApiError, type Client, type KubeObject, Unreachable, type User } from '../kube.ts'
import type { Files } from '../machine.ts'
import type { HttpAnswer, HttpRequest, Listener, Netns, Network } from '../net.ts'
import { certificates, matches } from '../pki.ts'
import type { ContainerContext, Program, Running } from '../process.ts'
import type { Random } from '../random.ts'
import type { ApiEndpoint } from './connect.ts'
import { dialEtcd, type EtcdDeps, etcd } from './etcd.ts'
import { FlagError, readFlags } from './flags.ts'
import { klog } from './klog.ts'
import { readKubeconfig } from './kubeconfig.ts'

/** What serves the API to real connections: its certificate, as its flags named it. */
export interface Serving {
  server: ApiServer
  certificate: string
  key: string
  clientCa: string
  listener: Listener
}
export interface ControlPlaneDeps extends EtcdDeps {
  clock: Clock
  random: Random
  network: Network
  kubernetesVersion: string
  kubelets: KubeletDoor
  apiEndpoints: WeakMap<Listener, ApiEndpoint>
  /** from a kubeconfig; `as`: a user that the connection speaks for. @throws Error with Go's words */
  connect(files: Files, path: string, net: Netns, as?: User): Client
  /** who waits for an etcd to come or go */
  onEtcd(listener: () => void): { stop(): void }
  /** the API server that real connections reach; undefined when it does not run */
  serving(serving: Serving | undefined): void
  /** an HTTP request without a socket, answered by the server's own handler */
  bridge(server: ApiServer, request: HttpRequest): Promise<HttpAnswer>
}

export const controlPlane = (deps: ControlPlaneDeps): Readonly<Record<string, Program>> => ({
  etcd: etcd(deps),
  'kube-apiserver': kubeApiserver(deps),
  'kube-controller-manager': manager(deps, 'kube-controller-manager'),
  'kube-scheduler': manager(deps, 'kube-scheduler'),
})

const dead: Running = { signal: () => {} }
type Log = (severity: 'I' | 'W' | 'E' | 'F', place: string, text: string) => void
const logger =
  (context: ContainerContext): Log =>
  (severity, place, text) =>
    context.log(klog(context.clock.now(), severity, 1, place, text), 'stderr')
const failed = (context: ContainerContext, log: Log, error: string): Running => {
  log('E', 'run.go:72', `"command failed" err=${JSON.stringify(error)}`)
  context.exit(1)
  return dead
}
function flagsOf(context: ContainerContext, program: string): Map<string, string> | undefined {
  try {
    return readFlags(program, context.argv.slice(1))
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    context.log(`Usage:\n  ${program} [flags]\n\nError: ${error.message}\n`, 'stderr')
    context.exit(1)
    return undefined
  }
}

const kubeApiserver =
  (deps: ControlPlaneDeps): Program =>
  (context) => {
    const log = logger(context)
    const flags = flagsOf(context, 'kube-apiserver')
    if (!flags) return dead
    const quiet = context.saved !== undefined
    const flag = (name: string, fallback = '') => flags.get(name) ?? fallback
    const read = (name: string): string => {
      const path = flag(name)
      const text = path === '' ? undefined : context.files.text(path)
      if (path !== '' && text === undefined) throw new Error(`open ${path}: no such file or directory`)
      return text ?? ''
    }
    const wrong: string[] = []
    if (flag('etcd-servers') === '') wrong.push('--etcd-servers must be specified')
    if (flag('service-account-issuer') === '') wrong.push('service-account-issuer is a required flag')
    if (flag('service-account-signing-key-file') === '') wrong.push('service-account-signing-key-file is a required flag')
    const modes = flag('authorization-mode', 'AlwaysAllow').split(',')
    for (const mode of modes)
      if (!['Node', 'RBAC', 'AlwaysAllow', 'AlwaysDeny', 'ABAC', 'Webhook'].includes(mode))
        wrong.push(`authorization-mode "${mode}" is not a valid mode`)
    const port = Number(flag('secure-port', '6443'))
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      wrong.push(`--secure-port ${flag('secure-port')} must be between 1 and 65535, inclusive. It cannot be turned off with 0`)
    const range = flag('service-cluster-ip-range', '10.0.0.0/24')
    if (!/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(range))
      wrong.push(`specified --service-cluster-ip-range is not valid: invalid CIDR address: ${range}`)
    if (wrong.length > 0) return failed(context, log, wrong.length === 1 ? (wrong[0] as string) : `[${wrong.join(', ')}]`)
    let files: { cert: string; key: string; clientCa: string; signing: string; publicKeys: string[]; requestheaderCa: string }
    let leaf: X509Certificate
    try {
      const cert = read('tls-cert-file')
      const key = read('tls-private-key-file')
      const first = certificates(cert)[0]
      if (!first) throw new Error('tls: failed to find any PEM data in certificate input')
      if (!/PRIVATE KEY/.test(key)) throw new Error('tls: failed to find any PEM data in key input')
      if (!matches(first, key)) throw new Error('tls: private key does not match public key')
      leaf = first
      const wrap = (words: string, name: string) => {
        try {
          return read(name)
        } catch (error) {
          throw new Error(`${words}: ${(error as Error).message}`)
        }
      }
      const clientCa = wrap('unable to load client CA provider', 'client-ca-file')
      if (flag('client-ca-file') !== '' && certificates(clientCa).length === 0)
        throw new Error(
          `unable to load client CA provider: error loading CA file "${flag('client-ca-file')}": data does not contain any valid RSA or ECDSA certificates`,
        )
      const signing = wrap(
        'failed to build token generator: failed to parse service-account-issuer-key-file',
        'service-account-signing-key-file',
      )
      const publicKey = read('service-account-key-file')
      for (const name of ['kubelet-client-certificate', 'kubelet-client-key', 'proxy-client-cert-file', 'proxy-client-key-file']) read(name)
      files = {
        cert,
        key,
        clientCa,
        signing,
        publicKeys: [publicKey || signing],
        requestheaderCa: wrap('unable to load request-header-client-ca-file', 'requestheader-client-ca-file'),
      }
    } catch (error) {
      return failed(context, log, (error as Error).message)
    }
    const address = flag('advertise-address', context.net.addresses()[0] ?? '127.0.0.1')
    const bind = flag('bind-address', '0.0.0.0').replace('::', '0.0.0.0')
    if (!quiet) {
      log('I', 'options.go:263', `external host was not specified, using ${address}`)
      log('I', 'server.go:150', `Version: ${deps.kubernetesVersion}`)
      log('I', 'server.go:152', '"Golang settings" GOGC="" GOMAXPROCS="" GOTRACEBACK=""')
    }
    const tls = { ca: '', cert: '', key: '' }
    const dial = () => {
      const missing = ['etcd-cafile', 'etcd-certfile', 'etcd-keyfile'].find(
        (name) => flag(name) !== '' && context.files.text(flag(name)) === undefined,
      )
      if (missing) return `open ${flag(missing)}: no such file or directory`
      tls.ca = context.files.text(flag('etcd-cafile')) ?? ''
      tls.cert = context.files.text(flag('etcd-certfile')) ?? ''
      tls.key = context.files.text(flag('etcd-keyfile')) ?? ''
      return etcdOf()
    }
    const etcdOf = () => {
      let why = 'no endpoints'
      for (const url of flag('etcd-servers').split(',')) {
        const found = dialEtcd(deps.network, deps, context.net, url, tls)
        if (typeof found !== 'string') return found
        why = found
      }
      return why
    }
    let server: ApiServer | undefined
    let store: unknown
    let listening: { close(): void } | undefined
    let listener: Listener | undefined
    let timer: Timer | undefined
    let ended = false
    /** lets clients see what it has for a certificate now */
    let show = () => {}
    // dynamiccertificates/dynamic_serving_content.go: it is watched, and what does not fit together is passed over.
    const changed = () => {
      const [cert, key] = [context.files.text(flag('tls-cert-file')) ?? '', context.files.text(flag('tls-private-key-file')) ?? '']
      const first = certificates(cert)[0]
      if (ended || !first || cert === files.cert || !matches(first, key)) return
      leaf = first
      files.cert = cert
      files.key = key
      if (server) show()
    }
    const watches = ['tls-cert-file', 'tls-private-key-file']
      .filter((name) => flag(name) !== '')
      .map((name) => context.files.watch(flag(name), changed))
    const close = () => {
      ended = true
      for (const watch of watches) watch.stop()
      timer?.cancel()
      etcdNews.stop()
      listening?.close()
      if (server) deps.serving(undefined)
      server?.stop()
      server = undefined
    }
    const serve = (endpoint: Exclude<ReturnType<typeof etcdOf>, string>) => {
      const fresh = new ApiServer({
        store: endpoint.store,
        clock: deps.clock,
        random: deps.random,
        kubernetesVersion: deps.kubernetesVersion,
        serviceRange: range,
        clientCa: files.clientCa,
        requestheaderCa: files.requestheaderCa,
        serviceAccounts: { issuer: flag('service-account-issuer'), privateKey: files.signing, publicKeys: files.publicKeys },
        kubelets: deps.kubelets,
        etcd: () => (typeof etcdOf() === 'string' ? 'etcdserver: request timed out' : undefined),
        advertiseAddress: address,
        port,
        authorizationModes: modes,
        hostname: context.machine.name,
      })
      store = endpoint.store
      server?.stop()
      server = fresh
      const own: Listener = {
        protocol: 'tcp',
        address: bind,
        port,
        program: { name: 'kube-apiserver', pid: context.pid },
        tls: true,
        http: (request) => {
          const path = request.path.split('?')[0] as string
          if (/^\/(livez|readyz|healthz)$/.test(path) && !request.headers.authorization) {
            const why = fresh.health(path)
            return {
              status: why === undefined ? 200 : 500,
              headers: { 'content-type': 'text/plain; charset=utf-8' },
              body: Buffer.from(why ?? 'ok'),
            }
          }
          return deps.bridge(fresh, request)
        },
      }
      listening?.close()
      listener = own
      listening = context.net.listen(own)
      show = () => {
        deps.apiEndpoints.set(own, {
          client: (user) => fresh.client(user),
          authenticate: (certificate, authorization) => fresh.authenticate(certificate?.raw, authorization),
          certificate: leaf,
        })
        deps.serving({ server: fresh, certificate: files.cert, key: files.key, clientCa: files.clientCa, listener: own })
      }
      show()
      if (!quiet) log('I', 'secure_serving.go:211', `Serving securely on [::]:${port}`)
    }
    // An etcd that came back with other content (a restored snapshot) is another store: the server goes on with it.
    const etcdNews = deps.onEtcd(() => {
      // Put back with an etcd that was put back after it: there is nothing to wait for.
      if (quiet && !server && !ended) attempt()
      if (ended || !server) return
      const endpoint = etcdOf()
      if (typeof endpoint !== 'string' && endpoint.store !== store) serve(endpoint)
    })
    const since = deps.clock.now()
    const attempt = () => {
      timer?.cancel()
      if (ended || server) return
      const endpoint = dial()
      if (typeof endpoint !== 'string') {
        try {
          serve(endpoint)
        } catch (error) {
          close()
          failed(context, log, (error as Error).message)
        }
        return
      }
      const target = flag('etcd-servers')
        .split(',')[0]
        ?.replace(/^https?:\/\//, '')
      log(
        'W',
        'logging.go:55',
        `[core] [Channel #1 SubChannel #2]grpc: addrConn.createTransport failed to connect to {Addr: "${target}", ServerName: "${target}", BalancerAttributes: {"<%!p(pickfirstleaf.managedByPickfirstKeyType={})>": "<%!p(bool=true)>" }}. Err: ${endpoint}`,
      )
      if (deps.clock.now() - since > 20_000 || endpoint.startsWith('open ')) {
        close()
        log(
          'F',
          'instance.go:232',
          `Error creating leases: error creating storage factory: ${endpoint.startsWith('open ') ? endpoint : 'context deadline exceeded'}`,
        )
        context.exit(1)
        return
      }
      timer = deps.clock.after(1500, attempt)
    }
    if (quiet) attempt()
    else timer = deps.clock.after(1200, attempt)
    return {
      signal: (number) => {
        if (ended) return
        close()
        if (number === 9) return
        log('I', 'genericapiserver.go:548', '"[graceful-termination] shutdown event" name="ShutdownInitiated"')
        log('I', 'genericapiserver.go:696', '[graceful-termination] apiserver is exiting')
        context.exit(0)
      },
      save: () => ({ serving: listener !== undefined }),
    }
  }

const kubeSystem = 'kube-system'
type Leading = 'kube-controller-manager' | 'kube-scheduler'

/** leader election: --leader-elect-lease-duration, -renew-deadline and -retry-period of component-base */
const leaseSeconds = 15
const renewDeadline = 10_000
const retryPeriod = 2000

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** Go's time.ParseDuration of a flag. @throws Error with pflag's words */
function milliseconds(flag: string, text: string): number {
  if (!/^([\d.]+(ms|s|m|h))+$/.test(text))
    throw new Error(`invalid argument "${text}" for "--${flag}" flag: time: invalid duration "${text}"`)
  return [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit as string] as number),
    0,
  )
}
function wrapped<T>(before: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new Error(`${before}${(error as Error).message}`)
  }
}

/** A controller that could not be made of the files that it is given. */
class Unbuilt extends Error {
  readonly controller: string
  constructor(controller: string, message: string) {
    super(message)
    this.controller = controller
  }
}

/** kube-controller-manager and kube-scheduler: read files, serve health, lead, run. */
const manager =
  (deps: ControlPlaneDeps, program: Leading): Program =>
  (context) => {
    const log = logger(context)
    const flags = flagsOf(context, program)
    if (!flags) return dead
    const saved = context.saved as { identity: string; leading: boolean; synced?: boolean } | undefined
    const quiet = saved !== undefined
    const flag = (name: string, fallback = '') => flags.get(name) ?? fallback
    for (const name of ['authentication-kubeconfig', 'authorization-kubeconfig', 'kubeconfig']) {
      const path = flag(name)
      if (path === '') continue
      try {
        deps.connect(context.files, path, context.net)
      } catch (error) {
        const words = (error as Error).message
        const delegated = name === 'kubeconfig' ? '' : `failed to get delegated ${name.replace('-kubeconfig', '')} kubeconfig: `
        return failed(context, log, `${delegated}${words}`)
      }
    }
    if (flag('kubeconfig') === '' && flag('config') === '')
      return failed(
        context,
        log,
        'invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable',
      )
    let client: Client
    let server: string
    const file = (name: string, words = ''): string => {
      const path = flag(name)
      if (path === '') return ''
      const text = context.files.text(path)
      if (text === undefined) throw new Error(`${words}open ${path}: no such file or directory`)
      return text
    }
    let times: Pick<ControllerContext['options'], 'nodeMonitorGraceMs'>
    try {
      client = deps.connect(context.files, flag('kubeconfig'), context.net)
      server = readKubeconfig(context.files, flag('kubeconfig')).server.origin
      times = { nodeMonitorGraceMs: milliseconds('node-monitor-grace-period', flag('node-monitor-grace-period', '50s')) }
      file('client-ca-file', 'unable to load client CA provider: ')
      file('requestheader-client-ca-file', 'unable to create request header authentication config: ')
    } catch (error) {
      return failed(context, log, (error as Error).message)
    }
    /** What controllers read when they are built, which is once the program leads. @throws Unbuilt */
    const optionsOf = (): ControllerContext['options'] => {
      const scheduler = program === 'kube-scheduler'
      const building = <T>(controller: string, before: string, read: () => T): T => {
        try {
          return wrapped(before, read)
        } catch (error) {
          throw new Unbuilt(controller, (error as Error).message)
        }
      }
      const reading = 'error reading key for service account token controller: '
      const sign = building('serviceaccount-token-controller', reading, () => {
        const path = scheduler ? '' : flag('service-account-private-key-file')
        if (path === '') return undefined
        const key = file('service-account-private-key-file')
        return wrapped(`error reading private key file ${path}: `, () => secretTokenSigner(key))
      })
      const rootCa = building('serviceaccount-token-controller', `error parsing root-ca-file at ${flag('root-ca-file')}: `, () =>
        scheduler ? '' : file('root-ca-file'),
      )
      const signing = building(
        'certificatesigningrequest-signing-controller',
        `failed to init kubernetes.io/kubelet-serving certificate controller: error reading CA cert file "${flag('cluster-signing-cert-file')}": `,
        () => (scheduler ? { cert: '', key: '' } : { cert: file('cluster-signing-cert-file'), key: file('cluster-signing-key-file') }),
      )
      return {
        clusterCidr: flag('allocate-node-cidrs') === 'true' ? flag('cluster-cidr') : '',
        serviceRange: flag('service-cluster-ip-range'),
        rootCa,
        ...(signing.cert && signing.key ? { signingCa: signing } : {}),
        ...(sign ? { signServiceAccountToken: sign } : {}),
        ...times,
        nodeCidrMaskSize: Number(flag('node-cidr-mask-size', '24')),
      }
    }
    const identity = saved?.identity ?? `${context.machine.name}_${deps.random.uuid()}`
    const port = Number(flag('secure-port', program === 'kube-scheduler' ? '10259' : '10257'))
    let listening: { close(): void } | undefined
    let running: { stop(): void } | undefined
    let timer: Timer | undefined
    let ended = false
    let renewed = deps.clock.now()
    // A scheduler has seen everything before it wants to lead (cmd/kube-scheduler/app/server.go, startInformersAndWaitForSync).
    let synced = program !== 'kube-scheduler' || (saved?.synced ?? quiet)
    let pause = 800
    const close = () => {
      ended = true
      timer?.cancel()
      running?.stop()
      running = undefined
      listening?.close()
    }
    const exit = (code: number) => {
      close()
      context.exit(code)
    }
    const accounts = new Set<string>()
    const run = () => {
      let options: ControllerContext['options']
      try {
        options = optionsOf()
      } catch (error) {
        if (!(error instanceof Unbuilt)) throw error
        const err = JSON.stringify(error.message)
        log('E', 'controllermanager.go:575', `"Error initializing a controller" err=${err} controller="${error.controller}"`)
        log('E', 'controllermanager.go:257', `"Error building controllers" err=${err}`)
        exit(1)
        return
      }
      const context_: ControllerContext = {
        client: (component) => {
          if (component === program || flag('use-service-account-credentials') !== 'true') return client
          if (!accounts.has(component)) {
            accounts.add(component)
            try {
              if (!client.find('v1/serviceaccounts', component, kubeSystem))
                client.create(
                  'v1/serviceaccounts',
                  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: component, namespace: kubeSystem } },
                  { fieldManager: program },
                )
            } catch (error) {
              if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error
              accounts.delete(component)
            }
          }
          return deps.connect(context.files, flag('kubeconfig'), context.net, serviceAccountUser(kubeSystem, component))
        },
        clock: deps.clock,
        random: deps.random,
        log: (text) => context.log(text.endsWith('\n') ? text : `${text}\n`, 'stderr'),
        options,
      }
      if (program === 'kube-scheduler') running = startScheduler(context_)
      else running = startControllers(context_, enabledControllers(flag('controllers', '*')))
    }
    const lease = () => client.find('coordination.k8s.io/v1/leases', program, kubeSystem)
    const micro = () => new Date(deps.clock.now()).toISOString().replace('Z', '000Z')
    /** whether it leads now */
    const elect = (): boolean => {
      const current: KubeObject | undefined = lease()
      const now = deps.clock.now()
      if (current === undefined) {
        client.create('coordination.k8s.io/v1/leases', {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: program, namespace: kubeSystem },
          spec: {
            holderIdentity: identity,
            leaseDurationSeconds: leaseSeconds,
            acquireTime: micro(),
            renewTime: micro(),
            leaseTransitions: 0,
          },
        })
        return true
      }
      const { spec } = current
      const mine = spec.holderIdentity === identity
      if (!mine && spec.holderIdentity && Date.parse(spec.renewTime) + leaseSeconds * 1000 > now) return false
      client.update('coordination.k8s.io/v1/leases', {
        ...current,
        spec: {
          ...spec,
          holderIdentity: identity,
          leaseDurationSeconds: leaseSeconds,
          acquireTime: mine ? spec.acquireTime : micro(),
          renewTime: micro(),
          leaseTransitions: mine ? spec.leaseTransitions : (spec.leaseTransitions ?? 0) + 1,
        },
      })
      return true
    }
    const beat = () => {
      if (ended) return
      try {
        if (elect()) {
          renewed = deps.clock.now()
          if (!running) {
            log('I', 'leaderelection.go:273', `"Successfully acquired lease" lock="${kubeSystem}/${program}"`)
            run()
            if (ended) return
            const event = recorder(client, deps.clock, deps.random, { component: program })
            const held = lease()
            if (held)
              event(
                { kind: 'Lease', apiVersion: 'coordination.k8s.io/v1', metadata: held.metadata },
                'Normal',
                'LeaderElection',
                `${identity} became leader`,
              )
          }
        }
      } catch (error) {
        if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error
        log(
          'E',
          'leaderelection.go:448',
          `"Error retrieving lease lock" err=${JSON.stringify(`Get "${server}/apis/coordination.k8s.io/v1/namespaces/${kubeSystem}/leases/${program}?timeout=5s": ${error.message}`)} lock="${kubeSystem}/${program}"`,
        )
      }
      if (running && deps.clock.now() - renewed > renewDeadline) {
        log('I', 'leaderelection.go:299', `"Failed to renew lease" lock="${kubeSystem}/${program}" err="context deadline exceeded"`)
        log('E', program === 'kube-scheduler' ? 'server.go:310' : 'controllermanager.go:342', '"leaderelection lost"')
        exit(1)
        return
      }
      timer = deps.clock.after(retryPeriod, beat)
    }
    const start = () => {
      if (ended) return
      if (!synced) {
        try {
          client.list('v1/nodes', {})
          synced = true
        } catch (error) {
          if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error
          // A reflector tries again without a word while the connection is refused (client-go, isWatchErrorRetriable).
          if (!/connection refused$/.test(error.message))
            log(
              'E',
              'reflector.go:204',
              `"Failed to watch" err=${JSON.stringify(`failed to list *v1.Node: ${error instanceof ApiError ? '' : `Get "${server}/api/v1/nodes?limit=500&resourceVersion=0": `}${error.message}`)} logger="UnhandledError" reflector="k8s.io/client-go/informers/factory.go:161" type="*v1.Node"`,
            )
          timer = deps.clock.after(pause, start)
          pause = Math.min(pause * 2, 30_000)
          return
        }
      }
      if (flag('leader-elect', 'true') !== 'true') {
        run()
        return
      }
      log('I', 'leaderelection.go:257', `"Attempting to acquire leader lease..." lock="${kubeSystem}/${program}"`)
      beat()
    }
    /** what a scheduler asks for before it serves; it goes on without an answer */
    const lookUpAuthentication = () => {
      const name = 'extension-apiserver-authentication'
      try {
        client.get('v1/configmaps', name, kubeSystem)
      } catch (error) {
        if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error
        if (error instanceof ApiError && error.status.code === 404) return
        const words =
          error instanceof ApiError ? error.message : `Get "${server}/api/v1/namespaces/${kubeSystem}/configmaps/${name}": ${error.message}`
        log('W', 'authentication.go:397', `Error looking up in-cluster authentication configuration: ${words}`)
        log('W', 'authentication.go:398', 'Continuing without authentication configuration. This may treat all requests as anonymous.')
        log(
          'W',
          'authentication.go:399',
          'To require authentication configuration lookup to succeed, set --authentication-tolerate-lookup-failure=false',
        )
      }
    }
    const begin = () => {
      if (ended) return
      try {
        listening = context.net.listen({
          protocol: 'tcp',
          address: flag('bind-address', '0.0.0.0').replace('::', '0.0.0.0'),
          port,
          program: { name: program.slice(0, 15), pid: context.pid },
          tls: true,
          http: (request) => {
            const known = /^\/(healthz|livez|readyz)/.test(request.path)
            const waiting = !synced && request.path.startsWith('/readyz')
            return {
              status: waiting ? 500 : known ? 200 : 403,
              headers: { 'content-type': 'text/plain; charset=utf-8' },
              body: Buffer.from(
                waiting
                  ? '[+]ping ok\n[+]leaderElection ok\n[+]shutdown ok\n[-]sched-handler-sync failed: reason withheld\nreadyz check failed\n'
                  : known
                    ? 'ok'
                    : 'Forbidden',
              ),
            }
          },
        })
      } catch (error) {
        failed(
          context,
          log,
          `failed to create listener: failed to listen on ${flag('bind-address', '0.0.0.0')}:${port}: listen tcp ${flag('bind-address', '0.0.0.0')}:${port}: ${(error as Error).message}`,
        )
        close()
        return
      }
      if (quiet) {
        if (saved.leading) run()
        timer = deps.clock.after(retryPeriod, synced ? beat : start)
        return
      }
      log('I', 'secure_serving.go:211', `Serving securely on ${flag('bind-address', '0.0.0.0')}:${port}`)
      start()
    }
    if (quiet) begin()
    else {
      log('I', 'serving.go:386', 'Generated self-signed cert in-memory')
      if (program === 'kube-scheduler') {
        lookUpAuthentication()
        log('I', 'server.go:175', `"Starting Kubernetes Scheduler" version="${deps.kubernetesVersion}"`)
      } else log('I', 'controllermanager.go:189', `"Starting" version="${deps.kubernetesVersion}"`)
      timer = deps.clock.after(1000, begin)
    }
    /** ReleaseOnCancel of the scheduler's options: the next one need not wait until the lease has run out */
    const release = () => {
      try {
        const current = lease()
        if (current?.spec.holderIdentity !== identity) return
        client.update('coordination.k8s.io/v1/leases', {
          ...current,
          spec: { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: micro(), renewTime: micro() },
        })
      } catch (error) {
        if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error
      }
    }
    return {
      signal: (number) => {
        if (ended) return
        const led = running !== undefined
        close()
        if (number === 9) return
        if (program === 'kube-controller-manager') return context.exit(number === 15 ? 2 : 1)
        if (led) {
          release()
          log('I', 'server.go:303', '"Requested to terminate, exiting"')
        }
        context.exit(led ? 0 : 1)
      },
      save: () => ({ identity, leading: running !== undefined, synced }),
    }
  }
