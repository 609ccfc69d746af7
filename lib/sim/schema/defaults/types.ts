// What defaulting sets in a value of each Go type (pkg/apis/*/v1/defaults.go of Kubernetes v1.35), and what its conversions move. A
// function gets the value before its fields are defaulted and changes it in place. Plain defaults of one field are in the types' table.
// Knows nothing of admission: what a service account or a limit range adds comes later.
import type { KubeObject } from '../../kube.ts'
import { formatQuantity, parseQuantity } from '../quantity.ts'

type Defaulter = (value: KubeObject) => void

/** repository and tag of an image; a digest without a tag has none */
export function imageTag(image: string): string {
  const [named = '', digest] = image.split('@')
  const colon = named.lastIndexOf(':')
  if (colon > named.lastIndexOf('/')) return named.slice(colon + 1)
  return digest === undefined ? 'latest' : ''
}
const set = (value: KubeObject, defaults: Record<string, unknown>): void => {
  for (const [key, fallback] of Object.entries(defaults)) {
    const had = value[key]
    if (had === undefined || had === null || had === '') value[key] = fallback
  }
}
/** for numbers that are no pointers: 0 is nothing */
const setZero = (value: KubeObject, defaults: Record<string, number>): void => {
  for (const [key, fallback] of Object.entries(defaults)) if (!value[key]) value[key] = fallback
}
const container: Defaulter = (value) => {
  if (!value.imagePullPolicy) value.imagePullPolicy = imageTag(value.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent'
  set(value, { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' })
}
/** what is limited and not requested is requested as it is limited; on pods only, not on templates */
const requests = (containers: readonly KubeObject[] | undefined): void => {
  for (const { resources } of containers ?? []) {
    if (!resources?.limits) continue
    resources.requests = { ...resources.limits, ...resources.requests }
  }
}
const hostPorts = (containers: readonly KubeObject[] | undefined): void => {
  for (const { ports } of containers ?? []) for (const port of ports ?? []) if (!port.hostPort) port.hostPort = port.containerPort
}
const webhook: Defaulter = (value) =>
  set(value, { failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10 })
const reference: Defaulter = (value) => set(value, { port: 443 })
const mode: Defaulter = (value) => set(value, { defaultMode: 420 })
const roleRef: Defaulter = (value) => {
  if (value.roleRef) set(value.roleRef, { apiGroup: 'rbac.authorization.k8s.io' })
}
const deviceRequest: Defaulter = (value) => {
  set(value, { allocationMode: 'ExactCount' })
  if (value.allocationMode === 'ExactCount' && !value.count) value.count = 1
}
const policies = (type: 'up' | 'down') =>
  type === 'up'
    ? {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      }
    : { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }

const templateGeneration = 'deprecated.daemonset.template.generation'
export const defaulters: Readonly<Record<string, Defaulter>> = {
  // core
  'core/v1.Pod': (pod) => {
    if (!pod.spec) return
    requests(pod.spec.containers)
    requests(pod.spec.initContainers)
    set(pod.spec, { enableServiceLinks: true })
    // as the pod's strategy does: what is negative means at once
    if (pod.spec.terminationGracePeriodSeconds < 0) pod.spec.terminationGracePeriodSeconds = 1
    if (pod.spec.hostNetwork) {
      hostPorts(pod.spec.containers)
      hostPorts(pod.spec.initContainers)
    }
  },
  'core/v1.PodSpec': (spec) => {
    set(spec, {
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
    })
    // serviceAccount is the old name of serviceAccountName: one always says what the other says.
    const account = spec.serviceAccountName || spec.serviceAccount
    if (account) {
      spec.serviceAccountName = account
      spec.serviceAccount = account
    }
  },
  'core/v1.PodStatus': (status) => {
    if (status.podIP && (!status.podIPs?.length || status.podIPs[0].ip !== status.podIP)) status.podIPs = [{ ip: status.podIP }]
    else if (status.podIPs?.length) status.podIP = status.podIPs[0].ip
  },
  'core/v1.Volume': (volume) => {
    if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {}
    if (volume.image && !volume.image.pullPolicy)
      volume.image.pullPolicy = imageTag(volume.image.reference ?? '') === 'latest' ? 'Always' : 'IfNotPresent'
  },
  'core/v1.Container': container,
  'core/v1.EphemeralContainer': container,
  'core/v1.Probe': (probe) => setZero(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  'core/v1.GRPCAction': (action) => set(action, { service: '' }),
  'core/v1.HTTPGetAction': (action) => set(action, { path: '/', scheme: 'HTTP' }),
  'core/v1.SecretVolumeSource': mode,
  'core/v1.ConfigMapVolumeSource': mode,
  'core/v1.DownwardAPIVolumeSource': mode,
  'core/v1.ProjectedVolumeSource': mode,
  'core/v1.ServiceAccountTokenProjection': (token) => set(token, { expirationSeconds: 3600 }),
  'core/v1.HostPathVolumeSource': (volume) => set(volume, { type: '' }),
  'core/v1.AzureDiskVolumeSource': (volume) => set(volume, { readOnly: false }),
  'core/v1.ObjectFieldSelector': (selector) => set(selector, { apiVersion: 'v1' }),
  'core/v1.Secret': (secret) => {
    set(secret, { type: 'Opaque' })
    if (secret.stringData) {
      const data: Record<string, string> = { ...secret.data }
      for (const [key, text] of Object.entries(secret.stringData)) data[key] = Buffer.from(String(text)).toString('base64')
      secret.data = Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)))
      delete secret.stringData
    }
  },
  'core/v1.Service': ({ spec, status }) => {
    if (!spec) return
    set(spec, { sessionAffinity: 'None', type: 'ClusterIP' })
    if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
    if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } }
    for (const port of spec.ports ?? []) {
      set(port, { protocol: 'TCP' })
      if (!port.targetPort) port.targetPort = port.port
    }
    const balanced = spec.type === 'LoadBalancer'
    if (balanced || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && spec.externalIPs?.length))
      set(spec, { externalTrafficPolicy: 'Cluster' })
    if (['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type)) set(spec, { internalTrafficPolicy: 'Cluster' })
    if (!balanced) return
    set(spec, { allocateLoadBalancerNodePorts: true })
    for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) set(ingress, { ipMode: 'VIP' })
  },
  'core/v1.EndpointPort': (port) => set(port, { protocol: 'TCP' }),
  'core/v1.Namespace': (namespace) => {
    const name = namespace.metadata?.name
    if (name) namespace.metadata.labels = { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': name }
  },
  'core/v1.NamespaceStatus': (status) => set(status, { phase: 'Active' }),
  'core/v1.NodeSpec': (spec) => {
    if (spec.podCIDR && (!spec.podCIDRs?.length || spec.podCIDRs[0] !== spec.podCIDR)) spec.podCIDRs = [spec.podCIDR]
    else if (spec.podCIDRs?.length) spec.podCIDR = spec.podCIDRs[0]
  },
  'core/v1.NodeStatus': (status) => {
    if (!status.allocatable && status.capacity) status.allocatable = { ...status.capacity }
  },
  'core/v1.PersistentVolume': (volume) => {
    if (volume.status) set(volume.status, { phase: 'Pending' })
    if (volume.spec) set(volume.spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })
  },
  'core/v1.PersistentVolumeClaim': (claim) => {
    if (claim.status) set(claim.status, { phase: 'Pending' })
    if (claim.spec) set(claim.spec, { volumeMode: 'Filesystem' })
  },
  'core/v1.PersistentVolumeClaimTemplate': (template) => {
    if (template.spec) set(template.spec, { volumeMode: 'Filesystem' })
  },
  'core/v1.LimitRangeItem': (item) => {
    if (item.type !== 'Container') return
    const limits = { ...item.max, ...item.default }
    if (Object.keys(limits).length > 0) item.default = limits
    const wanted = { ...item.min, ...limits, ...item.defaultRequest }
    if (Object.keys(wanted).length > 0) item.defaultRequest = wanted
  },
  'core/v1.ReplicationController': (controller) => {
    const labels = controller.spec?.template?.metadata?.labels
    if (!labels) return
    if (!Object.keys(controller.spec.selector ?? {}).length) controller.spec.selector = labels
    if (!Object.keys(controller.metadata.labels ?? {}).length) controller.metadata.labels = labels
  },
  // apps
  'apps/v1.Deployment': ({ spec }) => {
    if (!spec) return
    set(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
    spec.strategy ??= {}
    set(spec.strategy, { type: 'RollingUpdate' })
    if (spec.strategy.type !== 'RollingUpdate') return
    spec.strategy.rollingUpdate ??= {}
    set(spec.strategy.rollingUpdate, { maxUnavailable: '25%', maxSurge: '25%' })
  },
  'apps/v1.DaemonSet': ({ spec, metadata }) => {
    if (!spec) return
    // The old API's generation of the template lives on as an annotation; counting it up is the write's business.
    if (metadata)
      metadata.annotations = { ...metadata.annotations, [templateGeneration]: metadata.annotations?.[templateGeneration] ?? '1' }
    set(spec, { revisionHistoryLimit: 10 })
    spec.updateStrategy ??= {}
    set(spec.updateStrategy, { type: 'RollingUpdate' })
    if (spec.updateStrategy.type !== 'RollingUpdate') return
    spec.updateStrategy.rollingUpdate ??= {}
    set(spec.updateStrategy.rollingUpdate, { maxUnavailable: 1, maxSurge: 0 })
  },
  'apps/v1.StatefulSet': ({ spec }) => {
    if (!spec) return
    spec.updateStrategy ??= {}
    if (!spec.updateStrategy.type) {
      spec.updateStrategy.type = 'RollingUpdate'
      spec.updateStrategy.rollingUpdate ??= {}
    }
    if (spec.updateStrategy.type === 'RollingUpdate' && spec.updateStrategy.rollingUpdate) {
      set(spec.updateStrategy.rollingUpdate, { partition: 0 })
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {}
    set(spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: 'Retain', whenScaled: 'Retain' })
    set(spec, { podManagementPolicy: 'OrderedReady', replicas: 1, revisionHistoryLimit: 10 })
    for (const claim of spec.volumeClaimTemplates ?? [])
      if (!claim.apiVersion && !claim.kind) {
        claim.apiVersion = 'v1'
        claim.kind = 'PersistentVolumeClaim'
      }
  },
  'apps/v1.ReplicaSet': ({ spec }) => {
    if (spec) set(spec, { replicas: 1 })
  },
  // batch
  'batch/v1.Job': (job) => {
    const { spec } = job
    if (!spec) return
    if ((spec.completions ?? null) === null && (spec.parallelism ?? null) === null) spec.completions = 1
    set(spec, {
      parallelism: 1,
      backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : 2147483647,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
      manualSelector: false,
    })
    const labels = spec.template?.metadata?.labels
    if (labels && !Object.keys(job.metadata.labels ?? {}).length) job.metadata.labels = labels
  },
  'batch/v1.CronJob': ({ spec }) => {
    if (spec) set(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
  },
  'batch/v1.PodFailurePolicyOnPodConditionsPattern': (pattern) => set(pattern, { status: 'True' }),
  // networking, discovery
  'networking/v1.NetworkPolicyPort': (port) => set(port, { protocol: 'TCP' }),
  'networking/v1.NetworkPolicy': ({ spec }) => {
    if (spec && !spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
  },
  'networking/v1.IngressClass': ({ spec }) => {
    if (spec?.parameters) set(spec.parameters, { scope: 'Cluster' })
  },
  'discovery/v1.EndpointPort': (port) => {
    port.name ??= ''
    set(port, { protocol: 'TCP' })
  },
  // storage, scheduling
  'storage/v1.StorageClass': (storage) => set(storage, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  'storage/v1.CSIDriver': ({ spec }) => {
    if (!spec) return
    set(spec, {
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      requiresRepublish: false,
      seLinuxMount: false,
    })
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
  },
  'scheduling/v1.PriorityClass': (priority) => set(priority, { preemptionPolicy: 'PreemptLowerPriority' }),
  // rbac
  'rbac/v1.ClusterRoleBinding': roleRef,
  'rbac/v1.RoleBinding': roleRef,
  'rbac/v1.Subject': (subject) => {
    if (subject.kind === 'User' || subject.kind === 'Group') set(subject, { apiGroup: 'rbac.authorization.k8s.io' })
  },
  // autoscaling
  'autoscaling/v1.HorizontalPodAutoscaler': ({ spec }) => {
    if (spec) set(spec, { minReplicas: 1 })
  },
  'autoscaling/v2.HorizontalPodAutoscaler': ({ spec }) => {
    if (!spec) return
    set(spec, { minReplicas: 1 })
    if (!spec.metrics?.length)
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
    if (!spec.behavior) return
    spec.behavior.scaleUp = { ...policies('up'), ...spec.behavior.scaleUp }
    spec.behavior.scaleDown = { ...policies('down'), ...spec.behavior.scaleDown }
  },
  // admission, extension
  'admissionregistration/v1.ValidatingWebhook': webhook,
  'admissionregistration/v1.MutatingWebhook': (value) => {
    webhook(value)
    set(value, { reinvocationPolicy: 'Never' })
  },
  'admissionregistration/v1.Rule': (rule) => set(rule, { scope: '*' }),
  'admissionregistration/v1.RuleWithOperations': (rule) => set(rule, { scope: '*' }),
  'admissionregistration/v1.NamedRuleWithOperations': (rule) => set(rule, { scope: '*' }),
  'admissionregistration/v1.ServiceReference': reference,
  'admissionregistration/v1.ValidatingAdmissionPolicySpec': (spec) => set(spec, { failurePolicy: 'Fail' }),
  'admissionregistration/v1.MatchResources': (match) =>
    set(match, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} }),
  'apiextensions/v1.ServiceReference': reference,
  'apiregistration/v1.ServiceReference': reference,
  'apiextensions/v1.CustomResourceDefinition': (definition) => {
    const { spec } = definition
    if (!spec) return
    spec.names ??= {}
    set(spec.names, {
      singular: String(spec.names.kind ?? '').toLowerCase(),
      ...(spec.names.kind ? { listKind: `${spec.names.kind}List` } : {}),
    })
    set(spec, { conversion: { strategy: 'None' } })
    if (definition.status?.storedVersions?.length) return
    const storage = spec.versions?.find((version: KubeObject) => version.storage)
    definition.status = { ...definition.status, storedVersions: storage ? [storage.name] : null }
  },
  // flow control, device allocation
  'flowcontrol/v1.FlowSchemaSpec': (spec) => setZero(spec, { matchingPrecedence: 1000 }),
  'flowcontrol/v1.ExemptPriorityLevelConfiguration': (level) => set(level, { nominalConcurrencyShares: 0, lendablePercent: 0 }),
  'flowcontrol/v1.LimitedPriorityLevelConfiguration': (level) => set(level, { nominalConcurrencyShares: 30, lendablePercent: 0 }),
  'flowcontrol/v1.QueuingConfiguration': (queuing) => setZero(queuing, { queues: 64, handSize: 8, queueLengthLimit: 50 }),
  'resource/v1.ExactDeviceRequest': deviceRequest,
  'resource/v1.DeviceSubRequest': deviceRequest,
}

/** a ResourceList keeps thousandths: what is finer is rounded up */
export function roundUpResources(list: Record<string, string>): void {
  for (const [name, text] of Object.entries(list)) {
    const quantity = parseQuantity(text)
    if (!quantity || quantity.nano % 1_000_000n === 0n) continue
    const away = quantity.nano > 0n ? 999_999n : -999_999n
    list[name] = formatQuantity({ ...quantity, nano: ((quantity.nano + away) / 1_000_000n) * 1_000_000n })
  }
}
