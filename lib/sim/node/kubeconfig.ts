// kubeconfig files as client-go reads them (tools/clientcmd), and its words when it cannot. Knows nothing of connections.
import { createPrivateKey, type X509Certificate } from 'node:crypto'
import { parse, YAMLParseError } from 'yaml'
import type { Files } from '../machine.ts'
import { certificates, matches } from '../pki.ts'

export interface ClientCertificate {
  certificate: X509Certificate
  /** epoch ms */
  expires: number
}
export interface Kubeconfig {
  /** https://host:port */
  server: URL
  /** authorities to trust; empty with `insecure` */
  authorities: readonly X509Certificate[]
  insecure: boolean
  /** name to check the server's certificate for, when it is not the host's */
  serverName?: string
  client?: ClientCertificate
  /** the text of both, as the file or what it names holds them */
  pair?: { cert: string; key: string }
  /** asked for at each use: token files are rotated */
  token?: () => string | undefined
}

const noFile = (path: string, verb: 'open' | 'stat') => new Error(`${verb} ${path}: no such file or directory`)
const goYaml = (error: YAMLParseError): string => {
  const line = error.linePos?.[0]?.line ?? 1
  const words: Record<string, string> = {
    TAB_AS_INDENT: 'found character that cannot start any token',
    BAD_INDENT: 'did not find expected key',
    MISSING_CHAR: "could not find expected ':'",
    BLOCK_AS_IMPLICIT_KEY: 'mapping values are not allowed in this context',
    MULTILINE_IMPLICIT_KEY: "could not find expected ':'",
  }
  return `yaml: line ${line}: ${words[error.code] ?? 'did not find expected key'}`
}
/** A YAML text as Go's parser reads it. @throws Error `yaml: line 3: …` */
export function readYaml(text: string): unknown {
  try {
    return parse(text, { merge: true })
  } catch (error) {
    throw new Error(error instanceof YAMLParseError ? goYaml(error) : String(error))
  }
}

interface Named {
  name?: string
}
interface Raw {
  clusters?: (Named & { cluster?: Record<string, unknown> })[]
  contexts?: (Named & { context?: { cluster?: string; user?: string } })[]
  users?: (Named & { user?: Record<string, unknown> })[]
  'current-context'?: string
}

/**
 * `path`: absolute, within `files`; or `in-cluster`, which is a pod's own service account.
 * `anonymous`: without what it says of the user, which need not be there.
 * @throws Error with client-go's words: `stat /x: no such file or directory`, `invalid configuration: …`
 */
export function readKubeconfig(files: Files, path: string, anonymous = false): Kubeconfig {
  if (path === 'in-cluster') return inCluster(files)
  if (!files.exists(path)) throw noFile(path, 'stat')
  const source = files.text(path) ?? ''
  if (anonymous) return parseKubeconfig(files, path, true)
  const known = whole.get(source)
  if (known) return known
  const config = parseKubeconfig(files, path, false)
  // What names no other file is the same wherever it lies; a controller manager reads its own once for each of its controllers.
  if (!/^\s*-?\s*"?(certificate-authority|client-certificate|client-key|tokenFile)"?\s*:/m.test(source)) {
    if (whole.size >= wholeMost) whole.delete(whole.keys().next().value as string)
    whole.set(source, config)
  }
  return config
}
/** some eight of each of the labs of a process: one that is put back reads its own again */
const wholeMost = 256
const whole = new Map<string, Kubeconfig>()
/** what a text says, which is only read; the files that it names may have changed */
const said = new Map<string, Raw>()

