// Seeded cases that a real API server and this module must answer alike. Data first: complete objects, single changes that break them, and
// patches; the seed chooses what meets what. Knows nothing of how they are played.
import { type Random, random } from '../../random.ts'

export interface Step {
  verb: 'create' | 'update' | 'json' | 'merge' | 'strategic' | 'apply'
  /** the collection's path; `{namespace}` is filled in */
  resource: string
  body: unknown
  subresource?: string
  manager?: string
  force?: boolean
  dryRun?: boolean
  strict?: boolean
}
export interface Case {
  about: string
  name: string
  /** nothing of it is stored */
  dryOnly?: boolean
  steps: Step[]
}
export type Obj = Record<string, unknown>

const places: Record<string, string> = {
  Pod: '/api/v1/namespaces/{namespace}/pods',
  PodTemplate: '/api/v1/namespaces/{namespace}/podtemplates',
  ReplicationController: '/api/v1/namespaces/{namespace}/replicationcontrollers',
  ConfigMap: '/api/v1/namespaces/{namespace}/configmaps',
  Secret: '/api/v1/namespaces/{namespace}/secrets',
  Service: '/api/v1/namespaces/{namespace}/services',
  ServiceAccount: '/api/v1/namespaces/{namespace}/serviceaccounts',
  Endpoints: '/api/v1/namespaces/{namespace}/endpoints',
  LimitRange: '/api/v1/namespaces/{namespace}/limitranges',
  ResourceQuota: '/api/v1/namespaces/{namespace}/resourcequotas',
  PersistentVolumeClaim: '/api/v1/namespaces/{namespace}/persistentvolumeclaims',
  PersistentVolume: '/api/v1/persistentvolumes',
  Namespace: '/api/v1/namespaces',
  Node: '/api/v1/nodes',
  Deployment: '/apis/apps/v1/namespaces/{namespace}/deployments',
  ReplicaSet: '/apis/apps/v1/namespaces/{namespace}/replicasets',
  StatefulSet: '/apis/apps/v1/namespaces/{namespace}/statefulsets',
  DaemonSet: '/apis/apps/v1/namespaces/{namespace}/daemonsets',
  ControllerRevision: '/apis/apps/v1/namespaces/{namespace}/controllerrevisions',
  Job: '/apis/batch/v1/namespaces/{namespace}/jobs',
  CronJob: '/apis/batch/v1/namespaces/{namespace}/cronjobs',
  Ingress: '/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses',
  IngressClass: '/apis/networking.k8s.io/v1/ingressclasses',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets',
  HorizontalPodAutoscaler: '/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  StorageClass: '/apis/storage.k8s.io/v1/storageclasses',
  PriorityClass: '/apis/scheduling.k8s.io/v1/priorityclasses',
  Lease: '/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases',
  EndpointSlice: '/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices',
  CertificateSigningRequest: '/apis/certificates.k8s.io/v1/certificatesigningrequests',
  RuntimeClass: '/apis/node.k8s.io/v1/runtimeclasses',
  ValidatingWebhookConfiguration: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  APIService: '/apis/apiregistration.k8s.io/v1/apiservices',
  CSIDriver: '/apis/storage.k8s.io/v1/csidrivers',
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
}
const versionOf = (kind: string): string => {
  const match = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))\//.exec(places[kind] as string)
  return (match?.[1] ?? match?.[2]) as string
}

/** a certificate signing request that a person might send */
const signingRequest =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIbE1JR0xBZ0VBTUNreEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVE0d0RBWURWUVFEREFWaApaRzFwYmpCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkt4WmkyaE1wWGY0djJnQytCNFA4YTZrCkFaeTJjWkpOWkMxTGtqM2FBZjdLcWhTUUZURUsrbzN3SnNMUVVSdWtFSFNvODVNdmFyWCt1RDYvSmtXM0JWMmcKQURBS0JnZ3Foa2pPUFFRREFnTkpBREJHQWlFQWpDeWYydVBiRFdWTUZDL1JIeE5ZTXltTmNmVWF1bmM3S254ZQpUTFlqdFNvQ0lRQ0lscmNEWXdVcVArc1JzS05KWndXVGt0YmEvYjRiT0xDNkZJSkZqSnJ0Z1E9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K'
/** a whole pod's spec, or with parts of it chosen by the seed */
function podSpec(r?: Random): Obj {
  const all: Obj = {
    automountServiceAccountToken: false,
    containers: [
      {
        name: 'web',
        image: 'registry.k8s.io/e2e-test-images/nginx:1.15-4',
        command: ['nginx'],
        args: ['-g', 'daemon off;'],
        ports: [
          { containerPort: 80, name: 'http' },
          { containerPort: 53, protocol: 'UDP', name: 'dns' },
        ],
        env: [
          { name: 'A', value: 'one' },
          { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'C', valueFrom: { configMapKeyRef: { name: 'settings', key: 'c', optional: true } } },
          { name: 'D', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        ],
        envFrom: [{ prefix: 'P_', secretRef: { name: 'settings' } }],
        resources: { limits: { cpu: '0.5', memory: '128Mi' }, requests: { cpu: '100m' } },
        readinessProbe: { httpGet: { port: 'http' } },
        livenessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 3 },
        startupProbe: { exec: { command: ['true'] }, failureThreshold: 30 },
        lifecycle: { preStop: { exec: { command: ['sleep', '1'] } } },
        volumeMounts: [
          { name: 'settings', mountPath: '/etc/settings', readOnly: true },
          { name: 'scratch', mountPath: '/scratch' },
        ],
        securityContext: { runAsNonRoot: false, capabilities: { drop: ['ALL'] } },
      },
      { name: 'side', image: 'busybox', livenessProbe: { grpc: { port: 90 } } },
    ],
    initContainers: [{ name: 'init', image: 'busybox:1', command: ['true'] }],
    volumes: [
      { name: 'settings', configMap: { name: 'settings', items: [{ key: 'a', path: 'a' }] } },
      { name: 'scratch' },
      { name: 'secret', secret: { secretName: 'settings', defaultMode: 256 } },
      { name: 'host', hostPath: { path: '/var/log' } },
      { name: 'claim', persistentVolumeClaim: { claimName: 'data' } },
      {
        name: 'all',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          ],
        },
      },
    ],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'web', effect: 'NoSchedule' }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }],
        },
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 10, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } } },
        ],
      },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ],
    hostAliases: [{ ip: '127.0.0.1', hostnames: ['foo.local'] }],
    dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
    securityContext: { fsGroup: 2000 },
  }
  return r ? some(all, r, ['containers', 'volumes', 'automountServiceAccountToken']) : all
}
function some(object: Obj, r: Random, always: readonly string[]): Obj {
  return Object.fromEntries(Object.entries(object).filter(([key]) => always.includes(key) || r.int(2) === 0))
}
const template = (r?: Random): Obj => ({ metadata: { labels: { app: 'web', tier: 'front' } }, spec: podSpec(r) })
const selector = { matchLabels: { app: 'web' } }
const meta = (name: string, more: Obj = {}): Obj => ({ name, labels: { app: 'web' }, annotations: { note: 'kept' }, ...more })

