// One place: a machine, the workstation or a container, as real processes see it. One bubblewrap holds its namespaces as long as somebody works there; each
// process is started into them by nsenter, and a second bubblewrap gives it its view of the files: all of them for root, for others read-only but for
// their home and /tmp, and without what only root may read. Behind both stands one user of the host, so views, not owners, make the difference.
// Knows no Kubernetes and no tool.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { Socket as Datagrams } from 'node:dgram'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { Server, Socket } from 'node:net'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Files } from '../machine.ts'
import type { ProcessHost, Sandbox, Spawned, SpawnRequest } from '../process.ts'
import { type Call, openDoor } from './door.ts'
import { controlGroup, type DiskGuard, type Group, type Limits, type Watched } from './limits.ts'
import { start } from './spawned.ts'
import { libraries, mixed, mixedFolder, type Own, type Toolbox } from './toolbox.ts'

export interface PlaceDeps {
  /** one word for files and control groups, unlike any other place's of this machine */
  name: string
  /** a folder of this place alone, with a short path, that the place removes */
  folder: string
  cache: string
  /** where real programs lie that come late, under their names */
  programs: string
  box: Toolbox
  late: readonly string[]
  client: 'perl' | 'node'
  limits: Limits
  guard: DiskGuard
  log(line: string): void
}
type Port = { address: string; port: number }
type Open = Parameters<ProcessHost['open']>[0]
interface Holder {
  pid: number
  child: ChildProcess
  group: Group | undefined
}
interface Person {
  name: string
  uid: number
  gid: number
  home: string
  shell: string
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** over its share of the disk: files can be made smaller and removed, and little more */
const smallFile = 65_536
const hostEnvironment = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LANG: 'C.UTF-8' } as unknown as NodeJS.ProcessEnv
const run = (argv: readonly [string, ...string[]], input?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(argv[0], argv.slice(1), { env: hostEnvironment, timeout: 20_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${argv[0]}: ${stderr.trim() || error.message}`)) : resolve(stdout),
    )
    child.stdin?.end(input)
  })

/** Of /etc/passwd. @throws Error with containerd's words for a user that is not there */
function person(files: Files, user: string): Person {
  const rows = (files.text('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'))
  const row = rows.find(([name, , uid]) => name === user || uid === user)
  if (row) {
    const [uid, gid] = [Number(row[2]), Number(row[3])]
    // The file is the learner's to change.
    if (!(Number.isInteger(uid) && uid >= 0 && uid < 2 ** 31 && Number.isInteger(gid) && gid >= 0 && gid < 2 ** 31))
      throw new Error(`unable to find user ${user}: invalid entry in passwd file`)
    return { name: row[0] as string, uid, gid, home: posix.resolve('/', row[5] || '/'), shell: row[6] || '/bin/sh' }
  }
  if (user === 'root' || user === '0') return { name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/bash' }
  if (/^\d+$/.test(user)) return { name: user, uid: Number(user), gid: 0, home: '/', shell: '/bin/sh' }
  throw new Error(`unable to find user ${user}: no matching entries in passwd file`)
}

/** As the place's own /proc lists them. */
function countProcesses(holder: number): number {
  try {
    return readdirSync(`/proc/${holder}/root/proc`).filter((name) => /^\d+$/.test(name)).length
  } catch {
    return 0
  }
}
/** O_PATH of Linux, which Node does not name */
const pathOnly = 0x200000
/**
 * Opens what lies at a path without links, and nothing else: a learner who is root on a node may put a link there at any moment, and bubblewrap would follow it
 * out on the host. @throws Error when it is not there or is no longer what it was
 */
function openExact(at: string): number {
  const fd = openSync(at, pathOnly | constants.O_NOFOLLOW)
  if (readlinkSync(`/proc/self/fd/${fd}`) === at && !fstatSync(fd).isSymbolicLink()) return fd
  closeSync(fd)
  throw Object.assign(new Error(`EACCES: permission denied, '${at}'`), { code: 'EACCES' })
}
const lstat = (of: string) => lstatSync(of, { throwIfNoEntry: false })
/** What in a machine's files is root's alone, by permission bits; links are not followed, `deep` folders are looked into. */
function secrets(root: string, folder: string, deep: number, found: { path: string; folder: boolean }[]): void {
  let names: string[]
  try {
    if (!lstat(root + folder)?.isDirectory()) return
    names = readdirSync(root + folder)
  } catch {
    return
  }
  for (const name of names) {
    const stat = lstat(`${root}${folder}/${name}`)
    if (stat?.isDirectory()) {
      // What is in there comes and goes while a process is being started, and is root's throughout.
      if ((stat.mode & 0o005) !== 0o005 || `${folder}/${name}` === '/var/log/pods') found.push({ path: `${folder}/${name}`, folder: true })
      else if (deep > 0) secrets(root, `${folder}/${name}`, deep - 1, found)
    } else if (stat?.isFile() && (stat.mode & 0o004) === 0) found.push({ path: `${folder}/${name}`, folder: false })
    if (found.length > 400) return
  }
}

export class Place implements Sandbox {
  readonly #what: Open
  readonly #deps: PlaceDeps
  readonly #files: Files
  readonly #running = new Set<Spawned>()
  readonly #watched: Watched
  readonly #doors = new Map<number, Promise<{ close(): void }>>()
  #ports: readonly Port[]
  #servers = new Map<string, Server | Datagrams>()
  #holder: Promise<Holder> | undefined
  /** what the machine itself has in /usr/lib and /usr/share, as it was when its namespaces were made */
  readonly #own: Record<(typeof mixed)[number], readonly Own[]> = { lib: [], share: [] }
  #closed = false
  #count = 0

  constructor(what: Open, deps: PlaceDeps) {
    this.#what = what
    this.#deps = deps
    this.#files = what.files ?? what.machine.files
    this.#ports = what.ports
    this.#watched = {
      root: this.#files.root,
      limits: deps.limits,
      over: false,
      crowded: () => {
        deps.log(`${what.id}: more than ${deps.limits.processes} processes; what ran there was ended`)
        void this.#end()
      },
      tell: (over) => {
        if (!over) return
        deps.log(
          `${what.id}: its files have grown past ${Math.round(deps.limits.disk / 1024 ** 2)} MiB or ${deps.limits.inodes} entries; what ran there was ended`,
        )
        this.#end()
      },
    }
    this.#prepare()
  }

  /** What bubblewrap mounts on must be there: it cannot be made in a read-only view. */
  #prepare(): void {
    const files = this.#files
    const folders = [
      '/proc',
      '/dev',
      '/tmp',
      '/var/tmp',
      ...['bin', 'sbin', 'libexec', 'share', 'local', ...libraries].map((name) => `/usr/${name}`),
    ]
    for (const folder of folders) if (!files.exists(folder)) files.mkdir(folder, folder.endsWith('tmp') ? 0o1777 : 0o755)
    for (const name of ['bin', 'sbin', ...libraries])
      if (lstat(`${files.root}/${name}`) === undefined) files.symlink(`usr/${name}`, `/${name}`)
    for (const { path: at, source } of this.#what.mounts ?? []) {
      if (files.exists(at)) continue
      if (lstat(source)?.isDirectory()) files.mkdir(at)
      else files.write(at, '')
    }
  }

  async spawn(request: SpawnRequest): Promise<Spawned> {
    if (this.#closed) throw new Error(`${this.#what.id} is closed`)
    if (request.argv.length === 0 || request.argv.some((word) => word.includes('\0'))) throw new Error('not a command')
    const who = person(this.#files, request.user)
    const holder = await this.#held()
    // Somebody who tidies the machine's control groups takes empty ones for left over.
    if (holder.group?.files.some((file) => !existsSync(file))) {
      holder.group.remove()
      holder.group = controlGroup(this.#deps.name, this.#deps.limits)
    }
    await this.#door(who.uid)
    if (this.#watched.over) await this.#deps.guard.look(this.#watched)
    const { limits, folder, box } = this.#deps
    const args = join(folder, `args-${this.#count++}`)
    writeFileSync(args, this.#view(who, request, this.#mounts(holder)).join('\0'), { mode: 0o600 })
    if (this.#running.size === 0) this.#deps.guard.watch(this.#watched)
    const inner = ['bwrap', '--args', '8', ...(box.seccomp ? ['--seccomp', '9'] : []), '--', '/usr/bin/env', '--', ...request.argv]
    const enter = [
      'nsenter',
      '-t',
      `${holder.pid}`,
      '--user',
      '--mount',
      '--net',
      '--ipc',
      '--uts',
      '--pid',
      '--preserve-credentials',
      '--',
    ]
    const soft = (name: string, value: number) => `--${name}=${value}:${value}`
    const limit = [
      'prlimit',
      '--core=0:0',
      soft('nproc', limits.processes),
      soft('nofile', limits.open),
      soft('data', limits.data),
      soft('fsize', this.#watched.over ? smallFile : limits.file),
      '--',
    ]
    // The shell's part: it joins the control group, is the first to be ended when memory is short, and opens what bwrap reads.
    const script = `while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift
echo 900 > /proc/self/oom_score_adj; exec 8< "$1"${box.seccomp ? ' 9< "$2"' : ''}; shift 2; exec nice -n 5 "$@"`
    const spawned = start({
      argv: ['/bin/sh', '-c', script, 'sh', ...(holder.group?.files ?? []), '--', args, box.seccomp ?? '', ...limit, ...enter, ...inner],
      env: hostEnvironment as Record<string, string>,
      ...(request.pty ? { pty: request.pty } : {}),
      wrappers: ['nsenter', 'bwrap'],
      ended: () => {
        this.#running.delete(spawned)
        rmSync(args, { force: true })
        if (this.#running.size === 0) this.#deps.guard.unwatch(this.#watched)
      },
    })
    this.#running.add(spawned)
    return spawned
  }

  async listen(ports: readonly Port[]): Promise<void> {
    this.#ports = ports
    const holder = await this.#holder
    if (holder) await this.#listen(holder)
  }

  async close(): Promise<void> {
    this.#closed = true
    const ended = [...this.#running].map((spawned) => new Promise<void>((resolve) => spawned.onExit(() => resolve())))
    await this.#end()
    await Promise.race([Promise.all(ended), new Promise((resolve) => setTimeout(resolve, 2000))])
    for (const door of this.#doors.values()) await door.then(({ close }) => close()).catch(() => {})
    this.#doors.clear()
    this.#deps.guard.unwatch(this.#watched)
    rmSync(this.#deps.folder, { recursive: true, force: true })
  }

  /** Ends all processes; the next one that is started finds new namespaces. */
  async #end(): Promise<void> {
    const ending = this.#holder
    this.#holder = undefined
    for (const server of this.#servers.values()) server.close()
    this.#servers.clear()
    const holder = await ending?.catch(() => undefined)
    if (!holder) return
    holder.child.ref()
    const gone = new Promise<void>((resolve) =>
      holder.child.exitCode === null && holder.child.signalCode === null ? holder.child.once('exit', () => resolve()) : resolve(),
    )
    // The first process of a process namespace takes all others with it.
    for (const pid of [holder.pid, holder.child.pid])
      try {
        if (pid !== undefined) process.kill(pid, 'SIGKILL')
      } catch {
        // gone already
      }
    await gone
    // Its last processes leave the group a moment after the first one.
    for (let ms = 1; holder.group && ms < 200; ms *= 2) {
      holder.group.remove()
      if (!holder.group.files.some((file) => existsSync(file))) break
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
  }

  /** The one that is there, else a new one; after a failure the next call tries again. */
  #held(): Promise<Holder> {
    if (this.#holder === undefined) {
      const holding = this.#hold()
      this.#holder = holding
      holding.catch(() => {
        if (this.#holder === holding) this.#holder = undefined
      })
    }
    return this.#holder
  }

  async #hold(): Promise<Holder> {
    const { box, folder, cache, programs, client, limits, name } = this.#deps
    mkdirSync(programs, { recursive: true })
    for (const name of mixed)
      this.#own[name] = this.#files.list(`/usr/${name}`).flatMap((one) => {
        const type = this.#files.stat(`/usr/${name}/${one}`)?.type
        return type === 'directory' || type === 'file' ? [{ name: one, folder: type === 'directory' }] : []
      })
    const outer = [
      ...['--unshare-user', '--uid', '0', '--gid', '0', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts'],
      ...['--hostname', this.#what.hostname, '--die-with-parent', '--ro-bind', '/usr', '/usr'],
      ...['bin', 'sbin', ...libraries].flatMap((at) => ['--symlink', `usr/${at}`, `/${at}`]),
      ...['--dir', '/tmp', '--proc', '/proc', '--dev', '/dev'],
      ...['--bind-fd', '4', '/place/root', '--ro-bind', box.usr, '/place/usr'],
      ...['--ro-bind', box.secretFile, '/place/secret', '--perms', '0000', '--dir', '/place/secrets'],
      ...['--ro-bind', join(folder, 'sockets'), '/place/sockets', '--ro-bind', programs, '/place/programs'],
      ...mixed.flatMap((name) =>
        this.#own[name].length > 0
          ? ['--ro-bind', mixedFolder(cache, `/usr/${name}`, this.#own[name], `/usr/libexec/${name}`), `/place/${name}`]
          : [],
      ),
      ...(client === 'node' ? ['--ro-bind', process.execPath, '/place/node'] : []),
      ...(this.#what.mounts ?? []).flatMap(({ readOnly }, at) => [
        readOnly ? '--ro-bind-fd' : '--bind-fd',
        `${5 + at}`,
        `/place/mounts/${at}`,
      ]),
      ...['--chdir', '/', '--info-fd', '3', '--', '/usr/bin/sh', '-c', 'echo ready; exec sleep infinity'],
    ]
    mkdirSync(join(folder, 'sockets'), { recursive: true })
    const sources: number[] = []
    let child: ChildProcess
    try {
      for (const source of [this.#files.root, ...(this.#what.mounts ?? []).map((mount) => mount.source)]) sources.push(openExact(source))
      const stdio = ['ignore', 'pipe', 'pipe', 'pipe', ...sources] as const
      child = spawn('bwrap', outer, { env: hostEnvironment, stdio: [...stdio], detached: true })
    } finally {
      for (const fd of sources) closeSync(fd)
    }
    const pid = await new Promise<number>((resolve, reject) => {
      let told = ''
      let stderr = ''
      // Only what it runs can tell that the new root is there: its id is told earlier.
      let ready = false
      const look = () => {
        const found = /"child-pid": (\d+)/.exec(told)
        if (ready && found && told.includes('}')) resolve(Number(found[1]))
      }
      child.stdout?.on('data', () => {
        ready = true
        look()
      })
      child.stderr?.on('data', (bytes: Buffer) => {
        stderr = (stderr + bytes).slice(-2000)
      })
      ;(child.stdio[3] as NodeJS.ReadableStream).on('data', (bytes: Buffer) => {
        told += bytes
        look()
      })
      child.on('error', reject)
      child.on('exit', (code) => reject(new Error(`the sandbox of ${this.#what.id} did not start (${code}): ${stderr.trim()}`)))
    })
    child.unref()
    for (const stream of child.stdio.slice(0, 4)) (stream as Socket | null)?.unref?.()
    child.on('exit', () => {
      if (this.#holder !== promised) return
      this.#deps.log(`${this.#what.id}: the process that holds its namespaces has ended`)
      void this.#end()
    })
    const promised = this.#holder
    const holder: Holder = { pid, child, group: controlGroup(name, limits) }
    if (holder.group === undefined && process.getuid?.() === 0) this.#watched.count = () => countProcesses(pid)
    else delete this.#watched.count
    try {
      await this.#listen(holder)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
    return holder
  }

  /** Opens and closes ports until those that are wanted are open. */
  async #listen(holder: Holder): Promise<void> {
    const { connection, datagrams, id } = this.#what
    const wanted = () =>
      new Map<string, Port>([
        ...this.#ports.map((port): [string, Port] => [`tcp/${port.address}:${port.port}`, port]),
        ...(datagrams?.ports ?? []).map((port): [string, Port] => [`udp/${port.address}:${port.port}`, port]),
      ])
    const now = wanted()
    for (const [at, server] of this.#servers)
      if (!now.has(at)) {
        server.close()
        this.#servers.delete(at)
      }
    const fresh = [...now].filter(([at]) => !this.#servers.has(at))
    if (fresh.length === 0) return
    const enter = ['-t', `${holder.pid}`, '--user', '--net', '--preserve-credentials', '--']
    const addresses = [...new Set(fresh.map(([, { address }]) => address))].filter((address) => !address.startsWith('127.'))
    if (addresses.length > 0)
      await run(
        ['nsenter', ...enter, 'ip', '-force', '-batch', '-'],
        addresses.map((address) => `address replace ${address}/32 dev lo\n`).join(''),
      )
    await new Promise<void>((resolve, reject) => {
      const listener = fileURLToPath(new URL('./listener.mjs', import.meta.url))
      const child = spawn('nsenter', [...enter, process.execPath, listener, ...fresh.map(([at]) => at)], {
        env: hostEnvironment,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      child.on('message', ({ to, error }: { to: string; error?: string }, handle) => {
        const port = now.get(to)
        if (error !== undefined || !handle || !port) return this.#deps.log(`${id}: no listener at ${to}: ${error}`)
        const server = handle as Server | Datagrams
        if (this.#closed || !wanted().has(to)) return server.close()
        if (server instanceof Datagrams)
          server.on('message', (packet, from) => {
            const answered = (answer: Uint8Array | undefined) => {
              if (answer && this.#servers.get(to) === server) server.send(answer, from.port, from.address, () => {})
            }
            datagrams?.answer(port, packet).then(answered, () => {})
          })
        else
          server.on('connection', (socket: Socket) => {
            socket.on('error', () => {})
            // As servers do by themselves, but not one that was handed over: else the end of an answer waits 40 ms for the other side's acknowledgement.
            socket.setNoDelay()
            connection(port, socket)
          })
        server.on('error', (error: Error) => this.#deps.log(`${id}: ${to}: ${error.message}`))
        server.unref()
        this.#servers.set(to, server)
      })
      child.on('error', reject)
      child.on('close', () => resolve())
    })
  }

  #door(uid: number): Promise<{ close(): void }> {
    let door = this.#doors.get(uid)
    if (!door) {
      const folder = join(this.#deps.folder, 'sockets', `${uid}`)
      mkdirSync(folder, { recursive: true })
      const call: Call = (tool, request) => this.#what.call(tool, request)
      door = openDoor({ path: join(folder, 'lab'), uid, tools: new Set(this.#what.tools), call })
      this.#doors.set(uid, door)
    }
    return door
  }

  /**
   * The arguments that mount what is mounted. A source that was replaced or removed since cannot be bound again, though it is still there behind the mount:
   * who starts now finds its content in a copy.
   */
  #mounts(holder: Holder): string[] {
    return (this.#what.mounts ?? []).flatMap(({ path: to, readOnly }, at) => {
      const held = `/proc/${holder.pid}/root/place/mounts/${at}`
      let copy: string | undefined
      try {
        const stat = lstatSync(held)
        if (stat.nlink === 0 && stat.isDirectory()) return ['--tmpfs', to]
        if (stat.nlink === 0 && stat.isFile()) {
          copy = `mount-${at}`
          writeFileSync(join(this.#deps.folder, 'sockets', copy), readFileSync(held))
        }
      } catch {
        // It cannot be looked at from here; bubblewrap says what is wrong.
      }
      if (copy !== undefined) return ['--ro-bind', `/place/sockets/${copy}`, to]
      return [readOnly ? '--ro-bind' : '--bind', `/place/mounts/${at}`, to]
    })
  }

  /** The arguments of the second bubblewrap: the place as this user sees it. */
  #view(who: Person, request: SpawnRequest, mounts: readonly string[]): string[] {
    const { client, late, programs } = this.#deps
    const root = this.#files.root
    const is = (at: string, kind: 'isDirectory' | 'isFile') => lstat(root + at)?.[kind]() === true
    const isRoot = who.uid === 0
    const view = ['--unshare-user', '--uid', `${who.uid}`, '--gid', `${who.gid}`, '--disable-userns', '--cap-drop', 'ALL']
    view.push(isRoot ? '--bind' : '--ro-bind', '/place/root', '/')
    if (!isRoot) {
      const writable = [...new Set(['/tmp', '/var/tmp', who.home])].filter((at) => at !== '/' && is(at, 'isDirectory'))
      for (const at of writable) view.push('--bind', `/place/root${at}`, at)
    }
    for (const name of ['bin', 'sbin', 'libexec']) view.push('--ro-bind', `/place/usr/${name}`, `/usr/${name}`)
    for (const name of [...libraries, 'share']) {
      const own = name === 'lib' || name === 'share' ? this.#own[name] : []
      if (own.length === 0) view.push('--ro-bind', `/usr/${name}`, `/usr/${name}`)
      else {
        view.push('--ro-bind', `/place/${name}`, `/usr/${name}`, '--ro-bind', `/usr/${name}`, `/usr/libexec/${name}`)
        for (const one of own) {
          const to = `/usr/${name}/${one.name}`
          if (is(to, one.folder ? 'isDirectory' : 'isFile')) view.push(isRoot ? '--bind' : '--ro-bind', `/place/root${to}`, to)
        }
      }
    }
    // An image may have folders where others have links into /usr.
    for (const name of ['bin', 'sbin', ...libraries])
      if (is(`/${name}`, 'isDirectory'))
        view.push('--ro-bind', libraries.includes(name) ? `/usr/${name}` : `/place/usr/${name}`, `/${name}`)
    view.push('--ro-bind', `/place/sockets/${who.uid}`, '/usr/libexec/lab/socket')
    if (client === 'node') view.push('--ro-bind', '/place/node', '/usr/libexec/lab/node')
    for (const name of late)
      if (!this.#what.tools.includes(name) && existsSync(join(programs, name)))
        view.push('--ro-bind', `/place/programs/${name}`, `/usr/bin/${name}`)
    view.push(...mounts)
    if (!isRoot) {
      const found: { path: string; folder: boolean }[] = []
      for (const folder of ['/etc', '/var/lib', '/var/log', '/opt', '/usr/local']) secrets(root, folder, 3, found)
      for (const folder of ['/root', '/kind', '/home']) {
        const stat = lstat(root + folder)
        if (stat?.isDirectory() && (stat.mode & 0o005) !== 0o005 && folder !== who.home) found.push({ path: folder, folder: true })
      }
      for (const { path: at, folder } of found) if (at !== who.home) view.push('--ro-bind', folder ? '/place/secrets' : '/place/secret', at)
    }
    // Read-only as a whole: behind root stands a user of the host, who may be its root, and the kernel asks some of its switches for nothing else.
    view.push('--proc', '/proc', '--remount-ro', '/proc')
    if (is('/proc/sys', 'isDirectory')) view.push(isRoot ? '--bind' : '--ro-bind', '/place/root/proc/sys', '/proc/sys')
    for (const at of ['kcore', 'keys', 'timer_list', 'sched_debug', 'kallsyms', 'sysrq-trigger', 'mtrr'])
      if (existsSync(`/proc/${at}`)) view.push('--ro-bind', '/place/secret', `/proc/${at}`)
    view.push('--dev', '/dev', '--clearenv')
    const env: Record<string, string> = {
      PATH: path,
      HOME: who.home,
      USER: who.name,
      LOGNAME: who.name,
      SHELL: who.shell,
      LANG: 'C.UTF-8',
      ...(request.pty ? { TERM: 'xterm-256color' } : {}),
      ...request.env,
    }
    for (const [key, value] of Object.entries(env))
      if (key !== '' && !key.includes('=') && !`${key}${value}`.includes('\0')) view.push('--setenv', key, value)
    const cwd = request.cwd ?? who.home
    view.push('--chdir', this.#files.stat(cwd)?.type === 'directory' ? cwd : '/')
    return view
  }
}
