// The controllers of kube-controller-manager and the scheduler of a simulated cluster. Each knows the cluster by the API alone: it starts from the
// objects, needs no memory of an earlier run, and ends with `stop`. Leader election, flags and files are whoever's who starts them.
import { startRootCa, startServiceAccount, startServiceAccountToken } from './accounts.ts'
import { startHorizontalPodAutoscaler } from './autoscaler.ts'
import { startBootstrapSigner, startServiceCidr, startTokenCleaner } from './bootstrap.ts'
import { startCertificateApproving, startCertificateCleaner, startCertificateSigning } from './certificates.ts'
import { startPodGarbage, startTtlAfterFinished } from './cleanup.ts'
import { type ControllerContext, Run } from './context.ts'
import { startCronJob } from './cronjob.ts'
import { startDaemonSet } from './daemonset.ts'
import { startDeployment } from './deployment.ts'
import { startDisruption } from './disruption.ts'
import { startEndpointSlice, startEndpointSliceMirroring, startEndpoints } from './endpoints.ts'
import { startGarbageCollector } from './gc.ts'
import { startJob } from './job.ts'
import { enabledControllers as enabled, greetings } from './names.ts'
import { startNamespace } from './namespace.ts'
import { startNodeIpam, startTtl } from './nodeipam.ts'
import { startNodeLifecycle } from './nodelifecycle.ts'
import { startResourceQuota } from './quota.ts'
import { startReplicaSet, startReplicationController } from './replicaset.ts'
import { startRoleAggregation } from './roles.ts'
import { startDefaultScheduler } from './scheduler/index.ts'
import { startStatefulSet } from './statefulset.ts'
import { startTaintEviction } from './tainteviction.ts'
import { startClaimProtection, startEphemeralVolume, startExpander, startPersistentVolumeBinder, startVolumeProtection } from './volumes.ts'

export type { ControllerContext } from './context.ts'
export { startLocalPathProvisioner } from './localpath.ts'

type Start = (run: Run) => void
/** One that finds nothing to do in a simulated cluster; its account is there as it is in every cluster. */
const idle =
  (account: string): Start =>
  (run) =>
    void run.client(account)
/** in the order in which they start; names are those of kube-controller-manager (cmd/kube-controller-manager/names) */
const controllers: Readonly<Record<string, Start>> = {
  'serviceaccount-token-controller': startServiceAccountToken,
  'endpoints-controller': startEndpoints,
  'endpointslice-controller': startEndpointSlice,
  'endpointslice-mirroring-controller': startEndpointSliceMirroring,
  'replicationcontroller-controller': startReplicationController,
  'pod-garbage-collector-controller': startPodGarbage,
  'resourcequota-controller': startResourceQuota,
  'namespace-controller': startNamespace,
  'serviceaccount-controller': startServiceAccount,
  'garbage-collector-controller': startGarbageCollector,
  'daemonset-controller': startDaemonSet,
  'job-controller': startJob,
  'deployment-controller': startDeployment,
  'replicaset-controller': startReplicaSet,
  'horizontal-pod-autoscaler-controller': startHorizontalPodAutoscaler,
  'disruption-controller': startDisruption,
  'statefulset-controller': startStatefulSet,
  'cronjob-controller': startCronJob,
  'certificatesigningrequest-signing-controller': startCertificateSigning,
  'certificatesigningrequest-approving-controller': startCertificateApproving,
  'certificatesigningrequest-cleaner-controller': startCertificateCleaner,
  'ttl-controller': startTtl,
  'bootstrap-signer-controller': startBootstrapSigner,
  'token-cleaner-controller': startTokenCleaner,
  'node-ipam-controller': startNodeIpam,
  'node-lifecycle-controller': startNodeLifecycle,
  'taint-eviction-controller': startTaintEviction,
  'persistentvolume-binder-controller': startPersistentVolumeBinder,
  'persistentvolume-attach-detach-controller': idle('attachdetach-controller'),
  'persistentvolume-expander-controller': startExpander,
  'clusterrole-aggregation-controller': startRoleAggregation,
  'persistentvolumeclaim-protection-controller': startClaimProtection,
  'persistentvolume-protection-controller': startVolumeProtection,
  'ttl-after-finished-controller': startTtlAfterFinished,
  'ephemeral-volume-controller': startEphemeralVolume,
  'resourceclaim-controller': idle('resource-claim-controller'),
  'legacy-serviceaccount-token-cleaner-controller': idle('legacy-service-account-token-cleaner'),
  'validatingadmissionpolicy-status-controller': idle('validatingadmissionpolicy-status-controller'),
  'volumeattributesclass-protection-controller': idle('volumeattributesclass-protection-controller'),
  'root-ca-certificate-publisher-controller': startRootCa,
  'service-cidr-controller': startServiceCidr,
}

/** every controller that is simulated, by the name that --controllers takes */
export const controllerNames: readonly string[] = Object.keys(controllers)

/** names that a value of --controllers (`*,-nodelifecycle,bootstrapsigner`) starts, for `startControllers` */
export const enabledControllers = (flag: string): string[] => enabled(flag, controllerNames)

/** Starts the controllers with these names, by default all. Names that are not simulated are passed over: `running` says which were started. */
export function startControllers(
  context: ControllerContext,
  names: readonly string[] = controllerNames,
): { stop(): void; running: readonly string[] } {
  const run = new Run(context, 'kube-controller-manager')
  const running = controllerNames.filter((name) => names.includes(name))
  for (const name of running) {
    for (const [place, message, values] of greetings[name] ?? []) run.log('I', place, message, values)
    run.log('I', 'shared_informer.go:370', 'Waiting for caches to sync')
    controllers[name]?.(run)
  }
  run.after(0, () => {
    for (const _ of running) run.log('I', 'shared_informer.go:377', 'Caches are synced')
  })
  return { stop: () => run.stop(), running }
}

/** Starts the default scheduler. */
export function startScheduler(context: ControllerContext): { stop(): void } {
  const run = new Run(context, 'kube-scheduler')
  startDefaultScheduler(run)
  return { stop: () => run.stop() }
}