function body(kind: string, r?: Random): Obj {
  switch (kind) {
    case 'Pod':
      return { spec: podSpec(r) }
    case 'PodTemplate':
      return { template: template(r) }
    case 'ReplicationController':
      return { spec: { replicas: 0, template: template(r) } }
    case 'ConfigMap':
      return { data: { a: '1', b: 'two', 'c.conf': 'x=1\ny=2\n' }, binaryData: { raw: 'AAEC' } }
    case 'Secret':
      return { data: { user: 'YWRtaW4=' }, stringData: { password: 'geheim' } }
    case 'Service':
      return {
        spec: {
          clusterIP: 'None',
          selector: { app: 'web' },
          ports: [
            { name: 'http', port: 80, targetPort: 'http' },
            { name: 'dns', port: 53, protocol: 'UDP' },
          ],
        },
      }
    case 'ServiceAccount':
      return { automountServiceAccountToken: false, imagePullSecrets: [{ name: 'registry' }] }
    case 'Endpoints':
      return { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80, name: 'http' }] }] }
    case 'LimitRange':
      return {
        spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '50m', memory: '16Mi' }, default: { memory: '64Mi' } }] },
      }
    case 'ResourceQuota':
      return { spec: { hard: { pods: '10', 'requests.cpu': '4', 'count/configmaps': '20' } } }
    case 'PersistentVolumeClaim':
      return { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'manual', resources: { requests: { storage: '1Gi' } } } }
    case 'PersistentVolume':
      return {
        spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'manual', hostPath: { path: '/data' } },
      }
    case 'Namespace':
      return {}
    case 'Node':
      return { spec: { podCIDR: '10.9.9.0/24', taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }
    case 'Deployment':
      return { spec: { replicas: 0, selector, template: template(r) } }
    case 'ReplicaSet':
      return { spec: { replicas: 0, selector, template: template(r) } }
    case 'StatefulSet':
      return {
        spec: {
          replicas: 0,
          serviceName: 'web',
          selector,
          template: template(r),
          volumeClaimTemplates: [
            { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
          ],
        },
      }
    case 'DaemonSet':
      return { spec: { selector, template: template(r) } }
    case 'ControllerRevision':
      return { revision: 1, data: { spec: { any: ['thing', 1, null] } } }
    case 'Job':
      return { spec: { suspend: true, template: { metadata: {}, spec: { ...podSpec(r), restartPolicy: 'Never' } } } }
    case 'CronJob':
      return {
        spec: {
          schedule: '*/5 * * * *',
          suspend: true,
          jobTemplate: { spec: { template: { spec: { ...podSpec(r), restartPolicy: 'OnFailure' } } } },
        },
      }
    case 'Ingress':
      return {
        spec: {
          ingressClassName: 'nginx',
          tls: [{ hosts: ['shop.example.com'], secretName: 'tls' }],
          rules: [
            {
              host: 'shop.example.com',
              http: {
                paths: [
                  { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
                  { path: '/api', pathType: 'Exact', backend: { service: { name: 'api', port: { name: 'http' } } } },
                ],
              },
            },
          ],
        },
      }
    case 'IngressClass':
      return { spec: { controller: 'example.com/ingress', parameters: { apiGroup: 'k8s.example.com', kind: 'Config', name: 'x' } } }
    case 'NetworkPolicy':
      return {
        spec: {
          podSelector: { matchLabels: { app: 'web' } },
          ingress: [
            {
              from: [{ podSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
              ports: [{ port: 80 }, { protocol: 'UDP', port: 'dns' }],
            },
          ],
          egress: [{ to: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }],
        },
      }
    case 'PodDisruptionBudget':
      return { spec: { minAvailable: '50%', selector } }
    case 'HorizontalPodAutoscaler':
      return {
        spec: {
          maxReplicas: 5,
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
        },
      }
    case 'Role':
    case 'ClusterRole':
      return { rules: [{ apiGroups: ['', 'apps'], resources: ['pods', 'deployments'], verbs: ['get', 'list'] }] }
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return {
        roleRef: { kind: 'ClusterRole', name: 'view' },
        subjects: [
          { kind: 'User', name: 'kim' },
          { kind: 'ServiceAccount', name: 'default', namespace: 'default' },
        ],
      }
    case 'StorageClass':
      return { provisioner: 'example.com/disk', parameters: { type: 'fast' } }
    case 'PriorityClass':
      return { value: 1000, description: 'for the shop' }
    case 'Lease':
      return { spec: { holderIdentity: 'a', leaseDurationSeconds: 40, renewTime: '2026-01-02T03:04:05.678901Z' } }
    case 'EndpointSlice':
      return {
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }],
        ports: [{ name: 'http', port: 80 }],
      }
    case 'CertificateSigningRequest':
      return { spec: { request: signingRequest, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] } }
    case 'RuntimeClass':
      return { handler: 'runc' }
    case 'ValidatingWebhookConfiguration':
      return {
        webhooks: [
          {
            name: 'check.shop.example.com',
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            clientConfig: { service: { namespace: 'default', name: 'check' } },
            rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
          },
        ],
      }
    case 'APIService':
      return {
        spec: {
          group: 'shop.example.com',
          version: 'v1',
          groupPriorityMinimum: 100,
          versionPriority: 10,
          insecureSkipTLSVerify: true,
          service: { name: 'a', namespace: 'default' },
        },
      }
    case 'CSIDriver':
      return { spec: {} }
    case 'CustomResourceDefinition':
      return {
        spec: {
          group: 'shop.example.com',
          names: { kind: 'Order', plural: 'orders' },
          scope: 'Namespaced',
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: { spec: { type: 'object', properties: { size: { type: 'integer', default: 1 } } } },
                },
              },
            },
          ],
        },
      }
    default:
      throw new Error(`no body for ${kind}`)
  }
}
export function object(kind: string, name: string, r?: Random): Obj {
  const own = kind === 'CustomResourceDefinition' ? 'orders.shop.example.com' : kind === 'APIService' ? 'v1.shop.example.com' : name
  return { apiVersion: versionOf(kind), kind, metadata: meta(own), ...body(kind, r) }
}

