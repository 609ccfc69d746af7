// The kubelet's client certificate as it looks after it itself (rotateCertificates): which one it shows, how it comes by one with a bootstrap token, and
// when it asks for another. Knows nothing of pods.
// Sources: pkg/kubelet/certificate/bootstrap/bootstrap.go, client-go/util/certificate/{certificate_manager,certificate_store}.go, cmd/kubelet/app/server.go.
import { Buffer } from 'node:buffer'
import type { X509Certificate } from 'node:crypto'
import { stringify } from 'yaml'
import type { Clock, Timer } from '../clock.ts'
import type { Client } from '../kube.ts'
import type { Files } from '../machine.ts'
import { type ClientCertificate, type Kubeconfig, readKubeconfig } from '../node/kubeconfig.ts'
import { certificates, keyPair, matches, request } from '../pki.ts'
import type { Random } from '../random.ts'
import type { Configuration } from './config.ts'

export interface ClientCertificatesOptions {
  files: Files
  clock: Clock
  random: Random
  config: Pick<Configuration, 'kubeconfig' | 'bootstrapKubeconfig' | 'certDirectory' | 'hostname'>
  connect(kubeconfigPath: string, own?: () => ClientCertificate | undefined): Client
  log(severity: 'I' | 'W' | 'E', file: string, text: string): void
}
const csrs = 'certificates.k8s.io/v1/certificatesigningrequests'
/** client-go waits so long for an answer before it asks again */
const answerMs = 15 * 60_000
const retryFirst = 2000
const retryLast = 128_000

export class ClientCertificates {
  readonly #options: ClientCertificatesOptions
  #current: ClientCertificate | undefined
  #timer: Timer | undefined
  #stopped = false

  /** @throws Error as the kubelet ends with it, without `failed to run Kubelet: ` */
  constructor(options: ClientCertificatesOptions) {
    this.#options = options
    const { files, config, clock } = options
    const known = this.#usable()
    if (known === undefined) {
      const bootstrap = this.#bootstrap()
      // From now on the kubeconfig names the file that is still to come.
      files.write(config.kubeconfig, kubeconfigOf(bootstrap, this.#path), 0o600)
    }
    const stored = this.#stored()
    if (stored && clock.now() < stored.expires) this.#current = stored
    else {
      // What the kubeconfig holds will do to ask for one's own.
      if (known?.client && known.pair) {
        this.#store(known.pair.cert, known.pair.key)
        this.#current = known.client
      }
      this.#timer = clock.after(100 + options.random.int(400), () => this.#rotate(retryFirst))
    }
  }
  /** what is shown now; undefined when there is none, or it has expired */
  current(): ClientCertificate | undefined {
    return this.#current && this.#options.clock.now() > this.#current.expires ? undefined : this.#current
  }
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }
  get #path(): string {
    return `${this.#options.config.certDirectory}/kubelet-client-current.pem`
  }

