// What can be reached from a node or a pod, and the state of a node's units, as the grader's own program sees them.
import type { ProbeResult, Target } from '../port.ts'
import type { Grader, GraderRequest } from './grader.ts'

const outcomes = new Set<string>(['open', 'answered', 'refused', 'timeout', 'unreachable', 'nxdomain', 'servfail', 'no-data', 'dns-failed'])
const isOutcome = (value: unknown): value is ProbeResult['outcome'] => outcomes.has(String(value))

function requestOf(target: Target): { op: string } & Record<string, unknown> {
  const { timeoutMs } = target
  const timed = timeoutMs === undefined ? {} : { timeoutMs }
  switch (target.kind) {
    case 'tcp':
    case 'udp':
      return { op: target.kind, host: target.host, port: target.port, ...timed }
    case 'dns':
      return {
        op: 'dns',
        name: target.name,
        type: 'A',
        ...(target.server ? { server: target.server } : {}),
        ...(target.protocol ? { protocol: target.protocol } : {}),
        ...timed,
      }
    case 'http':
      return { op: 'http', url: target.url, ...(target.hostHeader ? { host: target.hostHeader } : {}), ...timed }
  }
}
const said = (target: Target): string =>
  target.kind === 'dns'
    ? `${target.name}${target.server ? ` at ${target.server}` : ''}`
    : target.kind === 'http'
      ? target.url
      : `${target.host}:${target.port}`

/** @throws LabError not-found (no such pod there), internal when the grader could not look */
export async function probe(
  grader: Grader,
  from: { pid: number; podUid?: string },
  target: Target,
  signal?: AbortSignal,
): Promise<ProbeResult> {
  const request: GraderRequest = { ...requestOf(target), ...from }
  const answer = await grader.one(request, signal)
  const addresses = Array.isArray(answer.addresses)
    ? answer.addresses.map(String)
    : typeof answer.address === 'string' && answer.address
      ? [answer.address]
      : []
  const outcome = isOutcome(answer.outcome) ? answer.outcome : 'unreachable'
  const status = typeof answer.status === 'number' && answer.status > 0 ? answer.status : undefined
  return {
    outcome,
    addresses,
    ...(status === undefined ? {} : { status }),
    ...(typeof answer.body === 'string' ? { body: answer.body } : {}),
    detail:
      typeof answer.detail === 'string' && answer.detail
        ? answer.detail
        : `${said(target)}: ${outcome}${status === undefined ? '' : `, status ${status}`}${addresses.length > 0 ? ` (${addresses.join(', ')})` : ''}`,
    millis: typeof answer.millis === 'number' ? answer.millis : 0,
  }
}

/** systemd's words, `not-found` under load for a unit that does not exist */
export async function unit(
  grader: Grader,
  pid: number,
  name: string,
): Promise<{ load: string; active: string; sub: string; enabled: string; pid: number }> {
  const answer = await grader.one({ op: 'unit', pid, name: /\.\w+$/.test(name) ? name : `${name}.service` })
  const text = (key: string) => String(answer[key] ?? '')
  return { load: text('load'), active: text('active'), sub: text('sub'), enabled: text('enabled'), pid: Number(answer.mainPid ?? 0) }
}
