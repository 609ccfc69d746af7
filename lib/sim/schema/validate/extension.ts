// Kinds by which a cluster is extended and joined: certificate signing requests, webhooks, API services, runtime classes, CSI drivers, events.
// Main rules of pkg/apis/{certificates,admissionregistration,node,storage}/validation and kube-aggregator of Kubernetes v1.35 with their texts.
import type { KubeObject } from '../../kube.ts'
import { duplicateValue, invalidValue, notSupported, requiredValue } from '../cause.ts'
import { type Causes, isDns1035, isLabel, isSubdomain } from './names.ts'

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
export function signingRequest({ spec = {} }: KubeObject, out: Causes): undefined {
  const pem = Buffer.from(spec.request ?? '', 'base64').toString()
  if (!/-----BEGIN CERTIFICATE REQUEST-----[\s\S]+-----END CERTIFICATE REQUEST-----/.test(pem))
    out.add(invalidValue('spec.request', spec.request || null, 'PEM block type must be CERTIFICATE REQUEST'))
  if (!spec.usages?.length) out.add(requiredValue('spec.usages'))
  const seen = new Set<string>()
  for (const [index, usage] of (spec.usages ?? []).entries()) {
    if (!usages.includes(usage)) out.add(notSupported(`spec.usages[${index}]`, usage, usages))
    if (seen.has(usage)) out.add(duplicateValue(`spec.usages[${index}]`, usage))
    seen.add(usage)
  }
  signerName(spec.signerName ?? '', out)
  if (typeof spec.expirationSeconds === 'number' && spec.expirationSeconds < 600)
    out.add(invalidValue('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'))
}
function signerName(name: string, out: Causes): undefined {
  const at = 'spec.signerName'
  if (name === '') {
    out.add(requiredValue(at))
    return
  }
  const [domain = '', ...path] = name.split('/')
  if (path.length !== 1) {
    out.add(invalidValue(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    return
  }
  const parts = domain.split('.')
  for (const part of parts)
    for (const message of isLabel(part)) out.add(invalidValue(at, part, `validating label ${JSON.stringify(part)}: ${message}`))
  if (parts.length < 2) out.add(invalidValue(at, domain, 'should be a domain with at least two segments separated by dots'))
  out.check(at, path[0], isSubdomain(path[0] as string))
}
export function runtimeClass(object: KubeObject, out: Causes): undefined {
  out.check('handler', object.handler ?? '', isLabel(object.handler ?? ''))
}
export function csiDriver({ spec = {} }: KubeObject, out: Causes): undefined {
  const policies = ['File', 'None', 'ReadWriteOnceWithFSType']
  if (spec.fsGroupPolicy && !policies.includes(spec.fsGroupPolicy))
    out.add(notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, policies))
}
export function event(object: KubeObject, out: Causes): undefined {
  const involved = object.involvedObject?.namespace ?? ''
  const own = object.metadata?.namespace ?? ''
  // What has no namespace is spoken of in default.
  if (involved === '' ? own !== 'default' && own !== 'kube-system' && own !== '' : involved !== own)
    out.add(invalidValue('involvedObject.namespace', involved, 'does not match event.namespace'))
}
export function webhooks(object: KubeObject, out: Causes): undefined {
  for (const [index, hook] of (object.webhooks ?? []).entries()) {
    const at = `webhooks[${index}]`
    const name: string = hook.name ?? ''
    if (name === '') out.add(requiredValue(`${at}.name`))
    else {
      const wrong = isSubdomain(name)
      if (wrong.length > 0) out.add(invalidValue(`${at}.name`, name, wrong.join(',')))
      else if (name.split('.').length < 3)
        out.add(invalidValue(`${at}.name`, name, 'should be a domain with at least three segments separated by dots'))
    }
    for (const [nth, rule] of (hook.rules ?? []).entries())
      for (const field of ['operations', 'apiGroups', 'apiVersions', 'resources'])
        if (!rule[field]?.length) out.add(requiredValue(`${at}.rules[${nth}].${field}`))
    if (hook.failurePolicy && !['Fail', 'Ignore'].includes(hook.failurePolicy))
      out.add(notSupported(`${at}.failurePolicy`, hook.failurePolicy, ['Fail', 'Ignore']))
    if (hook.matchPolicy && !['Equivalent', 'Exact'].includes(hook.matchPolicy))
      out.add(notSupported(`${at}.matchPolicy`, hook.matchPolicy, ['Equivalent', 'Exact']))
    if (!hook.sideEffects) out.add(requiredValue(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
    else if (!['None', 'NoneOnDryRun'].includes(hook.sideEffects))
      out.add(notSupported(`${at}.sideEffects`, hook.sideEffects, ['None', 'NoneOnDryRun']))
    const seconds = hook.timeoutSeconds
    if (typeof seconds === 'number' && (seconds > 30 || seconds < 1))
      out.add(invalidValue(`${at}.timeoutSeconds`, seconds, 'the timeout value must be between 1 and 30 seconds'))
    const { url, service } = hook.clientConfig ?? {}
    if ((url === undefined) === (service === undefined))
      out.add(requiredValue(`${at}.clientConfig`, 'exactly one of url or service is required'))
    else if (url !== undefined && !/^https:\/\/[^/]/.test(url))
      out.add(
        invalidValue(
          `${at}.clientConfig.url`,
          /^[a-z]+:/.exec(url)?.[0]?.slice(0, -1) ?? '',
          `'https' is the only allowed URL scheme; desired format: https://host[/path]`,
        ),
      )
    else if (service !== undefined) {
      if (!service.name) out.add(requiredValue(`${at}.clientConfig.service.name`, 'service name is required'))
      if (!service.namespace) out.add(requiredValue(`${at}.clientConfig.service.namespace`, 'service namespace is required'))
    }
    if (!hook.admissionReviewVersions?.length) out.add(requiredValue(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'))
  }
}
export function apiService(object: KubeObject, out: Causes): undefined {
  const { group = '', version = '' } = object.spec ?? {}
  const wanted = `${version}.${group}`
  if (object.metadata?.name !== wanted)
    out.add(
      invalidValue('metadata.name', object.metadata?.name ?? '', `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`),
    )
  if (group === '') {
    if (version !== 'v1') out.add(requiredValue('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  } else out.check('spec.group', group, isSubdomain(group))
  out.check('spec.version', version, isDns1035(version))
}
