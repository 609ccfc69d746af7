// ss, netstat, conntrack and sysctl: who listens in a namespace, and the kernel's settings. Knows nothing of routes.

import type { Listener } from '../../net.ts'
import type { Tool } from '../../process.ts'
import { namespaceOf } from '../network.ts'

interface Asked {
  tcp: boolean
  udp: boolean
  listening: boolean
  processes: boolean
}
function asked(argv: readonly string[]): Asked {
  const letters = argv
    .slice(1)
    .filter((word) => /^-[a-z0-9]+$/i.test(word))
    .join('')
  const has = (letter: string, long: string) => letters.includes(letter) || argv.includes(long)
  const [tcp, udp] = [has('t', '--tcp'), has('u', '--udp')]
  return { tcp: tcp || !udp, udp: udp || !tcp, listening: has('l', '--listening') || has('a', '--all'), processes: has('p', '--processes') }
}
const goPrograms = new Set([
  'kube-apiserver',
  'kubelet',
  'kube-proxy',
  'coredns',
  'etcd',
  'kube-scheduler',
  'kube-controller-manager',
  'kube-controller',
  'local-path-provisioner',
  'agnhost',
  'http-echo',
  'flanneld',
])
/** Go's servers listen on both families at once, also when they are told 0.0.0.0; ss shows that as *, netstat as :::. */
const both = ({ address, program }: Listener) =>
  address === '*' || ((address === '::' || address === '0.0.0.0') && goPrograms.has(program.name))
const local = (listener: Listener) => (both(listener) ? '*' : listener.address === '::' ? '[::]' : listener.address)
const six = (listener: Listener) => both(listener) || listener.address === '::'
const order = (a: Listener, b: Listener) => Number(six(a)) - Number(six(b))

export const ss: Tool = async (call) => {
  const words = call.argv.slice(1)
  const look = asked(call.argv)
  const all = [...namespaceOf(call.place.net).listeners()].sort(order)
  if (words.some((word) => /^-\w*s/.test(word))) {
    call.out(`Total: ${200 + all.length}\nTCP:   ${all.length} (estab 0, closed 0, orphaned 0, timewait 0)\n\n`)
    return 0
  }
  const port = words.map((word) => /^:(\d+)$/.exec(word)?.[1]).find((one) => one !== undefined)
  const families = look.tcp && look.udp
  // Connections last for one exchange here, so nothing is shown as established.
  const shown = look.listening
    ? all.filter((one) => (one.protocol === 'tcp' ? look.tcp : look.udp) && (port === undefined || one.port === Number(port)))
    : []
  const rows = shown.map((one) => ({
    net: one.protocol,
    state: one.protocol === 'tcp' ? 'LISTEN' : 'UNCONN',
    queue: one.protocol === 'tcp' ? (one.program.name === 'sshd' ? '128' : '4096') : '0',
    address: local(one),
    port: String(one.port),
    peer: local(one) === '*' ? '*' : one.address === '::' ? '[::]' : '0.0.0.0',
    users:
      look.processes && call.uid === 0 && one.program.name !== ''
        ? `users:(("${one.program.name.slice(0, 15)}",pid=${one.program.pid},fd=${3 + (one.port % 17)}))`
        : '',
  }))
  const wide = Math.max(...rows.map((row) => row.address.length), 13)
  const users = Math.max(...rows.map((row) => row.users.length), 7)
  const netColumn = (text: string) => (families ? text.padEnd(6) : '')
  if (!words.some((word) => word === '--no-header' || /^-\w*H/.test(word)))
    call.out(
      `${netColumn('Netid')}State  Recv-Q Send-Q ${'Local Address'.padStart(wide)}:Port  Peer Address:Port${look.processes ? 'Process'.padEnd(users) : ''}\n`,
    )
  for (const row of rows)
    call.out(
      `${netColumn(row.net)}${row.state} 0      ${row.queue.padEnd(6)} ${row.address.padStart(wide)}:${row.port.padEnd(5)} ${row.peer.padStart(12)}:*   ${look.processes ? ` ${row.users.padEnd(users)}` : ''}\n`,
    )
  return 0
}
export const netstat: Tool = async (call) => {
  const words = call.argv.slice(1)
  if (words.some((word) => /^-\w*r/.test(word))) {
    const { routeTool } = await import('./links.ts')
    return routeTool({ ...call, argv: ['route', '-n'] })
  }
  const look = asked(call.argv)
  const all = [...namespaceOf(call.place.net).listeners()].sort(order)
  call.out(
    `Active Internet connections (${look.listening ? (words.some((word) => /a/.test(word)) ? 'servers and established' : 'only servers') : 'w/o servers'})\nProto Recv-Q Send-Q Local Address           Foreign Address         State      ${look.processes ? ' PID/Program name    ' : ' '}\n`,
  )
  for (const one of look.listening ? all : []) {
    if (one.protocol === 'tcp' ? !look.tcp : !look.udp) continue
    const name = one.program.name === '' || call.uid !== 0 ? '-' : `${one.program.pid}/${one.program.name}`.slice(0, 19)
    call.out(
      `${(one.protocol + (six(one) ? '6' : '')).padEnd(5)} ${'0'.padStart(6)} ${'0'.padStart(6)} ${`${six(one) ? '::' : one.address}:${one.port}`.padEnd(23)} ${(six(one) ? ':::*' : '0.0.0.0:*').padEnd(23)} ${(one.protocol === 'tcp' ? 'LISTEN' : '').padEnd(11)} ${look.processes ? name.padEnd(20) : ''}\n`,
    )
  }
  return 0
}
export const conntrack: Tool = async (call) => {
  const words = call.argv.slice(1)
  if (words.includes('-L') || words.length === 0) call.err('conntrack v1.4.8 (conntrack-tools): 0 flow entries have been shown.\n')
  else if (words.includes('-F')) call.err('conntrack v1.4.8 (conntrack-tools): connection tracking table has been emptied.\n')
  else if (words.includes('-D')) call.err('conntrack v1.4.8 (conntrack-tools): 0 flow entries have been deleted.\n')
  else if (words.includes('-C')) call.out('0\n')
  else {
    call.err("conntrack v1.4.8 (conntrack-tools): unknown option\nTry `conntrack -h' or 'conntrack --help' for more information.\n")
    return 2
  }
  return 0
}

