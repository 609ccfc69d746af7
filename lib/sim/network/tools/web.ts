// curl and wget (GNU's on machines, busybox's in containers that have busybox): what people type to see whether a service answers. Files they write are the
// caller's own. Knows nothing of who answers.
import type { HttpAnswer } from '../../net.ts'
import type { Tool, ToolCall } from '../../process.ts'
import { type Asker, noRoute, resolveHost } from '../dns.ts'
import { parseUrl, request, type Url } from '../http.ts'
import type { SimNetwork } from '../network.ts'
import { openFrom } from './loopback.ts'

const reasons: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}
export const reason = (status: number): string => reasons[status] ?? ''
const askerOf = (network: SimNetwork, call: ToolCall): Asker => ({ network, clock: call.clock, from: call.place.net, signal: call.signal })
const at = (cwd: string, path: string) => (path.startsWith('/') ? path : `${cwd.replace(/\/$/, '')}/${path}`)
const day = 86_400_000

interface CurlOptions {
  silent: boolean
  showError: boolean
  fail: boolean
  include: boolean
  head: boolean
  insecure: boolean
  verbose: boolean
  follow: boolean
  output?: string
  remoteName: boolean
  method?: string
  data?: string
  headers: [string, string][]
  connectMs?: number
  maxMs?: number
  write?: string
  cacert?: string
  user?: string
  agent: string
  resolve: Map<string, string>
  retry: number
}
const withValue: Record<string, string> = {
  '-o': 'output',
  '--output': 'output',
  '-X': 'method',
  '--request': 'method',
  '-d': 'data',
  '--data': 'data',
  '--data-raw': 'data',
  '--data-binary': 'data',
  '-H': 'header',
  '--header': 'header',
  '-m': 'max',
  '--max-time': 'max',
  '--connect-timeout': 'connect',
  '-w': 'write',
  '--write-out': 'write',
  '--cacert': 'cacert',
  '--cert': 'cert',
  '-E': 'cert',
  '--key': 'key',
  '-u': 'user',
  '--user': 'user',
  '-A': 'agent',
  '--user-agent': 'agent',
  '--resolve': 'resolve',
  '--retry': 'retry',
  '--retry-delay': '',
  '--retry-max-time': '',
  '-x': 'proxy',
  '--proxy': 'proxy',
  '--noproxy': '',
  '-e': '',
  '--referer': '',
  '-b': '',
  '--cookie': '',
  '--url': 'url',
  '--interface': '',
  '-T': '',
}
const plain: Record<string, keyof CurlOptions> = {
  '-s': 'silent',
  '--silent': 'silent',
  '-S': 'showError',
  '--show-error': 'showError',
  '-f': 'fail',
  '--fail': 'fail',
  '-i': 'include',
  '--include': 'include',
  '-I': 'head',
  '--head': 'head',
  '-k': 'insecure',
  '--insecure': 'insecure',
  '-v': 'verbose',
  '--verbose': 'verbose',
  '-L': 'follow',
  '--location': 'follow',
  '-O': 'remoteName',
  '--remote-name': 'remoteName',
}
const ignored = new Set([
  '-4',
  '--ipv4',
  '-N',
  '--no-buffer',
  '-#',
  '--progress-bar',
  '--compressed',
  '-g',
  '--globoff',
  '-0',
  '--http1.0',
  '--http1.1',
  '--http2',
  '--retry-connrefused',
  '--no-progress-meter',
  '-q',
  '-j',
  '-G',
  '--no-keepalive',
  '--retry-all-errors',
])

