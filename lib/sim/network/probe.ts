// The grader's own eyes: DNS, TCP, UDP and HTTP as seen from a namespace, with none of the learner's tools or files but the resolver's. Outcomes and
// their lines are those of the probe that runs on real nodes. Knows nothing of scenarios.
import type { Netns } from '../net.ts'
import { type Asker, exchange, interpret, lookup, parseResolvConf } from './dns.ts'
import { parseUrl, request } from './http.ts'
import { parseIp } from './ip.ts'
import type { SimNetwork } from './network.ts'

export type Target =
  | { kind: 'tcp'; host: string; port: number; timeoutMs?: number }
  | { kind: 'udp'; host: string; port: number; timeoutMs?: number }
  | { kind: 'dns'; name: string; server?: string; protocol?: 'udp' | 'tcp'; timeoutMs?: number }
  | { kind: 'http'; url: string; hostHeader?: string; timeoutMs?: number }
export interface ProbeResult {
  outcome: 'open' | 'answered' | 'refused' | 'timeout' | 'unreachable' | 'nxdomain' | 'servfail' | 'no-data' | 'dns-failed'
  addresses: readonly string[]
  status?: number
  body?: string
  detail: string
  millis: number
}

/**
 * @param resolvConf the text of the place's own /etc/resolv.conf; '' when it has none
 * A probe takes of the lab's time what it would really take: `timeoutMs`, default 3000, when a packet is lost.
 */
export async function probe(
  network: SimNetwork,
  from: Netns,
  resolvConf: string,
  target: Target,
  signal?: AbortSignal,
): Promise<ProbeResult> {
  const { clock } = network
  const begin = clock.now()
  const timeoutMs = target.timeoutMs ?? 3000
  const asker: Asker = { network, clock, from, ...(signal ? { signal } : {}) }
  const tell = (result: Omit<ProbeResult, 'millis'>): ProbeResult => ({ ...result, millis: clock.now() - begin })
  const left = () => Math.max(1, begin + timeoutMs - clock.now())
  const conf = parseResolvConf(resolvConf)

  const names = async (name: string, servers: string[], protocol: 'udp' | 'tcp'): Promise<Omit<ProbeResult, 'millis'>> => {
    const share = Math.max(1, Math.floor(left() / servers.length))
    const found = await lookup(asker, { ...conf, servers, attempts: 1, timeout: share }, name, 'A', { protocol })
    return {
      outcome: found.outcome,
      addresses: found.addresses,
      detail: `${found.name} at ${found.server}: ${found.outcome} ${found.addresses.join(' ')}`.trimEnd(),
    }
  }
  const addresses = async (host: string): Promise<readonly string[] | ProbeResult> => {
    if (parseIp(host) !== undefined) return [host]
    const found = await names(host, conf.servers, 'udp')
    return found.outcome === 'answered'
      ? found.addresses
      : tell({ outcome: 'dns-failed', addresses: [], detail: `${host}: DNS ${found.detail}` })
  }
  switch (target.kind) {
    case 'dns': {
      if (target.server !== undefined && target.name.endsWith('.')) {
        const got = await exchange(
          asker,
          target.server,
          { name: target.name, type: 'A' },
          { timeoutMs, protocol: target.protocol ?? 'udp' },
        )
        const result = got.kind === 'answer' ? interpret(got.answer, 'A') : { outcome: got.kind, addresses: [] }
        return tell({ ...result, detail: `${target.name} at ${target.server}: ${result.outcome} ${result.addresses.join(' ')}`.trimEnd() })
      }
      return tell(await names(target.name, target.server === undefined ? conf.servers : [target.server], target.protocol ?? 'udp'))
    }
    case 'tcp': {
      const all = await addresses(target.host)
      if ('outcome' in all) return all
      const opened = network.open(from, 'tcp', all[0] as string, target.port)
      if (opened.outcome === 'timeout') await clock.sleep(left(), signal)
      return tell({ outcome: opened.outcome, addresses: all, detail: `tcp ${all[0]}:${target.port}: ${opened.outcome}` })
    }
    case 'udp': {
      const all = await addresses(target.host)
      if ('outcome' in all) return all
      const opened = network.open(from, 'udp', all[0] as string, target.port)
      const line = (outcome: string) => `udp ${all[0]}:${target.port}: ${outcome}`
      if (opened.outcome !== 'open' || opened.listener.raw === undefined) {
        const outcome = opened.outcome === 'open' ? 'timeout' : opened.outcome
        if (outcome === 'timeout') await clock.sleep(left(), signal)
        return tell({ outcome, addresses: all, detail: line(outcome) })
      }
      const bytes = await opened.listener.raw(Buffer.from('\n'))
      return tell({ outcome: 'answered', addresses: all, body: Buffer.from(bytes).toString('utf8'), detail: line('answered') })
    }
    case 'http': {
      const url = parseUrl(target.url)
      if (url === undefined) return tell({ outcome: 'unreachable', addresses: [], detail: `${target.url} is not an http or https URL` })
      const all = await addresses(url.host)
      if ('outcome' in all) return all
      const place = `${all[0]}:${url.port}`
      const opened = network.open(from, 'tcp', all[0] as string, url.port)
      if (opened.outcome !== 'open') {
        if (opened.outcome === 'timeout') await clock.sleep(left(), signal)
        return tell({ outcome: opened.outcome, addresses: all, detail: `GET ${target.url} at ${place}: ${opened.outcome}` })
      }
      const headers: Record<string, string> = {
        'user-agent': 'curl/8.14.1',
        accept: '*/*',
        ...(target.hostHeader ? { host: target.hostHeader } : {}),
      }
      const got = await request(asker, opened, url, { headers, timeoutMs: left() })
      if (got.kind !== 'answer') {
        const outcome = got.kind === 'timeout' ? 'timeout' : 'refused'
        return tell({ outcome, addresses: all, detail: `GET ${target.url} at ${place}: ${outcome} (${got.kind})` })
      }
      const { status, body } = got.answer
      return tell({
        outcome: 'answered',
        addresses: all,
        status,
        body: Buffer.from(body).subarray(0, 4096).toString('utf8'),
        detail: `GET ${target.url} at ${place}: ${status}`,
      })
    }
  }
}
