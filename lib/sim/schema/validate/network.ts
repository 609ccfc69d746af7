// Services, Endpoints, EndpointSlices, Ingresses, NetworkPolicies: pkg/apis/{core,discovery,networking}/validation of Kubernetes v1.35.
// Knows nothing of allocation: which addresses are free is the API's business.
import { isIP } from 'node:net'
import type { KubeObject } from '../../kube.ts'
import { duplicateValue, forbidden, invalidValue, notSupported, requiredValue } from '../cause.ts'
import {
  type Causes,
  goStruct,
  isAddress,
  isCidr,
  isDns1035,
  isLabel,
  isPort,
  isPortName,
  isPortOrName,
  isQualifiedName,
  isSubdomain,
  isWildcardSubdomain,
  labelSelector,
  labels,
  notCidr,
  parseCidr,
} from './names.ts'

const protocols = ['SCTP', 'TCP', 'UDP']
const portNames = ['Name=""', 'Protocol=""', 'AppProtocol', 'Port=0', 'TargetPort=0', 'NodePort=0']
export function service({ spec }: KubeObject, out: Causes): undefined {
  const ports: KubeObject[] = spec.ports ?? []
  const headless = spec.clusterIP === 'None'
  const external = spec.type === 'ExternalName'
  if (ports.length === 0 && !headless && !external) out.add(requiredValue('spec.ports'))
  if (spec.type === 'LoadBalancer')
    for (const [index, port] of ports.entries())
      if (port.port === 10250)
        out.add(invalidValue(`spec.ports[${index}]`, 10250, 'may not expose port 10250 externally since it is used by kubelet'))
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && headless)
    out.add(invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  if (external) {
    if (spec.clusterIP || spec.clusterIPs?.length) out.add(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'))
    if (spec.ipFamilies?.length) out.add(forbidden('spec.ipFamilies', 'may not be set for ExternalName services'))
    if (spec.ipFamilyPolicy) out.add(forbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'))
    const name = (spec.externalName ?? '').replace(/\.$/, '')
    if (name) out.check('spec.externalName', name, isSubdomain(name))
    else out.add(requiredValue('spec.externalName'))
  }
  const names = new Set<string>()
  for (const [index, port] of ports.entries()) servicePort(port, ports.length > 1, names, `spec.ports[${index}]`, out)
  labels(spec.selector, 'spec.selector', out)
  if (!['ClientIP', 'None'].includes(spec.sessionAffinity))
    out.add(notSupported('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']))
  if (spec.sessionAffinity === 'ClientIP') {
    const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds
    if (typeof seconds !== 'number' || seconds <= 0 || seconds > 86400)
      out.add(invalidValue('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, 'must be greater than 0 and less than 86400'))
  }
  addresses(spec, out)
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    out.check(`spec.externalIPs[${index}]`, ip, isAddress(ip))
    if (isIP(ip) !== 0) special(ip, `spec.externalIPs[${index}]`, out)
  }
  const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
  if (!spec.type) out.add(requiredValue('spec.type'))
  else if (!types.includes(spec.type)) out.add(notSupported('spec.type', spec.type, types))
  if (spec.type === 'ClusterIP' || external)
    for (const [index, port] of ports.entries())
      if (port.nodePort) out.add(forbidden(`spec.ports[${index}].nodePort`, `may not be used when \`type\` is '${spec.type}'`))
  const once = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const key = `${port.protocol}/${port.port}`
    if (once.has(key)) out.add(duplicateValue(`spec.ports[${index}]`, goStruct({ protocol: port.protocol, port: port.port }, portNames)))
    once.add(key)
  }
  ranges(spec, out)
  traffic(spec, out)
  if (spec.loadBalancerClass) {
    if (spec.type !== 'LoadBalancer') out.add(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
    out.check('spec.loadBalancerClass', spec.loadBalancerClass, isQualifiedName(spec.loadBalancerClass))
  }
}
function servicePort(port: KubeObject, needsName: boolean, names: Set<string>, at: string, out: Causes): undefined {
  if (needsName && !port.name) out.add(requiredValue(`${at}.name`))
  else if (port.name) {
    out.check(`${at}.name`, port.name, port.name.includes('.') ? ['must not contain dots'] : isLabel(port.name))
    if (names.has(port.name)) out.add(duplicateValue(`${at}.name`, port.name))
    names.add(port.name)
  }
  out.check(`${at}.port`, port.port ?? 0, isPort(port.port ?? 0))
  if (!port.protocol) out.add(requiredValue(`${at}.protocol`))
  else if (!protocols.includes(port.protocol)) out.add(notSupported(`${at}.protocol`, port.protocol, protocols))
  out.check(`${at}.targetPort`, port.targetPort, isPortOrName(port.targetPort))
  if (port.appProtocol) out.check(`${at}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol))
}
function special(ip: string, at: string, out: Causes): undefined {
  if (ip === '0.0.0.0' || ip === '::')
    out.add(invalidValue(at, ip, `may not be unspecified (${ip === '::' ? '::' : '0.0.0.0'} or ::)`.replace(':: or ::', '0.0.0.0 or ::')))
  if (ip.startsWith('127.') || ip === '::1') out.add(invalidValue(at, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  if (ip.startsWith('169.254.') || /^fe[89ab]/i.test(ip))
    out.add(invalidValue(at, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  if (ip.startsWith('224.0.0.') || /^ff02:/i.test(ip))
    out.add(invalidValue(at, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
}
function addresses(spec: KubeObject, out: Causes): undefined {
  if (spec.type === 'ExternalName') return
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
  if (spec.ipFamilyPolicy && !policies.includes(spec.ipFamilyPolicy))
    out.add(notSupported('spec.ipFamilyPolicy', spec.ipFamilyPolicy, policies))
  for (const [index, family] of (spec.ipFamilies ?? []).entries())
    if (!['IPv4', 'IPv6'].includes(family)) out.add(notSupported(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']))
  const ips: string[] = spec.clusterIPs?.length ? spec.clusterIPs : spec.clusterIP ? [spec.clusterIP] : []
  for (const [index, ip] of ips.entries()) {
    if (ip === 'None') {
      if (ips.length > 1) out.add(invalidValue('spec.clusterIPs', ips, "'None' must be the first and only value"))
    } else out.check(`spec.clusterIPs[${index}]`, ip, isAddress(ip))
  }
}
function ranges(spec: KubeObject, out: Causes): undefined {
  if (!spec.loadBalancerSourceRanges?.length) return
  const at = 'spec.LoadBalancerSourceRanges'
  if (spec.type !== 'LoadBalancer') out.add(forbidden(at, "may only be used when `type` is 'LoadBalancer'"))
  for (const [index, cidr] of spec.loadBalancerSourceRanges.entries()) out.check(`${at}[${index}]`, cidr.trim(), isCidr(cidr.trim()))
}
function traffic(spec: KubeObject, out: Causes): undefined {
  const outside = spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && spec.externalIPs?.length)
  if (spec.externalTrafficPolicy) {
    if (!outside)
      out.add(invalidValue('spec.externalTrafficPolicy', spec.externalTrafficPolicy, 'may only be set for externally-accessible services'))
    else if (!['Cluster', 'Local'].includes(spec.externalTrafficPolicy))
      out.add(notSupported('spec.externalTrafficPolicy', spec.externalTrafficPolicy, ['Cluster', 'Local']))
  }
  if (spec.healthCheckNodePort && !(spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'))
    out.add(
      invalidValue(
        'spec.healthCheckNodePort',
        spec.healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    )
  if (spec.internalTrafficPolicy && !['Cluster', 'Local'].includes(spec.internalTrafficPolicy))
    out.add(notSupported('spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']))
}

export function endpoints(object: KubeObject, out: Causes): undefined {
  for (const [index, subset] of (object.subsets ?? []).entries()) {
    const at = `subsets[${index}]`
    if (!subset.addresses?.length && !subset.notReadyAddresses?.length)
      out.add(requiredValue(at, 'must specify `addresses` or `notReadyAddresses`'))
    for (const list of ['addresses', 'notReadyAddresses'])
      for (const [nth, { ip, hostname }] of (subset[list] ?? []).entries()) {
        const own = `${at}.${list}[${nth}]`
        out.check(`${own}.ip`, ip ?? '', isAddress(ip ?? ''))
        if (hostname) out.check(`${own}.hostname`, hostname, isLabel(hostname))
        if (isIP(ip ?? '') === 0) out.add(invalidValue(`${own}.ip`, ip ?? '', 'must be a valid IP address'))
        else special(ip, `${own}.ip`, out)
      }
    for (const [nth, port] of (subset.ports ?? []).entries()) {
      const own = `${at}.ports[${nth}]`
      if (subset.ports.length > 1 && !port.name) out.add(requiredValue(`${own}.name`))
      else if (port.name) out.check(`${own}.name`, port.name, isLabel(port.name))
      out.check(`${own}.port`, port.port ?? 0, isPort(port.port ?? 0))
      if (!protocols.includes(port.protocol)) out.add(notSupported(`${own}.protocol`, port.protocol, protocols))
    }
  }
}
export function endpointSlice(object: KubeObject, out: Causes): undefined {
  const types = ['FQDN', 'IPv4', 'IPv6']
  if (!object.addressType) out.add(requiredValue('addressType'))
  else if (!types.includes(object.addressType)) out.add(notSupported('addressType', object.addressType, types))
  const names = new Set<string>()
  for (const [index, port] of (object.ports ?? []).entries()) {
    const at = `ports[${index}]`
    if (port.name) out.check(`${at}.name`, port.name, isLabel(port.name))
    if (names.has(port.name ?? '')) out.add(duplicateValue(`${at}.name`, port.name ?? ''))
    names.add(port.name ?? '')
    if (port.protocol && !protocols.includes(port.protocol)) out.add(notSupported(`${at}.protocol`, port.protocol, protocols))
  }
  for (const [index, endpoint] of (object.endpoints ?? []).entries()) {
    const at = `endpoints[${index}]`
    if (!endpoint.addresses?.length) out.add(requiredValue(`${at}.addresses`, 'must contain at least 1 address'))
    for (const [nth, address] of (endpoint.addresses ?? []).entries()) {
      const own = `${at}.addresses[${nth}]`
      if (object.addressType === 'FQDN') out.check(own, address, isSubdomain(address))
      else if (object.addressType === 'IPv4' || object.addressType === 'IPv6') {
        if (isIP(address) === 0) out.check(own, address, isAddress(address))
        else if (isIP(address) !== (object.addressType === 'IPv4' ? 4 : 6))
          out.add(invalidValue(own, address, `must be an ${object.addressType} address`))
        else special(address, own, out)
      }
    }
    if (endpoint.hostname) out.check(`${at}.hostname`, endpoint.hostname, isLabel(endpoint.hostname))
    if (endpoint.nodeName) out.check(`${at}.nodeName`, endpoint.nodeName, isSubdomain(endpoint.nodeName))
  }
}

export function ingress({ spec }: KubeObject, out: Causes): undefined {
  if (spec.rules?.length) for (const [index, rule] of spec.rules.entries()) ingressRule(rule, `spec.rules[${index}]`, out)
  else if (!spec.defaultBackend) out.add(invalidValue('spec', null, 'either `defaultBackend` or `rules` must be specified'))
  for (const [index, tls] of (spec.tls ?? []).entries()) {
    for (const [nth, host] of (tls.hosts ?? []).entries())
      out.check(`spec.tls[${index}].hosts[${nth}]`, host, host.includes('*') ? isWildcardSubdomain(host) : isSubdomain(host))
    if (tls.secretName) out.check(`spec.tls[${index}].secretName`, tls.secretName, isSubdomain(tls.secretName))
  }
  if (spec.defaultBackend) backend(spec.defaultBackend, 'spec.defaultBackend', out)
  if (spec.ingressClassName) out.check('spec.ingressClassName', spec.ingressClassName, isSubdomain(spec.ingressClassName))
}
function ingressRule(rule: KubeObject, at: string, out: Causes): undefined {
  if (rule.host) {
    if (isIP(rule.host) !== 0) out.add(invalidValue(`${at}.host`, rule.host, 'must be a DNS name, not an IP address'))
    else out.check(`${at}.host`, rule.host, rule.host.includes('*') ? isWildcardSubdomain(rule.host) : isSubdomain(rule.host))
  }
  if (!rule.http) return
  if (!rule.http.paths?.length) out.add(requiredValue(`${at}.http.paths`))
  for (const [index, path] of (rule.http.paths ?? []).entries()) ingressPath(path, `${at}.http.paths[${index}]`, out)
}
function ingressPath(path: KubeObject, at: string, out: Causes): undefined {
  const types = ['Exact', 'ImplementationSpecific', 'Prefix']
  const text: string = path.path ?? ''
  if (!path.pathType) return out.add(requiredValue(`${at}.pathType`, 'pathType must be specified'))
  if (!types.includes(path.pathType)) out.add(notSupported(`${at}.pathType`, path.pathType, types))
  else if (path.pathType === 'ImplementationSpecific') {
    if (text && !text.startsWith('/')) out.add(invalidValue(`${at}.path`, text, 'must be an absolute path'))
  } else {
    if (!text.startsWith('/')) out.add(invalidValue(`${at}.path`, text, 'must be an absolute path'))
    if (text) {
      for (const sequence of ['//', '/./', '/../', '%2f', '%2F'])
        if (text.includes(sequence)) out.add(invalidValue(`${at}.path`, text, `must not contain '${sequence}'`))
      for (const suffix of ['/..', '/.'])
        if (text.endsWith(suffix)) out.add(invalidValue(`${at}.path`, text, `cannot end with '${suffix}'`))
    }
  }
  backend(path.backend ?? {}, `${at}.backend`, out)
}
function backend(value: KubeObject, at: string, out: Causes): undefined {
  if (value.resource && value.service) return out.add(invalidValue(at, '', 'cannot set both resource and service backends'))
  if (value.resource) {
    if (!value.resource.kind) out.add(requiredValue(`${at}.resource.kind`))
    if (!value.resource.name) out.add(requiredValue(`${at}.resource.name`))
    return
  }
  if (!value.service) return out.add(invalidValue(at, '', 'resource or service backend is required'))
  if (!value.service.name) out.add(requiredValue(`${at}.service.name`))
  else out.check(`${at}.service.name`, value.service.name, isDns1035(value.service.name))
  const { name, number } = value.service.port ?? {}
  if (name && number) out.add(invalidValue(at, '', 'cannot set both port name & port number'))
  else if (name) out.check(`${at}.service.port.name`, name, isPortName(name))
  else if (number) out.check(`${at}.service.port.number`, number, isPort(number))
  else out.add(requiredValue(at, 'port name or number is required'))
}
export function ingressClass({ spec }: KubeObject, out: Causes): undefined {
  const controller: string = spec.controller ?? ''
  if (controller.length > 250)
    out.add({ reason: 'FieldValueTooLong', message: 'Too long: may not be more than 250 bytes', field: 'spec.controller' })
  const [domain = '', ...path] = controller.split('/')
  if (controller === '') out.add(requiredValue('spec.controller'))
  else if (path.length === 0 || path[0] === '' || domain === '')
    out.add(invalidValue('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  else out.check('spec.controller', domain, isSubdomain(domain))
  const parameters = spec.parameters
  if (!parameters) return
  if (!parameters.kind) out.add(requiredValue('spec.parameters.kind', 'kind is required'))
  if (!parameters.name) out.add(requiredValue('spec.parameters.name', 'name is required'))
  if (parameters.scope === 'Namespace' && !parameters.namespace)
    out.add(requiredValue('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"))
  if (parameters.scope === 'Cluster' && parameters.namespace)
    out.add(forbidden('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"))
}

export function networkPolicy({ spec }: KubeObject, out: Causes): undefined {
  labelSelector(spec.podSelector, 'spec.podSelector', out)
  for (const [index, rule] of (spec.ingress ?? []).entries()) rules(rule, 'from', `spec.ingress[${index}]`, out)
  for (const [index, rule] of (spec.egress ?? []).entries()) rules(rule, 'to', `spec.egress[${index}]`, out)
  const types: string[] = spec.policyTypes ?? []
  if (types.length > 2) return out.add(invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes'))
  for (const [index, type] of types.entries())
    if (type !== 'Ingress' && type !== 'Egress') out.add(notSupported(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']))
}
function rules(rule: KubeObject, peers: 'from' | 'to', at: string, out: Causes): undefined {
  for (const [index, port] of (rule.ports ?? []).entries()) {
    const own = `${at}.ports[${index}]`
    if (port.protocol && !['TCP', 'UDP', 'SCTP'].includes(port.protocol))
      out.add(notSupported(`${own}.protocol`, port.protocol, ['TCP', 'UDP', 'SCTP']))
    if (port.port !== undefined) {
      out.check(`${own}.port`, port.port, isPortOrName(port.port))
      if (port.endPort !== undefined) {
        if (typeof port.port === 'string')
          out.add(invalidValue(`${own}.endPort`, port.endPort, 'may not be specified when `port` is non-numeric'))
        else {
          if (port.endPort < port.port) out.add(invalidValue(`${own}.endPort`, port.port, 'must be greater than or equal to `port`'))
          out.check(`${own}.endPort`, port.endPort, isPort(port.endPort))
        }
      }
    } else if (port.endPort !== undefined)
      out.add(invalidValue(`${own}.endPort`, port.endPort, 'may not be specified when `port` is not specified'))
  }
  for (const [index, peer] of (rule[peers] ?? []).entries()) {
    const own = `${at}.${peers}[${index}]`
    if (peer.podSelector) labelSelector(peer.podSelector, `${own}.podSelector`, out)
    if (peer.namespaceSelector) labelSelector(peer.namespaceSelector, `${own}.namespaceSelector`, out)
    if (peer.ipBlock) ipBlock(peer.ipBlock, `${own}.ipBlock`, out)
    if (!peer.podSelector && !peer.namespaceSelector && !peer.ipBlock) out.add(requiredValue(own, 'must specify a peer'))
    else if (peer.ipBlock && (peer.podSelector || peer.namespaceSelector))
      out.add(forbidden(own, 'may not specify both ipBlock and another peer'))
  }
}
function ipBlock({ cidr, except }: KubeObject, at: string, out: Causes): undefined {
  if (!cidr) return out.add(requiredValue(`${at}.cidr`))
  const whole = parseCidr(cidr)
  out.check(`${at}.cidr`, cidr, isCidr(cidr))
  for (const [index, part] of (except ?? []).entries()) {
    const own = `${at}.except[${index}]`
    const inner = parseCidr(part)
    if (!inner) out.add(invalidValue(own, part, notCidr))
    else if (whole) {
      const [address, length, bits] = whole
      const shift = BigInt(bits - length)
      if (bits !== inner[2] || address >> shift !== inner[0] >> shift || inner[1] <= length)
        out.add(invalidValue(own, part, 'must be a strict subset of `cidr`'))
    }
  }
}
