// What --controllers of kube-controller-manager means, and what the controllers say when they start. Pure (cmd/kube-controller-manager/names, app/controllermanager.go, k8s.io/controller-manager/app).

/** older names that the flag still takes */
const aliases: Readonly<Record<string, string>> = {
  'serviceaccount-token': 'serviceaccount-token-controller',
  endpoint: 'endpoints-controller',
  endpointslice: 'endpointslice-controller',
  endpointslicemirroring: 'endpointslice-mirroring-controller',
  replicationcontroller: 'replicationcontroller-controller',
  podgc: 'pod-garbage-collector-controller',
  resourcequota: 'resourcequota-controller',
  namespace: 'namespace-controller',
  serviceaccount: 'serviceaccount-controller',
  garbagecollector: 'garbage-collector-controller',
  daemonset: 'daemonset-controller',
  job: 'job-controller',
  deployment: 'deployment-controller',
  replicaset: 'replicaset-controller',
  horizontalpodautoscaling: 'horizontal-pod-autoscaler-controller',
  disruption: 'disruption-controller',
  statefulset: 'statefulset-controller',
  cronjob: 'cronjob-controller',
  csrsigning: 'certificatesigningrequest-signing-controller',
  csrapproving: 'certificatesigningrequest-approving-controller',
  csrcleaner: 'certificatesigningrequest-cleaner-controller',
  ttl: 'ttl-controller',
  bootstrapsigner: 'bootstrap-signer-controller',
  tokencleaner: 'token-cleaner-controller',
  nodeipam: 'node-ipam-controller',
  nodelifecycle: 'node-lifecycle-controller',
  'persistentvolume-binder': 'persistentvolume-binder-controller',
  attachdetach: 'persistentvolume-attach-detach-controller',
  'persistentvolume-expander': 'persistentvolume-expander-controller',
  'clusterrole-aggregation': 'clusterrole-aggregation-controller',
  'pvc-protection': 'persistentvolumeclaim-protection-controller',
  'pv-protection': 'persistentvolume-protection-controller',
  'ttl-after-finished': 'ttl-after-finished-controller',
  'root-ca-cert-publisher': 'root-ca-certificate-publisher-controller',
  'ephemeral-volume': 'ephemeral-volume-controller',
}
/** not meant by `*` */
const offByDefault = new Set(['bootstrap-signer-controller', 'token-cleaner-controller'])

/** Which of `known` a value of --controllers starts: `*`, names, and names with a `-` before them that are not to be started. */
export function enabledControllers(flag: string, known: readonly string[]): string[] {
  const parts = flag.split(',').map((part) => part.trim())
  const named = (list: readonly string[]) => new Set(list.map((name) => aliases[name] ?? name))
  const on = named(parts.filter((part) => part !== '*' && !part.startsWith('-')))
  const off = named(parts.filter((part) => part.startsWith('-')).map((part) => part.slice(1)))
  const all = parts.includes('*')
  return known.filter((name) => on.has(name) || (!off.has(name) && all && !offByDefault.has(name)))
}

