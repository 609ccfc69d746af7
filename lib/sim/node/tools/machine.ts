// ps, free, uptime, dmesg, kubelet --version and others that look at a machine as a whole. Texts are those of procps 4.0 and util-linux. Knows no units.
import type { ProcessRow } from '../../machine.ts'
import type { Tool, ToolCall } from '../../process.ts'
import { kubernetesVersion } from '../template/manifests.ts'

const two = (value: number) => String(value).padStart(2, '0')
const start = (ms: number, now: number): string => {
  const at = new Date(ms)
  return now - ms < 86_400_000
    ? `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
    : `${['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][at.getUTCMonth()]}${two(at.getUTCDate())}`
}
/** of the place: a machine's own, or (in a container) nobody's but the sandbox's */
const rows = (call: ToolCall): readonly ProcessRow[] =>
  call.place.container ? [] : call.place.machine.processes.list().toSorted((a, b) => a.pid - b.pid)

const comm = (row: ProcessRow): string => (row.command.split(/\s+/)[0] as string).split('/').at(-1)?.slice(0, 15) ?? ''
interface Column {
  title: string
  width: number
  right?: boolean
  of(row: ProcessRow, now: number): string
}
const elapsed = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600)]
  return `${days ? `${days}-` : ''}${days || hours ? `${two(hours)}:` : ''}${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`
}
/** What -o takes, as far as a simulated process has it: titles and widths are those of procps. */
const columns: Readonly<Record<string, Column>> = (() => {
  const pid: Column = { title: 'PID', width: 7, right: true, of: (row) => String(row.pid) }
  const user: Column = { title: 'USER', width: 8, of: (row) => row.user }
  const named = (title: string): Column => ({ title, width: 15, of: comm })
  const whole = (title: string): Column => ({ title, width: 27, of: (row) => row.command })
  const times: Column = { title: 'STARTED', width: 8, right: true, of: (row, now) => start(row.started, now) }
  return {
    pid,
    ppid: { ...pid, title: 'PPID', of: (row) => String(row.ppid) },
    user,
    euser: { ...user, title: 'EUSER' },
    uid: { title: 'UID', width: 5, right: true, of: (row) => (row.user === 'root' ? '0' : '1000') },
    comm: named('COMMAND'),
    ucmd: named('CMD'),
    args: whole('COMMAND'),
    command: whole('COMMAND'),
    cmd: whole('CMD'),
    stat: { title: 'STAT', width: 4, of: () => 'Ss' },
    state: { title: 'S', width: 1, of: () => 'S' },
    s: { title: 'S', width: 1, of: () => 'S' },
    tty: { title: 'TT', width: 8, of: () => '?' },
    tt: { title: 'TT', width: 8, of: () => '?' },
    time: { title: 'TIME', width: 8, right: true, of: () => '00:00:00' },
    etime: { title: 'ELAPSED', width: 11, right: true, of: (row, now) => elapsed(now - row.started) },
    etimes: { title: 'ELAPSED', width: 7, right: true, of: (row, now) => String(Math.floor((now - row.started) / 1000)) },
    start: times,
    stime: { ...times, title: 'STIME', width: 5 },
    pcpu: { title: '%CPU', width: 4, right: true, of: () => '0.0' },
    '%cpu': { title: '%CPU', width: 4, right: true, of: () => '0.0' },
    pmem: { title: '%MEM', width: 4, right: true, of: () => '0.1' },
    '%mem': { title: '%MEM', width: 4, right: true, of: () => '0.1' },
  }
})()
/** The columns of every -o, `-eo pid,comm`, `--format=`; a title of one's own after `=`. */
function formats(words: readonly string[]): { name: string; title: string }[] {
  const lists = words.flatMap((word, at) => {
    const inline = /^--format=(.*)$/.exec(word)?.[1] ?? /^-[eAaxfwH]*o(.+)$/.exec(word)?.[1]
    return inline ?? (/^(-?[eAaxfwH]*o|--format)$/.test(word) ? (words[at + 1] ?? '') : [])
  })
  return lists.flatMap((list) => {
    const own = /^([^,]*,)*([\w%]+)=(.+)$/.exec(list)
    return list.split(/[, ]+/).flatMap((one) => {
      const [name = '', title] = one.split('=')
      if (name === '') return []
      return [{ name, title: own && own[2] === name ? (own[3] as string) : (title ?? columns[name]?.title ?? '') }]
    })
  })
}

