// The kubelet's flags and its configuration file, read as it reads them, with its own words for what is wrong. Knows nothing of what they are for.
import { parse, YAMLParseError } from 'yaml'
import type { Files } from '../machine.ts'
import { defaultHard, type Threshold, thresholdsOf } from './eviction.ts'

/** The kubelet ends; `message` is what stands after `err=` of its last line. */
export class StartFailure extends Error {}
/** It ends with `panic: ` and this message, code 2. */
export class StartPanic extends StartFailure {}

// `kubelet --help` of v1.35.4; an exclamation mark: may stand without a value
const flagNames =
  'address allowed-unsafe-sysctls anonymous-auth! application-metrics-count-limit authentication-token-webhook! authentication-token-webhook-cache-ttl authorization-mode authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl boot-id-file bootstrap-kubeconfig cert-dir cgroup-driver cgroup-root cgroups-per-qos! client-ca-file cloud-provider cluster-dns cluster-domain config config-dir container-hints container-log-max-files container-log-max-size container-runtime-endpoint containerd containerd-namespace contention-profiling! cpu-cfs-quota! cpu-cfs-quota-period cpu-manager-policy cpu-manager-policy-options cpu-manager-reconcile-period enable-controller-attach-detach! enable-debugging-handlers! enable-load-reader! enable-server! enforce-node-allocatable event-burst event-qps event-storage-age-limit event-storage-event-limit eviction-hard eviction-max-pod-grace-period eviction-minimum-reclaim eviction-pressure-transition-period eviction-soft eviction-soft-grace-period exit-on-lock-contention! experimental-allocatable-ignore-eviction! experimental-mounter-path fail-cgroupv1! fail-swap-on! feature-gates file-check-frequency global-housekeeping-interval hairpin-mode healthz-bind-address healthz-port help! hostname-override housekeeping-interval http-check-frequency image-credential-provider-bin-dir image-credential-provider-config image-gc-high-threshold image-gc-low-threshold image-service-endpoint kernel-memcg-notification! kube-api-burst kube-api-content-type kube-api-qps kube-reserved kube-reserved-cgroup kubeconfig kubelet-cgroups local-storage-capacity-isolation! lock-file log-cadvisor-usage! log-flush-frequency log-json-info-buffer-size log-json-split-stream! log-text-info-buffer-size log-text-split-stream! logging-format machine-id-file make-iptables-util-chains! manifest-url manifest-url-header max-open-files max-pods maximum-dead-containers maximum-dead-containers-per-container memory-manager-policy minimum-container-ttl-duration minimum-image-ttl-duration node-ip node-labels node-status-max-images node-status-update-frequency oom-score-adj pod-cidr pod-manifest-path pod-max-pids pods-per-core port protect-kernel-defaults! provider-id qos-reserved read-only-port register-node! register-with-taints! registry-burst registry-qps reserved-cpus reserved-memory resolv-conf root-dir rotate-certificates! rotate-server-certificates! runonce! runtime-cgroups runtime-request-timeout seccomp-default serialize-image-pulls! storage-driver-buffer-duration storage-driver-db storage-driver-host storage-driver-password storage-driver-secure! storage-driver-table storage-driver-user streaming-connection-idle-timeout sync-frequency system-cgroups system-reserved system-reserved-cgroup tls-cert-file tls-cipher-suites tls-min-version tls-private-key-file topology-manager-policy topology-manager-policy-options topology-manager-scope v version vmodule volume-plugin-dir volume-stats-agg-period '
const flags = new Map(
  flagNames
    .trim()
    .split(' ')
    .map((name) => [name.replace('!', ''), name.endsWith('!')] as const),
)

export interface Flags {
  /** by name without dashes; the last one wins */
  values: ReadonlyMap<string, string>
}
/** @throws StartFailure */
export function readFlags(argv: readonly string[]): Flags {
  const values = new Map<string, string>()
  for (let at = 1; at < argv.length; at++) {
    const word = argv[at] as string
    if (!word.startsWith('-')) throw new StartFailure(`unknown command ${word}`)
    const found = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(word)
    const name = found?.[1] as string
    if (!word.startsWith('--')) {
      if (name !== 'v' && name !== 'h')
        throw new StartFailure(`failed to parse kubelet flag: unknown shorthand flag: '${name[0]}' in ${word}`)
    } else if (!flags.has(name)) throw new StartFailure(`failed to parse kubelet flag: unknown flag: --${name}`)
    let value = found?.[2]
    if (value === undefined && flags.get(name)) value = 'true'
    if (value === undefined) {
      at += 1
      value = argv[at]
      if (value === undefined) throw new StartFailure(`failed to parse kubelet flag: flag needs an argument: --${name}`)
    }
    values.set(name, value)
  }
  return { values }
}