/** what a new namespace has, beside what was set */
const defaults: Readonly<Record<string, string>> = {
  'fs.inotify.max_user_instances': '1024',
  'fs.inotify.max_user_watches': '524288',
  'kernel.ostype': 'Linux',
  'kernel.panic': '10',
  'kernel.panic_on_oops': '1',
  'net.ipv4.conf.default.rp_filter': '1',
  'net.ipv4.ip_forward': '0',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.ip_nonlocal_bind': '0',
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.netfilter.nf_conntrack_max': '262144',
  'vm.overcommit_memory': '1',
  'vm.panic_on_oom': '0',
  'vm.max_map_count': '262144',
  'vm.swappiness': '60',
}
const swapped = (name: string): string => name.replace(/[./]/g, (one) => (one === '.' ? '/' : '.'))
/** A setting that each link has; a dot of the link's name is a slash here. */
const ofLink = (name: string): { link: string; setting: string } | undefined => {
  const found = /^net\.ipv4\.conf\.([^.]+)\.(forwarding|route_localnet|rp_filter|arp_ignore)$/.exec(name)
  return found ? { link: (found[1] as string).replace(/\//g, '.'), setting: found[2] as string } : undefined
}
export const sysctl: Tool = async (call) => {
  const at = namespaceOf(call.place.net)
  let code = 0
  let bare = false
  let quiet = false
  const words: string[] = []
  for (const word of call.argv.slice(1)) {
    if (word === '-n') bare = true
    else if (word === '-q') quiet = true
    else if (word === '--system' || word === '-p') {
      const files =
        word === '-p'
          ? [call.argv[call.argv.indexOf('-p') + 1] ?? '/etc/sysctl.conf']
          : [
              ...['/usr/lib/sysctl.d', '/etc/sysctl.d'].flatMap((dir) =>
                call.place.files
                  .list(dir)
                  .filter((name) => name.endsWith('.conf'))
                  .map((name) => `${dir}/${name}`),
              ),
              '/etc/sysctl.conf',
            ]
      for (const file of files) {
        const text = call.place.files.text(file)
        if (text === undefined) continue
        if (word === '--system') call.out(`* Applying ${file} ...\n`)
        for (const line of text.split('\n')) {
          const match = /^\s*-?([\w./-]+)\s*=\s*(.*?)\s*$/.exec(line)
          if (match && !line.trim().startsWith('#')) words.push(`${match[1]}=${match[2]}`)
        }
      }
      if (word === '-p') break
    } else if (word === '-a')
      words.push(
        ...[
          ...new Set([
            ...Object.keys(defaults),
            ...[...at.sysctls.keys()].filter((name) => !ofLink(name)),
            ...['all', 'default', ...at.links.keys()].flatMap((link) =>
              ['forwarding', 'route_localnet', 'rp_filter'].map((name) => `net.ipv4.conf.${link.replace(/\./g, '/')}.${name}`),
            ),
          ]),
        ].sort(),
      )
    else if (word !== '-w' && word !== '-e') words.push(word)
  }
  const known = (name: string): string | undefined => {
    const of = ofLink(name)
    if (of === undefined) return name.startsWith('net.ipv4.conf.') ? undefined : (at.sysctls.get(name) ?? defaults[name])
    if (of.link !== 'all' && of.link !== 'default' && !at.links.has(of.link)) return undefined
    if (of.setting === 'forwarding') return at.forwardingOf(of.link)
    return at.sysctls.get(`net.ipv4.conf.${of.link}.${of.setting}`) ?? defaults[name] ?? '0'
  }
  for (const word of words) {
    const [raw = '', value] = word.split(/\s*=\s*(.*)/s)
    // The first separator says which of the two is one; the other is part of a name: net.ipv4.conf.eth0/1.forwarding is net/ipv4/conf/eth0.1/forwarding.
    const name = /^[^.]*\//.test(raw) ? swapped(raw) : raw
    if (known(name) === undefined) {
      call.err(`sysctl: cannot stat /proc/sys/${swapped(name)}: No such file or directory\n`)
      code = 255
      continue
    }
    if (value !== undefined) {
      if (call.uid !== 0 || (call.place.container !== undefined && !call.place.container.security.privileged)) {
        call.err(call.uid !== 0 ? `sysctl: permission denied on key "${name}"\n` : `sysctl: setting key "${name}": Read-only file system\n`)
        code = 255
        continue
      }
      const of = name === 'net.ipv4.ip_forward' ? { link: 'all', setting: 'forwarding' } : ofLink(name)
      if (of === undefined) at.sysctls.set(name, value)
      else if (of.setting === 'forwarding') at.setForwarding(of.link, value)
      else at.sysctls.set(`net.ipv4.conf.${of.link}.${of.setting}`, value)
    }
    if (!quiet) call.out(bare ? `${known(name) ?? '0'}\n` : `${name} = ${known(name) ?? '0'}\n`)
  }
  return code
}
