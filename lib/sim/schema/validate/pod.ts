// Pods and pod templates: pkg/apis/core/validation of Kubernetes v1.35, its main rules, their texts and their order. Knows nothing of other
// kinds, and not what Windows, device claims or storage drivers of vendors ask.
import type { KubeObject } from '../../kube.ts'
import { duplicateValue, forbidden, invalidValue, notFound, notSupported, requiredValue } from '../cause.ts'
import { compareQuantities, nanoOf } from '../quantity.ts'
import { fieldRef, resourceFieldRef } from './downward.ts'
import {
  between,
  type Causes,
  goStruct,
  isAddress,
  isDotlessLabel,
  isEnvName,
  isId,
  isLabel,
  isLabelValue,
  isPort,
  isPortName,
  isPortOrName,
  isQualifiedName,
  isSearchDomain,
  isSubdomain,
  labelSelector,
  labels,
} from './names.ts'
import { nodeTerm } from './terms.ts'
import { descending, volumes } from './volumes.ts'

const label = (text: string): string[] => (text.includes('.') ? isDotlessLabel(text) : isLabel(text))

export function podSpec(spec: KubeObject, at: string, meta: KubeObject, out: Causes): undefined {
  const names = volumes(spec.volumes, `${at}.volumes`, out)
  containers(spec, names, at, out)
  if (spec.hostNetwork) hostNetworkPorts(spec, at, out)
  if (!['Always', 'OnFailure', 'Never'].includes(spec.restartPolicy))
    out.add(
      spec.restartPolicy
        ? notSupported(`${at}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never'])
        : requiredValue(`${at}.restartPolicy`),
    )
  const policies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
  if (!policies.includes(spec.dnsPolicy))
    out.add(spec.dnsPolicy ? notSupported(`${at}.dnsPolicy`, spec.dnsPolicy, policies) : requiredValue(`${at}.dnsPolicy`))
  labels(spec.nodeSelector, `${at}.nodeSelector`, out)
  podSecurity(spec, at, out)
  affinity(spec.affinity, `${at}.affinity`, out)
  dnsConfig(spec, `${at}.dnsConfig`, out)
  for (const [index, gate] of (spec.readinessGates ?? []).entries())
    out.check(`${at}.readinessGates[${index}].conditionType`, gate.conditionType ?? '', isQualifiedName(gate.conditionType ?? ''))
  for (const [index, gate] of (spec.schedulingGates ?? []).entries())
    out.check(`${at}.schedulingGates[${index}]`, gate.name ?? '', isQualifiedName(gate.name ?? ''))
  spread(spec.topologySpreadConstraints, `${at}.topologySpreadConstraints`, out)
  if (spec.serviceAccountName) out.check(`${at}.serviceAccountName`, spec.serviceAccountName, isSubdomain(spec.serviceAccountName))
  if (spec.nodeName) out.check(`${at}.nodeName`, spec.nodeName, isSubdomain(spec.nodeName))
  const deadline = spec.activeDeadlineSeconds
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2147483647))
    out.add(invalidValue(`${at}.activeDeadlineSeconds`, deadline, between(1, 2147483647)))
  if (spec.hostname) out.check(`${at}.hostname`, spec.hostname, label(spec.hostname))
  if (spec.subdomain) out.check(`${at}.subdomain`, spec.subdomain, label(spec.subdomain))
  tolerations(spec.tolerations, `${at}.tolerations`, out)
  for (const [index, alias] of (spec.hostAliases ?? []).entries()) {
    out.check(`${at}.hostAliases[${index}].ip`, alias.ip ?? '', isAddress(alias.ip ?? ''))
    for (const [nth, name] of (alias.hostnames ?? []).entries())
      out.check(`${at}.hostAliases[${index}].hostnames[${nth}]`, name, isSubdomain(name))
  }
  if (spec.priorityClassName) out.check(`${at}.priorityClassName`, spec.priorityClassName, isSubdomain(spec.priorityClassName))
  if (spec.runtimeClassName) out.check(`${at}.runtimeClassName`, spec.runtimeClassName, isSubdomain(spec.runtimeClassName))
  if (spec.preemptionPolicy && !['PreemptLowerPriority', 'Never'].includes(spec.preemptionPolicy))
    out.add(notSupported(`${at}.preemptionPolicy`, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']))
  if (spec.os && !['linux', 'windows'].includes(spec.os.name))
    out.add(spec.os.name ? notSupported(`${at}.os`, spec.os.name, ['linux', 'windows']) : requiredValue(`${at}.os.name`, 'cannot be empty'))
  void meta
}

/** rules of pods alone, not of templates */
export function podOnly(pod: KubeObject, out: Causes): undefined {
  const { spec } = pod
  if (pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined && !spec.nodeName)
    out.add(
      invalidValue(
        'metadata.annotations[kubernetes.io/config.mirror]',
        pod.metadata.annotations['kubernetes.io/config.mirror'],
        'must set spec.nodeName if mirror pod annotation is set',
      ),
    )
}
export function podOnlyAfter(pod: KubeObject, out: Causes): undefined {
  const { spec } = pod
  if (!spec.serviceAccountName)
    for (const [index, volume] of (spec.volumes ?? []).entries())
      for (const [nth, source] of (volume.projected?.sources ?? []).entries())
        if (source.serviceAccountToken)
          out.add(
            forbidden(
              `spec.volumes[${index}].projected.sources[${nth}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          )
  for (const list of ['containers', 'initContainers'])
    for (const [index, container] of (spec[list] ?? []).entries())
      if (container.image && container.image.trim() !== container.image)
        out.add(invalidValue(`spec.${list}[${index}].image`, container.image, 'must not have leading or trailing whitespace'))
}

function containers(spec: KubeObject, names: ReadonlySet<string>, at: string, out: Causes): undefined {
  const grace = spec.terminationGracePeriodSeconds
  const claims = (spec.resourceClaims ?? []).map((claim: KubeObject) => claim.name)
  const seen = new Set<string>()
  if (!spec.containers?.length) out.add(requiredValue(`${at}.containers`))
  for (const [index, container] of (spec.containers ?? []).entries()) {
    const own = `${at}.containers[${index}]`
    common(container, names, claims, own, out)
    if (seen.has(container.name)) out.add(duplicateValue(`${own}.name`, container.name))
    seen.add(container.name)
    running(container, grace, own, out)
    if (container.restartPolicy !== undefined) restartPolicy(container.restartPolicy, own, out)
  }
  hostPorts(spec.containers ?? [], `${at}.containers`, out)
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    const own = `${at}.initContainers[${index}]`
    common(container, names, claims, own, out)
    if (container.restartPolicy !== undefined) restartPolicy(container.restartPolicy, own, out)
    if (seen.has(container.name)) out.add(duplicateValue(`${own}.name`, container.name))
    else if (container.name) seen.add(container.name)
    if (container.restartPolicy === 'Always') running(container, grace, own, out)
    else
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
        if (container[field]) out.add(forbidden(`${own}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
  }
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
    const own = `${at}.ephemeralContainers[${index}]`
    common(container, names, claims, own, out)
    if (seen.has(container.name)) out.add(duplicateValue(`${own}.name`, container.name))
    seen.add(container.name)
    for (const field of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'])
      if (container[field]) out.add(forbidden(`${own}.${field}`, 'cannot be set for an Ephemeral Container'))
    if (Object.keys(container.resources ?? {}).length > 0)
      out.add(forbidden(`${own}.resources`, 'cannot be set for an Ephemeral Container'))
    if (
      container.targetContainerName &&
      ![...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(
        (other: KubeObject) => other.name === container.targetContainerName,
      )
    )
      out.add(notFound(`${own}.targetContainerName`, container.targetContainerName))
  }
}
function restartPolicy(policy: string, own: string, out: Causes): undefined {
  if (!['Always', 'Never', 'OnFailure'].includes(policy))
    out.add(notSupported(`${own}.restartPolicy`, policy, ['Always', 'Never', 'OnFailure']))
}
function running(container: KubeObject, grace: number, own: string, out: Causes): undefined {
  const { lifecycle } = container
  if (lifecycle?.postStart) handler(lifecycle.postStart, grace, `${own}.lifecycle.postStart`, out)
  if (lifecycle?.preStop) handler(lifecycle.preStop, grace, `${own}.lifecycle.preStop`, out)
  probe(container.livenessProbe, grace, `${own}.livenessProbe`, out, true)
  probe(container.readinessProbe, grace, `${own}.readinessProbe`, out, false)
  if (container.readinessProbe?.terminationGracePeriodSeconds !== undefined)
    out.add(
      invalidValue(
        `${own}.readinessProbe.terminationGracePeriodSeconds`,
        container.readinessProbe.terminationGracePeriodSeconds,
        'must not be set for readinessProbes',
      ),
    )
  probe(container.startupProbe, grace, `${own}.startupProbe`, out, true)
}
function common(container: KubeObject, names: ReadonlySet<string>, claims: readonly string[], own: string, out: Causes): undefined {
  out.required(`${own}.name`, container.name, label)
  if (!container.image) out.add(requiredValue(`${own}.image`))
  if (!['File', 'FallbackToLogsOnError'].includes(container.terminationMessagePolicy))
    out.add(notSupported(`${own}.terminationMessagePolicy`, container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']))
  ports(container.ports, `${own}.ports`, out)
  environment(container, own, out)
  mounts(container, names, own, out)
  if (!['Always', 'IfNotPresent', 'Never'].includes(container.imagePullPolicy))
    out.add(notSupported(`${own}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']))
  for (const [index, claim] of (container.resources?.claims ?? []).entries())
    if (!claims.includes(claim.name))
      out.add({
        ...notFound(`${own}.resources.claims[${index}]`, claim.name ?? ''),
        message: `Not found: ${JSON.stringify(claim.name ?? '')}: must be one of the names in pod.spec.resourceClaims${claims.length === 0 ? ' which is empty' : `: ${claims.join(', ')}`}`,
      })
  resources(container.resources, `${own}.resources`, out)
  security(container.securityContext, `${own}.securityContext`, out)
}
function ports(given: readonly KubeObject[] | undefined, at: string, out: Causes): undefined {
  const seen = new Set<string>()
  for (const [index, port] of (given ?? []).entries()) {
    const own = `${at}[${index}]`
    if (port.name) {
      const wrong = isPortName(port.name)
      out.check(`${own}.name`, port.name, wrong)
      if (wrong.length === 0 && seen.has(port.name)) out.add(duplicateValue(`${own}.name`, port.name))
      if (wrong.length === 0) seen.add(port.name)
    }
    if (!port.containerPort) out.add(requiredValue(`${own}.containerPort`))
    else out.check(`${own}.containerPort`, port.containerPort, isPort(port.containerPort))
    if (port.hostPort) out.check(`${own}.hostPort`, port.hostPort, isPort(port.hostPort))
    if (!port.protocol) out.add(requiredValue(`${own}.protocol`))
    else if (!['SCTP', 'TCP', 'UDP'].includes(port.protocol))
      out.add(notSupported(`${own}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']))
  }
}
function hostPorts(given: readonly KubeObject[], at: string, out: Causes): undefined {
  const seen = new Set<string>()
  for (const [index, container] of given.entries())
    for (const [nth, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue
      const name = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`
      if (seen.has(name)) out.add(duplicateValue(`${at}[${index}].ports[${nth}].hostPort`, name))
      seen.add(name)
    }
}
function hostNetworkPorts(spec: KubeObject, at: string, out: Causes): undefined {
  for (const [index, container] of (spec.containers ?? []).entries())
    for (const [nth, port] of (container.ports ?? []).entries())
      if (port.hostPort && port.hostPort !== port.containerPort)
        out.add(
          invalidValue(
            `${at}.containers[${index}].ports[${nth}].hostPort`,
            port.hostPort,
            `must match \`containerPort\` (${port.containerPort}) when \`hostNetwork\` is set to true`,
          ),
        )
}

function environment(container: KubeObject, own: string, out: Causes): undefined {
  for (const [index, entry] of (container.env ?? []).entries()) {
    const at = `${own}.env[${index}]`
    out.required(`${at}.name`, entry.name, isEnvName)
    const from = entry.valueFrom
    if (!from) continue
    const path = `${at}.valueFrom`
    if (from.fieldRef) fieldRef(from.fieldRef, `${path}.fieldRef`, out)
    if (from.resourceFieldRef) resourceFieldRef(from.resourceFieldRef, `${path}.resourceFieldRef`, out, false)
    for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
      const reference = from[kind]
      if (!reference) continue
      out.check(`${path}.${kind}.name`, reference.name ?? '', isSubdomain(reference.name ?? ''))
      if (!reference.key) out.add(requiredValue(`${path}.${kind}.key`))
    }
    const count = Object.keys(from).length
    if (count === 0)
      out.add(
        invalidValue(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'),
      )
    else if (entry.value) out.add(invalidValue(path, '', 'may not be specified when `value` is not empty'))
    else if (count > 1) out.add(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
  for (const [index, source] of (container.envFrom ?? []).entries()) {
    const at = `${own}.envFrom[${index}]`
    if (source.prefix) out.check(`${at}.prefix`, source.prefix, isEnvName(source.prefix))
    for (const kind of ['configMapRef', 'secretRef'])
      if (source[kind]) out.check(`${at}.${kind}.name`, source[kind].name ?? '', isSubdomain(source[kind].name ?? ''))
    const count = (source.configMapRef ? 1 : 0) + (source.secretRef ? 1 : 0)
    if (count === 0) out.add(invalidValue(`${own}.envFrom`, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (count > 1) out.add(invalidValue(`${own}.envFrom`, '', 'may not have more than one field specified at a time'))
  }
}
function mounts(container: KubeObject, names: ReadonlySet<string>, own: string, out: Causes): undefined {
  const points = new Set<string>()
  const at = `${own}.volumeMounts`
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (!mount.name) out.add(requiredValue(`${at}[${index}].name`))
    if (!names.has(mount.name)) out.add(notFound(`${at}[${index}].name`, mount.name ?? ''))
    if (!mount.mountPath) out.add(requiredValue(`${at}[${index}].mountPath`))
    if (points.has(mount.mountPath)) out.add(invalidValue(`${at}[${index}].mountPath`, mount.mountPath, 'must be unique'))
    points.add(mount.mountPath)
    if (mount.subPath) descending(mount.subPath, `${at}.subPath`, out)
    if (mount.subPathExpr) {
      if (mount.subPath)
        out.add(invalidValue(`${at}[${index}].subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      descending(mount.subPathExpr, `${at}.subPathExpr`, out)
    }
    const modes = ['Bidirectional', 'HostToContainer', 'None']
    if (mount.mountPropagation && !modes.includes(mount.mountPropagation))
      out.add(notSupported(`${at}.mountPropagation`, mount.mountPropagation, modes))
    if (mount.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged)
      out.add(forbidden(`${at}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'))
  }
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    if (!names.has(device.name)) out.add(notFound(`${own}.volumeDevices[${index}].name`, device.name ?? ''))
    if (!device.devicePath) out.add(requiredValue(`${own}.volumeDevices[${index}].devicePath`))
  }
}

const standard = new Set(['cpu', 'memory', 'ephemeral-storage'])
function resourceName(name: string, at: string, out: Causes): boolean {
  const wrong = isQualifiedName(name)
  out.check(at, name, wrong)
  if (wrong.length > 0) return false
  if (name.includes('/')) {
    if (!name.includes('kubernetes.io/') && name.startsWith('requests.')) {
      out.add(invalidValue(at, name, "doesn't follow extended resource name standard"))
      return false
    }
    return true
  }
  if (standard.has(name) || name.startsWith('hugepages-')) return true
  out.add(invalidValue(at, name, 'must be a standard resource type or fully qualified'))
  out.add(invalidValue(at, name, 'must be a standard resource for containers'))
  return false
}
const overcommits = (name: string): boolean => !name.includes('/') && !name.startsWith('hugepages-')
function resources(given: KubeObject, at: string, out: Causes): undefined {
  const limits: Record<string, string> = given?.limits ?? {}
  const requests: Record<string, string> = given?.requests ?? {}
  for (const [list, values] of [
    ['limits', limits],
    ['requests', requests],
  ] as const)
    for (const name of Object.keys(values).sort()) {
      const quantity = values[name] as string
      const path = `${at}.${list}[${name}]`
      resourceName(name, path, out)
      if (list === 'requests' && name in limits) {
        const limit = limits[name] as string
        if (!overcommits(name) && compareQuantities(quantity, limit) !== 0)
          out.add(invalidValue(`${at}.requests`, quantity, `must be equal to ${name} limit of ${limit}`))
        else if (compareQuantities(quantity, limit) > 0)
          out.add(invalidValue(`${at}.requests`, quantity, `must be less than or equal to ${name} limit of ${limit}`))
      }
      if (nanoOf(quantity) < 0n) out.add(invalidValue(path, quantity, 'must be greater than or equal to 0'))
      if (name.includes('/') && nanoOf(quantity) % 1_000_000_000n !== 0n) out.add(invalidValue(path, quantity, 'must be an integer'))
      if (list === 'requests' && !(name in limits) && !overcommits(name))
        out.add(requiredValue(`${at}.limits`, 'Limit must be set for non overcommitable resources'))
    }
}
function handler(given: KubeObject, grace: number, at: string, out: Causes): undefined {
  let count = 0
  const one = (kind: string, check: (action: KubeObject, own: string) => void) => {
    if (!given[kind]) return
    count += 1
    if (count > 1) out.add(forbidden(`${at}.${kind}`, 'may not specify more than 1 handler type'))
    else check(given[kind], `${at}.${kind}`)
  }
  one('exec', (action, own) => {
    if (!action.command?.length) out.add(requiredValue(`${own}.command`))
  })
  one('httpGet', (action, own) => {
    if (!action.path) out.add(requiredValue(`${own}.path`))
    out.check(`${own}.port`, action.port, isPortOrName(action.port))
    if (!['HTTP', 'HTTPS'].includes(action.scheme)) out.add(notSupported(`${own}.scheme`, action.scheme, ['HTTP', 'HTTPS']))
    for (const header of action.httpHeaders ?? [])
      if (!/^[-A-Za-z0-9]+$/.test(header.name))
        out.add(
          invalidValue(
            `${own}.httpHeaders`,
            header.name,
            "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
          ),
        )
  })
  one('tcpSocket', (action, own) => out.check(`${own}.port`, action.port, isPortOrName(action.port)))
  one('grpc', (action, own) => out.check(`${own}.port`, action.port, isPort(action.port)))
  one('sleep', (action, own) => {
    if (action.seconds < 0 || action.seconds > grace)
      out.add(invalidValue(own, action.seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`))
  })
  if (count === 0) out.add(requiredValue(at, 'must specify a handler type'))
}
function probe(given: KubeObject, grace: number, at: string, out: Causes, once: boolean): undefined {
  if (!given) return
  handler(given, grace, at, out)
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'])
    out.notNegative(`${at}.${field}`, given[field])
  if (typeof given.terminationGracePeriodSeconds === 'number' && given.terminationGracePeriodSeconds <= 0)
    out.add(invalidValue(`${at}.terminationGracePeriodSeconds`, given.terminationGracePeriodSeconds, 'must be greater than 0'))
  if (once && given.successThreshold !== 1) out.add(invalidValue(`${at}.successThreshold`, given.successThreshold, 'must be 1'))
}
const securityNames = [
  'Capabilities',
  'Privileged',
  'SELinuxOptions',
  'WindowsOptions',
  'RunAsUser',
  'RunAsGroup',
  'RunAsNonRoot',
  'ReadOnlyRootFilesystem',
  'AllowPrivilegeEscalation',
  'ProcMount',
  'SeccompProfile',
  'AppArmorProfile',
]
function security(given: KubeObject, at: string, out: Causes): undefined {
  if (!given) return
  for (const field of ['runAsUser', 'runAsGroup'])
    if (typeof given[field] === 'number') out.check(`${at}.${field}`, given[field], isId(given[field]))
  if (given.procMount && !['Default', 'Unmasked'].includes(given.procMount))
    out.add(notSupported(`${at}.procMount`, given.procMount, ['Default', 'Unmasked']))
  seccomp(given.seccompProfile, `${at}.seccompProfile`, out)
  if (given.allowPrivilegeEscalation !== false) return
  if (given.privileged)
    out.add(invalidValue(at, goStruct(given, securityNames), 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
  if (given.capabilities?.add?.includes('CAP_SYS_ADMIN'))
    out.add(
      invalidValue(
        at,
        goStruct(given, securityNames),
        'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
      ),
    )
}
function seccomp(profile: KubeObject, at: string, out: Causes): undefined {
  if (!profile) return
  if (profile.type === 'Localhost' && !profile.localhostProfile)
    out.add(requiredValue(`${at}.localhostProfile`, 'must be set when seccomp type is Localhost'))
  if (!['Localhost', 'RuntimeDefault', 'Unconfined'].includes(profile.type))
    out.add(
      profile.type
        ? notSupported(`${at}.type`, profile.type, ['Localhost', 'RuntimeDefault', 'Unconfined'])
        : requiredValue(`${at}.type`, 'type is required when seccompProfile is set'),
    )
}
function podSecurity(spec: KubeObject, at: string, out: Causes): undefined {
  const given = spec.securityContext ?? {}
  const own = `${at}.securityContext`
  for (const field of ['fsGroup', 'runAsUser', 'runAsGroup'])
    if (typeof given[field] === 'number') out.check(`${own}.${field}`, given[field], isId(given[field]))
  for (const [index, group] of (given.supplementalGroups ?? []).entries())
    out.check(`${own}.supplementalGroups[${index}]`, group, isId(group))
  if (spec.shareProcessNamespace && spec.hostPID)
    out.add(invalidValue(`${own}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'))
  for (const [index, sysctl] of (given.sysctls ?? []).entries()) {
    const source = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
    if (!sysctl.name) out.add(requiredValue(`${own}.sysctls[${index}].name`))
    else if (sysctl.name.length > 253 || !new RegExp(source).test(sysctl.name))
      out.add(invalidValue(`${own}.sysctls[${index}].name`, sysctl.name, `must have at most 253 characters and match regex ${source}`))
  }
  seccomp(given.seccompProfile, `${own}.seccompProfile`, out)
}
function dnsConfig(spec: KubeObject, at: string, out: Causes): undefined {
  const config = spec.dnsConfig
  if (spec.dnsPolicy === 'None' && !config?.nameservers?.length)
    return out.add(requiredValue(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
  if (!config) return
  if ((config.nameservers?.length ?? 0) > 3)
    out.add(invalidValue(`${at}.nameservers`, config.nameservers, 'must not have more than 3 nameservers'))
  for (const [index, server] of (config.nameservers ?? []).entries()) out.check(`${at}.nameservers[${index}]`, server, isAddress(server))
  if ((config.searches?.length ?? 0) > 32)
    out.add(invalidValue(`${at}.searches`, config.searches, 'must not have more than 32 search paths'))
  for (const [index, search] of (config.searches ?? []).entries()) {
    const name = search.replace(/\.$/, '')
    if (name !== '') out.check(`${at}.searches[${index}]`, name, isSearchDomain(name))
  }
  for (const [index, option] of (config.options ?? []).entries())
    if (!option.name) out.add(requiredValue(`${at}.options[${index}]`, 'must not be empty'))
}
export const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
export function tolerations(given: readonly KubeObject[] | undefined, at: string, out: Causes): undefined {
  for (const [index, toleration] of (given ?? []).entries()) {
    const own = `${at}[${index}]`
    const { key, operator, value, effect } = toleration
    if (key) out.check(`${own}.key`, key, isQualifiedName(key))
    if (!key && operator !== 'Exists')
      out.add(
        invalidValue(
          `${own}.operator`,
          operator ?? '',
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      )
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute')
      out.add(invalidValue(`${own}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    if (operator === 'Equal' || !operator) {
      const wrong = isLabelValue(value ?? '')
      if (wrong.length > 0) out.add(invalidValue(`${own}.operator`, value, wrong.join(';')))
    } else if (operator === 'Exists') {
      if (value) out.add(invalidValue(`${own}.operator`, value, "value must be empty when `operator` is 'Exists'"))
    } else
      out.add(
        notSupported(
          `${own}.operator`,
          operator,
          operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists'],
        ),
      )
    if (effect && !effects.includes(effect)) out.add(notSupported(`${own}.effect`, effect, effects))
  }
}
function affinity(given: KubeObject, at: string, out: Causes): undefined {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  const node = given?.nodeAffinity
  if (node?.[required]) {
    const own = `${at}.nodeAffinity.${required}.nodeSelectorTerms`
    if (!node[required].nodeSelectorTerms?.length) out.add(requiredValue(own, 'must have at least one node selector term'))
    for (const [index, term] of (node[required].nodeSelectorTerms ?? []).entries()) nodeTerm(term, `${own}[${index}]`, out)
  }
  for (const [index, term] of (node?.[preferred] ?? []).entries()) {
    const own = `${at}.nodeAffinity.${preferred}[${index}]`
    if (term.weight < 1 || term.weight > 100) out.add(invalidValue(`${own}.weight`, term.weight, 'must be in the range 1-100'))
    nodeTerm(term.preference ?? {}, `${own}.preference`, out)
  }
  const podTerm = (term: KubeObject, own: string) => {
    labelSelector(term.labelSelector, `${own}.labelSelector`, out)
    labelSelector(term.namespaceSelector, `${own}.namespaceSelector`, out)
    for (const name of term.namespaces ?? []) out.check(`${own}.namespace`, name, isLabel(name))
    if (!term.topologyKey) out.add(requiredValue(`${own}.topologyKey`, 'can not be empty'))
    out.check(`${own}.topologyKey`, term.topologyKey ?? '', isQualifiedName(term.topologyKey ?? ''))
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    for (const [index, term] of (given?.[kind]?.[required] ?? []).entries()) podTerm(term, `${at}.${kind}.${required}[${index}]`)
    for (const [index, term] of (given?.[kind]?.[preferred] ?? []).entries()) {
      const own = `${at}.${kind}.${preferred}[${index}]`
      if (term.weight < 1 || term.weight > 100) out.add(invalidValue(`${own}.weight`, term.weight, 'must be in the range 1-100'))
      podTerm(term.podAffinityTerm ?? {}, `${own}.podAffinityTerm`)
    }
  }
}
function spread(given: readonly KubeObject[] | undefined, at: string, out: Causes): undefined {
  const seen = new Set<string>()
  for (const [index, constraint] of (given ?? []).entries()) {
    const own = `${at}[${index}]`
    if (!(constraint.maxSkew > 0)) out.add(invalidValue(`${own}.maxSkew`, constraint.maxSkew ?? 0, 'must be greater than zero'))
    if (!constraint.topologyKey) out.add(requiredValue(`${own}.topologyKey`, 'can not be empty'))
    if (!['DoNotSchedule', 'ScheduleAnyway'].includes(constraint.whenUnsatisfiable))
      out.add(
        constraint.whenUnsatisfiable
          ? notSupported(`${own}.whenUnsatisfiable`, constraint.whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'])
          : requiredValue(`${own}.whenUnsatisfiable`, 'can not be empty'),
      )
    const pair = `{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}}`
    if (seen.has(pair)) out.add(duplicateValue(`${own}.{topologyKey, whenUnsatisfiable}`, pair))
    seen.add(pair)
    if (typeof constraint.minDomains === 'number') {
      if (constraint.minDomains <= 0) out.add(invalidValue(`${own}.minDomains`, constraint.minDomains, 'must be greater than zero'))
      if (constraint.whenUnsatisfiable !== 'DoNotSchedule')
        out.add(
          invalidValue(
            `${own}.minDomains`,
            constraint.minDomains,
            'can only use minDomains if whenUnsatisfiable=DoNotSchedule, not '.concat(constraint.whenUnsatisfiable),
          ),
        )
    }
    labelSelector(constraint.labelSelector, `${own}.labelSelector`, out)
  }
}