/** What the simulated kubelet goes by; durations in milliseconds. */
export interface Configuration {
  kubeconfig: string
  bootstrapKubeconfig: string
  /** it looks after its client certificate itself */
  rotateCertificates: boolean
  certDirectory: string
  staticPodPath: string
  clusterDNS: readonly string[]
  clusterDomain: string
  /** '' when the node's resolver is not to be used */
  resolvConf: string
  clientCAFile: string
  /** whoever shows no certificate that clientCAFile vouches for is somebody all the same */
  anonymous: boolean
  authorizationMode: string
  nodeIP: string
  hostname: string
  providerID: string
  nodeLabels: Readonly<Record<string, string>>
  taints: readonly Record<string, string>[]
  registerNode: boolean
  maxPods: number
  evictionThresholds: readonly Threshold[]
  evictionTransitionMs: number
  port: number
  nodeStatusUpdateMs: number
  nodeStatusReportMs: number
  leaseSeconds: number
  syncMs: number
  fileCheckMs: number
  crashLoopMaxMs: number
  imageMaximumBackoffMs: number
  runtimeEndpoint: string
  /** lines that it logs although it goes on */
  warnings: readonly string[]
}

// Fields of kubelet.config.k8s.io/v1beta1 KubeletConfiguration by type (k8s.io/kubelet/config/v1beta1/types.go).
const fields: Readonly<Record<string, string>> = {
  bool: 'enableServer rotateCertificates serverTLSBootstrap enableDebuggingHandlers enableContentionProfiling cgroupsPerQOS singleProcessOOMKill runOnce cpuCFSQuota serializeImagePulls mergeDefaultEvictionSettings enableControllerAttachDetach protectKernelDefaults makeIPTablesUtilChains failSwapOn kernelMemcgNotification enableSystemLogHandler enableSystemLogQuery enableProfilingHandler enableDebugFlagsHandler seccompDefault registerNode localStorageCapacityIsolation failCgroupV1',
  string:
    'apiVersion kind staticPodPath podLogsDir staticPodURL address tlsCertFile tlsPrivateKeyFile tlsMinVersion healthzBindAddress clusterDomain kubeletCgroups systemCgroups cgroupRoot cgroupDriver cpuManagerPolicy memoryManagerPolicy topologyManagerPolicy topologyManagerScope hairpinMode podCIDR resolvConf contentType containerLogMaxSize reservedSystemCPUs showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup volumePluginDir providerID containerRuntimeEndpoint imageServiceEndpoint imagePullCredentialsVerificationPolicy configMapAndSecretChangeDetectionStrategy',
  'v1.Duration':
    'syncFrequency fileCheckFrequency httpCheckFrequency streamingConnectionIdleTimeout nodeStatusUpdateFrequency nodeStatusReportFrequency imageMinimumGCAge imageMaximumGCAge volumeStatsAggPeriod cpuManagerReconcilePeriod runtimeRequestTimeout cpuCFSQuotaPeriod evictionPressureTransitionPeriod containerLogMonitorInterval shutdownGracePeriod shutdownGracePeriodCriticalPods',
  int32:
    'port readOnlyPort registryPullQPS registryBurst eventRecordQPS eventBurst healthzPort oomScoreAdj nodeLeaseDurationSeconds imageGCHighThresholdPercent imageGCLowThresholdPercent maxPods nodeStatusMaxImages kubeAPIQPS kubeAPIBurst maxParallelImagePulls evictionMaxPodGracePeriod podsPerCore iptablesMasqueradeBit iptablesDropBit containerLogMaxFiles containerLogMaxWorkers',
  '[]string': 'tlsCipherSuites preloadedImagesVerificationAllowlist clusterDNS enforceNodeAllocatable allowedUnsafeSysctls',
  'map[string]string':
    'cpuManagerPolicyOptions topologyManagerPolicyOptions qosReserved evictionHard evictionSoft evictionSoftGracePeriod evictionMinimumReclaim systemReserved kubeReserved',
  int64: 'podPidsLimit maxOpenFiles',
  'map[string]bool': 'featureGates',
  object: 'authentication authorization memorySwap logging crashLoopBackOff tracing userNamespaces staticPodURLHeader',
  list: 'shutdownGracePeriodByPodPriority reservedMemory registerWithTaints',
  float64: 'memoryThrottlingFactor',
}
const typeOf = new Map(Object.entries(fields).flatMap(([type, names]) => names.split(' ').map((name) => [name, type] as const)))

