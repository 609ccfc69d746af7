// agnhost (netexec, serve-hostname, pause, porter, connect, stress) and http-echo: small servers of test images.
// Knows nothing of Kubernetes.
import type { HttpAnswer, HttpRequest } from '../../net.ts'
import type { ContainerContext, Program } from '../../process.ts'
import type { ProgramDeps } from '../deps.ts'
import { lookup, parseResolvConf } from '../dns.ts'
import { klog } from '../log.ts'

const text = (status: number, body: string): HttpAnswer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) },
  body: Buffer.from(body),
})
const flag = (argv: readonly string[], name: string, otherwise: string): string => {
  for (const [at, word] of argv.entries()) {
    const match = new RegExp(`^--?${name}(?:=(.*))?$`).exec(word)
    if (match) return match[1] ?? argv[at + 1] ?? ''
  }
  return otherwise
}
const hostOf = (context: ContainerContext) =>
  context.files.text('/etc/hostname')?.trim() || (context.pod.hostNetwork ? context.machine.name : context.pod.name)
/** ends at once on SIGTERM, as Go's default is */
function serving(context: ContainerContext, open: { close(): void }[], gracefully = 2) {
  return {
    signal: (number: number) => {
      if (number === 1) return
      for (const one of open) one.close()
      context.exit(gracefully === 0 ? 0 : 128 + number)
    },
  }
}
function fail(context: ContainerContext, message: string): { signal(): void } {
  context.log(`${klog('F', context.clock.now(), 'main.go:1', message)}`, 'stderr')
  context.exit(1)
  return { signal: () => {} }
}

