// What --controllers of kube-controller-manager means. Pure (cmd/kube-controller-manager/names, app/controllermanager.go, k8s.io/controller-manager/app).

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