const goType = (value: unknown): string =>
  Array.isArray(value)
    ? 'array'
    : typeof value === 'object'
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value === 'number'
          ? 'number'
          : 'string'

function mismatch(name: string, type: string, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  const wrong = (into: string) =>
    `json: cannot unmarshal ${goType(value)} into Go struct field KubeletConfiguration.${name} of type ${into}`
  if (type === 'bool') return typeof value === 'boolean' ? undefined : wrong('bool')
  if (type === 'string') return typeof value === 'string' ? undefined : wrong('string')
  if (type === 'v1.Duration') {
    if (typeof value !== 'string') return wrong('string')
    if (milliseconds(value) === undefined)
      return /^[-+]?\d+(\.\d+)?$/.test(value)
        ? `time: missing unit in duration ${JSON.stringify(value)}`
        : `time: invalid duration ${JSON.stringify(value)}`
    return undefined
  }
  if (type === 'int32' || type === 'int64') return typeof value === 'number' && Number.isInteger(value) ? undefined : wrong(type)
  if (type === 'float64') return typeof value === 'number' ? undefined : wrong(type)
  if (type === '[]string' || type === 'list')
    return Array.isArray(value) ? undefined : wrong(type === 'list' ? '[]v1beta1.MemoryReservation' : type)
  if (type === 'map[string]string' && typeof value === 'object' && !Array.isArray(value)) {
    const other = Object.values(value).find((one) => typeof one !== 'string' && one !== null)
    return other === undefined
      ? undefined
      : `json: cannot unmarshal ${goType(other)} into Go struct field KubeletConfiguration.${name} of type string`
  }
  if (typeof value !== 'object' || Array.isArray(value))
    return wrong(type === 'object' ? `v1beta1.${name[0]?.toUpperCase()}${name.slice(1)}` : type)
  return undefined
}

/** Go's time.ParseDuration, in milliseconds. */
export function milliseconds(text: string): number | undefined {
  if (text === '0') return 0
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000_001 }
  if (!/^([-+])?(\d+(\.\d*)?(h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined
  let total = 0
  for (const found of text.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)/g))
    total += Number(found[1]) * (units[found[2] as string] as number)
  return text.startsWith('-') ? -total : total
}