const gone = Symbol('gone')
const long = 'x'.repeat(64)
/** kind, path, what stands there instead */
const breaks: readonly [string, string, unknown][] = [
  // names, labels, annotations
  ['ConfigMap', 'metadata.name', 'Upper'],
  ['ConfigMap', 'metadata.name', 'a'.repeat(254)],
  ['ConfigMap', 'metadata.name', ''],
  ['ConfigMap', 'metadata.name', gone],
  ['ConfigMap', 'metadata.name', '-a'],
  ['ConfigMap', 'metadata.labels.app', 'not good'],
  ['ConfigMap', 'metadata.labels.app', long],
  ['ConfigMap', 'metadata.labels', { 'bad key': 'x' }],
  ['ConfigMap', 'metadata.labels', { 'a/b/c': 'x' }],
  ['ConfigMap', 'metadata.labels', { '/b': 'x' }],
  ['ConfigMap', 'metadata.labels', { 'UPPER.com/b': 'x' }],
  ['ConfigMap', 'metadata.annotations', { 'bad key': 'x' }],
  ['ConfigMap', 'metadata.finalizers', ['noslash']],
  ['ConfigMap', 'metadata.finalizers', ['bad finalizer/x']],
  ['ConfigMap', 'metadata.ownerReferences', [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: '' }]],
  [
    'ConfigMap',
    'metadata.ownerReferences',
    [
      { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'x', controller: true },
      { apiVersion: 'v1', kind: 'Pod', name: 'b', uid: 'y', controller: true },
    ],
  ],
  ['ConfigMap', 'data', { 'bad key': 'x' }],
  ['ConfigMap', 'data', { raw: 'both' }],
  ['ConfigMap', 'data', { '..': 'x' }],
  ['ConfigMap', 'data.a', 1],
  ['ConfigMap', 'binaryData.raw', '*'],
  ['ConfigMap', 'immutable', 'yes'],
  ['Namespace', 'metadata.name', 'not.a.label'],
  ['Namespace', 'metadata.name', 'a'.repeat(64)],
  ['Namespace', 'metadata.name', '9lives'],
  ['Service', 'metadata.name', '9lives'],
  ['Service', 'metadata.name', 'a.b'],
  ['Service', 'metadata.name', 'a'.repeat(64)],
  ['Secret', 'type', 'kubernetes.io/tls'],
  ['Secret', 'type', 'kubernetes.io/dockerconfigjson'],
  ['Secret', 'type', 'kubernetes.io/basic-auth'],
  ['Secret', 'type', 'kubernetes.io/ssh-auth'],
  ['Secret', 'type', 'kubernetes.io/service-account-token'],
  ['Secret', 'data', { 'bad key': 'YQ==' }],
  ['Secret', 'data', { user: 'not base64' }],
  // pods
  ['Pod', 'metadata.name', 'under_score'],
  ['Pod', 'spec.containers', []],
  ['Pod', 'spec.containers', gone],
  ['Pod', 'spec.containers.0.name', 'Upper'],
  ['Pod', 'spec.containers.0.name', gone],
  ['Pod', 'spec.containers.0.name', long],
  ['Pod', 'spec.containers.0.name', 'side'],
  ['Pod', 'spec.containers.0.name', 'init'],
  ['Pod', 'spec.containers.0.image', gone],
  ['Pod', 'spec.containers.0.image', ' nginx'],
  ['Pod', 'spec.containers.0.imagePullPolicy', 'Sometimes'],
  ['Pod', 'spec.containers.0.terminationMessagePolicy', 'Nope'],
  ['Pod', 'spec.containers.0.ports.0.containerPort', 0],
  ['Pod', 'spec.containers.0.ports.0.containerPort', 70000],
  ['Pod', 'spec.containers.0.ports.0.containerPort', '80'],
  ['Pod', 'spec.containers.0.ports.0.name', 'UPPER'],
  ['Pod', 'spec.containers.0.ports.0.name', 'dns'],
  ['Pod', 'spec.containers.0.ports.0.name', 'a-name-that-is-too-long'],
  ['Pod', 'spec.containers.0.ports.0.name', '123'],
  ['Pod', 'spec.containers.0.ports.0.protocol', 'ICMP'],
  ['Pod', 'spec.containers.0.ports.0.hostPort', -1],
  [
    'Pod',
    'spec.containers.0.ports',
    [
      { containerPort: 80, hostPort: 80 },
      { containerPort: 81, hostPort: 80 },
    ],
  ],
  ['Pod', 'spec.containers.0.env.0.name', ''],
  ['Pod', 'spec.containers.0.env.0.name', 'a=b'],
  ['Pod', 'spec.containers.0.env.1.value', 'both'],
  ['Pod', 'spec.containers.0.env.1.valueFrom', {}],
  ['Pod', 'spec.containers.0.env.1.valueFrom.fieldRef.fieldPath', 'spec.nope'],
  ['Pod', 'spec.containers.0.env.1.valueFrom.fieldRef.fieldPath', ''],
  ['Pod', 'spec.containers.0.env.1.valueFrom.fieldRef.fieldPath', "metadata.annotations['a b']"],
  ['Pod', 'spec.containers.0.env.2.valueFrom.configMapKeyRef.key', ''],
  ['Pod', 'spec.containers.0.env.2.valueFrom.configMapKeyRef.name', ''],
  ['Pod', 'spec.containers.0.env.3.valueFrom.resourceFieldRef.resource', 'limits.gpu'],
  ['Pod', 'spec.containers.0.envFrom.0', {}],
  ['Pod', 'spec.containers.0.envFrom.0.secretRef.name', 'BAD'],
  ['Pod', 'spec.containers.0.resources.requests.cpu', '2'],
  ['Pod', 'spec.containers.0.resources.requests.cpu', '-1'],
  ['Pod', 'spec.containers.0.resources.requests.cpu', 'lots'],
  ['Pod', 'spec.containers.0.resources.requests.bogus', '1'],
  ['Pod', 'spec.containers.0.resources.limits.memory', '1Zi'],
  ['Pod', 'spec.containers.0.resources.requests.memory', '1Gi'],
  ['Pod', 'spec.containers.0.resources.requests', { 'example.com/gpu': '1' }],
  ['Pod', 'spec.containers.0.readinessProbe', {}],
  ['Pod', 'spec.containers.0.readinessProbe.httpGet.port', 0],
  ['Pod', 'spec.containers.0.readinessProbe.httpGet.port', 'BAD NAME'],
  ['Pod', 'spec.containers.0.readinessProbe.httpGet.scheme', 'FTP'],
  ['Pod', 'spec.containers.0.readinessProbe.tcpSocket', { port: 1 }],
  ['Pod', 'spec.containers.0.readinessProbe.timeoutSeconds', -1],
  ['Pod', 'spec.containers.0.livenessProbe.successThreshold', 2],
  ['Pod', 'spec.containers.0.startupProbe.exec.command', []],
  ['Pod', 'spec.containers.0.lifecycle.preStop', {}],
  ['Pod', 'spec.containers.0.volumeMounts.0.name', 'nope'],
  ['Pod', 'spec.containers.0.volumeMounts.0.mountPath', ''],
  ['Pod', 'spec.containers.0.volumeMounts.0.mountPath', '/scratch'],
  ['Pod', 'spec.containers.0.volumeMounts.0.mountPath', 'a:b'],
  ['Pod', 'spec.containers.0.volumeMounts.0.subPath', '../up'],
  ['Pod', 'spec.containers.0.volumeMounts.0.subPath', '/abs'],
  ['Pod', 'spec.containers.0.securityContext.runAsUser', -1],
  ['Pod', 'spec.containers.0.securityContext', { privileged: true, allowPrivilegeEscalation: false }],
  ['Pod', 'spec.containers.0.command', 'nginx -g'],
  ['Pod', 'spec.containers.0.stdin', 'yes'],
  ['Pod', 'spec.initContainers.0.restartPolicy', 'Sometimes'],
  ['Pod', 'spec.initContainers.0.readinessProbe', { tcpSocket: { port: 1 } }],
  ['Pod', 'spec.initContainers.0.lifecycle', { postStart: { exec: { command: ['a'] } } }],
  ['Pod', 'spec.volumes.0.name', 'Bad_Name'],
  ['Pod', 'spec.volumes.0.name', 'scratch'],
  ['Pod', 'spec.volumes.0.name', ''],
  ['Pod', 'spec.volumes.0.emptyDir', {}],
  ['Pod', 'spec.volumes.0.configMap.name', ''],
  ['Pod', 'spec.volumes.0.configMap.items.0.path', '../a'],
  ['Pod', 'spec.volumes.0.configMap.items.0.key', ''],
  ['Pod', 'spec.volumes.0.configMap.defaultMode', 1000],
  ['Pod', 'spec.volumes.2.secret.secretName', ''],
  ['Pod', 'spec.volumes.3.hostPath.path', ''],
  ['Pod', 'spec.volumes.3.hostPath.path', '/a/../b'],
  ['Pod', 'spec.volumes.3.hostPath.type', 'Nope'],
  ['Pod', 'spec.volumes.4.persistentVolumeClaim.claimName', ''],
  ['Pod', 'spec.volumes.5.projected.sources.0', {}],
  ['Pod', 'spec.restartPolicy', 'Sometimes'],
  ['Pod', 'spec.dnsPolicy', 'Nope'],
  ['Pod', 'spec.dnsPolicy', 'None'],
  ['Pod', 'spec.dnsConfig.nameservers', ['not-an-ip']],
  ['Pod', 'spec.dnsConfig.options.0.name', ''],
  ['Pod', 'spec.terminationGracePeriodSeconds', -1],
  ['Pod', 'spec.activeDeadlineSeconds', 0],
  ['Pod', 'spec.nodeName', 'Bad_Node'],
  ['Pod', 'spec.serviceAccountName', 'Bad_Account'],
  ['Pod', 'spec.hostname', 'a.b'],
  ['Pod', 'spec.subdomain', 'a.b'],
  ['Pod', 'spec.nodeSelector', { 'bad key': 'x' }],
  ['Pod', 'spec.tolerations.0.operator', 'Nope'],
  ['Pod', 'spec.tolerations.0.operator', 'Exists'],
  ['Pod', 'spec.tolerations.0.effect', 'Nope'],
  ['Pod', 'spec.tolerations.0.key', ''],
  ['Pod', 'spec.tolerations.0.tolerationSeconds', 5],
  ['Pod', 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms', []],
  [
    'Pod',
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.operator',
    'Is',
  ],
  ['Pod', 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.values', []],
  ['Pod', 'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight', 0],
  ['Pod', 'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.podAffinityTerm.topologyKey', ''],
  ['Pod', 'spec.topologySpreadConstraints.0.maxSkew', 0],
  ['Pod', 'spec.topologySpreadConstraints.0.whenUnsatisfiable', 'Nope'],
  ['Pod', 'spec.topologySpreadConstraints.0.topologyKey', ''],
  ['Pod', 'spec.hostAliases.0.ip', 'nope'],
  ['Pod', 'spec.hostAliases.0.hostnames', ['BAD_']],
  ['Pod', 'spec.hostNetwork', true],
  ['Pod', 'spec.ephemeralContainers', [{ name: 'debug', image: 'busybox' }]],
  ['Pod', 'spec.imagePullSecrets', [{ name: '' }]],
  ['Pod', 'spec.schedulingGates', [{ name: 'bad gate' }]],
  ['Pod', 'spec.securityContext.sysctls', [{ name: 'bad sysctl', value: '1' }]],
  ['Pod', 'spec.securityContext.fsGroup', -5],
  ['Pod', 'spec.os', { name: 'plan9' }],
  // workloads
  ['Deployment', 'spec.selector', gone],
  ['Deployment', 'spec.selector', {}],
  ['Deployment', 'spec.selector.matchLabels', { app: 'other' }],
  ['Deployment', 'spec.selector.matchLabels', { app: 'not good' }],
  ['Deployment', 'spec.selector.matchExpressions', [{ key: 'a', operator: 'In' }]],
  ['Deployment', 'spec.selector.matchExpressions', [{ key: 'a', operator: 'Is', values: ['b'] }]],
  ['Deployment', 'spec.selector.matchExpressions', [{ key: 'a', operator: 'Exists', values: ['b'] }]],
  ['Deployment', 'spec.template.metadata.labels', gone],
  ['Deployment', 'spec.template', gone],
  ['Deployment', 'spec.template.spec', gone],
  ['Deployment', 'spec.template.spec.restartPolicy', 'Never'],
  ['Deployment', 'spec.template.spec.activeDeadlineSeconds', 5],
  ['Deployment', 'spec.template.spec.containers.0.image', ''],
  ['Deployment', 'spec.template.spec.containers.0.volumeMounts.0.name', 'nope'],
  ['Deployment', 'spec.replicas', -1],
  ['Deployment', 'spec.replicas', '3'],
  ['Deployment', 'spec.replicas', 1.5],
  ['Deployment', 'spec.minReadySeconds', -1],
  ['Deployment', 'spec.progressDeadlineSeconds', 0],
  ['Deployment', 'spec.minReadySeconds', 600],
  ['Deployment', 'spec.revisionHistoryLimit', -1],
  ['Deployment', 'spec.strategy', { type: 'Nope' }],
  ['Deployment', 'spec.strategy', { type: 'Recreate', rollingUpdate: { maxSurge: 1 } }],
  ['Deployment', 'spec.strategy', { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } }],
  ['Deployment', 'spec.strategy', { rollingUpdate: { maxSurge: 'lots' } }],
  ['Deployment', 'spec.strategy', { rollingUpdate: { maxUnavailable: '150%' } }],
  ['Deployment', 'spec.strategy', { rollingUpdate: { maxUnavailable: -1 } }],
  ['Deployment', 'spec', gone],
  ['Deployment', 'spec', []],
  ['Deployment', 'spec.template.spec.containers', {}],
  ['Deployment', 'spec.template.spec.containers.0', 'web'],
  ['ReplicaSet', 'spec.selector', gone],
  ['ReplicaSet', 'spec.selector.matchLabels', { app: 'other' }],
  ['ReplicaSet', 'spec.replicas', -1],
  ['ReplicationController', 'spec.selector', { app: 'other' }],
  ['ReplicationController', 'spec.template', gone],
  ['DaemonSet', 'spec.selector.matchLabels', { app: 'other' }],
  ['DaemonSet', 'spec.selector', gone],
  ['DaemonSet', 'spec.updateStrategy', { type: 'Nope' }],
  ['DaemonSet', 'spec.updateStrategy', { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } }],
  ['DaemonSet', 'spec.updateStrategy', { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } }],
  ['DaemonSet', 'spec.template.spec.restartPolicy', 'OnFailure'],
  ['StatefulSet', 'spec.selector.matchLabels', { app: 'other' }],
  ['StatefulSet', 'spec.podManagementPolicy', 'Nope'],
  ['StatefulSet', 'spec.updateStrategy', { type: 'Nope' }],
  ['StatefulSet', 'spec.updateStrategy', { type: 'OnDelete', rollingUpdate: {} }],
  ['StatefulSet', 'spec.updateStrategy', { rollingUpdate: { partition: -1 } }],
  ['StatefulSet', 'spec.serviceName', gone],
  ['StatefulSet', 'spec.serviceName', 'Bad_Service'],
  ['StatefulSet', 'spec.replicas', -1],
  ['StatefulSet', 'spec.persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Nope' }],
  ['Job', 'spec.template.spec.restartPolicy', 'Always'],
  ['Job', 'spec.template.spec.restartPolicy', gone],
  ['Job', 'spec.parallelism', -1],
  ['Job', 'spec.completions', -1],
  ['Job', 'spec.backoffLimit', -1],
  ['Job', 'spec.activeDeadlineSeconds', -1],
  ['Job', 'spec.completionMode', 'Nope'],
  ['Job', 'spec.completionMode', 'Indexed'],
  ['Job', 'spec.selector', selector],
  ['Job', 'spec.ttlSecondsAfterFinished', -1],
  ['CronJob', 'spec.schedule', 'not a schedule'],
  ['CronJob', 'spec.schedule', ''],
  ['CronJob', 'spec.schedule', '61 * * * *'],
  ['CronJob', 'spec.schedule', '* * * *'],
  ['CronJob', 'spec.schedule', 'TZ=UTC * * * * *'],
  ['CronJob', 'spec.concurrencyPolicy', 'Nope'],
  ['CronJob', 'spec.jobTemplate.spec.template.spec.restartPolicy', 'Always'],
  ['CronJob', 'spec.successfulJobsHistoryLimit', -1],
  ['CronJob', 'spec.startingDeadlineSeconds', -1],
  ['CronJob', 'spec.timeZone', 'Mars/Olympus'],
  ['CronJob', 'metadata.name', 'a'.repeat(53)],
  // services and network
  ['Service', 'spec.ports', []],
  ['Service', 'spec', { selector: { app: 'web' } }],
  ['Service', 'spec', { clusterIP: 'None' }],
  ['Service', 'spec.ports.0.port', 0],
  ['Service', 'spec.ports.0.port', 70000],
  ['Service', 'spec.ports.0.name', ''],
  ['Service', 'spec.ports.0.name', 'Bad_Name'],
  ['Service', 'spec.ports.0.name', 'dns'],
  ['Service', 'spec.ports.0.protocol', 'ICMP'],
  ['Service', 'spec.ports.0.targetPort', 70000],
  ['Service', 'spec.ports.0.targetPort', 'Bad Name'],
  ['Service', 'spec.ports.0.nodePort', 30000],
  ['Service', 'spec.ports.1', { name: 'again', port: 80 }],
  ['Service', 'spec.type', 'Nope'],
  ['Service', 'spec.type', 'NodePort'],
  ['Service', 'spec.type', 'ExternalName'],
  ['Service', 'spec.sessionAffinity', 'Nope'],
  ['Service', 'spec.sessionAffinityConfig', { clientIP: { timeoutSeconds: 5 } }],
  ['Service', 'spec.clusterIP', 'not-an-ip'],
  ['Service', 'spec.selector', { 'bad key': 'x' }],
  ['Service', 'spec.externalIPs', ['nope']],
  ['Service', 'spec.externalTrafficPolicy', 'Local'],
  ['Service', 'spec.internalTrafficPolicy', 'Nope'],
  ['Service', 'spec.ipFamilyPolicy', 'Nope'],
  ['Service', 'spec', { type: 'ExternalName', externalName: 'Bad_Name' }],
  ['Service', 'spec', { type: 'ExternalName', externalName: 'example.com', clusterIP: '10.96.0.99' }],
  ['Ingress', 'spec.rules.0.host', '1.2.3.4'],
  ['Ingress', 'spec.rules.0.host', 'Bad_Host'],
  ['Ingress', 'spec.rules.0.host', '*.example.com'],
  ['Ingress', 'spec.rules.0.host', '*.*.com'],
  ['Ingress', 'spec.rules.0.http.paths', []],
  ['Ingress', 'spec.rules.0.http.paths.0.pathType', gone],
  ['Ingress', 'spec.rules.0.http.paths.0.pathType', 'Nope'],
  ['Ingress', 'spec.rules.0.http.paths.0.path', 'relative'],
  ['Ingress', 'spec.rules.0.http.paths.0.path', '/a//b'],
  ['Ingress', 'spec.rules.0.http.paths.0.path', gone],
  ['Ingress', 'spec.rules.0.http.paths.0.backend', {}],
  ['Ingress', 'spec.rules.0.http.paths.0.backend.service.name', 'Bad_Name'],
  ['Ingress', 'spec.rules.0.http.paths.0.backend.service.port', {}],
  ['Ingress', 'spec.rules.0.http.paths.0.backend.service.port', { number: 80, name: 'http' }],
  ['Ingress', 'spec.rules.0.http.paths.0.backend.service.port.number', 70000],
  ['Ingress', 'spec.rules', gone],
  ['Ingress', 'spec', {}],
  ['Ingress', 'spec.ingressClassName', 'Bad_Class'],
  ['Ingress', 'spec.tls.0.hosts', ['Bad_Host']],
  ['IngressClass', 'spec.controller', 'nodomain'],
  ['IngressClass', 'spec.controller', ''],
  ['NetworkPolicy', 'spec.podSelector', gone],
  ['NetworkPolicy', 'spec.podSelector.matchLabels', { 'bad key': 'x' }],
  ['NetworkPolicy', 'spec.policyTypes', ['Nope']],
  ['NetworkPolicy', 'spec.policyTypes', ['Ingress', 'Egress', 'Ingress']],
  ['NetworkPolicy', 'spec.ingress.0.ports.0.port', 0],
  ['NetworkPolicy', 'spec.ingress.0.ports.0.port', 'BAD'],
  ['NetworkPolicy', 'spec.ingress.0.ports.0.protocol', 'ICMP'],
  ['NetworkPolicy', 'spec.ingress.0.ports.0.endPort', 10],
  ['NetworkPolicy', 'spec.ingress.0.from.1.ipBlock.cidr', 'nope'],
  ['NetworkPolicy', 'spec.ingress.0.from.1.ipBlock.cidr', ''],
  ['NetworkPolicy', 'spec.ingress.0.from.1.ipBlock.except', ['192.168.0.0/16']],
  ['NetworkPolicy', 'spec.ingress.0.from.1.podSelector', {}],
  ['NetworkPolicy', 'spec.ingress.0.from.0', {}],
  ['EndpointSlice', 'addressType', 'IPv9'],
  ['EndpointSlice', 'addressType', gone],
  ['EndpointSlice', 'endpoints.0.addresses', []],
  ['EndpointSlice', 'endpoints.0.addresses', ['nope']],
  ['EndpointSlice', 'ports.0.name', 'Bad_Name'],
  ['Endpoints', 'subsets.0.addresses.0.ip', 'nope'],
  ['Endpoints', 'subsets.0.addresses.0.ip', '127.0.0.1'],
  ['Endpoints', 'subsets.0.ports.0.port', 0],
  // rbac
  ['Role', 'rules.0.verbs', []],
  ['Role', 'rules.0.verbs', gone],
  ['Role', 'rules.0.apiGroups', []],
  ['Role', 'rules.0.resources', []],
  ['Role', 'rules.0.nonResourceURLs', ['/healthz']],
  ['ClusterRole', 'rules.0.nonResourceURLs', ['/healthz']],
  ['Role', 'metadata.name', 'bad/name'],
  ['RoleBinding', 'roleRef', gone],
  ['RoleBinding', 'roleRef.kind', 'Nope'],
  ['RoleBinding', 'roleRef.name', ''],
  ['RoleBinding', 'roleRef.apiGroup', 'nope'],
  ['RoleBinding', 'subjects.0.kind', 'Nope'],
  ['RoleBinding', 'subjects.0.name', ''],
  ['RoleBinding', 'subjects.0.apiGroup', 'nope'],
  ['RoleBinding', 'subjects.1.namespace', gone],
  ['RoleBinding', 'subjects.1.name', 'Bad_Name'],
  ['ClusterRoleBinding', 'roleRef.kind', 'Role'],
  // storage
  ['PersistentVolumeClaim', 'spec.accessModes', []],
  ['PersistentVolumeClaim', 'spec.accessModes', ['Nope']],
  ['PersistentVolumeClaim', 'spec.accessModes', ['ReadWriteOncePod', 'ReadWriteOnce']],
  ['PersistentVolumeClaim', 'spec.resources', {}],
  ['PersistentVolumeClaim', 'spec.resources.requests.storage', '0'],
  ['PersistentVolumeClaim', 'spec.resources.requests.storage', '-1Gi'],
  ['PersistentVolumeClaim', 'spec.storageClassName', 'Bad_Class'],
  ['PersistentVolumeClaim', 'spec.volumeMode', 'Nope'],
  ['PersistentVolumeClaim', 'spec.selector', { matchLabels: { 'bad key': 'x' } }],
  ['PersistentVolume', 'spec.capacity', gone],
  ['PersistentVolume', 'spec.capacity', { cpu: '1' }],
  ['PersistentVolume', 'spec.accessModes', []],
  ['PersistentVolume', 'spec.accessModes', ['Nope']],
  ['PersistentVolume', 'spec.hostPath', gone],
  ['PersistentVolume', 'spec.nfs', { server: 'a', path: '/x' }],
  ['PersistentVolume', 'spec.hostPath.path', '/a/../b'],
  ['PersistentVolume', 'spec.persistentVolumeReclaimPolicy', 'Nope'],
  ['PersistentVolume', 'spec.storageClassName', 'Bad_Class'],
  ['PersistentVolume', 'spec.volumeMode', 'Nope'],
  ['PersistentVolume', 'spec.local', { path: '/disk' }],
  ['StorageClass', 'provisioner', ''],
  ['StorageClass', 'provisioner', 'Bad_Name'],
  ['StorageClass', 'reclaimPolicy', 'Nope'],
  ['StorageClass', 'volumeBindingMode', 'Nope'],
  ['StorageClass', 'parameters', { '': 'x' }],
  // the rest
  ['PodDisruptionBudget', 'spec.minAvailable', '150%'],
  ['PodDisruptionBudget', 'spec.minAvailable', -1],
  ['PodDisruptionBudget', 'spec.maxUnavailable', 1],
  ['PodDisruptionBudget', 'spec.minAvailable', 'half'],
  ['HorizontalPodAutoscaler', 'spec.maxReplicas', 0],
  ['HorizontalPodAutoscaler', 'spec.minReplicas', 9],
  ['HorizontalPodAutoscaler', 'spec.minReplicas', 0],
  ['HorizontalPodAutoscaler', 'spec.scaleTargetRef.kind', ''],
  ['HorizontalPodAutoscaler', 'spec.scaleTargetRef.name', ''],
  ['HorizontalPodAutoscaler', 'spec.behavior.scaleDown.stabilizationWindowSeconds', 9999],
  ['LimitRange', 'spec.limits.0.max.cpu', '10m'],
  ['LimitRange', 'spec.limits.0.type', ''],
  [
    'LimitRange',
    'spec.limits',
    [
      { type: 'Container', max: { cpu: '1' } },
      { type: 'Container', max: { cpu: '2' } },
    ],
  ],
  ['ResourceQuota', 'spec.hard.pods', '-1'],
  ['ResourceQuota', 'spec.hard.pods', '1.5'],
  ['ResourceQuota', 'spec.hard', { bogus: '1' }],
  ['ResourceQuota', 'spec.scopes', ['Nope']],
  ['PriorityClass', 'value', 2000000000],
  ['PriorityClass', 'metadata.name', 'system-mine'],
  ['PriorityClass', 'preemptionPolicy', 'Nope'],
  ['Lease', 'spec.leaseDurationSeconds', 0],
  ['Lease', 'spec.renewTime', 'yesterday'],
  ['Node', 'spec.taints.0.effect', 'Nope'],
  ['Node', 'spec.taints.0.key', 'bad key'],
  [
    'Node',
    'spec.taints',
    [
      { key: 'a', effect: 'NoSchedule' },
      { key: 'a', effect: 'NoSchedule' },
    ],
  ],
  ['Node', 'spec.podCIDR', 'nope'],
  ['CustomResourceDefinition', 'metadata.name', 'wrong.shop.example.com'],
  ['CustomResourceDefinition', 'spec.scope', 'Nope'],
  ['CustomResourceDefinition', 'spec.scope', gone],
  ['CustomResourceDefinition', 'spec.group', ''],
  ['CustomResourceDefinition', 'spec.names.kind', ''],
  ['CustomResourceDefinition', 'spec.names.plural', 'Orders'],
  ['CustomResourceDefinition', 'spec.versions', []],
  ['CustomResourceDefinition', 'spec.versions.0.storage', false],
  ['CustomResourceDefinition', 'spec.versions.0.schema', gone],
  ['CustomResourceDefinition', 'spec.versions.0.schema.openAPIV3Schema.type', 'string'],
  ['CustomResourceDefinition', 'spec.versions.0.schema.openAPIV3Schema.properties.spec.properties.size.type', gone],
  ['CustomResourceDefinition', 'spec.versions.0.schema.openAPIV3Schema.properties.spec.properties.size.default', 'one'],
  ['CustomResourceDefinition', 'spec.versions.0.schema.openAPIV3Schema.properties.spec.properties.size.type', 'nope'],
  ['CertificateSigningRequest', 'spec.request', gone],
  ['CertificateSigningRequest', 'spec.request', 'bm9wZQ=='],
  ['CertificateSigningRequest', 'spec.signerName', gone],
  ['CertificateSigningRequest', 'spec.signerName', 'nope'],
  ['CertificateSigningRequest', 'spec.signerName', 'Bad_Name/x'],
  ['CertificateSigningRequest', 'spec.usages', gone],
  ['CertificateSigningRequest', 'spec.usages', ['nope']],
  ['CertificateSigningRequest', 'spec.usages', ['client auth', 'client auth']],
  ['CertificateSigningRequest', 'spec.expirationSeconds', 10],
  ['CertificateSigningRequest', 'spec', {}],
  ['RuntimeClass', 'handler', ''],
  ['RuntimeClass', 'handler', 'Bad_Handler'],
  ['ValidatingWebhookConfiguration', 'webhooks.0', {}],
  ['ValidatingWebhookConfiguration', 'webhooks.0.name', 'short'],
  ['ValidatingWebhookConfiguration', 'webhooks.0.sideEffects', 'Some'],
  ['ValidatingWebhookConfiguration', 'webhooks.0.failurePolicy', 'Nope'],
  ['ValidatingWebhookConfiguration', 'webhooks.0.timeoutSeconds', 99],
  ['ValidatingWebhookConfiguration', 'webhooks.0.rules.0', {}],
  ['ValidatingWebhookConfiguration', 'webhooks.0.clientConfig', { url: 'http://x' }],
  ['APIService', 'spec.group', 'other.example.com'],
  ['APIService', 'spec.version', 'Bad'],
  ['CSIDriver', 'spec.fsGroupPolicy', 'Nope'],
  ['PersistentVolume', 'spec.nodeAffinity', {}],
  ['PersistentVolume', 'spec.nodeAffinity', { required: { nodeSelectorTerms: [] } }],
  ['PersistentVolume', 'spec', { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, local: { path: '/x' } }],
  [
    'PersistentVolume',
    'spec',
    { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' },
  ],
  ['Service', 'spec', { type: 'LoadBalancer', ports: [{ port: 80 }], loadBalancerSourceRanges: ['x'] }],
  ['Service', 'spec', { type: 'LoadBalancer', ports: [{ port: 80 }], healthCheckNodePort: 3 }],
  ['Service', 'spec', { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } }, ports: [{ port: 80 }] }],
  [
    'Service',
    'spec',
    {
      type: 'NodePort',
      ports: [
        { port: 80, nodePort: 30080 },
        { port: 81, nodePort: 30080 },
      ],
    },
  ],
  ['Deployment', 'spec.template.spec.containers.0.resources', { claims: [{ name: 'x' }] }],
  ['Pod', 'spec.containers.0.volumeMounts.0.mountPropagation', 'Bidirectional'],
  ['Pod', 'spec.containers.0.volumeMounts.0.mountPropagation', 'Nope'],
  ['Pod', 'spec.containers.0.securityContext.seccompProfile', { type: 'Localhost' }],
  ['Pod', 'spec.securityContext.seccompProfile', {}],
  ['Pod', 'spec.initContainers.0.restartPolicy', 'Always'],
  ['Pod', 'spec.readinessGates', [{ conditionType: 'bad gate' }]],
  ['Pod', 'spec.priorityClassName', 'missing'],
  ['Pod', 'spec.runtimeClassName', 'Bad_Class'],
  ['Pod', 'spec.hostPID', true],
  ['Pod', 'spec.containers.0.lifecycle.preStop', { sleep: { seconds: 99 } }],
  ['Pod', 'spec.containers.0.livenessProbe.terminationGracePeriodSeconds', 0],
  ['Pod', 'spec.dnsConfig.searches', ['Bad Search']],
  ['Pod', 'spec.volumes.1.emptyDir', { sizeLimit: '-1' }],
  ['Pod', 'spec.volumes.5.projected.sources.1.downwardAPI.items.0', { path: 'x' }],
  ['Pod', 'spec.volumes.5.projected.sources.1.downwardAPI.items.0.path', 'token'],
  ['Pod', 'spec.volumes.5.projected.sources.0.serviceAccountToken.expirationSeconds', 5],
  // unknown fields, with strict decoding
  ['Deployment', 'spec.replica', 3],
  ['Deployment', 'spec.template.spec.containers.0.img', 'x'],
  ['Pod', 'spec.volumes.0.configMap.optinal', true],
  ['Service', 'specs', {}],
  ['ConfigMap', 'metadata.nmae', 'x'],
]