  /** The kubeconfig with a certificate that has not expired; undefined when it is of no use and a bootstrap file may be (isClientConfigStillValid). */
  #usable(): Kubeconfig | undefined {
    const { files, config, clock } = this.#options
    const path = config.kubeconfig
    if (config.bootstrapKubeconfig === '') {
      try {
        return readKubeconfig(files, path)
      } catch (error) {
        throw new Error(`unable to load kubeconfig: ${(error as Error).message}`)
      }
    }
    if (!files.exists(path)) return undefined
    const complain = (words: string): undefined => {
      this.#options.log('E', 'bootstrap.go:241', `"Unhandled Error" err=${JSON.stringify(words)} logger="UnhandledError"`)
    }
    let found: Kubeconfig
    try {
      found = readKubeconfig(files, path)
    } catch (error) {
      return complain(`unable to read existing bootstrap client config from ${path}: ${(error as Error).message}`)
    }
    const chain = certificates(found.pair?.cert ?? '')
    if (chain.length === 0)
      return complain(
        `unable to load TLS certificates from existing bootstrap client config read from ${path}: data does not contain any valid RSA or ECDSA certificates`,
      )
    const past = chain.find((one) => clock.now() > Date.parse(one.validTo))
    if (past) return complain(`part of the existing bootstrap client certificate in ${path} is expired: ${goDate(past)}`)
    return found
  }
  #bootstrap(): Kubeconfig {
    const { files, config } = this.#options
    try {
      return readKubeconfig(files, config.bootstrapKubeconfig)
    } catch (error) {
      throw new Error(`unable to load bootstrap kubeconfig: ${(error as Error).message}`)
    }
  }
  #stored(): ClientCertificate | undefined {
    const text = this.#options.files.text(this.#path)
    if (text === undefined) return undefined
    const certificate = certificates(text)[0]
    const key = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/.exec(text)?.[0]
    if (!certificate || key === undefined || !matches(certificate, key))
      throw new Error(
        `failed to initialize certificate manager: could not convert data from ${JSON.stringify(this.#path)} into cert/key pair: tls: ${certificate ? 'private key does not match public key' : 'failed to find any PEM data in certificate input'}`,
      )
    return { certificate, expires: Date.parse(certificate.validTo) }
  }
  /** a file of its own, and the link to it */
  #store(cert: string, key: string): void {
    const { files, clock, config } = this.#options
    const stamp = new Date(clock.now()).toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '-')
    const path = `${config.certDirectory}/kubelet-client-${stamp}.pem`
    files.write(path, `${cert}${key}`, 0o600)
    files.remove(this.#path)
    files.symlink(path, this.#path)
  }

  #rotate(wait: number): void {
    if (this.#stopped) return
    const { config, connect, clock } = this.#options
    const again = (words: string) => {
      this.#options.log('E', 'certificate_manager.go:440', `"Unhandled Error" err=${JSON.stringify(words)} logger="UnhandledError"`)
      if (!this.#stopped) this.#timer = clock.after(wait, () => this.#rotate(Math.min(wait * 2, retryLast)))
    }
    const refused = (error: unknown) =>
      `kubernetes.io/kube-apiserver-client-kubelet: Failed while requesting a signed certificate from the control plane: cannot create certificate signing request: ${(error as Error).message}`
    const pair = keyPair()
    let client: Client
    let name: string
    try {
      client = this.current() ? connect(config.kubeconfig, () => this.current()) : connect(config.bootstrapKubeconfig)
      const subject = { commonName: `system:node:${config.hostname}`, organizations: ['system:nodes'] }
      name = client.create(csrs, {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { generateName: 'csr-' },
        spec: {
          request: Buffer.from(request(subject, pair.privateKey)).toString('base64'),
          signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
          usages: ['digital signature', 'client auth'],
        },
      }).metadata.name
    } catch (error) {
      again(refused(error))
      return
    }
    const until = clock.now() + answerMs
    const look = () => {
      if (this.#stopped) return
      let answer: string | undefined
      try {
        const csr = client.get(csrs, name)
        const said = (csr.status?.conditions ?? []).find((one: { type: string }) => one.type === 'Denied' || one.type === 'Failed')
        if (said) {
          again(`kubernetes.io/kube-apiserver-client-kubelet: certificate request was not signed: ${said.message}`)
          return
        }
        answer = csr.status?.certificate
      } catch {
        // The next look may find it.
      }
      if (answer === undefined && clock.now() > until)
        again('kubernetes.io/kube-apiserver-client-kubelet: certificate request was not signed: timed out waiting for the condition')
      else if (answer === undefined) this.#timer = clock.after(500, look)
      else {
        const cert = Buffer.from(answer, 'base64').toString()
        const certificate = certificates(cert)[0] as X509Certificate
        this.#store(cert, pair.privateKey)
        this.#current = { certificate, expires: Date.parse(certificate.validTo) }
      }
    }
    this.#timer = clock.after(300, look)
  }
}

/** Go's time.Time.String() */
const goDate = (certificate: X509Certificate): string =>
  `${new Date(Date.parse(certificate.validTo)).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`
/** bootstrap.go, writeKubeconfigFromBootstrapping */
const kubeconfigOf = ({ server, authorities }: Kubeconfig, current: string): string =>
  stringify({
    apiVersion: 'v1',
    clusters: [
      {
        cluster: {
          'certificate-authority-data': Buffer.from(authorities.map((one) => one.toString()).join('')).toString('base64'),
          server: server.href.replace(/\/$/, ''),
        },
        name: 'default-cluster',
      },
    ],
    contexts: [{ context: { cluster: 'default-cluster', namespace: 'default', user: 'default-auth' }, name: 'default-context' }],
    'current-context': 'default-context',
    kind: 'Config',
    users: [{ name: 'default-auth', user: { 'client-certificate': current, 'client-key': current } }],
  })