// pkg/features/kube_features.go of v1.35.4 and those of the libraries that the kubelet links.
const gates = new Set(
  'APIResponseCompression APIServerIdentity APIServerTracing APIServingWithRoutine AggregatedDiscoveryRemoveBetaType AllAlpha AllBeta AllowDNSOnlyNodeCSR AllowInsecureKubeletCertificateSigningRequests AllowOverwriteTerminationGracePeriodSeconds AllowParsingUserUIDFromCertAuth AllowUnsafeMalformedObjectDeletion AnonymousAuthConfigurableEndpoints AnyVolumeDataSource AuthorizeNodeWithSelectors AuthorizePodWebsocketUpgradeCreatePermission AuthorizeWithSelectors BtreeWatchCache CBORServingAndStorage CPUManagerPolicyAlphaOptions CPUManagerPolicyBetaOptions CPUManagerPolicyOptions CRDObservedGenerationTracking CRDValidationRatcheting CSIMigrationPortworx CSIServiceAccountTokenSecrets CSIVolumeHealth ChangeContainerStatusOnKubeletRestart ClearingNominatedNodeNameAfterBinding ClientsAllowCBOR ClientsPreferCBOR ClusterTrustBundle ClusterTrustBundleProjection ComponentFlagz ComponentStatusz ConcurrentWatchObjectDecode ConsistentListFromCache ConstrainedImpersonation ContainerCheckpoint ContainerRestartRules ContainerStopSignals ContextualLogging CoordinatedLeaderElection CrossNamespaceVolumeDataSource CustomCPUCFSQuotaPeriod CustomResourceFieldSelectors DRAAdminAccess DRAConsumableCapacity DRADeviceBindingConditions DRADeviceTaintRules DRADeviceTaints DRAExtendedResource DRAPartitionableDevices DRAPrioritizedList DRAResourceClaimDeviceStatus DRASchedulerFilterTimeout DeclarativeValidation DeclarativeValidationTakeover DeploymentReplicaSetTerminatingReplicas DetectCacheInconsistency DisableAllocatorDualWrite DisableCPUQuotaWithExclusiveCPUs DisableNodeKubeProxyVersion DynamicResourceAllocation EnvFiles EventedPLEG ExecProbeTimeout ExternalServiceAccountTokenSigner GangScheduling GenericWorkload GitRepoVolumeDriver GracefulNodeShutdown GracefulNodeShutdownBasedOnPodPriority HPAConfigurableTolerance HPAScaleToZero HonorPVReclaimPolicy HostnameOverride ImageMaximumGCAge ImageVolume InOrderInformers InOrderInformersBatchProcess InPlacePodLevelResourcesVerticalScaling InPlacePodVerticalScaling InPlacePodVerticalScalingAllocatedStatus InPlacePodVerticalScalingExclusiveCPUs InPlacePodVerticalScalingExclusiveMemory InTreePluginPortworxUnregister InformerResourceVersion JobBackoffLimitPerIndex JobManagedBy JobPodReplacementPolicy JobSuccessPolicy KMSv1 KubeletCgroupDriverFromCRI KubeletCrashLoopBackOffMax KubeletEnsureSecretPulledImages KubeletFineGrainedAuthz KubeletInUserNamespace KubeletPSI KubeletPodResourcesDynamicResources KubeletPodResourcesGet KubeletPodResourcesListUseActivePods KubeletRegistrationGetOnExistsOnly KubeletSeparateDiskGC KubeletServiceAccountTokenForCredentialProviders KubeletTracing ListFromCacheSnapshot LocalStorageCapacityIsolationFSQuotaMonitoring LogarithmicScaleDown LoggingAlphaOptions LoggingBetaOptions LoggingStableOptions MatchLabelKeysInPodAffinity MatchLabelKeysInPodTopologySpread MatchLabelKeysInPodTopologySpreadSelectorMerge MaxUnavailableStatefulSet MemoryManager MemoryQoS MultiCIDRServiceAllocator MutableCSINodeAllocatableCount MutablePVNodeAffinity MutablePodResourcesForSuspendedJobs MutableSchedulingDirectivesForSuspendedJobs MutatingAdmissionPolicy NFTablesProxyMode NodeDeclaredFeatures NodeInclusionPolicyInPodTopologySpread NodeLogQuery NodeSwap NominatedNodeNameForExpectation OpenAPIEnums OpportunisticBatching OrderedNamespaceDeletion PodAndContainerStatsFromCRI PodCertificateRequest PodDeletionCost PodLevelResources PodLifecycleSleepAction PodLifecycleSleepActionAllowZero PodLogsQuerySplitStreams PodObservedGenerationTracking PodReadyToStartContainersCondition PodSchedulingReadiness PodTopologyLabelsAdmission PortForwardWebsockets PreferSameTrafficDistribution PreventStaticPodAPIReferences ProcMountType QOSReserved RecoverVolumeExpansionFailure RecursiveReadOnlyMounts ReduceDefaultCrashLoopBackOffDecay RelaxedDNSSearchValidation RelaxedEnvironmentVariableValidation RelaxedServiceNameValidation ReloadKubeletServerCertificateFile RemoteRequestHeaderUID ResilientWatchCacheInitialization ResourceHealthStatus RestartAllContainersOnContainerExits RetryGenerateName RotateKubeletServerCertificate RuntimeClassInImageCriApi SELinuxChangePolicy SELinuxMount SELinuxMountReadWriteOncePod SchedulerAsyncAPICalls SchedulerAsyncPreemption SchedulerPopFromBackoffQ SchedulerQueueingHints SeparateCacheWatchRPC SeparateTaintEvictionController ServiceAccountNodeAudienceRestriction ServiceAccountTokenJTI ServiceAccountTokenNodeBinding ServiceAccountTokenNodeBindingValidation ServiceAccountTokenPodNodeInfo ServiceTrafficDistribution SidecarContainers SizeBasedListCostEstimate StatefulSetSemanticRevisionComparison StorageCapacityScoring StorageNamespaceIndex StorageVersionAPI StorageVersionHash StorageVersionMigrator StreamingCollectionEncodingToJSON StreamingCollectionEncodingToProtobuf StrictIPCIDRValidation StructuredAuthenticationConfiguration StructuredAuthenticationConfigurationEgressSelector StructuredAuthenticationConfigurationJWKSMetrics StructuredAuthorizationConfiguration SupplementalGroupsPolicy TaintTolerationComparisonOperators TokenRequestServiceAccountUIDValidation TopologyAwareHints TopologyManagerPolicyAlphaOptions TopologyManagerPolicyBetaOptions TopologyManagerPolicyOptions TranslateStreamCloseWebsocketRequests UnauthenticatedHTTP2DOSMitigation UnknownVersionInteroperabilityProxy UserNamespacesHostNetworkSupport UserNamespacesSupport VolumeAttributesClass VolumeLimitScaling WatchCacheInitializationPostStartHook WatchFromStorageWithoutResourceVersion WatchList WatchListClient WinDSR WinOverlay WindowsCPUAndMemoryAffinity WindowsGracefulNodeShutdown WindowsHostNetwork'.split(
    ' ',
  ),
)