/** changes of a live object that its kind forbids, or allows */
const updates: readonly [string, string, unknown][] = [
  ['ConfigMap', 'data.a', 'changed'],
  ['ConfigMap', 'data', gone],
  ['Secret', 'type', 'example.com/other'],
  ['Secret', 'data', { user: 'eA==' }],
  ['Service', 'spec.clusterIP', '10.96.7.7'],
  ['Service', 'spec.clusterIP', gone],
  ['Service', 'spec.ports.0.port', 8080],
  ['Service', 'spec.type', 'NodePort'],
  ['Service', 'spec.ipFamilies', ['IPv6']],
  ['PodTemplate', 'template.spec.containers.0.image', 'other'],
  ['PodTemplate', 'template.spec.containers.0.name', 'Bad_Name'],
  ['CronJob', 'spec.schedule', 'nope'],
  ['CronJob', 'spec.schedule', '0 0 * * *'],
  ['Job', 'spec.template.spec.containers.0.image', 'other'],
  ['Job', 'spec.completions', 3],
  ['Job', 'spec.parallelism', 3],
  ['Job', 'spec.completionMode', 'Indexed'],
  ['Job', 'spec.selector', gone],
  ['Job', 'spec.backoffLimit', 2],
  ['Deployment', 'spec.selector.matchLabels', { tier: 'front' }],
  ['Deployment', 'spec.template.metadata.labels', { app: 'web', more: 'yes' }],
  ['Deployment', 'spec.paused', true],
  ['ReplicaSet', 'spec.selector.matchLabels', { tier: 'front' }],
  ['DaemonSet', 'spec.selector.matchLabels', { tier: 'front' }],
  ['StatefulSet', 'spec.serviceName', 'other'],
  ['StatefulSet', 'spec.selector.matchLabels', { tier: 'front' }],
  ['StatefulSet', 'spec.volumeClaimTemplates.0.spec.resources.requests.storage', '2Gi'],
  ['StatefulSet', 'spec.podManagementPolicy', 'Parallel'],
  ['StatefulSet', 'spec.replicas', 2],
  ['PersistentVolumeClaim', 'spec.storageClassName', 'other'],
  ['PersistentVolumeClaim', 'spec.accessModes', ['ReadWriteMany']],
  ['PersistentVolumeClaim', 'spec.volumeName', 'pv-1'],
  ['PersistentVolumeClaim', 'spec.resources.requests.storage', '2Gi'],
  ['NetworkPolicy', 'spec.podSelector', { matchLabels: { app: 'other' } }],
  ['Ingress', 'spec.rules.0.host', 'other.example.com'],
  ['PodDisruptionBudget', 'spec.selector', { matchLabels: { app: 'other' } }],
  ['RoleBinding', 'roleRef.name', 'edit'],
  ['RoleBinding', 'subjects', []],
  ['Role', 'rules', []],
  ['Lease', 'spec.holderIdentity', 'b'],
  ['EndpointSlice', 'addressType', 'IPv6'],
  ['ConfigMap', 'metadata.uid', 'other'],
  ['ConfigMap', 'metadata.labels', { app: 'not good' }],
  ['ControllerRevision', 'data', { other: 1 }],
  ['ControllerRevision', 'revision', 2],
  ['ServiceAccount', 'automountServiceAccountToken', true],
  ['Pod', 'spec.containers.0.image', 'nginx:2'],
  ['Pod', 'spec.containers.0.command', ['other']],
  ['Pod', 'spec.restartPolicy', 'Never'],
  ['Pod', 'spec.terminationGracePeriodSeconds', 3],
  ['Pod', 'spec.activeDeadlineSeconds', 30],
  ['Pod', 'spec.containers', [{ name: 'web', image: 'nginx' }]],
  ['Pod', 'spec.containers.0.resources.limits.cpu', '1'],
  ['Pod', 'metadata.labels.app', 'other'],
  ['Pod', 'spec.nodeName', 'elsewhere'],
  ['Pod', 'spec.tolerations', []],
]