/** The simulated processes of a machine. The real ones of a sandbox (shells, editors) are shown by its own ps; here a shell and ps itself stand for them. */
export const ps: Tool = async (call) => {
  const now = call.clock.now()
  const line = call.argv.slice(1).join(' ')
  const letters = call.argv
    .slice(1)
    .filter((word) => !word.startsWith('--'))
    .join('')
    .replaceAll('-', '')
  const format = formats(call.argv.slice(1))
  if (format.length > 0) {
    const now = call.clock.now()
    const every = call.argv.some((word) => /^-?(-everyone|[^o]*[eAax].*)$/.test(word) && !word.includes('='))
    const only = (names: readonly string[]) =>
      call.argv.flatMap((word, at) => (names.includes(word) ? (call.argv[at + 1] ?? '').split(',') : []))
    const [named, numbered] = [only(['-C']), only(['-p', '--pid', 'p'])]
    const self: ProcessRow = {
      pid: 90_000,
      ppid: 1,
      user: call.uid === 0 ? 'root' : 'candidate',
      started: now,
      command: `ps ${line}`.trim(),
    }
    const chosen = [...rows(call), self].filter((row) =>
      named.length + numbered.length > 0 ? named.includes(comm(row)) || numbered.includes(String(row.pid)) : every || row === self,
    )
    const unknown = format.find((one) => columns[one.name] === undefined)
    if (unknown !== undefined) {
      call.err(`error: unknown user-defined format specifier "${unknown.name}"\n`)
      return 1
    }
    const table = [format.map((one) => one.title), ...chosen.map((row) => format.map((one) => columns[one.name]?.of(row, now) ?? ''))]
    const silent =
      format.every((one) => one.title === '') ||
      call.argv.some((word) => word === '--no-headers' || word === 'h' || word === '--no-heading')
    for (const cells of silent ? table.slice(1) : table)
      call.out(
        `${cells
          .map((cell, at) => {
            const { width, right } = columns[(format[at] as { name: string }).name] as Column
            if (right) return cell.padStart(width)
            return at === cells.length - 1 ? cell : cell.padEnd(width)
          })
          .join(' ')}\n`,
      )
    return named.length + numbered.length > 0 && chosen.length === 0 ? 1 : 0
  }
  const bsd = /^[a-z]*u/.test(letters) && /a/.test(letters) && !/^-/.test(call.argv[1] ?? '')
  const own: ProcessRow = { pid: 90_000, ppid: 1, user: call.uid === 0 ? 'root' : 'candidate', started: now, command: `ps ${line}`.trim() }
  const every = /[eAa]/.test(letters) || /x/.test(letters)
  const all = every ? [...rows(call), own] : [own]
  const cut = (text: string) => (call.tty && !/ww/.test(letters) ? text.slice(0, call.tty.cols) : text)
  if (bsd) {
    call.out('USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n')
    for (const row of all)
      call.out(
        `${cut(`${row.user.padEnd(8)} ${String(row.pid).padStart(7)}  0.0  0.1 ${String(733_000 + (row.pid % 97) * 1024).padStart(6)} ${String(12_000 + (row.pid % 31) * 512).padStart(5)} ?        Ss   ${start(row.started, now).padEnd(7)} 0:00 ${row.command}`)}\n`,
      )
    return 0
  }
  if (/f/.test(letters)) {
    call.out('UID          PID    PPID  C STIME TTY          TIME CMD\n')
    for (const row of all)
      call.out(
        `${cut(`${row.user.padEnd(8)} ${String(row.pid).padStart(7)} ${String(row.ppid).padStart(7)}  0 ${start(row.started, now)} ?        00:00:00 ${row.command}`)}\n`,
      )
    return 0
  }
  call.out('    PID TTY          TIME CMD\n')
  for (const row of all)
    call.out(
      `${String(row.pid).padStart(7)} ?        00:00:00 ${(row.command.split(/\s+/)[0] as string).split('/').at(-1)?.slice(0, 15)}\n`,
    )
  return 0
}
export const free: Tool = async (call) => {
  const total = call.place.machine.memoryBytes
  const used = Math.floor(total * 0.118)
  const cached = Math.floor(total * 0.7)
  const flag = call.argv.find((word) => /^-[bkmgh]$/.test(word))?.[1] ?? 'k'
  const unit = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, h: 1 }[flag] as number
  const show = (bytes: number) => {
    if (flag !== 'h') return String(Math.floor(bytes / unit))
    const gi = bytes / 1024 ** 3
    return gi >= 1 ? `${gi < 10 ? gi.toFixed(1) : Math.round(gi)}Gi` : `${Math.round(bytes / 1024 ** 2)}Mi`
  }
  const line = (name: string, values: readonly number[]) => `${name.padEnd(8)}${values.map((value) => show(value).padStart(12)).join('')}\n`
  call.out('               total        used        free      shared  buff/cache   available\n')
  call.out(line('Mem:', [total, used, total - used - cached, 14_000_000, cached, total - used]))
  call.out(line('Swap:', [0, 0, 0]))
  return 0
}
export const uptime: Tool = async (call) => {
  const now = new Date(call.clock.now())
  const booted = (call.place.machine as { booted?: number }).booted ?? now.getTime()
  const minutes = Math.floor((now.getTime() - booted) / 60_000)
  const up = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}`
  call.out(
    ` ${now.toISOString().slice(11, 19)} up ${minutes >= 1440 ? `${Math.floor(minutes / 1440)} days, ` : ''}${up},  1 user,  load average: 0.31, 0.28, 0.22\n`,
  )
  return 0
}
export const dmesg: Tool = async (call) => {
  call.err(call.uid === 0 ? '' : 'dmesg: read kernel buffer failed: Operation not permitted\n')
  return call.uid === 0 ? 0 : 1
}
export const kubelet: Tool = async (call) => {
  if (call.argv.includes('--version')) {
    call.out(`Kubernetes ${kubernetesVersion}\n`)
    return 0
  }
  throw new Error(
    'the kubelet of a simulated node is run by systemd: systemctl start kubelet; its flags are in /var/lib/kubelet/kubeadm-flags.env',
  )
}
export const containerd: Tool = async (call) => {
  if (call.argv.includes('--version') || call.argv.includes('-v')) {
    call.out('containerd github.com/containerd/containerd/v2 v2.3.4 \n')
    return 0
  }
  throw new Error('containerd of a simulated node is run by systemd: systemctl start containerd')
}
const refused =
  (what: string): Tool =>
  async (call) => {
    call.err(`${call.argv[0]}: ${what}\n`)
    return 1
  }
export const nsenter = refused('entering namespaces is not offered on a simulated machine; use crictl exec, or kubectl exec')
export const machineTools: Readonly<Record<string, Tool>> = {
  ps,
  free,
  uptime,
  dmesg,
  kubelet,
  containerd,
  nsenter,
  ctr: refused('not offered on a simulated machine; use crictl'),
  reboot: refused('not offered on a simulated machine; restart its units instead'),
  shutdown: refused('not offered on a simulated machine; restart its units instead'),
}