/**
 * Reads what a kubelet started with these arguments goes by.
 * @throws StartFailure with the real message
 */
export function configure(files: Files, argv: readonly string[], defaults: { hostname: string; address: string }): Configuration {
  const { values } = readFlags(argv)
  const warnings: string[] = []
  const path = values.get('config')
  const file = path === undefined ? {} : readFile(files, path, warnings)
  const string = (flag: string, field: string, fallback: string): string => values.get(flag) ?? (file[field] as string) ?? fallback
  const number = (flag: string, field: string, fallback: number): number => Number(values.get(flag) ?? file[field] ?? fallback)
  const boolean = (flag: string, field: string, fallback: boolean): boolean =>
    values.has(flag) ? values.get(flag) === 'true' : ((file[field] as boolean) ?? fallback)
  // 0 in the file is the same as nothing there.
  const duration = (flag: string, field: string, fallback: number): number => milliseconds(string(flag, field, '0s')) || fallback

  const problems: string[] = []
  const within = (name: string, flag: string, value: number, low: number, high: number) => {
    if (value < low || value > high)
      problems.push(`invalid configuration: ${name} (--${flag}) ${value} must be between ${low} and ${high}, inclusive`)
  }
  const notNegative = (name: string, flag: string, value: number) => {
    if (value < 0) problems.push(`invalid configuration: ${name} (--${flag}) ${value} must not be a negative number`)
  }
  if (number('', 'nodeLeaseDurationSeconds', 40) <= 0)
    problems.push('invalid configuration: nodeLeaseDurationSeconds must be greater than 0')
  within('healthzPort', 'healthz-port', number('healthz-port', 'healthzPort', 10248) || 10248, 1, 65535)
  within(
    'imageGCHighThresholdPercent',
    'image-gc-high-threshold',
    number('image-gc-high-threshold', 'imageGCHighThresholdPercent', 85),
    0,
    100,
  )
  within('imageGCLowThresholdPercent', 'image-gc-low-threshold', number('image-gc-low-threshold', 'imageGCLowThresholdPercent', 80), 0, 100)
  notNegative('maxOpenFiles', 'max-open-files', number('max-open-files', 'maxOpenFiles', 1_000_000))
  notNegative('maxPods', 'max-pods', number('max-pods', 'maxPods', 110))
  within('oomScoreAdj', 'oom-score-adj', number('oom-score-adj', 'oomScoreAdj', -999), -1000, 1000)
  notNegative('podsPerCore', 'pods-per-core', number('pods-per-core', 'podsPerCore', 0))
  within('port', 'port', number('port', 'port', 10250) || 10250, 1, 65535)
  within('readOnlyPort', 'read-only-port', number('read-only-port', 'readOnlyPort', 0), 0, 65535)
  // Nodes here run on cgroup v1, as kind's do on a host that has it.
  if (boolean('fail-cgroupv1', 'failCgroupV1', true))
    problems.push(
      'kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is unsupported and will be removed in a future release',
    )
  const driver = string('cgroup-driver', 'cgroupDriver', 'cgroupfs')
  if (problems.length)
    throw new StartFailure(
      `failed to validate kubelet configuration, error: ${problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]}, path: &TypeMeta{Kind:,APIVersion:,}`,
    )
  if (driver !== 'systemd' && driver !== 'cgroupfs')
    throw new StartFailure(
      `failed to run Kubelet: invalid configuration: cgroup driver must be one of "systemd" or "cgroupfs", got ${JSON.stringify(driver)}`,
    )

  const authentication = file.authentication as { x509?: { clientCAFile?: string }; anonymous?: { enabled?: boolean } } | undefined
  const authorization = file.authorization as { mode?: string } | undefined
  const crash = file.crashLoopBackOff as { maxContainerRestartPeriod?: string } | undefined
  const hostname = values.get('hostname-override') ?? defaults.hostname
  const evictions = () => {
    const map = (flag: string, field: string) =>
      values.has(flag) ? lessThan(values.get(flag) as string) : (file[field] as Record<string, string> | undefined)
    const hard = map('eviction-hard', 'evictionHard') ?? defaultHard
    const grace = values.has('eviction-soft-grace-period')
      ? pairs(values.get('eviction-soft-grace-period') as string)
      : ((file.evictionSoftGracePeriod as Record<string, string>) ?? {})
    try {
      return thresholdsOf(
        boolean('', 'mergeDefaultEvictionSettings', false) ? { ...defaultHard, ...hard } : hard,
        map('eviction-soft', 'evictionSoft') ?? {},
        Object.fromEntries(Object.entries(grace).map(([signal, period]) => [signal, milliseconds(String(period))])),
      )
    } catch (error) {
      throw new StartFailure(`failed to run Kubelet: failed to create kubelet: ${(error as Error).message}`)
    }
  }
  return {
    kubeconfig: values.get('kubeconfig') ?? '',
    bootstrapKubeconfig: values.get('bootstrap-kubeconfig') ?? '',
    rotateCertificates: boolean('rotate-certificates', 'rotateCertificates', false),
    certDirectory: values.get('cert-dir') ?? `${values.get('root-dir') ?? '/var/lib/kubelet'}/pki`,
    staticPodPath: string('pod-manifest-path', 'staticPodPath', ''),
    clusterDNS: values.get('cluster-dns')?.split(',') ?? (file.clusterDNS as string[]) ?? [],
    clusterDomain: string('cluster-domain', 'clusterDomain', ''),
    resolvConf: string('resolv-conf', 'resolvConf', '/etc/resolv.conf'),
    clientCAFile: values.get('client-ca-file') ?? authentication?.x509?.clientCAFile ?? '',
    anonymous: values.has('anonymous-auth') ? values.get('anonymous-auth') === 'true' : (authentication?.anonymous?.enabled ?? false),
    authorizationMode: values.get('authorization-mode') ?? authorization?.mode ?? 'Webhook',
    nodeIP: (values.get('node-ip') || defaults.address).split(',')[0] as string,
    hostname: hostname.trim().toLowerCase(),
    providerID: string('provider-id', 'providerID', ''),
    nodeLabels: pairs(values.get('node-labels') ?? ''),
    taints: values.has('register-with-taints')
      ? taints(values.get('register-with-taints') as string)
      : ((file.registerWithTaints as Record<string, string>[]) ?? []),
    registerNode: boolean('register-node', 'registerNode', true),
    maxPods: number('max-pods', 'maxPods', 110),
    evictionThresholds: evictions(),
    evictionTransitionMs: duration('eviction-pressure-transition-period', 'evictionPressureTransitionPeriod', 300_000),
    port: number('port', 'port', 10250) || 10250,
    nodeStatusUpdateMs: duration('node-status-update-frequency', 'nodeStatusUpdateFrequency', 10_000),
    nodeStatusReportMs: duration(
      '',
      'nodeStatusReportFrequency',
      milliseconds((file.nodeStatusUpdateFrequency as string) ?? '0s') || 300_000,
    ),
    leaseSeconds: number('', 'nodeLeaseDurationSeconds', 40),
    syncMs: duration('sync-frequency', 'syncFrequency', 60_000),
    fileCheckMs: duration('file-check-frequency', 'fileCheckFrequency', 20_000),
    crashLoopMaxMs: milliseconds(crash?.maxContainerRestartPeriod ?? '0s') || 300_000,
    imageMaximumBackoffMs: 300_000,
    runtimeEndpoint: string('container-runtime-endpoint', 'containerRuntimeEndpoint', 'unix:///run/containerd/containerd.sock'),
    warnings,
  }
}