function parseKubeconfig(files: Files, path: string, anonymous: boolean): Kubeconfig {
  let raw: Raw
  try {
    const text = files.text(path) ?? ''
    raw = said.get(text) ?? ((readYaml(text) ?? {}) as Raw)
    if (!said.has(text)) {
      if (said.size >= wholeMost) said.delete(said.keys().next().value as string)
      said.set(text, raw)
    }
  } catch (error) {
    throw new Error(`error loading config file "${path}": ${(error as Error).message}`)
  }
  if (typeof raw !== 'object' || Array.isArray(raw))
    throw new Error(
      `error loading config file "${path}": couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    )
  const problems: string[] = []
  const current = raw['current-context'] ?? ''
  if (!raw.clusters?.length && !raw.contexts?.length && !raw.users?.length)
    throw new Error('invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable')
  const context = raw.contexts?.find((one) => one.name === current)?.context
  if (!context && current !== '') throw new Error(`context was not found for specified context: ${current}`)
  const cluster = raw.clusters?.find((one) => one.name === context?.cluster)?.cluster ?? {}
  const user = (anonymous ? undefined : raw.users?.find((one) => one.name === context?.user)?.user) ?? {}
  const string = (of: Record<string, unknown>, key: string): string => (typeof of[key] === 'string' ? (of[key] as string) : '')
  const server = string(cluster, 'server')
  if (server === '')
    throw new Error(`invalid configuration: ${context ? `cluster "${context.cluster ?? ''}" has no server defined` : 'no server found'}`)
  const beside = (file: string) => (file.startsWith('/') ? file : `${path.slice(0, path.lastIndexOf('/'))}/${file}`)
  const data = (of: Record<string, unknown>, key: string): string | undefined => {
    const inline = string(of, `${key}-data`)
    if (inline !== '') {
      const clean = inline.replace(/\s/g, '')
      const bad = /[^A-Za-z0-9+/=]/.exec(clean)
      if (bad || clean.length % 4 !== 0)
        throw new Error(
          `error loading config file "${path}": illegal base64 data at input byte ${bad ? bad.index : clean.length - (clean.length % 4)}`,
        )
      return Buffer.from(clean, 'base64').toString('utf8')
    }
    const file = string(of, key)
    if (file === '') return undefined
    const text = files.text(beside(file))
    if (text === undefined) {
      const label = key === 'certificate-authority' ? key : key.replace('client-certificate', 'client-cert')
      problems.push(
        `unable to read ${label} ${beside(file)} for ${(key === 'certificate-authority' ? context?.cluster : context?.user) ?? ''} due to open ${beside(file)}: no such file or directory`,
      )
    }
    return text
  }
  const insecure = cluster['insecure-skip-tls-verify'] === true
  const ca = data(cluster, 'certificate-authority')
  const cert = data(user, 'client-certificate')
  const key = data(user, 'client-key')
  if (problems.length > 0) throw new Error(`invalid configuration: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`)
  let url: URL
  try {
    url = new URL(server.includes('://') ? server : `http://${server}`)
  } catch {
    throw new Error(`parse "${server}": invalid URL`)
  }
  const authorities = ca === undefined || insecure ? [] : certificates(ca)
  if (ca !== undefined && !insecure && authorities.length === 0)
    throw new Error(
      `unable to load root certificates: ${ca.includes('-----BEGIN') ? 'unable to parse bytes as PEM block' : 'unable to parse bytes as PEM block'}`,
    )
  let client: Kubeconfig['client']
  if (cert !== undefined || key !== undefined) {
    const own = certificates(cert ?? '')[0]
    if (!own) throw new Error('tls: failed to find any PEM data in certificate input')
    if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key ?? '')) throw new Error('tls: failed to find any PEM data in key input')
    if (!matches(own, createKey(key as string))) throw new Error('tls: private key does not match public key')
    client = { certificate: own, expires: Date.parse(own.validTo) }
  }
  const tokenFile = string(user, 'tokenFile')
  const token = string(user, 'token')
  const serverName = string(cluster, 'tls-server-name')
  return {
    server: url,
    authorities,
    insecure,
    ...(serverName ? { serverName } : {}),
    ...(client ? { client, pair: { cert: cert as string, key: key as string } } : {}),
    ...(tokenFile ? { token: () => files.text(beside(tokenFile))?.trim() } : token ? { token: () => token } : {}),
  }
}
const createKey = (pem: string) => {
  try {
    // A file may hold the certificate before the key.
    const block = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/.exec(pem)?.[0]
    return createPrivateKey(block ?? pem)
  } catch {
    throw new Error('tls: failed to parse private key')
  }
}

const secrets = '/var/run/secrets/kubernetes.io/serviceaccount'
function inCluster(files: Files): Kubeconfig {
  if (!files.exists(`${secrets}/token`)) throw noFile(`${secrets}/token`, 'open')
  const ca = files.text(`${secrets}/ca.crt`)
  return {
    server: new URL('https://10.96.0.1:443'),
    authorities: certificates(ca ?? ''),
    insecure: false,
    token: () => files.text(`${secrets}/token`)?.trim(),
  }
}
