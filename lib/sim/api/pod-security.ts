// Pod Security admission: the baseline and restricted profiles as a namespace's labels ask for them. The newest version of each check only.
// Knows nothing of other admission. Source: pod-security-admission/policy/check_*.go
import type { KubeObject } from '../kube.ts'
import type { Admission } from './admission.ts'
import { refused } from './admission.ts'

type Level = 'privileged' | 'baseline' | 'restricted'
interface Violation {
  reason: string
  detail: string
}
interface Container {
  name: string
  securityContext?: KubeObject
  ports?: { hostPort?: number }[]
  [key: string]: KubeObject
}
type Check = (pod: { metadata: KubeObject; spec: KubeObject; containers: Container[] }) => Violation | undefined

const quoted = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ')
const plural = (names: readonly unknown[], one: string, many = `${one}s`) => (names.length === 1 ? one : many)
const which = (containers: readonly Container[]) =>
  `${plural(containers, 'container')} ${quoted(containers.map((container) => container.name))}`
const setters = (pod: boolean, containers: readonly Container[]) =>
  [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [which(containers)] : [])].join(' and ')

const baselineCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
])
const restrictedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

const baseline: readonly Check[] = [
  ({ spec }) => {
    const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => spec[key] === true)
    return shared.length > 0 ? { reason: 'host namespaces', detail: shared.map((key) => `${key}=true`).join(', ') } : undefined
  },
  ({ containers }) => {
    const bad = containers.filter((container) => container.securityContext?.privileged === true)
    return bad.length > 0 ? { reason: 'privileged', detail: `${which(bad)} must not set securityContext.privileged=true` } : undefined
  },
  ({ containers }) => {
    const bad = containers.filter((container) => added(container).some((name) => !baselineCapabilities.has(name)))
    const names = [...new Set(bad.flatMap(added).filter((name) => !baselineCapabilities.has(name)))].sort()
    return bad.length > 0
      ? {
          reason: 'non-default capabilities',
          detail: `${which(bad)} must not include ${quoted(names)} in securityContext.capabilities.add`,
        }
      : undefined
  },
  ({ spec }) => {
    const bad = (spec.volumes ?? []).filter((volume: KubeObject) => volume.hostPath !== undefined).map((volume: KubeObject) => volume.name)
    return bad.length > 0 ? { reason: 'hostPath volumes', detail: `${plural(bad, 'volume')} ${quoted(bad)}` } : undefined
  },
  ({ containers }) => {
    const bad = containers.filter((container) => container.ports?.some((port) => port.hostPort))
    const ports = [...new Set(bad.flatMap((container) => (container.ports ?? []).map((port) => port.hostPort).filter(Boolean)))].sort()
    return bad.length > 0
      ? { reason: 'hostPort', detail: `${which(bad)} ${plural(bad, 'uses', 'use')} ${plural(ports, 'hostPort')} ${ports.join(', ')}` }
      : undefined
  },
  ({ containers }) => {
    const bad = containers.filter((container) => ![undefined, '', 'Default'].includes(container.securityContext?.procMount))
    return bad.length > 0
      ? {
          reason: 'procMount',
          detail: `${which(bad)} must not set securityContext.procMount to ${quoted(bad.map((one) => one.securityContext.procMount))}`,
        }
      : undefined
  },
  ({ spec, containers }) => {
    const wrong = (context: KubeObject) => context?.seccompProfile?.type === 'Unconfined'
    const bad = containers.filter((container) => wrong(container.securityContext))
    const pod = wrong(spec.securityContext)
    return pod || bad.length > 0
      ? { reason: 'seccompProfile', detail: `${setters(pod, bad)} must not set securityContext.seccompProfile.type to "Unconfined"` }
      : undefined
  },
  ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? []).map((one: KubeObject) => one.name).filter((name: string) => !safeSysctls.has(name))
    return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.sort().join(', ') } : undefined
  },
]
const restricted: readonly Check[] = [
  ({ containers }) => {
    const bad = containers.filter((container) => container.securityContext?.allowPrivilegeEscalation !== false)
    return bad.length > 0
      ? { reason: 'allowPrivilegeEscalation != false', detail: `${which(bad)} must set securityContext.allowPrivilegeEscalation=false` }
      : undefined
  },
  ({ containers }) => {
    const undropped = containers.filter((container) => !(container.securityContext?.capabilities?.drop ?? []).includes('ALL'))
    const adding = containers.filter((container) => added(container).some((name) => name !== 'NET_BIND_SERVICE'))
    const names = [...new Set(adding.flatMap(added).filter((name) => name !== 'NET_BIND_SERVICE'))].sort()
    const details = [
      ...(undropped.length > 0 ? [`${which(undropped)} must set securityContext.capabilities.drop=["ALL"]`] : []),
      ...(adding.length > 0 ? [`${which(adding)} must not include ${quoted(names)} in securityContext.capabilities.add`] : []),
    ]
    return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined
  },
  ({ spec }) => {
    const bad = (spec.volumes ?? []).filter((volume: KubeObject) => !Object.keys(volume).some((key) => restrictedVolumes.has(key)))
    const types = [...new Set(bad.flatMap((volume: KubeObject) => Object.keys(volume).filter((key) => key !== 'name')))].sort() as string[]
    const names: string[] = bad.map((volume: KubeObject) => volume.name)
    return bad.length > 0
      ? {
          reason: 'restricted volume types',
          detail: `${plural(names, 'volume')} ${quoted(names)} ${plural(names, 'uses', 'use')} restricted volume ${plural(types, 'type')} ${quoted(types)}`,
        }
      : undefined
  },
  ({ spec, containers }) => {
    const explicit = containers.filter((container) => container.securityContext?.runAsNonRoot === false)
    const pod = spec.securityContext?.runAsNonRoot
    if (pod === false || explicit.length > 0) {
      return {
        reason: 'runAsNonRoot != true',
        detail: `${setters(pod === false, explicit)} must not set securityContext.runAsNonRoot=false`,
      }
    }
    const unset = containers.filter((container) => container.securityContext?.runAsNonRoot !== true)
    return pod !== true && unset.length > 0
      ? { reason: 'runAsNonRoot != true', detail: `pod or ${which(unset)} must set securityContext.runAsNonRoot=true` }
      : undefined
  },
  ({ spec, containers }) => {
    const bad = containers.filter((container) => container.securityContext?.runAsUser === 0)
    const pod = spec.securityContext?.runAsUser === 0
    return pod || bad.length > 0 ? { reason: 'runAsUser=0', detail: `${setters(pod, bad)} must not set runAsUser=0` } : undefined
  },
  ({ spec, containers }) => {
    const fine = (context: KubeObject) => ['RuntimeDefault', 'Localhost'].includes(context?.seccompProfile?.type)
    if (fine(spec.securityContext)) return undefined
    const unset = containers.filter((container) => !fine(container.securityContext))
    return unset.length > 0
      ? {
          reason: 'seccompProfile',
          detail: `pod or ${which(unset)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
        }
      : undefined
  },
]
const added = (container: Container): string[] => container.securityContext?.capabilities?.add ?? []

function evaluate(level: Level, metadata: KubeObject, spec: KubeObject): string[] {
  if (level === 'privileged') return []
  const containers: Container[] = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
  const checks =
    // The restricted profile's own checks stand in for the baseline's of the same thing.
    level === 'baseline' ? baseline : [...baseline.filter((_, at) => at !== 2 && at !== 3 && at !== 6), ...restricted]
  return checks.flatMap((check) => {
    const violation = check({ metadata, spec, containers })
    return violation === undefined ? [] : [`${violation.reason} (${violation.detail})`]
  })
}

/** Where the pod of a workload stands. */
const templates: Readonly<Record<string, (object: KubeObject) => KubeObject>> = {
  pods: (object) => object,
  replicationcontrollers: (object) => object.spec.template,
  'replicasets.apps': (object) => object.spec.template,
  'deployments.apps': (object) => object.spec.template,
  'statefulsets.apps': (object) => object.spec.template,
  'daemonsets.apps': (object) => object.spec.template,
  'jobs.batch': (object) => object.spec.template,
  'cronjobs.batch': (object) => object.spec.jobTemplate.spec.template,
}

export function podSecurity(
  { store, served, namespace, name, warn, operation }: Admission,
  object: KubeObject,
  old: KubeObject | undefined,
): void {
  const template = templates[served.bucket]
  if (template === undefined || namespace === '') return
  const labels = store.get('namespaces', '', namespace)?.metadata.labels ?? {}
  const level = (mode: string): Level => labels[`pod-security.kubernetes.io/${mode}`] ?? 'privileged'
  const version = (mode: string): string => labels[`pod-security.kubernetes.io/${mode}-version`] ?? 'latest'
  const enforce = level('enforce')
  const warned = level('warn')
  if (enforce === 'privileged' && warned === 'privileged') return
  const pod = template(object)
  if (pod?.spec === undefined) return
  if (operation === 'UPDATE' && old !== undefined && JSON.stringify(template(old)?.spec) === JSON.stringify(pod.spec)) return
  if (served.bucket === 'pods') {
    const violations = evaluate(enforce, pod.metadata, pod.spec)
    if (violations.length > 0)
      throw refused(served, name, `violates PodSecurity "${enforce}:${version('enforce')}": ${violations.join(', ')}`)
  }
  const [mode, asked] = warned !== 'privileged' ? (['warn', warned] as const) : (['enforce', enforce] as const)
  if (warned === 'privileged' && served.bucket === 'pods') return
  const violations = evaluate(asked, pod.metadata, pod.spec)
  if (violations.length > 0) warn(`would violate PodSecurity "${asked}:${version(mode)}": ${violations.join(', ')}`)
}