const whole = new Map<string, unknown>()
function readFile(files: Files, path: string, warnings: string[]): Record<string, unknown> {
  const failure = (words: string) =>
    new StartFailure(`failed to load kubelet config file, path: ${path}, error: failed to load Kubelet config file ${path}, error ${words}`)
  let text: string
  try {
    text = files.read(path).toString('utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const words =
      code === 'EISDIR'
        ? `read ${path}: is a directory`
        : `open ${path}: ${code === 'EACCES' ? 'permission denied' : 'no such file or directory'}`
    throw failure(`failed to read kubelet config file ${JSON.stringify(path)}, error: ${words}`)
  }
  if (text === '') throw failure(`kubelet config file ${JSON.stringify(path)} was empty`)
  let value: unknown
  try {
    value = whole.has(text) ? structuredClone(whole.get(text)) : parse(text, { uniqueKeys: false, version: '1.1' })
    // All nodes of all labs begin with the same text.
    if (!whole.has(text)) {
      if (whole.size >= 16) whole.delete(whole.keys().next().value as string)
      whole.set(text, structuredClone(value))
    }
  } catch (error) {
    throw failure(`failed to decode: ${yamlWords(error, text)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw failure(
      `failed to decode: couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    )
  const config = value as Record<string, unknown>
  if (!config.kind) throw failure(`failed to decode: Object 'Kind' is missing in '${text}'`)
  if (!config.apiVersion) throw failure(`failed to decode: Object 'apiVersion' is missing in '${text}'`)
  if (config.kind !== 'KubeletConfiguration' || config.apiVersion !== 'kubelet.config.k8s.io/v1beta1')
    throw failure(
      `failed to decode: no kind ${JSON.stringify(config.kind)} is registered for version ${JSON.stringify(config.apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  const unknown: string[] = []
  for (const [name, field] of Object.entries(config)) {
    const type = typeOf.get(name)
    if (type === undefined) {
      unknown.push(`unknown field ${JSON.stringify(name)}`)
      continue
    }
    const wrong = mismatch(name, type, field)
    if (wrong) throw failure(`failed to decode: ${wrong}`)
  }
  if (unknown.length)
    warnings.push(
      `"Using lenient decoding as strict decoding failed" err=${JSON.stringify(`strict decoding error: ${unknown.join(', ')}`)}`,
    )
  for (const gate of Object.keys((config.featureGates as object) ?? {}))
    if (!gates.has(gate))
      throw new StartPanic(
        `failed to merge global and in-flight KubeletConfiguration while setting defaults, error: unrecognized feature gate: ${gate}`,
      )
  return config
}

/** What go-yaml says, in the form that sigs.k8s.io/yaml hands on. */
export function yamlWords(error: unknown, text: string): string {
  if (!(error instanceof YAMLParseError)) return (error as Error).message
  const line = error.linePos?.[0]?.line ?? 1
  const lines = text.trimEnd().split('\n').length
  const say = (at: number, words: string) => `yaml: line ${at}: ${words}`
  if (/flow|',' or '\]'|bracket/i.test(error.message)) return say(Math.min(line, lines), "did not find expected ',' or ']'")
  if (error.code === 'TAB_AS_INDENT') return say(line, 'found character that cannot start any token')
  if (error.code === 'BAD_INDENT') return say(line, 'did not find expected key')
  if (/Nested mappings|implicit (map )?keys?|compact mappings/i.test(error.message))
    return say(line, 'mapping values are not allowed in this context')
  if (/Missing closing/i.test(error.message)) return say(line, 'found unexpected end of stream')
  if (/Implicit keys need to be|key with no value|simple key/i.test(error.message)) return say(line + 1, "could not find expected ':'")
  return say(line, "could not find expected ':'")
}

const pairs = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .filter(Boolean)
      .map((pair) => {
        const at = pair.indexOf('=')
        return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
      }),
  )
/** As pairs, with < between name and value: an LangleSeparatedMapStringString of k8s.io/component-base. */
const lessThan = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .filter(Boolean)
      .map((pair) => {
        const at = pair.indexOf('<')
        return at < 0 ? [pair, ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
      }),
  )
const taints = (text: string): Record<string, string>[] =>
  text
    .split(',')
    .filter(Boolean)
    .map((one) => {
      const found = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(one)
      return { key: found?.[1] ?? one, ...(found?.[2] ? { value: found[2] } : {}), effect: found?.[3] ?? 'NoSchedule' }
    })
