// nc, ping, traceroute and tcpdump: whether something answers at an address. Knows nothing of services.
import type { Tool, ToolCall } from '../../process.ts'
import { type Asker, noRoute, resolveHost } from '../dns.ts'
import { parseIp } from '../ip.ts'
import type { SimNetwork } from '../network.ts'
import { openFrom } from './loopback.ts'

const names: Record<string, string> = {
  '80': 'http',
  '443': 'https',
  '53': 'domain',
  '22': 'ssh',
  '25': 'smtp',
  '8080': 'http-alt',
  '3306': 'mysql',
  '6379': 'redis',
  '5432': 'postgresql',
}
const askerOf = (network: SimNetwork, call: ToolCall): Asker => ({ network, clock: call.clock, from: call.place.net, signal: call.signal })

export const nc =
  (network: SimNetwork): Tool =>
  async (call) => {
    let zero = false
    let verbose = false
    let udp = false
    let listen = false
    let waitMs: number | undefined
    const rest: string[] = []
    const words = call.argv.slice(1)
    for (let at = 0; at < words.length; at += 1) {
      const word = words[at] as string
      if (!word.startsWith('-') || word === '-') {
        rest.push(word)
        continue
      }
      for (let letter = 1; letter < word.length; letter += 1) {
        const flag = word[letter]
        if (flag === 'z') zero = true
        else if (flag === 'v') verbose = true
        else if (flag === 'u') udp = true
        else if (flag === 'l') listen = true
        else if ('wpqsieIOPTVXx'.includes(flag as string)) {
          const value = word.slice(letter + 1) || (words[++at] ?? '')
          if (flag === 'w') waitMs = Number(value) * 1000
          break
        }
      }
    }
    const busybox = call.place.container !== undefined
    const [host, ports] = rest
    if (listen) {
      call.err('nc: listening is not part of this simulated machine; use a pod with an image that listens\n')
      return 1
    }
    if (host === undefined || ports === undefined) {
      call.err(
        busybox
          ? 'BusyBox v1.37.0 multi-call binary.\n\nUsage: nc [IPADDR PORT]\n'
          : 'usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n',
      )
      return 1
    }
    const found = await resolveHost(askerOf(network, call), call.place.files, host)
    const address = found.addresses[0]
    if (address === undefined) {
      call.err(busybox ? `nc: bad address '${host}'\n` : `nc: getaddrinfo for host "${host}" port ${ports}: Name or service not known\n`)
      return 1
    }
    const [from, until = from] = ports.split('-').map(Number) as [number, number?]
    const protocol = udp ? 'udp' : 'tcp'
    let ok = false
    for (let port = from; port <= (until as number); port += 1) {
      const opened = udp ? network.open(call.place.net, 'udp', address, port) : await openFrom(network, call, address, port)
      // A datagram that nobody answers looks like success.
      const open = opened.outcome === 'open' || (udp && opened.outcome === 'timeout')
      if (!open) {
        const why =
          opened.outcome === 'refused' ? 'Connection refused' : opened.outcome === 'timeout' ? 'Operation timed out' : 'No route to host'
        if (opened.outcome === 'timeout') await call.clock.sleep(waitMs ?? 134_000, call.signal)
        if (opened.outcome === 'unreachable' && !noRoute(opened.why)) await call.clock.sleep(Math.min(waitMs ?? 3050, 3050), call.signal)
        const timed = opened.outcome === 'timeout'
        if (busybox)
          call.err(
            timed && waitMs !== undefined
              ? `nc: ${address} (${address}:${port}): Connection timed out\n`
              : `nc: ${address} (${address}:${port}): ${why.replace('Operation', 'Connection')}\n`,
          )
        else if (verbose)
          call.err(
            timed && waitMs !== undefined
              ? `nc: connect to ${host}${host === address ? '' : ` (${address})`} port ${port} (${protocol}) timed out: Operation now in progress\n`
              : `nc: connect to ${host}${host === address ? '' : ` (${address})`} port ${port} (${protocol}) failed: ${why.replace('Operation', 'Connection')}\n`,
          )
        continue
      }
      ok = true
      if (verbose)
        call.err(
          busybox
            ? `${address} (${address}:${port}) open\n`
            : `Connection to ${host}${host === address ? '' : ` (${address})`} ${port} port [${protocol}/${names[String(port)] ?? '*'}] succeeded!\n`,
        )
      if (zero || opened.outcome !== 'open') continue
      const parts: Uint8Array[] = []
      for await (const part of call.stdin) parts.push(part)
      const sent = Buffer.concat(parts)
      const { listener } = opened
      if (listener.raw) call.out(await listener.raw(sent))
      else if (listener.http && !listener.tls && /^[A-Z]+ \S+ HTTP\/1/.test(sent.toString('latin1'))) {
        const [line = '', ...lines] = sent.toString('latin1').split(/\r?\n/)
        const [method = 'GET', path = '/'] = line.split(' ')
        const headers = Object.fromEntries(
          lines
            .filter((one) => one.includes(':'))
            .map((one) => [(one.split(':')[0] as string).toLowerCase(), one.slice(one.indexOf(':') + 1).trim()]),
        )
        const answer = await listener.http({ method, path, headers, body: new Uint8Array(), from: opened.from })
        call.out(
          `HTTP/1.1 ${answer.status}\r\n${Object.entries(answer.headers)
            .map(([name, value]) => `${name}: ${value}\r\n`)
            .join('')}\r\n`,
        )
        call.out(answer.body)
      } else if (waitMs !== undefined) await call.clock.sleep(waitMs, call.signal)
    }
    return ok ? 0 : 1
  }