export const curl =
  (network: SimNetwork): Tool =>
  async (call) => {
    const o: CurlOptions = {
      silent: false,
      showError: false,
      fail: false,
      include: false,
      head: false,
      insecure: false,
      verbose: false,
      follow: false,
      remoteName: false,
      headers: [],
      agent: 'curl/8.14.1',
      resolve: new Map(),
      retry: 0,
    }
    const urls: string[] = []
    const words = [...call.argv.slice(1)]
    let problem: string | undefined
    const set = (name: string, value: string) => {
      if (name === 'output') o.output = value
      else if (name === 'method') o.method = value
      else if (name === 'data') o.data = o.data === undefined ? value : `${o.data}&${value}`
      else if (name === 'header') o.headers.push([(value.split(':')[0] ?? '').toLowerCase(), value.slice(value.indexOf(':') + 1).trim()])
      else if (name === 'max') o.maxMs = Number(value) * 1000
      else if (name === 'connect') o.connectMs = Number(value) * 1000
      else if (name === 'write') o.write = value
      else if (name === 'cacert') o.cacert = value
      else if (name === 'user') o.user = value
      else if (name === 'agent') o.agent = value
      else if (name === 'retry') o.retry = Number(value)
      else if (name === 'url') urls.push(value)
      else if (name === 'cert' || name === 'key')
        problem ??= 'client certificates are not part of this simulated curl: use kubectl get --raw'
      else if (name === 'resolve') {
        const [host = '', port = '', address = ''] = value.split(':')
        o.resolve.set(`${host}:${port}`, address)
      }
    }
    for (let i = 0; i < words.length; i += 1) {
      const word = words[i] as string
      if (!word.startsWith('-') || word === '-') {
        urls.push(word)
        continue
      }
      if (word === '-V' || word === '--version') {
        call.out('curl 8.14.1 (x86_64-pc-linux-gnu) libcurl/8.14.1 OpenSSL/3.5.4\nProtocols: http https\n')
        return 0
      }
      if (ignored.has(word)) continue
      if (word in plain) {
        Object.assign(o, { [plain[word] as string]: true })
        continue
      }
      const name = withValue[word]
      if (name !== undefined) {
        const value = words[++i]
        if (value === undefined) {
          call.err(`curl: option ${word}: requires parameter\ncurl: try 'curl --help' or 'curl --manual' for more information\n`)
          return 2
        }
        set(name, value)
        continue
      }
      const long = /^(--[\w-]+)=(.*)$/.exec(word)
      if (long && withValue[long[1] as string] !== undefined) {
        set(withValue[long[1] as string] as string, long[2] as string)
        continue
      }
      if (/^-[A-Za-z4#0]{2,}/.test(word) || /^-[a-zA-Z]./.test(word)) {
        // -sSo /dev/null: letters one by one; one that takes a value takes the rest or the next word.
        let bad = false
        for (let letter = 1; letter < word.length; letter += 1) {
          const flag = `-${word[letter]}`
          if (flag in plain) Object.assign(o, { [plain[flag] as string]: true })
          else if (withValue[flag] !== undefined) {
            set(withValue[flag] as string, word.slice(letter + 1) || (words[++i] ?? ''))
            break
          } else if (!ignored.has(flag)) bad = true
        }
        if (!bad) continue
      }
      call.err(`curl: option ${word}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n`)
      return 2
    }
    if (problem !== undefined) {
      call.err(`curl: ${problem}\n`)
      return 2
    }
    if (urls.length === 0) {
      call.err("curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n")
      return 2
    }
    let code = 0
    for (const url of urls) {
      for (let attempt = 0; ; attempt += 1) {
        code = await curlOne(network, call, url, o, 0)
        if (code === 0 || attempt >= o.retry) break
        await call.clock.sleep(1000 * 2 ** attempt, call.signal)
      }
    }
    return code
  }

async function curlOne(network: SimNetwork, call: ToolCall, text: string, o: CurlOptions, redirects: number): Promise<number> {
  const begin = call.clock.now()
  const done = { status: 0, size: 0, address: '', port: 0 }
  const finish = (code: number, message?: string) => {
    if (message !== undefined && (!o.silent || o.showError)) call.err(`curl: (${code}) ${message}\n`)
    if (o.write !== undefined) call.out(writeOut(o.write, done, code, call.clock.now() - begin, text))
    return code
  }
  const url = parseUrl(text)
  if (url === undefined) {
    const scheme = /^(\w+):/.exec(text)?.[1]
    return finish(
      scheme === undefined ? 3 : 1,
      scheme === undefined ? 'URL rejected: Malformed input to a URL function' : `Protocol "${scheme}" not supported`,
    )
  }
  const meter = !o.silent && (o.output !== undefined || o.remoteName || call.tty === undefined)
  if (meter)
    call.err(
      '  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0',
    )
  const note = (line: string) => o.verbose && call.err(`${line}\n`)
  const asker = askerOf(network, call)
  const given = o.resolve.get(`${url.host}:${url.port}`)
  const found = given === undefined ? await resolveHost(asker, call.place.files, url.host) : undefined
  const address = given ?? found?.addresses[0]
  if (address === undefined) {
    note(`* Could not resolve host: ${url.host}`)
    return finish(6, `Could not resolve host: ${url.host}`)
  }
  const limit = Math.min(o.maxMs ?? day, o.connectMs ?? 134_000) - (call.clock.now() - begin)
  if (found !== undefined && address !== url.host) note(`* Host ${url.host}:${url.port} was resolved.\n* IPv6: (none)\n* IPv4: ${address}`)
  note(`*   Trying ${address}:${url.port}...`)
  Object.assign(done, { address, port: url.port })
  const spent = () => call.clock.now() - begin
  const opened = await openFrom(network, call, address, url.port, url.scheme === 'https')
  if (opened.outcome !== 'open') {
    if (opened.outcome === 'timeout') {
      await call.clock.sleep(Math.max(0, limit), call.signal)
      const timed = o.maxMs !== undefined || o.connectMs !== undefined
      note(
        timed
          ? `* Connection timed out after ${spent()} milliseconds\n* closing connection #0`
          : `* connect to ${address} port ${url.port} from ${call.place.net.addresses()[0] ?? ''} port ${32768 + network.random.int(28000)} failed: Connection timed out`,
      )
      return finish(
        28,
        timed
          ? `Connection timed out after ${spent()} milliseconds`
          : `Failed to connect to ${url.host} port ${url.port} after ${spent()} ms: Could not connect to server`,
      )
    }
    // The kernel gives up on a neighbour that is not there after three seconds.
    if (opened.outcome === 'unreachable' && !noRoute(opened.why)) await call.clock.sleep(Math.min(3050, Math.max(0, limit)), call.signal)
    note(
      `* connect to ${address} port ${url.port} from ${call.place.net.addresses()[0] ?? ''} port ${32768 + network.random.int(28000)} failed: ${opened.outcome === 'refused' ? 'Connection refused' : 'No route to host'}\n* Failed to connect to ${url.host} port ${url.port} after ${spent()} ms: Could not connect to server\n* closing connection #0`,
    )
    return finish(7, `Failed to connect to ${url.host} port ${url.port} after ${spent()} ms: Could not connect to server`)
  }
  note(`* Connected to ${url.host} (${address}) port ${url.port}`)
  if (url.scheme === 'https' && opened.listener.tls && !o.insecure && o.cacert === undefined)
    return finish(
      60,
      'SSL certificate problem: unable to get local issuer certificate\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the webpage mentioned above.',
    )
  if (o.cacert !== undefined && url.scheme === 'https' && !call.place.files.exists(at(call.cwd, o.cacert)))
    return finish(77, `error setting certificate verify locations:  CAfile: ${o.cacert} CApath: /etc/ssl/certs`)
  note('* using HTTP/1.x')
  const method = o.method ?? (o.head ? 'HEAD' : o.data === undefined ? 'GET' : 'POST')
  const headers: Record<string, string> = { 'user-agent': o.agent, accept: '*/*' }
  if (o.user ?? url.user) headers.authorization = `Basic ${Buffer.from((o.user ?? url.user) as string).toString('base64')}`
  let body: Uint8Array | undefined
  if (o.data !== undefined) {
    body = o.data.startsWith('@') ? await fromFile(call, o.data.slice(1)) : Buffer.from(o.data)
    headers['content-length'] = String(body.length)
    headers['content-type'] = 'application/x-www-form-urlencoded'
  }
  for (const [name, value] of o.headers) headers[name] = value
  if (o.verbose) {
    const usual = url.port === (url.scheme === 'https' ? 443 : 80)
    const lines = [
      `${method} ${url.path} HTTP/1.1`,
      `Host: ${headers.host ?? (usual ? url.host : `${url.host}:${url.port}`)}`,
      ...Object.entries(headers)
        .filter(([name]) => name !== 'host')
        .map(([name, value]) => `${name.replace(/(^|-)\w/g, (letter) => letter.toUpperCase())}: ${value}`),
      '',
    ]
    note(lines.map((line) => `> ${line}`).join('\n'))
    note('* Request completely sent off')
  }
  const got = await request(asker, opened, url, {
    method,
    headers,
    ...(body ? { body } : {}),
    timeoutMs: Math.max(1, (o.maxMs ?? day) - spent()),
  })
  switch (got.kind) {
    case 'timeout':
      return finish(28, `Operation timed out after ${spent()} milliseconds with 0 bytes received`)
    case 'empty':
      return finish(52, 'Empty reply from server')
    case 'no-http':
      return finish(1, 'Received HTTP/0.9 when not allowed')
    case 'tls-on-plain':
    case 'plain-on-tls':
      return finish(35, 'TLS connect error: error:0A0000C6:SSL routines::packet length too long')
  }
  const { answer } = got
  Object.assign(done, { status: answer.status, size: answer.body.length })
  const top = `HTTP/1.1 ${answer.status} ${reason(answer.status)}\r\n${Object.entries(answer.headers)
    .map(([name, value]) => `${name.replace(/(^|-)\w/g, (letter) => letter.toUpperCase())}: ${value}\r\n`)
    .join('')}\r\n`
  if (o.verbose)
    note(
      top
        .trimEnd()
        .split('\r\n')
        .map((line) => `< ${line}`)
        .join('\n')
        .concat('\n< '),
    )
  const to = answer.headers.location
  if (o.follow && to !== undefined && answer.status >= 300 && answer.status < 400) {
    if (redirects >= 50) return finish(47, 'Maximum (50) redirects followed')
    return curlOne(network, call, to.startsWith('/') ? `${url.scheme}://${url.host}:${url.port}${to}` : to, o, redirects + 1)
  }
  if (meter)
    call.err(
      `\r${'100'.padStart(3)} ${String(answer.body.length).padStart(5)}  100 ${String(answer.body.length).padStart(5)}    0     0   ${answer.body.length * 500}      0 --:--:-- --:--:-- --:--:-- ${answer.body.length * 500}\n`,
    )
  if (o.fail && answer.status >= 400) return finish(22, `The requested URL returned error: ${answer.status}`)
  const output = o.output ?? (o.remoteName ? url.path.split('/').at(-1)?.split('?')[0] : undefined)
  const bytes = Buffer.concat([Buffer.from(o.include || o.head ? top : ''), method === 'HEAD' ? Buffer.alloc(0) : answer.body])
  if (output === undefined || output === '-') call.out(bytes)
  else if (output !== '/dev/null') {
    try {
      call.place.files.write(at(call.cwd, output), bytes)
    } catch {
      return finish(23, `client returned ERROR on write, expected ${bytes.length}`)
    }
  }
  note('* Connection #0 to host left intact'.replace('host', `host ${url.host}`))
  return finish(0)
}
async function fromFile(call: ToolCall, path: string): Promise<Uint8Array> {
  if (path !== '-') return Buffer.from(call.place.files.text(at(call.cwd, path)) ?? '')
  const parts: Uint8Array[] = []
  for await (const part of call.stdin) parts.push(part)
  return Buffer.concat(parts)
}
function writeOut(
  format: string,
  done: { status: number; size: number; address: string; port: number },
  code: number,
  ms: number,
  url: string,
): string {
  const seconds = (ms / 1000 + 0.000_4).toFixed(6)
  const values: Record<string, string> = {
    http_code: String(done.status).padStart(3, '0'),
    response_code: String(done.status).padStart(3, '0'),
    exitcode: String(code),
    time_total: seconds,
    time_connect: seconds,
    time_starttransfer: seconds,
    time_namelookup: '0.000050',
    size_download: String(done.size),
    remote_ip: done.address,
    remote_port: String(done.port),
    url_effective: url,
    errormsg: '',
    method: 'GET',
  }
  return format
    .replace(/%\{(\w+)\}/g, (all, name) => values[name] ?? all)
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\r/g, '\r')
    .replace(/%%/g, '%')
}