export function changed(given: Obj, path: string, value: unknown): Obj {
  const result = structuredClone(given)
  const parts = path.split('.')
  let at: Obj = result
  for (const part of parts.slice(0, -1)) {
    at[part] ??= {}
    at = at[part] as Obj
  }
  const last = parts.at(-1) as string
  if (value === gone) delete at[last]
  else at[last] = structuredClone(value)
  return result
}

type PatchBody = readonly ['json' | 'merge' | 'strategic', unknown]
const podPatches = (at: string, prefix: string): PatchBody[] => {
  const within = (spec: unknown): unknown => at.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), spec)
  const strategic = (spec: unknown): PatchBody => ['strategic', within(spec)]
  const merge = (spec: unknown): PatchBody => ['merge', within(spec)]
  return [
    strategic({ containers: [{ name: 'web', image: 'nginx:2' }] }),
    strategic({ containers: [{ name: 'new', image: 'new' }] }),
    strategic({ containers: [{ name: 'side', $patch: 'delete' }] }),
    strategic({ containers: [{ $patch: 'replace' }, { name: 'only', image: 'only' }] }),
    strategic({ containers: [{ image: 'nameless' }] }),
    strategic({
      containers: [
        {
          name: 'web',
          env: [
            { name: 'A', value: null },
            { name: 'Z', value: 'z' },
          ],
        },
      ],
    }),
    strategic({ containers: [{ name: 'web', env: null }] }),
    strategic({ containers: [{ name: 'web', env: [{ name: 'B', $patch: 'delete' }] }] }),
    strategic({ containers: [{ name: 'web', ports: [{ containerPort: 80, name: 'renamed' }, { containerPort: 81 }] }] }),
    strategic({ containers: [{ name: 'web', command: ['a', 'b'] }] }),
    strategic({ containers: [{ name: 'web', resources: { limits: { cpu: '1', memory: null } } }] }),
    strategic({ containers: [{ name: 'web', volumeMounts: [{ mountPath: '/scratch', readOnly: true, name: 'scratch' }] }] }),
    strategic({ $setElementOrder: 0 }),
    strategic({ '$setElementOrder/containers': [{ name: 'side' }, { name: 'web' }] }),
    strategic({ '$setElementOrder/containers': [{ name: 'side' }, { name: 'web' }], containers: [{ name: 'web', image: 'z' }] }),
    strategic({ '$setElementOrder/containers': [{ name: 'web' }], containers: [{ name: 'side', image: 'z' }] }),
    strategic({ volumes: [{ name: 'scratch', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] }),
    strategic({ volumes: [{ name: 'scratch', $retainKeys: ['name'], hostPath: { path: '/x' } }] }),
    strategic({ volumes: [{ name: 'settings', configMap: { name: 'other' } }] }),
    strategic({ tolerations: [{ key: 'a', operator: 'Exists' }] }),
    strategic({ nodeSelector: { disk: 'ssd', 'kubernetes.io/os': null } }),
    strategic({ affinity: { $patch: 'delete' } }),
    strategic({ affinity: { $patch: 'replace', podAffinity: {} } }),
    strategic({ affinity: { $patch: 'nope' } }),
    strategic({ imagePullSecrets: [{ name: 'one' }, { name: 'two' }] }),
    strategic({
      hostAliases: [
        { ip: '127.0.0.1', hostnames: ['b'] },
        { ip: '127.0.0.2', hostnames: ['c'] },
      ],
    }),
    strategic({ containers: 'nope' }),
    strategic({ unknown: 1 }),
    merge({ containers: [{ name: 'one', image: 'one' }] }),
    merge({ nodeSelector: null, tolerations: null }),
    merge({ terminationGracePeriodSeconds: 5, dnsPolicy: null }),
    merge({ containers: 'nope' }),
    merge({ unknown: 1 }),
    ['json', [{ op: 'replace', path: `${prefix}/containers/0/image`, value: 'nginx:2' }]],
    ['json', [{ op: 'add', path: `${prefix}/containers/-`, value: { name: 'new', image: 'new' } }]],
    ['json', [{ op: 'add', path: `${prefix}/containers/0`, value: { name: 'new', image: 'new' } }]],
    ['json', [{ op: 'remove', path: `${prefix}/containers/1` }]],
    ['json', [{ op: 'remove', path: `${prefix}/containers/9` }]],
    ['json', [{ op: 'remove', path: `${prefix}/nope` }]],
    ['json', [{ op: 'replace', path: `${prefix}/nope`, value: 1 }]],
    ['json', [{ op: 'replace', path: `${prefix}/nope/nope`, value: 1 }]],
    ['json', [{ op: 'add', path: `${prefix}/nodeSelector/a~1b`, value: 'c' }]],
    [
      'json',
      [
        { op: 'test', path: `${prefix}/containers/0/name`, value: 'web' },
        { op: 'replace', path: `${prefix}/containers/0/image`, value: 'z' },
      ],
    ],
    ['json', [{ op: 'test', path: `${prefix}/containers/0/name`, value: 'nope' }]],
    ['json', [{ op: 'copy', from: `${prefix}/containers/0/image`, path: `${prefix}/containers/1/image` }]],
    ['json', [{ op: 'move', from: `${prefix}/containers/0`, path: `${prefix}/containers/1` }]],
    ['json', [{ op: 'move', from: `${prefix}/nope/0`, path: `${prefix}/containers/1` }]],
    ['json', [{ op: 'nope', path: `${prefix}/containers` }]],
    ['json', [{ op: 'add', path: `${prefix}/containers/x`, value: {} }]],
    ['json', [{ op: 'add', path: `${prefix}/containers/9`, value: {} }]],
    ['json', [{ op: 'replace', path: `${prefix}/containers/0/ports/0/containerPort`, value: 'http' }]],
    ['json', { op: 'remove', path: '/x' }],
    ['merge', []],
    ['strategic', []],
    ['strategic', { metadata: { labels: { app: null, new: 'one' }, annotations: { note: 'changed' } } }],
    ['merge', { metadata: { labels: { app: null }, finalizers: ['example.com/a'] } }],
    ['strategic', { metadata: { finalizers: ['example.com/a', 'example.com/b'] } }],
    ['strategic', { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } }],
    ['merge', { metadata: { name: 'other' } }],
    ['merge', { metadata: { resourceVersion: '1' } }],
    ['merge', { kind: 'Other' }],
  ]
}
const servicePatches: PatchBody[] = [
  ['strategic', { spec: { ports: [{ port: 80, targetPort: 8080 }] } }],
  ['strategic', { spec: { ports: [{ port: 443, name: 'https' }] } }],
  ['strategic', { spec: { ports: [{ port: 53, $patch: 'delete' }] } }],
  ['strategic', { spec: { selector: { app: null, tier: 'x' } } }],
  ['merge', { spec: { ports: [{ port: 1, name: 'one' }] } }],
  ['merge', { spec: { ports: null } }],
  ['merge', { spec: { sessionAffinity: 'ClientIP' } }],
  ['json', [{ op: 'replace', path: '/spec/ports/0/port', value: 0 }]],
]

