// Why a creation failed, in words: known causes as data, matched against what kind, the kubelet and containerd said.
// Knows nothing of how the texts were gathered.
import { asLabError, LabError } from '#lib/protocol/index.ts'

interface Cause {
  seen: RegExp
  message: string
  hint: string
}
/** first match wins, so what is the cause of others comes first */
export const causes: readonly Cause[] = [
  {
    seen: /no space left on device|disk quota exceeded/i,
    message: 'The disk that Docker uses is full.',
    hint: 'Free some space: `docker system df` shows where it is, `docker image prune` removes unused images.',
  },
  {
    seen: /too many open files|inotify_init|inotify instance|failed to create fsnotify|unable to create inotify/i,
    message: 'The machine allows too few inotify instances for another node.',
    hint: 'Raise it: `sudo sysctl fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288`.',
  },
  {
    seen: /No such image|failed to pull image|pull access denied|manifest unknown|image .* not present/i,
    message: 'The node image is not on this machine and could not be pulled.',
    hint: 'Run `npm run setup:kind`, which gets or builds the images.',
  },
  {
    seen: /port is already allocated|address already in use/i,
    message: 'A port that the cluster was given is already in use.',
    hint: 'Start again: another port is chosen each time. If it comes back, look at `docker ps` for containers that were left.',
  },
  {
    seen: /non-overlapping IPv4 address pool|could not find an available/i,
    message: 'Docker has no address range left for another network.',
    hint: 'Remove networks that are no longer used (`docker network prune`), or give Docker more in `default-address-pools` of /etc/docker/daemon.json.',
  },
  {
    seen: /unable to apply caps|operation not permitted.*(?:caps|rlimit|oom_score)|error setting rlimit|oom_score_adj.*permission denied/i,
    message: 'Containers on this machine may not have the capabilities that a node needs (CAP_SYS_RESOURCE).',
    hint: 'Run `npm run doctor`: it says how this machine is mended.',
  },
  {
    seen: /kubelet is configured to not run on a host using cgroup v1|failCgroupV1/i,
    message: 'The kubelet refuses this machine’s control groups of version 1.',
    hint: 'Run `npm run doctor` and start the server again, so that the machine is looked at afresh; or boot with cgroup v2.',
  },
  {
    seen: /cannot allocate memory|out of memory|oom-kill|Killed process|OOMKilled/i,
    message: 'The machine ran out of memory while the nodes started.',
    hint: 'End a lab that is no longer needed, or give Docker more memory.',
  },
  {
    seen: /node\(s\) already exist|already exist for a cluster with the name/i,
    message: 'There already is a kind cluster of that name, and it is not ours.',
    hint: 'Start again: another name is chosen each time.',
  },
  {
    seen: /x509: certificate has expired or is not yet valid/i,
    message: 'The clock of this machine is wrong, so the certificates that were just made are not valid.',
    hint: 'Set the clock (`timedatectl`).',
  },
]

/** `thrown` as the error that a person meets; `texts` are logs and outputs around it. */
export function explainFailure(thrown: unknown, texts: readonly string[]): LabError {
  const error = asLabError(thrown)
  if (['cancelled', 'docker-unavailable', 'capacity-exceeded', 'backend-unavailable', 'disk-full'].includes(error.code)) return error
  const all = [error.message, ...texts].join('\n')
  const cause = causes.find(({ seen }) => seen.test(all))
  if (cause)
    return new LabError('cluster-create-failed', `The cluster could not be created. ${cause.message}`, { hint: cause.hint, cause: thrown })
  const kind = /^ERROR: (.+)$/m.exec(all)?.[1]
  return new LabError('cluster-create-failed', `The cluster could not be created: ${kind ?? error.message}`, {
    hint: 'The logs are kept with the error report. Try again; if it fails again, `npm run doctor` looks at the machine.',
    cause: thrown,
  })
}
