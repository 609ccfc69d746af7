// kubeadm on a node that it made: phases that write files and add-ons again, certificates, tokens. Texts are those of v1.35. What would build or tear
// down a cluster is refused in words.
import { createHash } from 'node:crypto'
import { parseAllDocuments } from 'yaml'
import { ApiError, type Client, type KubeObject, Unreachable } from '../../kube.ts'
import type { Files, Machine } from '../../machine.ts'
import { certificates, type Issued, issue, keyPair, leafCertificates } from '../../pki.ts'
import type { Tool, ToolCall } from '../../process.ts'
import type { Random } from '../../random.ts'
import { ensure, kubeadm as kubeadmObjects } from '../boot.ts'
import { controlPlaneUsers } from '../template/files.ts'
import { type ControlPlane, kubeconfig, kubernetesVersion, manifests } from '../template/manifests.ts'
import { columns, getopt } from './flags.ts'

export interface KubeadmDeps {
  cluster: ControlPlane
  /** from a kubeconfig on the machine. @throws Error with Go's words */
  connect(machine: Machine, path: string): Client
  random: Random
}

const spec: Record<string, string> = {
  config: 'config=',
  kubeconfig: 'kubeconfig=',
  'dry-run': 'dry-run',
  'cert-dir': 'cert-dir=',
  'kubeconfig-dir': 'kubeconfig-dir=',
  'apiserver-advertise-address': 'apiserver-advertise-address=',
  'apiserver-bind-port': 'apiserver-bind-port=',
  'apiserver-cert-extra-sans': 'apiserver-cert-extra-sans=',
  'control-plane-endpoint': 'control-plane-endpoint=',
  'kubernetes-version': 'kubernetes-version=',
  'node-name': 'node-name=',
  'pod-network-cidr': 'pod-network-cidr=',
  'service-cidr': 'service-cidr=',
  'service-dns-domain': 'service-dns-domain=',
  'image-repository': 'image-repository=',
  'feature-gates': 'feature-gates=',
  patches: 'patches=',
  'print-manifest': 'print-manifest',
  'print-join-command': 'print-join-command',
  'certificate-key': 'certificate-key=',
  ttl: 'ttl=',
  description: 'description=',
  usages: 'usages=',
  groups: 'groups=',
  'client-name': 'client-name=',
  org: 'org=',
  token: 'token=',
  'validity-period': 'validity-period=',
  f: 'force',
  force: 'force',
  o: 'output=',
  output: 'output=',
  v: 'v=',
  'skip-phases': 'skip-phases=',
  'ignore-preflight-errors': 'ignore-preflight-errors=',
  'cri-socket': 'cri-socket=',
  h: 'help',
  help: 'help',
}
const pkiDir = '/etc/kubernetes/pki'
const year = 365 * 86_400_000
const authorities = { ca: 'kubernetes', 'front-proxy-ca': 'front-proxy-ca', 'etcd/ca': 'etcd-ca' } as const
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const date = (ms: number): string => {
  const at = new Date(ms)
  return `${months[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2, '0')}, ${at.getUTCFullYear()} ${at.toISOString().slice(11, 16)} UTC`
}
/** k8s.io/apimachinery/pkg/util/duration.ShortHumanDuration */
const residual = (ms: number): string => {
  if (ms < 0) return '<invalid>'
  const hours = Math.floor(ms / 3_600_000)
  if (hours < 1) return `${Math.floor(ms / 60_000)}m`
  if (hours < 24) return `${hours}h`
  if (hours < 24 * 365) return `${Math.floor(hours / 24)}d`
  return `${Math.floor(hours / 24 / 365)}y`
}

