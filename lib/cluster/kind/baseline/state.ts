// What a node is beside its files: units, firewall rules, kernel settings of its network, images, processes. Read by the node's own
// programs, whose files have been put back before; processes by the grader. Knows nothing of the API.
import { pasteable } from '#lib/exec/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import type { Docker } from '../docker.ts'
import type { Grader } from '../grader.ts'
import type { FileMachine } from './files.ts'

export interface NodeState {
  /** unit → `load active`, services, sockets and timers that are loaded and active */
  units: Record<string, string>
  /** rules that no component of Kubernetes owns, counters left out */
  rules: string[]
  /** the whole of iptables, to go back to */
  iptables: string
  /** name → value */
  settings: Record<string, string>
  /** devices, addresses, routes, and who is where on the pod network, a line each; absent in records of an earlier version */
  network?: string[]
  images: string[]
  /** `cgroup program` of what runs outside pods */
  processes: string[]
  /** which run of a unit it is: another one may work by what files and units said meanwhile. Absent in records of an earlier version */
  runs?: Record<string, string>
  /** ids of the containers that run; absent in records of an earlier version */
  containers?: string[]
}

const settings = [
  'net/ipv4/ip_forward',
  'net/bridge/bridge-nf-call-iptables',
  'net/ipv4/conf/all/rp_filter',
  'net/ipv4/conf/eth0/rp_filter',
  'net/ipv4/ip_local_port_range',
  'net/ipv6/conf/all/forwarding',
  'net/ipv4/conf/eth0/forwarding',
]
/** of devices that come with the pod network, and forward from their first day on */
const ofDevices = ['net/ipv4/conf/cni0/forwarding', 'net/ipv4/conf/flannel.1/forwarding']
const marks = {
  units: '--- units',
  rules: '--- rules',
  settings: '--- settings',
  network: '--- network',
  images: '--- images',
  links: '--- links',
  runs: '--- runs',
  containers: '--- containers',
}
/** what a learner configures and starts anew */
const configured = ['kubelet.service', 'containerd.service', 'ssh.service']
const look = `
echo '${marks.units}'; systemctl list-units --all --type=service,socket,timer --state=active --plain --no-legend | awk '{print $1, $2, $3}'
echo '${marks.rules}'; iptables-save 2>/dev/null
echo '${marks.settings}'; for name in ${settings.join(' ')}; do printf '%s ' $name; cat /proc/sys/$name 2>/dev/null || echo -; done
for name in ${ofDevices.join(' ')}; do printf '%s ' $name; cat /proc/sys/$name 2>/dev/null || echo 1; done
echo '${marks.links}'; ip -o link show dev eth0 | grep -o 'state [A-Z]*'; tc qdisc show dev eth0 2>/dev/null | awk '{print $2}'; ip route show default; ip rule show; nft list tables | grep -vE '^table (ip|ip6) (filter|nat|mangle|raw|security)$' || true
echo '${marks.runs}'; for unit in ${configured.join(' ')}; do echo $unit $(systemctl show --value -p InvocationID -p NeedDaemonReload $unit); done
echo '${marks.containers}'; crictl ps -q 2>/dev/null
echo '${marks.network}'; ip -4 route show table all | grep -v ' table local'; ip -4 neigh show nud permanent | sed 's/^/neigh /'; bridge fdb show dev flannel.1 2>/dev/null | grep permanent | sed 's/^/fdb /'; ip -o link show | awk '{print "link", $2}' | sed -E 's/(@.*)?:?$//' | grep -vE ' (veth.*|cni0)$'; ip -4 -o addr show | awk '$2 != "cni0" && $2 !~ /^veth/ {print "addr", $4, "dev", $2}'
echo '${marks.images}'; crictl images -o json 2>/dev/null | jq -r '.images[].id'
`
/** Rules outside the chains of kube-proxy, the kubelet, Flannel, the CNI and Docker, and jumps to those, with no counters. */
export function foreignRules(save: string): string[] {
  const rules: string[] = []
  let table = ''
  for (const line of save.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1)
    else if (line.startsWith(':')) {
      const [, chain, policy] = /^:(\S+) (\S+)/.exec(line) ?? []
      if (chain && policy !== 'ACCEPT' && !owned.test(chain)) rules.push(`${table} ${chain} ${policy}`)
    } else if (line.startsWith('-A')) {
      const chain = line.split(' ')[1] ?? ''
      const target = /-[jg] (\S+)/.exec(line)?.[1] ?? ''
      if (!owned.test(chain) && !owned.test(target)) rules.push(`${table} ${line}`)
    }
  }
  return rules.sort()
}
const owned = /^(KUBE-|FLANNEL-|CNI-|DOCKER_|CNI:)/
/** units that come and go by themselves */
const ownUnits =
  /^(systemd-tmpfiles-clean|systemd-hostnamed|sshd-unix|ssh@|sshd@|session-|user@|user-runtime|image-mirror|run-|modprobe@|systemd-(coredump|journal-flush|update-done))/

