// nginx in a container: reads its real configuration files, serves files of the container, answers, redirects and passes on, logs as nginx does. Directives
// that it does not act upon are accepted when nginx knows them. Knows nothing of Kubernetes.
import type { HttpAnswer, HttpRequest } from '../../net.ts'
import type { ContainerContext, Program } from '../../process.ts'
import { bindRefusal } from '../bind.ts'
import type { ProgramDeps } from '../deps.ts'
import { ask, parseResolvConf, resolveHost } from '../dns.ts'
import { parseUrl, request } from '../http.ts'
import { parseIp } from '../ip.ts'

interface Statement {
  name: string
  args: string[]
  block?: Statement[]
  file: string
  line: number
}
class Emergency extends Error {}
interface Location {
  how: '' | '=' | '~' | '~*' | '^~'
  path: string
  rules: Statement[]
}
interface Server {
  ports: number[]
  names: string[]
  isDefault: boolean
  rules: Statement[]
  locations: Location[]
}

const known = new Set(
  'user worker_processes error_log pid events worker_connections http include default_type log_format access_log sendfile tcp_nopush tcp_nodelay keepalive_timeout keepalive_requests gzip gzip_types gzip_vary gzip_min_length gzip_proxied gzip_comp_level server listen server_name location root alias index return rewrite error_page proxy_pass proxy_set_header proxy_http_version proxy_redirect proxy_read_timeout proxy_connect_timeout proxy_send_timeout proxy_buffering proxy_buffer_size proxy_buffers add_header try_files autoindex expires charset client_max_body_size resolver upstream resolver_timeout set if map types stub_status deny allow ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout server_tokens multi_accept use daemon master_process worker_rlimit_nofile types_hash_max_size server_names_hash_bucket_size load_module absolute_redirect port_in_redirect internal default limit_req limit_req_zone limit_conn etag open_file_cache'.split(
    ' ',
  ),
)
/** what ngx_conf_read_token makes of a backslash; before any other character it stays */
const unescaped = (word: string): string =>
  word.replace(/\\(["'\\trn])/g, (_, letter: string) => ({ t: '\t', r: '\r', n: '\n' })[letter] ?? letter)
function parse(file: string, text: string, read: (pattern: string) => { path: string; text: string }[]): Statement[] {
  const tokens: { text: string; line: number; quoted: boolean }[] = []
  let line = 1
  for (const match of text.matchAll(/#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|[{};]|[^\s{};]+|\n/g)) {
    if (match[0] === '\n') line += 1
    else if (!match[0].startsWith('#'))
      tokens.push({ text: unescaped(match[1] ?? match[2] ?? match[0]), line, quoted: match[1] !== undefined || match[2] !== undefined })
  }
  let at = 0
  const level = (depth: number): Statement[] => {
    const out: Statement[] = []
    while (at < tokens.length) {
      const first = tokens[at] as (typeof tokens)[number]
      if (first.text === '}' && !first.quoted) {
        if (depth === 0) throw new Emergency(`unexpected "}" in ${file}:${first.line}`)
        return out
      }
      at += 1
      const statement: Statement = { name: first.text, args: [], file, line: first.line }
      for (; at < tokens.length && (tokens[at]?.quoted || !'{};'.includes(tokens[at]?.text as string)); at += 1)
        statement.args.push(tokens[at]?.text as string)
      const end = tokens[at]
      if (end === undefined) throw new Emergency(`unexpected end of file, expecting ";" or "}" in ${file}:${line}`)
      at += 1
      if (end.text === '}') throw new Emergency(`unexpected "}" in ${file}:${end.line}`)
      if (end.text === '{') {
        statement.block = level(depth + 1)
        if (tokens[at] === undefined) throw new Emergency(`unexpected end of file, expecting "}" in ${file}:${line}`)
        at += 1
      }
      if (statement.name === 'include') for (const one of read(statement.args[0] ?? '')) out.push(...parse(one.path, one.text, read))
      else out.push(statement)
    }
    return out
  }
  return level(0)
}
function check(statements: readonly Statement[], inside: string): void {
  for (const { name, file, line, block } of statements) {
    if (!known.has(name) && !['types', 'map', 'upstream'].includes(inside))
      throw new Emergency(`unknown directive "${name}" in ${file}:${line}`)
    if (block) check(block, name)
  }
}

/** a time as nginx writes it, one number with its unit; seconds without one */
function milliseconds(text: string): number {
  const [, number, unit = 's'] = /^(\d+)(ms|s|m|h)?$/.exec(text) ?? []
  return number === undefined ? 60_000 : Number(number) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] as number)
}
const types: Record<string, string> = {
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'application/javascript',
  json: 'application/json',
  txt: 'text/plain',
  xml: 'text/xml',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  ico: 'image/x-icon',
}
const titles: Record<number, string> = {
  301: 'Moved Permanently',
  302: 'Found',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
}
const version = 'nginx/1.29.3'

export function nginx(deps: ProgramDeps): Program {
  return (context) => {
    const server = new Nginx(deps, context)
    void server.start()
    return { signal: (number) => server.signal(number) }
  }
}
class Nginx {
  readonly #deps: ProgramDeps
  readonly #context: ContainerContext
  #listeners: { close(): void }[] = []
  #servers: Server[] = []
  #upstreams = new Map<string, string[]>()
  #resolved = new Map<string, string>()
  #turn = 0
  #ended = false
  constructor(deps: ProgramDeps, context: ContainerContext) {
    this.#deps = deps
    this.#context = context
  }
  #note(level: string, text: string): void {
    const stamp = new Date(this.#context.clock.now()).toISOString().slice(0, 19).replace(/-/g, '/').replace('T', ' ')
    this.#context.log(`${stamp} [${level}] 1#1: ${text}\n`, 'stderr')
  }
  #end(code: number): void {
    if (this.#ended) return
    this.#ended = true
    for (const one of this.#listeners) one.close()
    this.#context.exit(code)
  }
  signal(number: number): void {
    if (number === 1) {
      this.#note('notice', 'signal 1 (SIGHUP) received from 0, reconfiguring')
      void this.#configure().catch((error) => this.#note('emerg', (error as Error).message))
      return
    }
    this.#note(
      'notice',
      `signal ${number} (${{ 3: 'SIGQUIT', 15: 'SIGTERM', 2: 'SIGINT' }[number] ?? number}) received, ${number === 3 ? 'shutting down' : 'exiting'}`,
    )
    this.#note('notice', 'exit')
    this.#end(0)
  }
  async start(): Promise<void> {
    const { argv } = this.#context
    if (argv.includes('-v')) {
      this.#context.log(`nginx version: ${version}\n`, 'stderr')
      return this.#end(0)
    }
    try {
      await this.#configure()
      if (argv.includes('-t')) {
        this.#context.log(
          'nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n',
          'stderr',
        )
        return this.#end(0)
      }
      for (const text of ['using the "epoll" event method', version, 'start worker processes', 'start worker process 29'])
        this.#note('notice', text)
      // Without "daemon off;" the first process ends once its child is there, and the container with it.
      const main = this.#context.files.text('/etc/nginx/nginx.conf') ?? ''
      if (!argv.join(' ').includes('daemon off') && !/^\s*daemon\s+off\s*;/m.test(main)) this.#end(0)
    } catch (error) {
      this.#note('emerg', (error as Error).message)
      this.#context.log(`nginx: [emerg] ${(error as Error).message}\n`, 'stderr')
      this.#end(1)
    }
  }
  async #configure(): Promise<void> {
    const { files, argv, net, pid } = this.#context
    const flag = argv.indexOf('-c')
    const path = flag === -1 ? '/etc/nginx/nginx.conf' : (argv[flag + 1] as string)
    const text = files.text(path)
    if (text === undefined) throw new Emergency(`open() "${path}" failed (2: No such file or directory)`)
    const read = (pattern: string) => {
      const full = pattern.startsWith('/') ? pattern : `/etc/nginx/${pattern}`
      const dir = full.replace(/\/[^/]*$/, '')
      if (!full.includes('*')) {
        const one = files.text(full)
        if (one === undefined && !full.endsWith('mime.types'))
          throw new Emergency(`open() "${full}" failed (2: No such file or directory) in ${path}`)
        return one === undefined || full.endsWith('mime.types') ? [] : [{ path: full, text: one }]
      }
      const shape = new RegExp(
        `^${full
          .slice(dir.length + 1)
          .replace(/\./g, '\\.')
          .replace(/\*/g, '.*')}$`,
      )
      return files
        .list(dir)
        .filter((name) => shape.test(name))
        .flatMap((name) => {
          const one = files.text(`${dir}/${name}`)
          return one === undefined ? [] : [{ path: `${dir}/${name}`, text: one }]
        })
    }
    const all = parse(path, text, read)
    check(all, '')
    if (!all.some(({ name }) => name === 'events')) throw new Emergency('no "events" section in configuration')
    const http = all.find(({ name }) => name === 'http')?.block ?? []
    const servers = http.filter(({ name }) => name === 'server').map((one) => this.#server(one, http))
    const upstreams = new Map(
      http
        .filter(({ name }) => name === 'upstream')
        .map((one): [string, string[]] => [
          one.args[0] ?? '',
          (one.block ?? []).filter(({ name }) => name === 'server').map(({ args }) => args[0] as string),
        ]),
    )
    const resolved = new Map<string, string>()
    const passes = servers
      .flatMap((one) => [one.rules, ...one.locations.map(({ rules }) => rules)])
      .flat()
      .filter(({ name }) => name === 'proxy_pass')
    for (const pass of passes) {
      const url = parseUrl(pass.args[0] ?? '')
      if (url === undefined) throw new Emergency(`invalid URL prefix in ${pass.file}:${pass.line}`)
      for (const target of upstreams.get(url.host) ?? [url.host]) {
        const host = target.split(':')[0] as string
        if (host.includes('$') || resolved.has(host)) continue
        const found = await resolveHost({ network: this.#deps.network, clock: this.#context.clock, from: net }, files, host)
        if (found.addresses[0] === undefined) throw new Emergency(`host not found in upstream "${host}" in ${pass.file}:${pass.line}`)
        resolved.set(host, found.addresses[0])
      }
    }
    if (this.#ended) return
    const ports = [...new Set(servers.flatMap((one) => one.ports))]
    for (const one of this.#listeners) one.close()
    this.#listeners = []
    Object.assign(this, {})
    this.#servers = servers
    this.#upstreams = upstreams
    this.#resolved = resolved
    for (const port of ports) {
      try {
        const refused = bindRefusal(this.#context, port)
        if (refused !== undefined) throw new Error(refused)
        this.#listeners.push(
          net.listen({
            protocol: 'tcp',
            address: '0.0.0.0',
            port,
            program: { name: 'nginx', pid },
            http: (asked) => this.#answer(asked, port),
          }),
        )
      } catch (error) {
        throw new Emergency(
          `bind() to 0.0.0.0:${port} failed (${/in use/.test((error as Error).message) ? '98: Address already in use' : /denied/.test((error as Error).message) ? '13: Permission denied' : '99: Cannot assign requested address'})`,
        )
      }
    }
  }
  #server(statement: Statement, http: readonly Statement[]): Server {
    const own = statement.block ?? []
    const inherited = http.filter(({ name }) => ['root', 'index', 'default_type', 'error_page', 'add_header', 'resolver'].includes(name))
    const listens = own.filter(({ name }) => name === 'listen')
    const portOf = ({ args }: Statement) => Number(/(?:^|:)(\d+)$/.exec(args[0] ?? '80')?.[1] ?? 80)
    return {
      ports: listens.length === 0 ? [80] : [...new Set(listens.map(portOf))],
      names: own.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args),
      isDefault: listens.some(({ args }) => args.includes('default_server')),
      rules: [...own.filter(({ name }) => name !== 'location'), ...inherited],
      locations: own
        .filter(({ name }) => name === 'location')
        .map(({ args, block = [] }) =>
          args.length > 1
            ? { how: args[0] as Location['how'], path: args[1] as string, rules: block }
            : { how: '' as const, path: args[0] ?? '/', rules: block },
        ),
    }
  }
  async #answer(asked: HttpRequest, port: number): Promise<HttpAnswer> {
    const log = { off: false }
    const answer = await this.#route(asked, port, log)
    const when = new Date(this.#context.clock.now())
    const month = when.toUTCString().slice(8, 11)
    const stamp = `${String(when.getUTCDate()).padStart(2, '0')}/${month}/${when.getUTCFullYear()}:${when.toISOString().slice(11, 19)} +0000`
    if (!log.off)
      this.#context.log(
        `${asked.from.split(':')[0]} - - [${stamp}] "${asked.method} ${asked.path} HTTP/1.1" ${answer.status} ${answer.body.length} "${asked.headers.referer ?? '-'}" "${asked.headers['user-agent'] ?? '-'}" "${asked.headers['x-forwarded-for'] ?? '-'}"\n`,
        'stdout',
      )
    return {
      ...answer,
      headers: {
        server: version,
        date: when.toUTCString(),
        'content-length': String(answer.body.length),
        connection: 'keep-alive',
        ...answer.headers,
      },
    }
  }
  #page(status: number): HttpAnswer {
    const title = `${status} ${titles[status] ?? ''}`
    return {
      status,
      headers: { 'content-type': 'text/html' },
      body: Buffer.from(
        `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>${version}</center>\r\n</body>\r\n</html>\r\n`,
      ),
    }
  }
  async #route(asked: HttpRequest, port: number, log: { off: boolean }): Promise<HttpAnswer> {
    const here = this.#servers.filter(({ ports }) => ports.includes(port))
    const host = (asked.headers.host ?? '').split(':')[0]?.toLowerCase() ?? ''
    const server = here.find(({ names }) => names.includes(host)) ?? here.find(({ isDefault }) => isDefault) ?? here[0]
    if (server === undefined) return this.#page(404)
    const path = decodeURIComponent(asked.path.split('?')[0] as string)
    const exact = server.locations.find((one) => one.how === '=' && one.path === path)
    const prefixes = server.locations
      .filter((one) => (one.how === '' || one.how === '^~') && path.startsWith(one.path))
      .sort((a, b) => b.path.length - a.path.length)
    const pattern =
      prefixes[0]?.how === '^~'
        ? undefined
        : server.locations.find(
            (one) => (one.how === '~' || one.how === '~*') && new RegExp(one.path, one.how === '~*' ? 'i' : '').test(path),
          )
    const location = exact ?? pattern ?? prefixes[0]
    const rules = [...(location?.rules ?? []), ...server.rules]
    const get = (name: string) => rules.find((one) => one.name === name)
    const own: Record<string, string> = {}
    log.off = get('access_log')?.args[0] === 'off'
    const variables = (text: string) =>
      text.replace(
        /\$\{?(\w+)\}?/g,
        (all, name: string) =>
          own[name] ??
          {
            host,
            uri: path,
            request_uri: asked.path,
            remote_addr: asked.from.split(':')[0] ?? '',
            hostname: this.#context.pod.hostNetwork ? this.#context.machine.name : this.#context.pod.name,
            server_port: String(port),
            server_addr: this.#context.net.addresses()[0] ?? '',
            request_method: asked.method,
            scheme: 'http',
            args: asked.path.split('?')[1] ?? '',
            http_host: asked.headers.host ?? '',
            time_iso8601: new Date(this.#context.clock.now()).toISOString(),
          }[name] ??
          all,
      )
    // The rewrite phase: those of the server come before those of the location.
    for (const { args } of [...server.rules, ...(location?.rules ?? [])].filter(({ name }) => name === 'set'))
      own[(args[0] ?? '').replace(/^\$/, '')] = variables(args[1] ?? '')
    const headers = Object.fromEntries(
      rules.filter(({ name }) => name === 'add_header').map(({ args }) => [(args[0] ?? '').toLowerCase(), variables(args[1] ?? '')]),
    )
    const back = get('return')
    if (back) {
      const [code = '200', text = ''] = back.args
      const status = /^\d+$/.test(code) ? Number(code) : 302
      const body = variables(/^\d+$/.test(code) ? text : code)
      if (status >= 300 && status < 400)
        return { ...this.#page(status), headers: { ...this.#page(status).headers, location: body, ...headers } }
      return body === '' && status >= 400
        ? this.#page(status)
        : {
            status,
            headers: { 'content-type': get('default_type')?.args[0] ?? 'application/octet-stream', ...headers },
            body: Buffer.from(body),
          }
    }
    const pass = (location?.rules ?? []).find(({ name }) => name === 'proxy_pass')
    if (pass) {
      const to = pass.args[0] as string
      return this.#pass(variables(to), location as Location, asked, path, to.includes('$') ? (get('resolver')?.args ?? []) : undefined)
    }
    if (asked.method !== 'GET' && asked.method !== 'HEAD') return this.#page(405)
    const { files } = this.#context
    const alias = (location?.rules ?? []).find(({ name }) => name === 'alias')?.args[0]
    const root = get('root')?.args[0] ?? '/etc/nginx/html'
    let file = alias === undefined ? `${root}${path}` : `${alias}${path.slice(location?.path.length ?? 0)}`
    const tried = get('try_files')?.args
    if (tried) {
      const hit = tried
        .slice(0, -1)
        .map((one) => `${root}${variables(one)}`)
        .find((one) => files.stat(one) !== undefined)
      const last = tried.at(-1) as string
      if (hit) file = hit
      else if (last.startsWith('=')) return this.#page(Number(last.slice(1)))
      else file = `${root}${variables(last)}`
    }
    if (files.stat(file)?.type === 'directory') {
      const names = get('index')?.args ?? ['index.html']
      const hit = names.map((name) => `${file.replace(/\/$/, '')}/${name}`).find((one) => files.stat(one)?.type === 'file')
      if (!path.endsWith('/'))
        return { ...this.#page(301), headers: { 'content-type': 'text/html', location: `http://${asked.headers.host ?? host}${path}/` } }
      if (hit === undefined) {
        this.#context.log(
          `${new Date(this.#context.clock.now()).toISOString().slice(0, 19).replace(/-/g, '/').replace('T', ' ')} [error] 29#29: *1 directory index of "${file}" is forbidden, client: ${asked.from.split(':')[0]}, server: ${server.names[0] ?? ''}, request: "${asked.method} ${asked.path} HTTP/1.1", host: "${asked.headers.host ?? ''}"\n`,
          'stderr',
        )
        return this.#page(403)
      }
      file = hit
    }
    const text = files.stat(file)?.type === 'file' ? files.read(file) : undefined
    if (text === undefined) {
      this.#context.log(
        `${new Date(this.#context.clock.now()).toISOString().slice(0, 19).replace(/-/g, '/').replace('T', ' ')} [error] 29#29: *1 open() "${file}" failed (2: No such file or directory), client: ${asked.from.split(':')[0]}, server: ${server.names[0] ?? ''}, request: "${asked.method} ${asked.path} HTTP/1.1", host: "${asked.headers.host ?? ''}"\n`,
        'stderr',
      )
      return this.#page(404)
    }
    const type = types[file.split('.').at(-1) ?? ''] ?? get('default_type')?.args[0] ?? 'application/octet-stream'
    return {
      status: 200,
      headers: {
        'content-type': type,
        'last-modified': new Date(files.stat(file)?.mtime ?? 0).toUTCString(),
        'accept-ranges': 'bytes',
        ...headers,
      },
      body: text,
    }
  }
  /** `resolver`: of a target that is known only now, since it has variables; other names were resolved at the start */
  async #pass(to: string, location: Location, asked: HttpRequest, path: string, resolver?: readonly string[]): Promise<HttpAnswer> {
    const url = parseUrl(to)
    if (url === undefined) return this.#page(500)
    const group = this.#upstreams.get(url.host)
    const target = group === undefined ? undefined : group[this.#turn++ % group.length]
    const [host = url.host, port] = target?.split(':') ?? [url.host, undefined]
    const { network } = this.#deps
    const { clock, net } = this.#context
    const error = (what: string, upstream = '') =>
      this.#context.log(
        `${new Date(clock.now()).toISOString().slice(0, 19).replace(/-/g, '/').replace('T', ' ')} [error] 29#29: *1 ${what}, client: ${asked.from.split(':')[0]}, server: , request: "${asked.method} ${asked.path} HTTP/1.1"${upstream}, host: "${asked.headers.host ?? ''}"\n`,
        'stderr',
      )
    let address = this.#resolved.get(host) ?? host
    if (resolver !== undefined && group === undefined && parseIp(host) === undefined) {
      const servers = resolver.filter((word) => !word.includes('=')).map((word) => word.split(':')[0] as string)
      if (servers.length === 0) {
        error(`no resolver defined to resolve ${host}`)
        return this.#page(502)
      }
      // Its resolver reads neither the hosts file nor a search list.
      const conf = { ...parseResolvConf(undefined), servers: servers.slice(0, 3) }
      const found = await ask({ network, clock, from: net }, conf, `${host.replace(/\.$/, '')}.`, 'A')
      if (found.addresses[0] === undefined) {
        const missing = found.outcome === 'nxdomain' || found.outcome === 'no-data'
        const why = missing ? '3: Host not found' : found.outcome === 'servfail' ? '2: Server failure' : '110: Operation timed out'
        error(`${host} could not be resolved (${why})`)
        return this.#page(502)
      }
      address = found.addresses[0]
    }
    const opened = network.open(net, 'tcp', address, Number(port ?? url.port))
    if (opened.outcome !== 'open') {
      if (opened.outcome === 'timeout')
        await clock.sleep(milliseconds(location.rules.find(({ name }) => name === 'proxy_connect_timeout')?.args[0] ?? '60s'))
      const why = {
        timeout: 'upstream timed out (110: Connection timed out)',
        refused: 'connect() failed (111: Connection refused)',
        unreachable: 'connect() failed (113: Host is unreachable)',
      }[opened.outcome]
      error(`${why} while connecting to upstream`, `, upstream: "${url.scheme}://${address}:${port ?? url.port}${path}"`)
      return this.#page(opened.outcome === 'timeout' ? 504 : 502)
    }
    const base = /^\w+:\/\/[^/]+(\/.*)?$/.exec(to)?.[1]
    const onward = base === undefined ? asked.path : base + asked.path.slice(location.path.length)
    const got = await request(
      { network, clock, from: net },
      opened,
      { ...url, path: onward },
      { method: asked.method, headers: { ...asked.headers, host: target ?? url.host }, body: asked.body, timeoutMs: 60_000 },
    )
    return got.kind === 'answer' ? got.answer : this.#page(got.kind === 'timeout' ? 504 : 502)
  }
}