export function agnhost(deps: ProgramDeps): Program {
  return (context) => {
    const { argv, net, pid } = context
    const [command = 'pause', ...rest] = argv.slice(1)
    const program = { name: 'agnhost', pid }
    const open: { close(): void }[] = []
    try {
      switch (command) {
        case 'pause':
          return serving(context, open, 0)
        case 'netexec': {
          const [http, udp] = [Number(flag(rest, 'http-port', '8080')), Number(flag(rest, 'udp-port', '8081'))]
          if (http > 0)
            open.push(net.listen({ protocol: 'tcp', address: '::', port: http, program, http: (asked) => netexec(deps, context, asked) }))
          if (udp > 0)
            open.push(
              net.listen({
                protocol: 'udp',
                address: '::',
                port: udp,
                program,
                raw: (bytes) => {
                  const said = Buffer.from(bytes).toString('utf8').trim().toLowerCase()
                  return Buffer.from(said === 'hostname' ? hostOf(context) : said.startsWith('echo ') ? said.slice(5) : '')
                },
              }),
            )
          context.log(klog('I', context.clock.now(), 'log.go:245', `Started HTTP server on port ${http}`), 'stderr')
          context.log(klog('I', context.clock.now(), 'log.go:245', `Started UDP server on port  ${udp}`), 'stderr')
          return serving(context, open)
        }
        case 'serve-hostname': {
          const port = Number(flag(rest, 'port', '9376'))
          open.push(net.listen({ protocol: 'tcp', address: '::', port, program, http: () => text(200, hostOf(context)) }))
          context.log(klog('I', context.clock.now(), 'log.go:245', 'Serving on port 9376.'.replace('9376', String(port))), 'stderr')
          return serving(context, open)
        }
        case 'porter': {
          for (const [name, value] of Object.entries(context.env)) {
            const port = /^SERVE_PORT_(\d+)$/.exec(name)?.[1]
            if (port) open.push(net.listen({ protocol: 'tcp', address: '::', port: Number(port), program, http: () => text(200, value) }))
          }
          return serving(context, open)
        }
        case 'connect': {
          const target = rest.find((word) => /:\d+$/.test(word)) ?? ''
          const wait = /^(\d+)(ms|s)?$/.exec(flag(rest, 'timeout', ''))
          const limit = wait ? Number(wait[1]) * (wait[2] === 'ms' ? 1 : 1000) : 30_000
          const [host = '', port] = target.split(':')
          void (async () => {
            const found = /^\d/.test(host)
              ? { addresses: [host] }
              : await lookup(
                  { network: deps.network, clock: context.clock, from: net },
                  parseResolvConf(context.files.text('/etc/resolv.conf')),
                  host,
                )
            const address = found.addresses[0]
            if (address === undefined) {
              context.log('DNS\n', 'stderr')
              return context.exit(1)
            }
            const opened = deps.network.open(net, 'tcp', address, Number(port))
            if (opened.outcome === 'timeout') await context.clock.sleep(limit)
            if (opened.outcome !== 'open')
              context.log(`${{ timeout: 'TIMEOUT', refused: 'REFUSED', unreachable: 'OTHER' }[opened.outcome]}\n`, 'stderr')
            context.exit(opened.outcome === 'open' ? 0 : 1)
          })()
          return serving(context, open)
        }
        case 'stress':
          return stress(context, rest)
        default:
          context.log(`Error: unknown command "${command}" for "app"\n`, 'stderr')
          context.exit(1)
          return { signal: () => {} }
      }
    } catch (error) {
      for (const one of open) one.close()
      return fail(context, `listen tcp: ${(error as Error).message}`)
    }
  }
}
/** Takes memory in steps and keeps it (third_party/forked/vishhstress). Its runtime and its binary need some of their own. */
function stress(context: ContainerContext, argv: readonly string[]) {
  const { clock } = context
  const [total, step] = [flag(argv, 'mem-total', '0'), flag(argv, 'mem-alloc-size', '4Ki')]
  const sleep = flag(argv, 'mem-alloc-sleep', '1ms')
  const words = /^(\d+)(ms|s|m)$/.exec(sleep)
  if (words === null) return fail(context, `invalid argument "${sleep}" for "--mem-alloc-sleep" flag`)
  const pause = Number(words[1]) * { ms: 1, s: 1000, m: 60_000 }[words[2] as 'ms']
  const say = (at: number, line: string) => context.log(klog('I', clock.now(), `stress.go:${at}`, line), 'stderr')
  const saved = (context.saved as { held?: number } | undefined)?.held
  let held = saved ?? 0
  let timer: { cancel(): void } | undefined
  const own = 10 * 2 ** 20
  // Many small steps are taken together, so that a megabyte is not a timer for each of its pages.
  const together = Math.max(1, Math.round(50 / Math.max(pause, 1)))
  const size = quantity(step)
  const take = () => {
    for (let at = 0; at < together && held + size <= quantity(total); at += 1) held += size
    context.memory?.(own + held)
    if (held + size <= quantity(total)) timer = clock.after(pause * together, take)
    else if (saved !== held) say(70, `Allocated "${total}" memory`)
  }
  if (saved === undefined) say(67, `Allocating "${total}" memory, in "${step}" chunks, with a ${sleep} sleep between allocations`)
  timer = clock.after(0, take)
  const running = serving(context, [{ close: () => timer?.cancel() }])
  return { ...running, save: () => ({ held }) }
}
const quantity = (text: string): number => {
  const [, digits = '0', unit = ''] = /^(\d+)(Ki|Mi|Gi|k|M|G)?$/.exec(text) ?? []
  return Number(digits) * ({ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 }[unit] ?? 1)
}
async function netexec(deps: ProgramDeps, context: ContainerContext, asked: HttpRequest): Promise<HttpAnswer> {
  const url = new URL(asked.path, 'http://x')
  const say = (line: string) => context.log(klog('I', context.clock.now(), 'log.go:245', line), 'stderr')
  switch (url.pathname) {
    case '/':
      say('GET /')
      return text(200, `NOW: ${new Date(context.clock.now()).toISOString().replace('T', ' ').replace('Z', ' +0000 UTC')}`)
    case '/hostname':
    case '/hostName':
      say(`GET ${url.pathname}`)
      return text(200, hostOf(context))
    case '/clientip':
      say('GET /clientip')
      return text(200, `${asked.from}:${32768 + deps.network.random.int(28000)}`)
    case '/echo': {
      const message = url.searchParams.get('msg') ?? ''
      say(`GET /echo?msg=${message}`)
      return text(Number(url.searchParams.get('code') ?? 200), message)
    }
    case '/healthz':
      return text(200, '')
    case '/header':
      return text(200, asked.headers[(url.searchParams.get('key') ?? '').toLowerCase()] ?? '')
    case '/exit':
      context.exit(Number(url.searchParams.get('code') ?? 0))
      return text(200, '')
    case '/dial': {
      const [host = '', port = '80', request = 'hostname'] = [
        url.searchParams.get('host') ?? '',
        url.searchParams.get('port') ?? '80',
        url.searchParams.get('request') ?? 'hostname',
      ]
      const opened = deps.network.open(context.net, 'tcp', host, Number(port))
      if (opened.outcome !== 'open' || opened.listener.http === undefined)
        return text(
          200,
          JSON.stringify({
            errors: [
              `Get "http://${host}:${port}/${request}": dial tcp ${host}:${port}: connect: ${opened.outcome === 'refused' ? 'connection refused' : 'i/o timeout'}`,
            ],
          }),
        )
      const answer = await opened.listener.http({
        method: 'GET',
        path: `/${request}`,
        headers: { host: `${host}:${port}` },
        body: new Uint8Array(),
        from: opened.from,
      })
      return text(200, JSON.stringify({ responses: [Buffer.from(answer.body).toString('utf8')] }))
    }
    default:
      return text(404, '404 page not found\n')
  }
}
export function httpEcho(): Program {
  return (context) => {
    const { argv, net, pid } = context
    const said = flag(argv, 'text', context.env.ECHO_TEXT ?? '')
    if (said === '') {
      context.log('Missing -text option!\n', 'stderr')
      context.exit(127)
      return { signal: () => {} }
    }
    const port = Number(/:(\d+)$/.exec(flag(argv, 'listen', ':5678'))?.[1] ?? 5678)
    const stamp = () => new Date(context.clock.now()).toISOString().slice(0, 19).replace(/-/g, '/').replace('T', ' ')
    const open = [
      net.listen({
        protocol: 'tcp',
        address: '::',
        port,
        program: { name: 'http-echo', pid },
        http: (asked) => {
          context.log(
            `${stamp()} ${asked.headers.host ?? ''} ${asked.from} "${asked.method} ${asked.path} HTTP/1.1" 200 ${said.length + 1} "${asked.headers['user-agent'] ?? ''}" 15.234µs\n`,
            'stdout',
          )
          return {
            ...text(200, `${said}\n`),
            headers: { 'x-app-name': 'http-echo', 'x-app-version': '1.0.0', 'content-type': 'text/plain; charset=utf-8' },
          }
        },
      }),
    ]
    context.log(`${stamp()} [INFO] server is listening on :${port}\n`, 'stdout')
    return serving(context, open, 0)
  }
}