export async function nodeState(docker: Docker, grader: Grader, machine: FileMachine, signal: AbortSignal): Promise<NodeState> {
  const result = await docker.exec(machine.container, ['bash', '-c', look], { user: 'root', timeoutMs: 30_000, signal })
  if (result.exitCode !== 0)
    throw new LabError('internal', `The state of ${machine.name} could not be read: ${result.stderr.trim().slice(-300)}`)
  const section = (name: string) => {
    const lines = result.stdout.split('\n')
    const from = lines.indexOf(name)
    if (from < 0) return []
    const to = lines.findIndex((line, index) => index > from && line.startsWith('--- '))
    return lines.slice(from + 1, to < 0 ? undefined : to).filter(Boolean)
  }
  const pairs = (lines: string[]): Record<string, string> =>
    Object.fromEntries(lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ').slice(1).join(' ')]))
  const iptables = section(marks.rules).join('\n')
  return {
    units: Object.fromEntries(Object.entries(pairs(section(marks.units))).filter(([name]) => !ownUnits.test(name))),
    rules: foreignRules(iptables),
    iptables: `${iptables}\n`,
    settings: { ...pairs(section(marks.settings).map((line) => line.replace('\t', ' '))), links: section(marks.links).sort().join('; ') },
    network: section(marks.network).map(routeOf).sort(),
    images: [...new Set(section(marks.images))].sort(),
    runs: pairs(section(marks.runs)),
    containers: section(marks.containers).sort(),
    processes: [...new Set((await processes(grader, machine)).filter((one) => !inPod(one)).map(kindOf))].sort(),
  }
}

/** A route without what follows from whether anything is plugged in. */
const routeOf = (line: string) => line.replace(/ (linkdown|dead)\b/g, '').trim()
/** A node has no bridge for pods before its first one: where none was, the one that is there now came by itself. */
const ofBridge = (line: string) => / dev cni0 proto kernel /.test(line)
function networkOf(state: NodeState, before: NodeState): string[] {
  const bridged = before.network?.some(ofBridge) ?? false
  return (state.network ?? []).filter((line) => bridged || !ofBridge(line))
}
/** The command that adds a line of the network, or takes it away. */
export function networkCommand(line: string, there: boolean): string[] {
  const [kind, ...words] = line.split(' ')
  if (kind === 'neigh') {
    const [address = '', , device = '', , link = ''] = words
    return there
      ? ['ip', 'neigh', 'replace', address, 'lladdr', link, 'dev', device, 'nud', 'permanent']
      : ['ip', 'neigh', 'del', address, 'dev', device]
  }
  if (kind === 'fdb') {
    const [link = '', ...rest] = words
    const to = rest.filter((word) => word !== 'permanent')
    return ['bridge', 'fdb', there ? 'replace' : 'del', link, 'dev', 'flannel.1', ...to, ...(there ? ['permanent'] : [])]
  }
  if (kind === 'addr') return ['ip', 'addr', there ? 'replace' : 'del', ...words]
  // What brings the devices of the pod network brings them again.
  if (kind === 'link') return there ? ['true'] : ['ip', 'link', 'del', ...words]
  return ['ip', 'route', there ? 'replace' : 'del', ...line.split(' ')]
}

interface Process {
  pid: number
  parent: number
  program: string
  cgroup: string
}
async function processes(grader: Grader, machine: FileMachine): Promise<Process[]> {
  return (await grader.one({ op: 'processes', pid: machine.pid })).processes as Process[]
}
const inPod = ({ cgroup }: Process) => /kubepods|kubelet-kubepods/.test(cgroup)
/** what a process is by where systemd put it and what it runs; programs come and go under another name only through files */
const kindOf = ({ cgroup, program }: Process) => `${cgroup || '/'} ${program}`

/** Ends what ran neither at the baseline nor in a pod: what people left running. @returns what was ended */
export async function endStrays(grader: Grader, machine: FileMachine, known: readonly string[]): Promise<string[]> {
  const strays = (await processes(grader, machine)).filter((one) => one.pid !== machine.pid && !inPod(one) && !known.includes(kindOf(one)))
  if (strays.length === 0) return []
  await grader.one({ op: 'kill', pid: machine.pid, args: { pids: strays.map(({ pid }) => pid) } })
  return strays.map(kindOf)
}

/**
 * Leases of host-local whose sandbox is gone would be missing for ever: they are of nobody's baseline, and nothing else takes them away. Young ones are
 * left alone, their sandbox may not be told of yet. Without an answer of the runtime nothing is removed. $1: where they are
 */
export const freeAddresses = `
living=$(crictl pods -q --no-trunc 2>/dev/null) && [ -n "$living" ] || exit 0
find "\${1:-/var/lib/cni/networks}" -type f -name '[0-9]*.*.*.[0-9]*' -mmin +1 2>/dev/null | while read -r lease; do
  id=$(head -n 1 "$lease" | tr -d '\\r')
  case "$living" in *"\${id:-nobody}"*) ;; *) rm -f -- "$lease" ;; esac
done
exit 0
`

/** Units running as they were, firewall and kernel settings put back, images that came later removed. */
export async function restoreState(
  docker: Docker,
  grader: Grader,
  machine: FileMachine,
  before: NodeState,
  found: NodeState,
  filesChanged: readonly string[],
  /** units that have been started anew, or whose files systemd has read, since the cluster was as it should be */
  stale: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const lines: string[] = []
  const todo = (...argv: readonly string[]) => lines.push(pasteable(argv))
  // In one go: each command in a container costs Docker more than it costs the machine.
  const run = async (stdin?: string) => {
    if (lines.length === 0) return
    const script = lines.splice(0).join('\n')
    await docker.exec(machine.container, ['bash', '-c', script], {
      user: 'root',
      signal,
      timeoutMs: 120_000,
      ...(stdin === undefined ? {} : { stdin }),
    })
  }
  if (stale.length > 0 || filesChanged.some((path) => /systemd/.test(path))) todo('systemctl', 'daemon-reload')
  const restart = new Set(stale)
  if (filesChanged.some((path) => /^\/etc\/containerd|containerd/.test(path))) restart.add('containerd.service')
  if (filesChanged.some((path) => /^\/(etc\/ssh)/.test(path))) restart.add('ssh.service')
  // Clears the back-off of static pods too, which a fault may have driven up to five minutes.
  restart.add('kubelet.service')
  for (const [name, value] of Object.entries(before.settings)) {
    if (name !== 'links' && found.settings[name] !== value) todo('sysctl', '-w', `${name}=${value}`)
  }
  const otherRules = found.rules.join('\n') !== before.rules.join('\n')
  if (otherRules) todo('iptables-restore')
  if (found.settings.links !== before.settings.links) lines.push('tc qdisc del dev eth0 root 2>/dev/null; ip link set eth0 up')
  if (before.network !== undefined) {
    const [was, is] = [networkOf(before, before), networkOf(found, before)]
    // Addresses before the routes that lead through them.
    const inOrder = (lines: string[]) => [...lines].sort((a, b) => Number(b.startsWith('addr ')) - Number(a.startsWith('addr ')))
    for (const line of is) if (!was.includes(line)) todo(...networkCommand(line, false))
    for (const line of inOrder(was)) if (!is.includes(line)) todo(...networkCommand(line, true))
  }
  const added = found.images.filter((image) => !before.images.includes(image))
  if (added.length > 0) todo('crictl', 'rmi', ...added)
  todo('systemctl', 'reset-failed')
  for (const unit of restart) todo('systemctl', 'restart', unit)
  lines.push(`(${freeAddresses})`)
  await run(otherRules ? before.iptables : undefined)
  const now = await nodeState(docker, grader, machine, signal)
  for (const unit of Object.keys(before.units)) if (!now.units[unit]) todo('systemctl', 'start', unit)
  for (const unit of Object.keys(now.units)) if (!before.units[unit]) todo('systemctl', 'stop', unit)
  await run()
}

/** The parts of the state that a fingerprint covers, as text; `before` is the baseline, and says what was looked at then. */
export const stateParts = (state: NodeState, before: NodeState): Record<string, string> => ({
  units: JSON.stringify(state.units),
  rules: state.rules.join('\n'),
  settings: JSON.stringify(state.settings),
  images: state.images.join('\n'),
  ...(before.network === undefined ? {} : { network: networkOf(state, before).join('\n') }),
})