/** configurations that several managers apply in turn */
const applied: Record<string, readonly unknown[]> = {
  ConfigMap: [
    { data: { a: '1' } },
    { data: { a: '2', b: '2' } },
    { data: { c: '3' } },
    { data: {} },
    {},
    { data: { a: '1' }, metadata: { labels: { app: 'other' } } },
  ],
  PodTemplate: [
    { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'a' }] } } },
    { template: { spec: { containers: [{ name: 'web', image: 'b' }] } } },
    {
      template: {
        spec: { containers: [{ name: 'side', image: 'b', ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }] }] },
      },
    },
    {
      template: {
        spec: {
          containers: [
            { name: 'side', image: 'b', ports: [{ containerPort: 80 }] },
            { name: 'web', image: 'a' },
          ],
        },
      },
    },
    {
      template: {
        spec: {
          containers: [
            {
              name: 'web',
              image: 'a',
              env: [
                { name: 'X', value: '1' },
                { name: 'Y', value: '2' },
              ],
            },
          ],
        },
      },
    },
    { template: { spec: { containers: [{ name: 'web', image: 'a', env: [{ name: 'Y', value: '3' }] }] } } },
    { template: { spec: { containers: [{ name: 'web', image: 'a', command: ['x', 'y'], resources: { limits: { cpu: '1' } } }] } } },
    {
      template: {
        spec: {
          containers: [{ name: 'web', image: 'a', command: ['z'] }],
          volumes: [{ name: 'v', emptyDir: {} }],
          nodeSelector: { a: 'b' },
        },
      },
    },
    { template: { spec: { containers: [{ image: 'nameless' }] } } },
    { template: { spec: { containers: [{ name: 'web', img: 'typo' }] } } },
    { template: { spec: { containers: [{ name: 'web' }, { name: 'web' }] } } },
    { template: { spec: { containers: 'nope', terminationGracePeriodSeconds: 'x' } } },
  ],
  Service: [
    { spec: { clusterIP: 'None', ports: [{ port: 80, name: 'http' }], selector: { app: 'a' } } },
    {
      spec: {
        clusterIP: 'None',
        ports: [
          { port: 80, name: 'http', targetPort: 8080 },
          { port: 81, name: 'b' },
        ],
      },
    },
    { spec: { clusterIP: 'None', ports: [{ port: 81, name: 'c' }] } },
    { spec: { selector: { app: 'b', tier: 'x' } } },
  ],
  NetworkPolicy: [
    { spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [{}] } },
    { spec: { podSelector: { matchLabels: { app: 'other' } } } },
    { spec: { podSelector: {}, policyTypes: ['Egress'] } },
  ],
  ServiceAccount: [
    { imagePullSecrets: [{ name: 'a' }] },
    { imagePullSecrets: [{ name: 'b' }, { name: 'a' }], metadata: { finalizers: ['example.com/x'] } },
    { metadata: { finalizers: ['example.com/y'], annotations: { a: 'b' } } },
  ],
  CronJob: [
    {
      spec: {
        schedule: '* * * * *',
        suspend: true,
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } } } },
      },
    },
    { spec: { schedule: '0 * * * *' } },
    { spec: { suspend: true } },
  ],
}