class Kubeadm {
  readonly #deps: KubeadmDeps
  readonly #call: ToolCall
  readonly #flags: ReadonlyMap<string, string>
  readonly #files: Files
  constructor(deps: KubeadmDeps, call: ToolCall, flags: ReadonlyMap<string, string>) {
    this.#deps = deps
    this.#call = call
    this.#flags = flags
    this.#files = call.place.files
  }
  get now(): number {
    return this.#call.clock.now()
  }
  say(line: string): void {
    this.#call.out(`${line}\n`)
  }
  client(): Client {
    const path = this.#flags.get('kubeconfig') ?? this.#call.env.KUBECONFIG ?? '/etc/kubernetes/admin.conf'
    try {
      return this.#deps.connect(this.#call.place.machine, path)
    } catch (error) {
      throw new Error(`failed to load admin kubeconfig: ${(error as Error).message.replace(/^stat /, 'open ')}`)
    }
  }
  /** the cluster as --config describes it, else as it was made */
  cluster(): ControlPlane {
    const path = this.#flags.get('config')
    if (path === undefined) return this.#deps.cluster
    const text = this.#files.text(path.startsWith('/') ? path : `${this.#call.cwd}/${path}`)
    if (text === undefined) throw new Error(`unable to read config from "${path}" : open ${path}: no such file or directory`)
    const documents = parseAllDocuments(text).map((document) => document.toJS() as KubeObject)
    const found = documents.find((document) => document?.kind === 'ClusterConfiguration')
    for (const document of documents)
      if (String(document?.apiVersion).includes('kubeadm.k8s.io/v1beta3'))
        this.#call.err(
          `W${new Date(this.now).toISOString().slice(5, 10).replace('-', '')} ${new Date(this.now).toISOString().slice(11, 23)}000    2048 common.go:101] your configuration file uses a deprecated API spec: "kubeadm.k8s.io/v1beta3" (kind: ${JSON.stringify(document.kind)}). Please use 'kubeadm config migrate --old-config old-config-file --new-config new-config-file', which will write the new, similar spec using a newer API version.\n`,
        )
    return {
      ...this.#deps.cluster,
      podSubnet: found?.networking?.podSubnet ?? this.#deps.cluster.podSubnet,
      serviceSubnet: found?.networking?.serviceSubnet ?? this.#deps.cluster.serviceSubnet,
    }
  }
  addon(which: string): number {
    const client = this.client()
    const names = { 'kube-proxy': /^(kube-proxy|kubeadm:node-proxier)$/, coredns: /^(coredns|system:coredns|kube-dns)$/ }
    const wanted = which === 'all' ? (['coredns', 'kube-proxy'] as const) : ([which] as ('kube-proxy' | 'coredns')[])
    const ca = this.#files.text(`${pkiDir}/ca.crt`) ?? ''
    for (const one of wanted) {
      if (!names[one]) throw new Error(`unknown command "${which}" for "kubeadm init phase addon"`)
      for (const object of kubeadmObjects(this.cluster(), ca, this.now)) {
        if (!names[one].test(object.metadata.name)) continue
        // kubeadm keeps a Corefile and a replica count that people changed.
        if (object.metadata.name === 'coredns' && object.kind === 'ConfigMap') {
          const live = client.find('v1/configmaps', 'coredns', 'kube-system')
          if (live) object.data = structuredClone(live.data)
        }
        if (object.metadata.name === 'coredns' && object.kind === 'Deployment') {
          const live = client.find('apps/v1/deployments', 'coredns', 'kube-system')
          if (live) object.spec.replicas = live.spec.replicas
        }
        ensure(client, object, 'kubeadm')
      }
      this.say(`[addons] Applied essential addon: ${one === 'coredns' ? 'CoreDNS' : 'kube-proxy'}`)
    }
    return 0
  }
  authority(path: keyof typeof authorities, make: boolean): Issued {
    const cert = this.#files.text(`${pkiDir}/${path}.crt`)
    const key = this.#files.text(`${pkiDir}/${path}.key`)
    if (cert !== undefined && key !== undefined) return { cert, key }
    if (!make)
      throw new Error(
        `couldn't load CA certificate ${path}: couldn't load the certificate file ${pkiDir}/${path}.${cert === undefined ? 'crt' : 'key'}: open ${pkiDir}/${path}.${cert === undefined ? 'crt' : 'key'}: no such file or directory`,
      )
    const made = issue({ subject: { commonName: authorities[path] }, ca: true, names: [authorities[path]], now: this.now })
    this.#put(path, made)
    return made
  }
  #put(path: string, issued: Issued): void {
    this.#files.write(`${pkiDir}/${path}.crt`, issued.cert)
    this.#files.write(`${pkiDir}/${path}.key`, issued.key, 0o600)
  }
  certs(which: string): number {
    const cluster = this.cluster()
    const leaves = leafCertificates({
      name: cluster.name,
      address: cluster.address,
      serviceIp: '10.96.0.1',
      names: ['localhost', '127.0.0.1', ...(this.#flags.get('apiserver-cert-extra-sans')?.split(',') ?? [])],
    })
    this.say(`[certs] Using certificateDir folder "${pkiDir}"`)
    for (const path of Object.keys(authorities) as (keyof typeof authorities)[]) {
      const name = path.replace('/', '-')
      if (which !== 'all' && which !== name) continue
      if (this.#files.exists(`${pkiDir}/${path}.crt`)) this.say(`[certs] Using existing ${path} certificate authority`)
      else {
        this.say(`[certs] Generating "${path}" certificate and key`)
        this.authority(path, true)
      }
    }
    for (const leaf of leaves) {
      if (which !== 'all' && which !== leaf.name) continue
      if (this.#files.exists(`${pkiDir}/${leaf.path}.crt`) && this.#files.exists(`${pkiDir}/${leaf.path}.key`)) {
        this.say(`[certs] Using existing ${leaf.path} certificate and key on disk`)
        continue
      }
      this.say(`[certs] Generating "${leaf.path}" certificate and key`)
      const names = leaf.wanted.names ?? []
      if (names.length > 0)
        this.say(
          `[certs] ${leaf.path} serving cert is signed for DNS names [${names.filter((one) => !/^[\d.:]+$/.test(one)).join(' ')}] and IPs [${names.filter((one) => /^[\d.:]+$/.test(one)).join(' ')}]`,
        )
      this.#put(leaf.path, issue({ ...leaf.wanted, now: this.now, issuer: this.authority(leaf.issuer, false) }))
    }
    if (which === 'all' || which === 'sa') {
      if (this.#files.exists(`${pkiDir}/sa.key`)) this.say('[certs] Using the existing "sa" key')
      else {
        this.say('[certs] Generating "sa" key and public key')
        const pair = keyPair()
        this.#files.write(`${pkiDir}/sa.key`, pair.privateKey, 0o600)
        this.#files.write(`${pkiDir}/sa.pub`, pair.publicKey, 0o600)
      }
    }
    return 0
  }
  #kubeconfigText(file: keyof typeof controlPlaneUsers, now: number): string {
    const { cluster } = this.#deps
    const of = controlPlaneUsers[file]
    const ca = this.authority('ca', false)
    return kubeconfig({
      cluster: cluster.id,
      server: of.local ? `https://${cluster.address}:6443` : `https://${cluster.name}:6443`,
      ca: ca.cert,
      user: of.user,
      client: issue({
        subject: { commonName: of.commonName, organizations: of.organizations },
        usages: ['clientAuth'],
        now,
        issuer: ca,
      }),
    })
  }
  kubeconfigs(which: string): number {
    const directory = this.#flags.get('kubeconfig-dir') ?? '/etc/kubernetes'
    this.say(`[kubeconfig] Using kubeconfig folder "${directory}"`)
    const files = (Object.keys(controlPlaneUsers) as (keyof typeof controlPlaneUsers)[]).filter(
      (file) => which === 'all' || file === `${which}.conf`,
    )
    for (const file of files) {
      const path = `${directory}/${file}`
      if (this.#files.exists(path)) {
        this.say(`[kubeconfig] Using existing kubeconfig file: "${path}"`)
        continue
      }
      this.say(`[kubeconfig] Writing "${file}" kubeconfig file`)
      this.#files.write(path, this.#kubeconfigText(file, this.now), 0o600)
    }
    if (which === 'all' || which === 'kubelet') {
      const path = `${directory}/kubelet.conf`
      if (this.#files.exists(path)) this.say(`[kubeconfig] Using existing kubeconfig file: "${path}"`)
      else {
        this.say('[kubeconfig] Writing "kubelet.conf" kubeconfig file')
        const { cluster } = this.#deps
        const ca = this.authority('ca', false)
        this.#files.write(
          path,
          kubeconfig({
            cluster: cluster.id,
            server: `https://${cluster.address}:6443`,
            ca: ca.cert,
            user: `system:node:${cluster.name}`,
            client: issue({
              subject: { commonName: `system:node:${cluster.name}`, organizations: ['system:nodes'] },
              usages: ['clientAuth'],
              now: this.now,
              issuer: ca,
            }),
          }),
          0o600,
        )
      }
    }
    return 0
  }
  /** cmd/kubeadm/app/phases/kubeconfig: WriteKubeConfigWithClientCert, WriteKubeConfigWithToken */
  userKubeconfig(): number {
    const name = this.#flags.get('client-name')
    if (name === undefined) throw new Error('required flag(s) "client-name" not set')
    const cluster = this.cluster()
    const ca = this.authority('ca', false)
    const token = this.#flags.get('token')
    const hours = /^(\d+)h/.exec(this.#flags.get('validity-period') ?? '')?.[1]
    this.#call.out(
      kubeconfig({
        cluster: cluster.id,
        server: `https://${cluster.name}:6443`,
        ca: ca.cert,
        user: name,
        client:
          token !== undefined
            ? { token }
            : issue({
                subject: { commonName: name, organizations: (this.#flags.get('org') ?? '').split(',').filter(Boolean) },
                usages: ['clientAuth'],
                now: this.now,
                lifetime: hours === undefined ? year : Number(hours) * 3_600_000,
                issuer: ca,
              }),
      }),
    )
    return 0
  }
  controlPlane(which: string, etcd = false): number {
    const texts = manifests(this.cluster())
    const directory = '/etc/kubernetes/manifests'
    if (etcd) {
      this.#files.write(`${directory}/etcd.yaml`, texts['etcd.yaml'] as string, 0o600)
      this.say(`[etcd] Creating static Pod manifest for local etcd in "${directory}"`)
      return 0
    }
    this.say(`[control-plane] Using manifest folder "${directory}"`)
    for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
      if (which !== 'all' && name !== `kube-${which}`) continue
      this.say(`[control-plane] Creating static Pod manifest for "${name}"`)
      this.#files.write(`${directory}/${name}.yaml`, texts[`${name}.yaml`] as string, 0o600)
    }
    return 0
  }
  /** writes /var/lib/kubelet/config.yaml from ConfigMap kubelet-config */
  kubeletConfig(): number {
    const client = this.#kubeletClient()
    const live = client.get('v1/configmaps', 'kubelet-config', 'kube-system')
    const text = live.data?.kubelet
    if (text === undefined) throw new Error('unexpected error when reading kubelet-config ConfigMap: kubelet key value pair missing')
    const old = this.#files.text('/var/lib/kubelet/config.yaml')
    const backup = `/etc/kubernetes/tmp/kubeadm-kubelet-config${this.#deps.random.int(4_000_000_000)}`
    if (old !== undefined) this.#files.write(`${backup}/config.yaml`, old)
    this.say(`[upgrade] Backing up kubelet config file to ${backup}/config.yaml`)
    this.#files.write(
      '/var/lib/kubelet/config.yaml',
      text.replace(/^containerRuntimeEndpoint: ""$/m, 'containerRuntimeEndpoint: unix:///run/containerd/containerd.sock'),
    )
    this.say('[kubelet-start] Writing kubelet configuration to file "/var/lib/kubelet/config.yaml"')
    return 0
  }
  #kubeletClient(): Client {
    const path =
      this.#flags.get('kubeconfig') ??
      (this.#files.exists('/etc/kubernetes/admin.conf') ? '/etc/kubernetes/admin.conf' : '/etc/kubernetes/kubelet.conf')
    return this.#deps.connect(this.#call.place.machine, path)
  }
  expiration(): number {
    let source = ''
    try {
      this.client().get('v1/configmaps', 'kubeadm-config', 'kube-system')
      source =
        '[check-expiration] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n[check-expiration] Use \'kubeadm init phase upload-config kubeadm --config your-config-file\' to re-upload it.\n\n'
    } catch (error) {
      source = `[check-expiration] Error reading configuration from the Cluster. Falling back to default configuration\n\n`
      if (!(error instanceof ApiError) && !(error instanceof Unreachable) && !/kubeconfig/.test((error as Error).message)) throw error
    }
    this.#call.out(source)
    const now = this.now
    const rows = this.#all().map(({ name, authority, certificate }) => {
      const end = certificate ? Date.parse(certificate.validTo) : 0
      return certificate ? [name, date(end), residual(end - now), authority, 'no'] : [`!MISSING! ${name}`, '', '', '', '']
    })
    this.#call.out(columns([['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'], ...rows]))
    this.#call.out('\n')
    const cas = (Object.keys(authorities) as (keyof typeof authorities)[]).map((path) => {
      const certificate = certificates(this.#files.text(`${pkiDir}/${path}.crt`) ?? '')[0]
      const name = path.replace('/', '-')
      const end = certificate ? Date.parse(certificate.validTo) : 0
      return certificate ? [name, date(end), residual(end - now), 'no'] : [`!MISSING! ${name}`, '', '', '']
    })
    cas.sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1))
    this.#call.out(columns([['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'], ...cas]))
    return 0
  }
  #all() {
    const { cluster } = this.#deps
    const leaves = leafCertificates({
      name: cluster.name,
      address: cluster.address,
      serviceIp: '10.96.0.1',
      names: ['localhost', '127.0.0.1'],
    })
    const inFile = (path: string) => {
      const text = this.#files.text(path) ?? ''
      const data = /client-certificate-data:\s*(\S+)/.exec(text)?.[1]
      return certificates(data ? Buffer.from(data, 'base64').toString('utf8') : text)[0]
    }
    return [
      ...leaves.map((leaf) => ({
        name: leaf.name,
        authority: leaf.issuer.replace('/', '-'),
        certificate: inFile(`${pkiDir}/${leaf.path}.crt`),
        renew: (): void =>
          this.#put(
            leaf.path,
            issue({
              ...this.#asBefore(`${pkiDir}/${leaf.path}.crt`, leaf.wanted),
              now: this.now,
              lifetime: year,
              issuer: this.authority(leaf.issuer, false),
            }),
          ),
        long: longNames[leaf.name] ?? `certificate ${leaf.name}`,
      })),
      ...(Object.keys(controlPlaneUsers) as (keyof typeof controlPlaneUsers)[]).map((file) => ({
        name: file as string,
        authority: 'ca',
        certificate: inFile(`/etc/kubernetes/${file}`),
        renew: (): void => this.#files.write(`/etc/kubernetes/${file}`, this.#kubeconfigText(file, this.now), 0o600),
        long: longNames[file] ?? file,
      })),
    ].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }
  /** names that were added to a certificate by hand are kept, as kubeadm does */
  #asBefore<W extends { names?: readonly string[] }>(path: string, wanted: W): W {
    const old = certificates(this.#files.text(path) ?? '')[0]?.subjectAltName
    if (!old || !wanted.names) return wanted
    return { ...wanted, names: old.split(', ').map((one) => one.replace(/^(DNS|IP Address):/, '')) }
  }
  renew(which: string): number {
    const all = this.#all().filter((one) => which === 'all' || one.name === which)
    if (all.length === 0) throw new Error(`unknown command "${which}" for "kubeadm certs renew"`)
    this.#call.out(
      '[renew] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n[renew] Use \'kubeadm init phase upload-config kubeadm --config your-config-file\' to re-upload it.\n\n',
    )
    for (const one of all) {
      if (!one.certificate) {
        this.say(`MISSING! ${one.long}`)
        continue
      }
      one.renew()
      this.say(`${one.long} renewed`)
    }
    if (which === 'all')
      this.say(
        '\nDone renewing certificates. You must restart the kube-apiserver, kube-controller-manager, kube-scheduler and etcd, so that they can use the new certificates.',
      )
    return 0
  }
  tokens(): number {
    const secrets = this.client()
      .list('v1/secrets', { namespace: 'kube-system', fieldSelector: 'type=bootstrap.kubernetes.io/token' })
      .items.map((secret) =>
        Object.fromEntries(
          Object.entries((secret.data ?? {}) as Record<string, string>).map(([key, value]) => [
            key,
            Buffer.from(value, 'base64').toString(),
          ]),
        ),
      )
    if (secrets.length === 0) return 0
    const rows = secrets.map((one) => {
      const end = Date.parse(one.expiration ?? '')
      const usages = ['authentication', 'signing'].filter((usage) => one[`usage-bootstrap-${usage}`] === 'true')
      return [
        `${one['token-id']}.${one['token-secret']}`,
        Number.isNaN(end) ? '<forever>' : residual(end - this.now),
        Number.isNaN(end) ? '<never>' : (one.expiration as string),
        usages.join(',') || '<none>',
        one.description ?? '<none>',
        one['auth-extra-groups'] ?? '<none>',
      ]
    })
    this.#call.out(columns([['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'], ...rows]))
    return 0
  }
  createToken(given: string | undefined): number {
    const { random, cluster } = this.#deps
    const letters = () => Array.from({ length: 6 }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[random.int(36)]).join('')
    const token = given ?? `${letters()}.${letters()}${letters()}${letters().slice(0, 4)}`
    const [id, secret] = token.split('.')
    if (!/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(token))
      throw new Error(`the bootstrap token "${token}" was not of the form "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"`)
    const hours = /^(\d+)h/.exec(this.#flags.get('ttl') ?? '24h')?.[1] ?? '24'
    const text = (value: string) => Buffer.from(value).toString('base64')
    this.client().create(
      'v1/secrets',
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
        type: 'bootstrap.kubernetes.io/token',
        data: {
          'token-id': text(id as string),
          'token-secret': text(secret as string),
          expiration: text(`${new Date(this.now + Number(hours) * 3_600_000).toISOString().slice(0, 19)}Z`),
          'usage-bootstrap-authentication': text('true'),
          'usage-bootstrap-signing': text('true'),
          'auth-extra-groups': text('system:bootstrappers:kubeadm:default-node-token'),
        },
      },
      { fieldManager: 'kubeadm' },
    )
    if (this.#flags.has('print-join-command')) {
      const ca = certificates(this.#files.text(`${pkiDir}/ca.crt`) ?? '')[0]
      const spki = ca?.publicKey.export({ type: 'spki', format: 'der' })
      const hash = spki ? createHash('sha256').update(spki).digest('hex') : ''
      this.say(`kubeadm join ${cluster.name}:6443 --token ${token} --discovery-token-ca-cert-hash sha256:${hash} `)
    } else this.say(token)
    return 0
  }
  deleteToken(token: string | undefined): number {
    if (!token) throw new Error('missing argument; \'token delete\' is missing token of form "[a-z0-9]{6}.[a-z0-9]{16}" or [a-z0-9]{6}')
    const id = token.split('.')[0] as string
    this.client().delete('v1/secrets', `bootstrap-token-${id}`, 'kube-system')
    this.say(`bootstrap token "${id}" deleted`)
    return 0
  }
}
const longNames: Readonly<Record<string, string>> = {
  'admin.conf': 'certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself',
  apiserver: 'certificate for serving the Kubernetes API',
  'apiserver-etcd-client': 'certificate the apiserver uses to access etcd',
  'apiserver-kubelet-client': 'certificate for the API server to connect to kubelet',
  'controller-manager.conf': 'certificate embedded in the kubeconfig file for the controller manager to use',
  'etcd-healthcheck-client': 'certificate for liveness probes to healthcheck etcd',
  'etcd-peer': 'certificate for etcd nodes to communicate with each other',
  'etcd-server': 'certificate for serving etcd',
  'front-proxy-client': 'certificate for the front proxy client',
  'scheduler.conf': 'certificate embedded in the kubeconfig file for the scheduler manager to use',
  'super-admin.conf': 'certificate embedded in the kubeconfig file for the super-admin',
}
const images = [
  `registry.k8s.io/kube-apiserver:${kubernetesVersion}`,
  `registry.k8s.io/kube-controller-manager:${kubernetesVersion}`,
  `registry.k8s.io/kube-scheduler:${kubernetesVersion}`,
  `registry.k8s.io/kube-proxy:${kubernetesVersion}`,
  'registry.k8s.io/coredns/coredns:v1.13.1',
  'registry.k8s.io/pause:3.10.1',
  'registry.k8s.io/etcd:3.6.6-0',
]

