// What the grader says, in both languages a learner reads: what a condition expects, in a line. Looks at nothing.
import type { ObjectRef } from '#lib/cluster/index.ts'
import type { Text } from '#lib/protocol/index.ts'
import type { AnyCondition } from '#lib/scenario/index.ts'

type Body<K extends AnyCondition['kind']> = Extract<AnyCondition, { kind: K }>['body']
export type From = Body<'reach'>['from']
export type To = Body<'reach'>['to']

/** A line in both languages. */
export const say = (en: string, ko: string): Text => ({ en, ko })
/** What reads the same in both: names, output of programs, data. */
export const plain = (line: string): Text => ({ en: line, ko: line })

export const labels = (selector: Readonly<Record<string, string>>): string =>
  Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
/** An object as a person would name it. */
export const refText = (ref: ObjectRef): string =>
  `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name ?? (ref.selector ? labels(ref.selector) : '*')}`
export const notThere = (what: string): Text => say(`${what} is not there`, `${what}이(가) 없습니다`)

function fromText(from: From, quantifier: 'every' | 'any'): Text {
  const every = quantifier === 'every'
  if (!('nodes' in from)) {
    const pods = `${from.pods.namespace}/${Object.values(from.pods.selector).join(',')}`
    return say(`from ${quantifier} pod ${pods}`, every ? `모든 ${pods} 파드에서` : `${pods} 파드 중 하나 이상에서`)
  }
  if (Array.isArray(from.nodes))
    return say(`from ${every ? '' : 'one of '}${from.nodes.join(', ')}`, `${from.nodes.join(', ')}${every ? '에서' : ' 중 하나 이상에서'}`)
  const [en, ko] = from.nodes === 'all' ? ['node', '노드'] : ['worker', '워커 노드']
  return say(`from ${quantifier} ${en}`, every ? `모든 ${ko}에서` : `하나 이상의 ${ko}에서`)
}
function toText(to: To): Text {
  if ('service' in to) {
    const name = `${to.service.namespace}/${to.service.name}:${to.port}`
    return to.fresh ? say(`a service made now like ${name}`, `${name}와(과) 같은 새 서비스`) : say(`service ${name}`, `서비스 ${name}`)
  }
  if ('pods' in to) {
    const name = `${to.pods.namespace}/${Object.values(to.pods.selector).join(',')}:${to.port}`
    return say(`pods ${name}`, `파드 ${name}`)
  }
  return plain('node' in to ? `${to.node}:${to.port}` : `${to.host}:${to.port}`)
}

const outcomes: Record<string, string> = {
  open: '열려 있음',
  refused: '거부됨',
  timeout: '시간 초과',
  closed: '열려 있지 않음',
  answered: '응답함',
  failed: '응답하지 않음',
  nxdomain: 'NXDOMAIN',
  servfail: 'SERVFAIL',
}

/** What a condition expects, in a line, without looking. */
export function expectedOf(condition: AnyCondition): Text {
  const { kind, body } = condition
  switch (kind) {
    case 'resource':
      return body.describe ?? plain(`${refText(body)}: ${body.expect ?? JSON.stringify(body.match)}`)
    case 'absent':
      return say(`${refText(body)} is not there`, `${refText(body)}이(가) 없어야 합니다`)
    case 'rollout': {
      const name = `${body.kind} ${body.namespace}/${body.name}`
      return body.everyNode
        ? say(`${name} has a ready pod on every node`, `${name}의 준비된 파드가 모든 노드에 있어야 합니다`)
        : say(`${name} is rolled out and ready`, `${name}의 롤아웃이 끝나고 준비되어야 합니다`)
    }
    case 'reach': {
      const [to, from] = [toText(body.to), fromText(body.from, body.quantifier)]
      return say(
        `${to.en} over ${body.protocol} is ${body.expect} ${from.en}`,
        `${from.ko} ${to.ko}(${body.protocol}): ${outcomes[body.expect]}`,
      )
    }
    case 'dns': {
      const from = fromText(body.from, body.quantifier)
      return say(`${body.name} is ${body.expect} ${from.en}`, `${from.ko} ${body.name} 질의: ${outcomes[body.expect]}`)
    }
    case 'http': {
      const [to, from] = [toText(body.to), fromText(body.from, body.quantifier)]
      const status = body.status ? ` ${body.status}` : ''
      return body.expect === 'failed'
        ? say(`${to.en}${body.path} fails ${from.en}`, `${from.ko} ${to.ko}${body.path} 요청이 실패해야 합니다`)
        : say(`${to.en}${body.path} answers${status} ${from.en}`, `${from.ko} ${to.ko}${body.path}이(가)${status} 응답해야 합니다`)
    }
    case 'logs':
      return body.expect === 'present'
        ? say(`a log line that matches /${body.match}/`, `/${body.match}/에 맞는 로그가 있어야 합니다`)
        : say(`no log line that matches /${body.match}/`, `/${body.match}/에 맞는 로그가 없어야 합니다`)
    case 'unit': {
      const state = `${body.active}${body.enabled ? `, ${body.enabled}` : ''}`
      return say(`${body.name} on ${body.node} is ${state}`, `${body.node}의 ${body.name}: ${state}`)
    }
    case 'file':
      return body.exists
        ? say(`${body.path} on ${body.at} is as it must be`, `${body.at}의 ${body.path} 내용이 올바라야 합니다`)
        : say(`${body.path} on ${body.at} is not there`, `${body.at}에 ${body.path}이(가) 없어야 합니다`)
    case 'canI': {
      const who = body.serviceAccount ?? body.user ?? ''
      const what = `${body.verb} ${body.resource}`
      return body.expect
        ? say(`${who} may ${what}`, `${who}에게 ${what} 권한이 있어야 합니다`)
        : say(`${who} may not ${what}`, `${who}에게 ${what} 권한이 없어야 합니다`)
    }
    case 'harmless':
      return say(
        'nothing else was removed, scaled down, cordoned, tainted or given more privilege',
        '다른 것을 지우거나 줄이거나 격리하거나 권한을 높이지 않아야 합니다',
      )
    case 'answer':
    case 'script':
      return body.describe
  }
}