export const ping =
  (network: SimNetwork): Tool =>
  async (call) => {
    const words = call.argv.slice(1)
    let count = Number.POSITIVE_INFINITY
    let waitMs = 10_000
    let intervalMs = 1000
    let quiet = false
    let host: string | undefined
    for (let at = 0; at < words.length; at += 1) {
      const word = words[at] as string
      const value = () => Number(word.slice(2) || words[++at])
      if (word.startsWith('-c')) count = value()
      else if (word.startsWith('-W')) waitMs = value() * 1000
      else if (word.startsWith('-i')) intervalMs = value() * 1000
      else if (word.startsWith('-w')) count = Math.min(count, value())
      else if (word === '-q') quiet = true
      else if (/^-[sItM]/.test(word)) at += word.length > 2 ? 0 : 1
      else if (!word.startsWith('-')) host = word
    }
    const busybox = call.place.container !== undefined
    if (host === undefined) {
      call.err(
        busybox
          ? 'BusyBox v1.37.0 multi-call binary.\n\nUsage: ping [OPTIONS] HOST\n'
          : 'ping: usage error: Destination address required\n',
      )
      return busybox ? 1 : 1
    }
    const found = await resolveHost(askerOf(network, call), call.place.files, host)
    const address = found.addresses[0]
    if (address === undefined) {
      call.err(
        busybox
          ? `ping: bad address '${host}'\n`
          : `ping: ${host}: ${found.outcome === 'nxdomain' || found.outcome === 'no-data' ? 'Name or service not known' : 'Temporary failure in name resolution'}\n`,
      )
      return 2
    }
    call.out(busybox ? `PING ${host} (${address}): 56 data bytes\n` : `PING ${host} (${address}) 56(84) bytes of data.\n`)
    let [sent, received] = [0, 0]
    const begin = call.clock.now()
    while (sent < count && !call.signal.aborted) {
      sent += 1
      const answer = network.ping(call.place.net, address)
      if (answer.outcome === 'open') {
        received += 1
        if (!quiet)
          call.out(
            busybox
              ? `64 bytes from ${address}: seq=${sent - 1} ttl=64 time=0.080 ms\n`
              : `64 bytes from ${host === address ? '' : `${host} (`}${address}${host === address ? '' : ')'}: icmp_seq=${sent} ttl=64 time=0.0${50 + network.random.int(40)} ms\n`,
          )
      } else if (answer.outcome === 'unreachable' && !busybox)
        call.out(`From ${call.place.net.addresses()[0] ?? '127.0.0.1'} icmp_seq=${sent} Destination Host Unreachable\n`)
      if (sent < count) await call.clock.sleep(intervalMs, call.signal)
      else if (answer.outcome !== 'open') await call.clock.sleep(Math.min(waitMs, 10_000), call.signal)
    }
    const loss = sent === 0 ? 0 : Math.round(((sent - received) / sent) * 100)
    call.out(
      `\n--- ${host} ${busybox ? 'ping statistics' : 'ping statistics'} ---\n${sent} packets transmitted, ${received} ${busybox ? 'packets received' : 'received'}, ${loss}% packet loss${busybox ? '' : `, time ${call.clock.now() - begin}ms`}\n`,
    )
    if (received > 0)
      call.out(busybox ? 'round-trip min/avg/max = 0.080/0.080/0.080 ms\n' : 'rtt min/avg/max/mdev = 0.050/0.067/0.089/0.012 ms\n')
    else if (!busybox) call.out('\n')
    return received > 0 ? 0 : 1
  }

export const traceroute =
  (network: SimNetwork): Tool =>
  async (call) => {
    const host = call.argv.slice(1).findLast((word) => !word.startsWith('-'))
    if (host === undefined) {
      call.err('Usage: traceroute [OPTION...] host [packetlen]\n')
      return 2
    }
    const found = await resolveHost(askerOf(network, call), call.place.files, host)
    const address = found.addresses[0]
    if (address === undefined || parseIp(address) === undefined) {
      call.err(`${host}: Name or service not known\nCannot handle "host" cmdline arg \`${host}' on position 1 (argc 1)\n`)
      return 2
    }
    call.out(`traceroute to ${host} (${address}), 30 hops max, 60 byte packets\n`)
    const answer = network.ping(call.place.net, address)
    if (answer.outcome === 'open') call.out(` 1  ${host} (${address})  0.061 ms  0.014 ms  0.011 ms\n`)
    else
      for (let hop = 1; hop <= 30 && !call.signal.aborted; hop += 1) {
        await call.clock.sleep(1000, call.signal)
        call.out(`${String(hop).padStart(2)}  * * *\n`)
      }
    return 0
  }
export const tcpdump: Tool = async (call) => {
  call.err(
    'tcpdump: packets cannot be captured on this simulated machine. Use `iptables -nvL` for the counters of rules, `ss`, `curl -v` and `nc -vz` instead.\n',
  )
  return 1
}