export const wget =
  (network: SimNetwork): Tool =>
  async (call) => {
    const words = call.argv.slice(1)
    let output: string | undefined
    let quiet = false
    let timeoutMs = 0
    let tries = 20
    let spider = false
    let headersShown = false
    let insecure = false
    const headers: Record<string, string> = {}
    const urls: string[] = []
    for (let i = 0; i < words.length; i += 1) {
      const word = words[i] as string
      const [long, value] = word.startsWith('--') ? word.split(/=(.*)/s) : [word, undefined]
      const take = () => value ?? words[++i] ?? ''
      if (long === '--timeout' || word === '-T') timeoutMs = Number(take()) * 1000
      else if (long === '--tries' || word === '-t') tries = Number(take()) || 20
      else if (long === '--output-document' || word === '-O') output = take()
      else if (long === '--header') {
        const header = take()
        headers[(header.split(':')[0] ?? '').toLowerCase()] = header.slice(header.indexOf(':') + 1).trim()
      } else if (long === '--spider') spider = true
      else if (long === '--no-check-certificate') insecure = true
      else if (long === '--quiet') quiet = true
      else if (long === '--server-response') headersShown = true
      else if (/^-[qSO]*O(.*)$/.test(word) || /^-[a-zA-Z]{2,}$/.test(word)) {
        quiet ||= word.includes('q')
        headersShown ||= word.includes('S')
        const rest = /O(.*)$/.exec(word)
        if (rest) output = rest[1] || (words[++i] ?? '')
        const seconds = /T(\d*)$/.exec(word)
        if (seconds) timeoutMs = Number(seconds[1] || words[++i]) * 1000
      } else if (word === '-q') quiet = true
      else if (word === '-S') headersShown = true
      else if (word === '-c' || word === '-N' || word === '-4' || word === '-nv') continue
      else if (word.startsWith('-') && word !== '-') {
        call.err(`wget: unrecognized option '${word}'\n`)
        return 2
      } else urls.push(word)
    }
    const [text] = urls
    const busybox = call.place.container !== undefined
    if (text === undefined) {
      call.err(
        busybox
          ? 'BusyBox v1.37.0 multi-call binary.\n\nUsage: wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n'
          : "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
      )
      return 1
    }
    const url = parseUrl(text)
    if (url === undefined) {
      call.err(busybox ? `wget: not an http or ftp url: ${text}\n` : `${text}: Unsupported scheme.\n`)
      return 1
    }
    const say = (line: string) => !quiet && call.err(line)
    return busybox ? busyboxWget() : gnuWget()

    async function get(
      limit: number,
    ): Promise<
      | { answer: HttpAnswer; address: string }
      | { failed: 'resolve' | 'timeout' | 'refused' | 'unreachable' | 'tls' | 'empty'; address: string }
    > {
      const target = url as Url
      const asker = askerOf(network, call)
      const found = await resolveHost(asker, call.place.files, target.host)
      const address = found.addresses[0]
      if (address === undefined) return { failed: 'resolve', address: '' }
      if (busybox)
        say(
          `Connecting to ${target.host}${target.host === address ? '' : ''}:${target.port} (${address}:${target.port})\n`.replace(
            `${target.host}:${target.port} (`,
            `${target.host}${target.port === 80 ? '' : `:${target.port}`} (`,
          ),
        )
      else
        say(
          `${target.host === address ? '' : `Resolving ${target.host} (${target.host})... ${found.addresses.join(', ')}\n`}Connecting to ${target.host}${target.host === address ? '' : ` (${target.host})|${address}|`}:${target.port}... `,
        )
      const opened = await openFrom(network, call, address, target.port, target.scheme === 'https')
      if (opened.outcome !== 'open') {
        if (opened.outcome === 'timeout') await call.clock.sleep(limit, call.signal)
        if (opened.outcome === 'unreachable' && !noRoute(opened.why)) await call.clock.sleep(Math.min(limit, 3050), call.signal)
        return { failed: opened.outcome, address }
      }
      if (target.scheme === 'https' && opened.listener.tls && !insecure && !busybox) return { failed: 'tls', address }
      const got = await request(asker, opened, target, {
        method: spider ? 'HEAD' : 'GET',
        headers: { 'user-agent': busybox ? 'Wget' : 'Wget/1.25.0', accept: '*/*', ...headers },
        timeoutMs: limit,
      })
      if (got.kind === 'answer') return { answer: got.answer, address }
      return { failed: got.kind === 'timeout' ? 'timeout' : got.kind === 'empty' ? 'empty' : 'tls', address }
    }
    function store(body: Uint8Array): { name: string; ok: boolean } {
      const name = output ?? ((url as Url).path.split('/').at(-1)?.split('?')[0] || 'index.html')
      if (spider) return { name, ok: true }
      if (name === '-') call.out(body)
      else if (name !== '/dev/null') {
        try {
          call.place.files.write(at(call.cwd, name), body)
        } catch {
          return { name, ok: false }
        }
      }
      return { name, ok: true }
    }
    async function busyboxWget(): Promise<number> {
      const got = await get(timeoutMs || 900_000)
      const target = url as Url
      if ('failed' in got) {
        if (got.failed === 'resolve')
          call.err(`wget: bad address '${target.host}${text?.includes(`${target.host}:`) ? `:${target.port}` : ''}'\n`)
        else if (got.failed === 'timeout')
          call.err(
            timeoutMs > 0 ? 'wget: download timed out\n' : `wget: can't connect to remote host (${got.address}): Connection timed out\n`,
          )
        else if (got.failed === 'refused') call.err(`wget: can't connect to remote host (${got.address}): Connection refused\n`)
        else if (got.failed === 'unreachable') call.err(`wget: can't connect to remote host (${got.address}): No route to host\n`)
        else call.err('wget: error getting response\n')
        return 1
      }
      const { answer } = got
      if (headersShown)
        call.err(
          `  HTTP/1.1 ${answer.status} ${reason(answer.status)}\n${Object.entries(answer.headers)
            .map(([name, value]) => `  ${name.replace(/(^|-)\w/g, (letter) => letter.toUpperCase())}: ${value}\n`)
            .join('')}  \n`,
        )
      if (answer.status >= 400) {
        call.err(`wget: server returned error: HTTP/1.1 ${answer.status} ${reason(answer.status)}\n`)
        return 1
      }
      const { name, ok } = store(answer.body)
      if (!ok) {
        call.err(`wget: can't open '${name}': Read-only file system\n`)
        return 1
      }
      if (spider) say('remote file exists\n')
      else if (name === '-')
        say(
          `writing to stdout\n-                    100% |********************************| ${String(answer.body.length).padStart(5)}  0:00:00 ETA\nwritten to stdout\n`,
        )
      else
        say(
          `saving to '${name}'\n${name.padEnd(20)} 100% |********************************| ${String(answer.body.length).padStart(5)}  0:00:00 ETA\n'${name}' saved\n`,
        )
      return 0
    }
    async function gnuWget(): Promise<number> {
      const stamp = () => new Date(call.clock.now()).toISOString().slice(0, 19).replace('T', ' ')
      for (let attempt = 1; ; attempt += 1) {
        say(
          `${attempt > 1 ? `(try:${String(attempt).padStart(2)}) ` : ''}--${stamp()}--  ${/^\w+:\/\//.test(text as string) ? text : `http://${text}/`}\n`,
        )
        const got = await get(timeoutMs || 134_000)
        if ('failed' in got) {
          const target = url as Url
          if (got.failed === 'resolve') {
            call.err(
              quiet
                ? ''
                : `Resolving ${target.host} (${target.host})... failed: Name or service not known.\nwget: unable to resolve host address ‘${target.host}’\n`,
            )
            return 4
          }
          if (got.failed === 'refused') {
            say('failed: Connection refused.\n')
            return 4
          }
          if (got.failed === 'unreachable') {
            say('failed: No route to host.\n')
            return 4
          }
          if (got.failed === 'tls') {
            say(
              `connected.\nERROR: cannot verify ${target.host}'s certificate, issued by ‘CN=kubernetes’:\n  Unable to locally verify the issuer's authority.\nTo connect to ${target.host} insecurely, use \`--no-check-certificate'.\n`,
            )
            return 5
          }
          if (got.failed === 'empty') {
            say('connected.\nHTTP request sent, awaiting response... No data received.\nGiving up.\n\n')
            return 4
          }
          say('failed: Connection timed out.\n')
          if (attempt >= tries || call.signal.aborted) {
            say(tries > 1 ? 'Giving up.\n\n' : 'Giving up.\n\n')
            return 4
          }
          say('Retrying.\n\n')
          await call.clock.sleep(Math.min(10, attempt) * 1000, call.signal)
          continue
        }
        const { answer } = got
        say(`connected.\nHTTP request sent, awaiting response... ${answer.status} ${reason(answer.status)}\n`)
        if (answer.status >= 400) {
          say(`${stamp()} ERROR ${answer.status}: ${reason(answer.status)}.\n\n`)
          return 8
        }
        const { name } = store(answer.body)
        const type = answer.headers['content-type']?.split(';')[0]
        const shown = name === '-' ? 'STDOUT' : name
        if (!spider)
          say(
            `Length: ${answer.body.length}${type ? ` [${type}]` : ''}\nSaving to: ‘${shown}’\n\n     0K                                                       100%  442K=0s\n\n${stamp()} (442 KB/s) - ${name === '-' ? `written to stdout [${answer.body.length}/${answer.body.length}]` : `‘${name}’ saved [${answer.body.length}/${answer.body.length}]`}\n\n`,
          )
        return 0
      }
    }
  }