export const pick = <T>(r: Random, list: readonly T[]): T => list[r.int(list.length)] as T
export function cases(seed: number): Case[] {
  const r = random(seed)
  const all: Case[] = []
  const place = (kind: string) => places[kind] as string
  let count = 0
  const name = (kind: string) => {
    count += 1
    return `${kind.toLowerCase()}-${count}`
  }

  for (const kind of Object.keys(places))
    for (let round = 0; round < (/Pod$|Deployment|PodTemplate|StatefulSet|DaemonSet|Job/.test(kind) ? 4 : 1); round += 1) {
      const own = name(kind)
      all.push({
        about: `create ${kind}`,
        name: own,
        dryOnly: true,
        steps: [{ verb: 'create', resource: place(kind), dryRun: true, body: object(kind, own, round === 0 ? undefined : r) }],
      })
    }
  for (const [kind, path, value] of breaks) {
    const own = name(kind)
    const broken = changed(object(kind, own), path, value)
    const shown = value === gone ? 'gone' : JSON.stringify(value)
    all.push({
      about: `create ${kind} with ${path} ${shown.slice(0, 80)}`,
      name: own,
      dryOnly: true,
      steps: [{ verb: 'create', resource: place(kind), dryRun: true, strict: true, body: broken }],
    })
  }
  // Two things wrong at once: the order of causes.
  for (let round = 0; round < 40; round += 1) {
    const [kind, path, value] = pick(r, breaks)
    const [, secondPath, secondValue] = pick(
      r,
      breaks.filter(([other]) => other === kind),
    )
    const own = name(kind)
    try {
      const broken = changed(changed(object(kind, own), path, value), secondPath, secondValue)
      all.push({
        about: `create ${kind} with ${path} and ${secondPath} changed`,
        name: own,
        dryOnly: true,
        steps: [{ verb: 'create', resource: place(kind), dryRun: true, body: broken }],
      })
    } catch {
      // the second path no longer exists
    }
  }
  const live: Record<string, string> = {}
  const kinds = [...new Set([...updates.map(([kind]) => kind)])]
  for (const kind of kinds) {
    const own = name(kind)
    live[kind] = own
    const base = object(kind, own)
    if (kind === 'Pod') (base.spec as Obj).schedulingGates = [{ name: 'example.com/hold' }]
    if (kind === 'DaemonSet') ((base.spec as Obj).template as { spec: Obj }).spec.nodeSelector = { nowhere: 'yes' }
    const steps: Step[] = [{ verb: 'create', resource: place(kind), body: base }]
    for (const [, path, value] of updates.filter(([other]) => other === kind))
      steps.push({ verb: 'update', resource: place(kind), dryRun: true, body: changed(base, path, value) })
    if (kind === 'Service')
      for (const [verb, patch] of servicePatches) steps.push({ verb, resource: place(kind), dryRun: true, body: patch })
    if (kind === 'PodTemplate')
      for (const [verb, patch] of podPatches('template.spec', '/template/spec'))
        steps.push({ verb, resource: place(kind), dryRun: true, body: patch })
    all.push({ about: `changes of a live ${kind}`, name: own, steps })
  }
  for (const [kind, configurations] of Object.entries(applied))
    for (let round = 0; round < 10; round += 1) {
      const own = name(kind)
      const steps: Step[] = []
      if (round % 3 === 2) steps.push({ verb: 'create', resource: place(kind), manager: 'creator', body: object(kind, own) })
      for (let step = 0; step < 5; step += 1) {
        const manager = pick(r, ['alpha', 'beta', 'gamma'])
        const config = structuredClone(step === 0 && round % 3 !== 2 ? configurations[round % 3] : pick(r, configurations)) as Obj
        const metadata = { ...(config.metadata as Obj | undefined), name: own }
        if (r.int(5) === 0 && step > 0)
          steps.push({ verb: 'merge', resource: place(kind), manager, body: { ...config, metadata: { labels: { by: manager } } } })
        else
          steps.push({
            verb: 'apply',
            resource: place(kind),
            manager,
            force: r.int(3) === 0,
            body: { apiVersion: versionOf(kind), kind, ...config, metadata },
          })
      }
      all.push({ about: `apply ${kind}`, name: own, steps })
    }
  return all
}