/** what each says when it starts: place, message, and a value of its own */
export const greetings: Readonly<Record<string, readonly (readonly [string, string, Readonly<Record<string, string>>?])[]>> = {
  'endpoints-controller': [['endpoints_controller.go:193', 'Starting endpoint controller']],
  'endpointslice-controller': [['endpointslice_controller.go:283', 'Starting endpoint slice controller']],
  'endpointslice-mirroring-controller': [['endpointslicemirroring_controller.go:226', 'Starting EndpointSliceMirroring controller']],
  'replicationcontroller-controller': [['replica_set.go:241', 'Starting controller', { name: 'replicationcontroller' }]],
  'pod-garbage-collector-controller': [['gc_controller.go:98', 'Starting GC controller']],
  'resourcequota-controller': [['resource_quota_controller.go:297', 'Starting resource quota controller']],
  'namespace-controller': [['namespace_controller.go:202', 'Starting namespace controller']],
  'serviceaccount-controller': [['serviceaccounts_controller.go:117', 'Starting service account controller']],
  'garbage-collector-controller': [['garbagecollector.go:141', 'Starting controller', { controller: 'garbagecollector' }]],
  'daemonset-controller': [['daemon_controller.go:309', 'Starting daemon sets controller']],
  'job-controller': [['job_controller.go:254', 'Starting job controller']],
  'deployment-controller': [['deployment_controller.go:172', 'Starting controller', { controller: 'deployment' }]],
  'replicaset-controller': [['replica_set.go:241', 'Starting controller', { name: 'replicaset' }]],
  'horizontal-pod-autoscaler-controller': [['horizontal.go:204', 'Starting HPA controller']],
  'disruption-controller': [
    ['disruption.go:458', 'Sending events to api server.'],
    ['disruption.go:465', 'Starting disruption controller'],
  ],
  'statefulset-controller': [['stateful_set.go:180', 'Starting stateful set controller']],
  'cronjob-controller': [['cronjob_controllerv2.go:143', 'Starting cronjob controller v2']],
  'certificatesigningrequest-signing-controller': [
    ['certificate_controller.go:120', 'Starting certificate controller', { name: 'csrsigning-kubelet-serving' }],
    ['certificate_controller.go:120', 'Starting certificate controller', { name: 'csrsigning-kubelet-client' }],
    ['certificate_controller.go:120', 'Starting certificate controller', { name: 'csrsigning-kube-apiserver-client' }],
    ['certificate_controller.go:120', 'Starting certificate controller', { name: 'csrsigning-legacy-unknown' }],
  ],
  'certificatesigningrequest-approving-controller': [
    ['certificate_controller.go:120', 'Starting certificate controller', { name: 'csrapproving' }],
  ],
  'certificatesigningrequest-cleaner-controller': [['cleaner.go:83', 'Starting CSR cleaner controller']],
  'ttl-controller': [['ttl_controller.go:127', 'Starting TTL controller']],
  'token-cleaner-controller': [['tokencleaner.go:117', 'Starting token cleaner controller']],
  'node-ipam-controller': [
    ['node_ipam_controller.go:142', 'Starting ipam controller'],
    ['range_allocator.go:177', 'Sending events to api server'],
    ['range_allocator.go:181', 'Starting range CIDR allocator'],
  ],
  'node-lifecycle-controller': [
    ['node_lifecycle_controller.go:419', 'Controller will reconcile labels', { logger: 'node-lifecycle-controller' }],
    ['node_lifecycle_controller.go:453', 'Sending events to api server'],
    ['node_lifecycle_controller.go:460', 'Starting node controller'],
  ],
  'taint-eviction-controller': [
    ['taint_eviction.go:283', 'Starting', { controller: 'taint-eviction-controller' }],
    ['taint_eviction.go:288', 'Sending events to API server'],
  ],
  'persistentvolume-binder-controller': [['pv_controller_base.go:307', 'Starting persistent volume controller']],
  'persistentvolume-expander-controller': [['expand_controller.go:328', 'Starting expand controller']],
  'clusterrole-aggregation-controller': [['clusterroleaggregation_controller.go:194', 'Starting ClusterRoleAggregator controller']],
  'persistentvolumeclaim-protection-controller': [['pvc_protection_controller.go:166', 'Starting PVC protection controller']],
  'persistentvolume-protection-controller': [['pv_protection_controller.go:81', 'Starting PV protection controller']],
  'ttl-after-finished-controller': [['ttlafterfinished_controller.go:112', 'Starting TTL after finished controller']],
  'ephemeral-volume-controller': [['controller.go:174', 'Starting ephemeral volume controller']],
  'root-ca-certificate-publisher-controller': [['publisher.go:107', 'Starting root CA cert publisher controller']],
  'service-cidr-controller': [['servicecidrs_controller.go:136', 'Starting', { controller: 'service-cidr-controller' }]],
}