export const kubeadmTool =
  (deps: KubeadmDeps): Tool =>
  async (call) => {
    const fail = (message: string): number => {
      call.err(`error: ${message}\nTo see the stack trace of this error execute with --v=5 or higher\n`)
      return 1
    }
    let parsed: ReturnType<typeof getopt>
    try {
      parsed = getopt(call.argv.slice(1), spec)
    } catch (error) {
      return fail((error as Error).message.replace(/unrecognized option '(.*)'/, 'unknown flag: $1'))
    }
    const { flags, words } = parsed
    const run = new Kubeadm(deps, call, flags)
    const path = words.join(' ')
    const root = () => {
      if (call.uid !== 0) throw new Error('user is not running as root')
    }
    const last = words.at(-1) ?? ''
    try {
      if (path === 'version') {
        if (flags.get('output') === 'short') run.say(kubernetesVersion)
        else
          run.say(
            `kubeadm version: &version.Info{Major:"1", Minor:"35", GitVersion:"${kubernetesVersion}", GitTreeState:"clean", GoVersion:"go1.26.8", Compiler:"gc", Platform:"linux/amd64"}`,
          )
        return 0
      }
      if (path === 'config images list') {
        for (const image of images) run.say(image)
        return 0
      }
      if (path === 'config images pull') {
        for (const image of images) run.say(`[config/images] Pulled ${image}`)
        return 0
      }
      root()
      const control = call.place.machine.place === 'control-plane'
      if (
        /^(init phase|certs|token|kubeconfig)/.test(path) &&
        !control &&
        !/^token/.test(path) &&
        !call.place.files.exists(`${pkiDir}/ca.key`)
      )
        return fail(`failure loading ca key: open ${pkiDir}/ca.key: no such file or directory`)
      if (path === 'kubeconfig user') return run.userKubeconfig()
      if (/^init phase addon /.test(path)) return run.addon(last)
      if (/^init phase certs /.test(path)) return run.certs(last)
      if (/^init phase kubeconfig /.test(path)) return run.kubeconfigs(last)
      if (/^init phase control-plane /.test(path)) return run.controlPlane(last)
      if (path === 'init phase etcd local') return run.controlPlane('', true)
      if (path === 'init phase kubelet-start') {
        run.kubeletConfig()
        run.say('[kubelet-start] Starting the kubelet')
        await call.place.machine.units.restart('kubelet')
        return 0
      }
      if (path === 'upgrade node phase kubelet-config') {
        call.out(
          '[upgrade] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n[upgrade] Use \'kubeadm init phase upload-config kubeadm --config your-config-file\' to re-upload it.\n',
        )
        run.kubeletConfig()
        run.say('[upgrade/kubelet-config] The kubelet configuration for this node was successfully upgraded!')
        return 0
      }
      if (path === 'certs check-expiration') return run.expiration()
      if (/^certs renew \S+$/.test(path)) return run.renew(last)
      if (path === 'token list') return run.tokens()
      if (/^token create/.test(path)) return run.createToken(words[2])
      if (/^token delete/.test(path)) return run.deleteToken(words[2])
      if (/^(init|join|reset|upgrade)\b/.test(path))
        return fail(`kubeadm ${path} is not offered on a simulated cluster: its nodes are made once. Phases, certs and token work`)
      if (path === '')
        return fail('a command is needed: init phase …, upgrade node phase kubelet-config, certs …, token …, config images list, version')
      return fail(`unknown command "${words[0]}" for "kubeadm"`)
    } catch (error) {
      return fail((error as Error).message)
    }
  }
