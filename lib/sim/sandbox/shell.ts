// Tools that go from one process to another one: ssh and scp to another machine, sudo and su to another user of the same place; sleep, which passes the
// lab's time; reboot, which is refused. What they start is a real process again. Knows nothing of Kubernetes.
import type { Spawned, SpawnRequest, Tool, ToolCall, ToolPlace } from '../process.ts'

export interface ShellDeps {
  /** starts a process on the caller's own place, machine or container */
  spawn(place: ToolPlace, request: SpawnRequest): Promise<Spawned>
  /** starts a process on another machine, as sshd there would */
  remote(machine: ToolPlace['machine'], request: SpawnRequest): Promise<Spawned>
  /** the machine that a name or an address leads to from a machine, undefined for an unknown one */
  resolve(from: ToolPlace, name: string): ToolPlace['machine'] | undefined
  /** why ssh does not get there (`Connection refused`, `Connection timed out`), undefined when it does; default: it does */
  reach?(from: ToolPlace, to: ToolPlace['machine']): string | undefined
  /** lab seconds for one real second; sleeping is left to the real program at 1. Default: always the lab's clock */
  rate?(): number
}

const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
const lines = (files: ToolPlace['files'], path: string) => (files.text(path) ?? '').split('\n').map((line) => line.split(':'))
function account(place: ToolPlace, user: string | number): { name: string; uid: number; home: string; shell: string } | undefined {
  const row = lines(place.files, '/etc/passwd').find(([name, , uid]) => name === user || Number(uid) === user)
  if (row) return { name: row[0] as string, uid: Number(row[2]), home: row[5] || '/', shell: row[6] || '/bin/sh' }
  return user === 'root' || user === 0 ? { name: 'root', uid: 0, home: '/root', shell: '/bin/bash' } : undefined
}
/** What ssh_config(5) says of a host: the first value of each keyword in a block whose patterns fit. */
function configuredFor(config: string, host: string): { hostname?: string; user?: string } {
  const found: Record<string, string> = {}
  let fits = true
  for (const line of config.split('\n')) {
    const [, word = '', value = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? []
    const keyword = word.toLowerCase()
    if (keyword === 'host') {
      const patterns = value.split(/\s+/)
      const match = (pattern: string) =>
        new RegExp(
          `^${pattern
            .replace(/[.+^${}()|[\]\\]/g, '\\$&')
            .replace(/\*/g, '.*')
            .replace(/\?/g, '.')}$`,
        ).test(host)
      fits =
        patterns.some((one) => !one.startsWith('!') && match(one)) && !patterns.some((one) => one.startsWith('!') && match(one.slice(1)))
    } else if (fits && (keyword === 'hostname' || keyword === 'user')) found[keyword] ??= value
  }
  return found
}
const inGroup = (place: ToolPlace, user: string, group: string) =>
  lines(place.files, '/etc/group').some(([name, , , members]) => name === group && (members ?? '').split(',').includes(user))

/**
 * Passes bytes, sizes and signals between the caller and a process, and answers with its exit code. `spawn` gets the size of a terminal when the process
 * is to have one; the caller's own is then raw.
 */
async function relay(
  call: ToolCall,
  wantsTerminal: boolean | 'force',
  spawn: (pty?: { cols: number; rows: number }) => Promise<Spawned>,
): Promise<number> {
  const pty = wantsTerminal && call.terminal && call.tty ? call.tty : wantsTerminal === 'force' ? { cols: 80, rows: 24 } : undefined
  const process = await spawn(pty)
  return await new Promise<number>((resolve) => {
    let over = false
    const ended = (code: number) => {
      over = true
      resolve(code)
    }
    let slow = false
    const output = (bytes: Uint8Array, stream: 'stdout' | 'stderr') => {
      if (stream === 'stdout') call.out(bytes)
      else call.err(bytes)
      if (slow || !call.drain) return
      slow = true
      process.pause()
      void call.drain().then(() => {
        slow = false
        process.resume()
      })
    }
    process.onData(output)
    process.onExit(ended)
    if (pty && call.terminal) {
      call.terminal.raw()
      call.terminal.onResize((size) => !over && process.resize(size))
    }
    call.signal.addEventListener('abort', () => {
      // Ctrl-C: the reason is the signal's name. A caller that is gone hangs up.
      const signal = typeof call.signal.reason === 'string' ? (call.signal.reason as NodeJS.Signals) : 'SIGHUP'
      if (!over) process.kill(signal === 'SIGHUP' && !pty ? 'SIGKILL' : signal)
    })
    void (async () => {
      for await (const bytes of call.stdin) {
        if (over) return
        process.write(bytes)
      }
      if (!over && !pty) process.endInput()
    })()
  })
}

const startOf = (shell: string, login: boolean, command?: string) => [
  shell,
  ...(login ? ['-l'] : []),
  ...(command === undefined ? [] : ['-c', command]),
]
const kept = ['TERM', 'COLORTERM', 'LANG', 'LC_ALL', 'DISPLAY', 'TZ'] as const
const keep = (env: Readonly<Record<string, string>>, names: readonly string[]) =>
  Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name] as string]])))

/** @returns the tools, to be given to every machine */
export function shellTools(
  deps: ShellDeps,
): Record<'ssh' | 'scp' | 'sudo' | 'su' | 'sleep' | 'reboot' | 'shutdown' | 'poweroff' | 'halt', Tool> {
  const ssh: Tool = async (call) => {
    const options = {
      terminal: undefined as boolean | 'force' | undefined,
      user: undefined as string | undefined,
      input: true,
      verbose: false,
    }
    const args = call.argv.slice(1)
    const rest: string[] = []
    while (args.length > 0 && rest.length === 0) {
      const word = args.shift() as string
      if (!word.startsWith('-') || word === '-') rest.push(word)
      else if (word === '--') continue
      else
        for (let at = 1; at < word.length; at++) {
          const letter = word[at] as string
          if ('bcDEeFIiJLlmOopQRSWw'.includes(letter)) {
            const value = word.slice(at + 1) || args.shift()
            if (value === undefined) {
              call.err(`ssh: option requires an argument -- ${letter}\n`)
              return 255
            }
            if (letter === 'l') options.user = value
            if ('DLRWw'.includes(letter)) {
              call.err(`ssh: -${letter} (forwarding) is not supported in the simulated cluster\n`)
              return 255
            }
            break
          }
          if (letter === 't') options.terminal = options.terminal ? 'force' : true
          else if (letter === 'T') options.terminal = false
          else if (letter === 'n') options.input = false
          else if (letter === 'V') {
            call.err('OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17 1 Jul 2025\n')
            return 0
          } else if (!'1246AaCfGgKkMNnqsvXxYy'.includes(letter)) {
            call.err(
              `unknown option -- ${letter}\nusage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-l login_name] [-p port] destination [command [argument ...]]\n`,
            )
            return 255
          }
        }
    }
    const destination = rest[0]
    if (destination === undefined) {
      call.err('usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-l login_name] [-p port] destination [command [argument ...]]\n')
      return 255
    }
    const at = destination.lastIndexOf('@')
    const host = destination.slice(at + 1)
    const target = await login(call, host, options.user ?? (at >= 0 ? destination.slice(0, at) : undefined))
    if (typeof target === 'number') return target
    const command = args.length > 0 ? args.join(' ') : undefined
    const { machine, who } = target
    const wants = options.terminal ?? (command === undefined && call.terminal !== undefined)
    const silent: ToolCall = options.input ? call : { ...call, stdin: nothing() }
    const code = await relay(silent, wants, (pty) =>
      deps.remote(machine, {
        argv: startOf(who.shell, command === undefined, command),
        user: who.name,
        cwd: who.home,
        env: {
          ...keep(call.env, ['LANG', 'LC_ALL', ...(pty ? ['TERM'] : [])]),
          SSH_CONNECTION: `${call.place.machine.address} 40022 ${machine.address} 22`,
        },
        ...(pty ? { pty } : {}),
      }),
    )
    if (command === undefined && wants) call.err(`Connection to ${host} closed.\r\n`) // its terminal is still raw
    return code
  }

  /** Who one is on the other machine, or the exit code after ssh's own words. */
  async function login(call: ToolCall, host: string, user: string | undefined) {
    const own = account(call.place, call.uid)
    const configured = own === undefined ? {} : configuredFor(call.place.files.text(`${own.home}/.ssh/config`) ?? '', host)
    const machine = deps.resolve(call.place, configured.hostname ?? host)
    if (machine === undefined) {
      call.err(`ssh: Could not resolve hostname ${configured.hostname ?? host}: Name or service not known\n`)
      return 255
    }
    const why = deps.reach?.(call.place, machine)
    if (why !== undefined) {
      call.err(`ssh: connect to host ${host} port 22: ${why}\n`)
      return 255
    }
    const there: ToolPlace = { machine, net: machine.net, files: machine.files }
    const name = user ?? configured.user ?? own?.name ?? 'root'
    const who = account(there, name)
    if (who === undefined) {
      call.err(`${name}@${host}: Permission denied (publickey).\n`)
      return 255
    }
    return { machine, who }
  }

  const scp: Tool = async (call) => {
    let recursive = false
    const paths: string[] = []
    const args = call.argv.slice(1)
    for (let word = args.shift(); word !== undefined; word = args.shift()) {
      if (/^-[cDFiJloPSX]$/.test(word)) args.shift()
      else if (word.startsWith('-') && word.length > 1) recursive ||= word.includes('r')
      else paths.push(word)
    }
    if (paths.length < 2) {
      call.err('usage: scp [-346ABCOpqRrsTv] [-i identity_file] [-l limit] [-o ssh_option] [-P port] source ... target\n')
      return 1
    }
    const parsed = paths.map((path) => {
      const found = /^(?:([^@/:]+)@)?([^/:]+):(.*)$/.exec(path)
      return found ? { user: found[1], host: found[2] as string, path: found[3] || '.' } : { path }
    })
    const target = parsed.pop() as (typeof parsed)[number]
    // Packed on one side and unpacked on the other, by real tar on both: names, modes and permissions are theirs to judge.
    const side = async (of: (typeof parsed)[number], script: string) => {
      if (!('host' in of) || of.host === undefined) {
        const who = account(call.place, call.uid)
        return deps.spawn(call.place, { argv: ['sh', '-c', script], user: who?.name ?? 'root', cwd: call.cwd, env: {} })
      }
      const there = await login(call, of.host, of.user)
      if (typeof there === 'number') return there
      return deps.remote(there.machine, { argv: ['sh', '-c', script], user: there.who.name, cwd: there.who.home, env: {} })
    }
    const many = parsed.length > 1
    for (const source of parsed) {
      const from = quote(source.path)
      const pack = `p=${from}; if [ -d "$p" ]; then ${recursive ? '' : `echo "scp: $p: not a regular file" >&2; exit 1;`} :; elif [ ! -e "$p" ]; then echo "scp: $p: No such file or directory" >&2; exit 1; elif [ ! -r "$p" ]; then echo "scp: $p: Permission denied" >&2; exit 1; fi; cd "$(dirname "$p")" && tar -cf - "$(basename "$p")"`
      const to = quote(target.path)
      const name = quote(source.path.replace(/\/+$/, '').split('/').pop() || '.')
      const unpack = `t=${to}; if [ -d "$t" ]; then d=$t n=${name}; ${many ? 'else echo "scp: $t: Not a directory" >&2; exit 1;' : 'else d=$(dirname "$t") n=$(basename "$t");'} fi
[ -d "$d" ] || { echo "scp: dest open \\"$t\\": No such file or directory" >&2; exit 1; }; [ -w "$d" ] || [ -w "$d/$n" ] || { echo "scp: dest open \\"$t\\": Permission denied" >&2; exit 1; }
w=$(mktemp -d) && tar -xf - -C "$w" && cp -R "$w"/* "$w"/.[!.]* /dev/null 2>/dev/null; if [ -d "$w"/${name} ]; then mkdir -p "$d/$n" && cp -R "$w"/${name}/. "$d/$n"; else cat "$w"/${name} > "$d/$n"; fi; c=$?; rm -rf "$w"; exit $c`
      const reader = await side(source, pack)
      if (typeof reader === 'number') return 1
      const packed: Uint8Array[] = []
      let size = 0
      const code = await new Promise<number>((resolve) => {
        reader.onData((bytes, stream) => {
          if (stream === 'stderr') return call.err(bytes)
          size += bytes.length
          if (size > 256 * 1024 * 1024) reader.kill('SIGKILL')
          else packed.push(bytes)
        })
        reader.onExit(resolve)
      })
      if (code !== 0) return 1
      const writer = await side(target, unpack.replace(`cp -R "$w"/* "$w"/.[!.]* /dev/null 2>/dev/null; `, ''))
      if (typeof writer === 'number') return 1
      const done = await new Promise<number>((resolve) => {
        writer.onData((bytes) => call.err(bytes))
        writer.onExit(resolve)
        for (const bytes of packed) writer.write(bytes)
        writer.endInput()
      })
      if (done !== 0) return 1
    }
    return 0
  }

  const sudo: Tool = async (call) => {
    const args = call.argv.slice(1)
    let user = 'root'
    let mode: 'command' | 'login' | 'shell' | 'list' | 'none' = 'command'
    let preserve: string[] = []
    let home = false
    while (args[0]?.startsWith('-') && args[0] !== '-') {
      const word = args.shift() as string
      if (word === '--') break
      if (word.startsWith('--')) {
        const [name, value] = word.slice(2).split('=', 2)
        if (name === 'user') user = value ?? args.shift() ?? ''
        else if (name === 'login') mode = 'login'
        else if (name === 'shell') mode = 'shell'
        else if (name === 'preserve-env') preserve = value === undefined ? Object.keys(call.env) : value.split(',')
        else if (name === 'set-home') home = true
        else if (name !== 'non-interactive' && name !== 'stdin') {
          call.err(`sudo: unrecognized option '${word}'\nusage: sudo -h | -K | -k | -V\n`)
          return 1
        }
        continue
      }
      for (let at = 1; at < word.length; at++) {
        const letter = word[at] as string
        if ('ugCDghprRtTU'.includes(letter)) {
          const value = word.slice(at + 1) || (args.shift() ?? '')
          if (letter === 'u') user = value
          break
        }
        if (letter === 'i') mode = 'login'
        else if (letter === 's') mode = 'shell'
        else if (letter === 'E') preserve = Object.keys(call.env)
        else if (letter === 'H') home = true
        else if (letter === 'l') mode = 'list'
        else if ('kKv'.includes(letter)) mode = mode === 'command' ? 'none' : mode
        else if (!'nSbA'.includes(letter)) {
          call.err(`sudo: invalid option -- '${letter}'\nusage: sudo -h | -K | -k | -V\n`)
          return 1
        }
      }
    }
    const set: Record<string, string> = {}
    while (/^[A-Za-z_]\w*=/.test(args[0] ?? '')) {
      const [name, ...value] = (args.shift() as string).split('=')
      set[name as string] = value.join('=')
    }
    const me = account(call.place, call.uid)
    if (call.uid !== 0 && me !== undefined && !mayBeRoot(call.place, me.name)) {
      call.err(
        mode === 'list'
          ? `Sorry, user ${me.name} may not run sudo on ${call.place.machine.name}.\n`
          : `${me.name} is not in the sudoers file.\n`,
      )
      return 1
    }
    const who = account(call.place, /^#\d+$/.test(user) ? Number(user.slice(1)) : user)
    if (who === undefined) {
      call.err(`sudo: unknown user ${user}\nsudo: error initializing audit plugin sudoers_audit\n`)
      return 1
    }
    if (mode === 'list') {
      const host = call.place.machine.name
      call.out(`User ${me?.name ?? 'root'} may run the following commands on ${host}:\n    (ALL : ALL) NOPASSWD: ALL\n`)
      return 0
    }
    if (mode === 'none' && args.length === 0) return 0
    if (mode === 'command' && args.length === 0) {
      call.err(
        'usage: sudo -h | -K | -k | -V\nusage: sudo -v [-AknS] [-g group] [-h host] [-p prompt] [-u user]\nusage: sudo [-AbEHknPS] [-u user] [VAR=value] [-i | -s] [command [arg ...]]\n',
      )
      return 1
    }
    const command = args.length > 0 ? args.map(quote).join(' ') : undefined
    const argv =
      mode === 'login' ? startOf(who.shell, true, command) : mode === 'shell' ? startOf(call.env.SHELL || who.shell, false, command) : args
    // sudo's own words for a program that is not there, and no `env:` before them.
    const known = mode !== 'command' || argv[0]?.includes('/') ? undefined : argv[0]
    const env = {
      ...keep(call.env, [
        ...kept,
        ...preserve.filter((name) => name !== 'PATH' && name !== 'USER' && name !== 'LOGNAME' && (name !== 'HOME' || !home)),
      ]),
      ...(mode === 'login'
        ? {}
        : { SUDO_USER: me?.name ?? 'root', SUDO_UID: `${call.uid}`, SUDO_GID: `${call.uid}`, SUDO_COMMAND: args.join(' ') || who.shell }),
      ...set,
    }
    return relay(ownInput(call), true, (pty) =>
      deps.spawn(call.place, {
        argv:
          known === undefined
            ? argv
            : [
                'sh',
                '-c',
                'command -v -- "$0" > /dev/null || { echo "sudo: $0: command not found" >&2; exit 1; }; exec "$0" "$@"',
                ...argv,
              ],
        user: who.name,
        cwd: mode === 'login' ? who.home : call.cwd,
        env,
        ...(pty ? { pty } : {}),
      }),
    )
  }
  const mayBeRoot = (place: ToolPlace, user: string): boolean => {
    if (['sudo', 'wheel', 'admin'].some((group) => inGroup(place, user, group))) return true
    const rules = ['/etc/sudoers', ...place.files.list('/etc/sudoers.d').map((name) => `/etc/sudoers.d/${name}`)]
    return rules.some((path) => (place.files.text(path) ?? '').split('\n').some((line) => line.trim().split(/\s+/)[0] === user))
  }

  const su: Tool = async (call) => {
    const args = call.argv.slice(1)
    let isLogin = false
    let command: string | undefined
    let shell: string | undefined
    let preserve = false
    const rest: string[] = []
    for (let word = args.shift(); word !== undefined; word = args.shift()) {
      if (word === '-' || word === '-l' || word === '--login') isLogin = true
      else if (word === '-c' || word === '--command') command = args.shift()
      else if (word.startsWith('--command=')) command = word.slice(10)
      else if (word === '-s' || word === '--shell') shell = args.shift()
      else if (word === '-m' || word === '-p') preserve = true
      else if (word.startsWith('-')) {
        call.err(`su: invalid option -- '${word.replace(/^-+/, '')}'\nTry 'su --help' for more information.\n`)
        return 1
      } else rest.push(word)
    }
    const name = rest[0] ?? 'root'
    const who = account(call.place, name)
    if (who === undefined) {
      call.err(`su: user ${name} does not exist or the user entry does not contain all the required fields\n`)
      return 1
    }
    if (call.uid !== 0) {
      // No account in a lab has a password.
      call.err('Password: \nsu: Authentication failure\n')
      return 1
    }
    const env = isLogin
      ? keep(call.env, ['TERM', 'COLORTERM'])
      : keep(
          call.env,
          preserve ? Object.keys(call.env) : Object.keys(call.env).filter((key) => !['HOME', 'SHELL', 'USER', 'LOGNAME'].includes(key)),
        )
    return relay(ownInput(call), true, (pty) =>
      deps.spawn(call.place, {
        argv: startOf(shell ?? who.shell, isLogin, command),
        user: who.name,
        cwd: isLogin ? who.home : call.cwd,
        env,
        ...(pty ? { pty } : {}),
      }),
    )
  }

  const sleep: Tool = async (call) => {
    const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, '': 1 }
    let seconds = 0
    const words = call.argv.slice(1)
    if (words.length === 0) {
      call.err("sleep: missing operand\nTry 'sleep --help' for more information.\n")
      return 1
    }
    for (const word of words) {
      const found = /^(\d*\.?\d+|\d+\.|inf(?:inity)?)([smhd]?)$/.exec(word)
      if (!found) {
        if (word.startsWith('-') && call.become) {
          call.become('/usr/libexec/lab/sleep', ['sleep', ...words])
          return 0
        }
        call.err(`sleep: invalid time interval ‘${word}’\nTry 'sleep --help' for more information.\n`)
        return 1
      }
      seconds += (found[1]?.startsWith('inf') ? Number.POSITIVE_INFINITY : Number(found[1])) * (units[found[2] ?? ''] ?? 1)
    }
    if (call.become && (seconds === Number.POSITIVE_INFINITY || deps.rate?.() === 1)) {
      call.become('/usr/libexec/lab/sleep', ['sleep', ...words])
      return 0
    }
    await call.clock.sleep(seconds * 1000, call.signal)
    return call.signal.aborted ? (call.signal.reason === 'SIGTERM' ? 143 : 130) : 0
  }

  const refuse: Tool = async (call) => {
    call.err(`${call.argv[0]}: machines of the simulated cluster cannot be restarted; restart a unit with systemctl instead\n`)
    return 1
  }
  return { ssh, scp, sudo, su, sleep, reboot: refuse, shutdown: refuse, poweroff: refuse, halt: refuse }
}

/** What sudo starts has the caller's input but reads it only if it wants to; here it would be read for it. So `sudo cat f | less` leaves the keys to less. */
const ownInput = (call: ToolCall): ToolCall => (call.keyboardOnly ? { ...call, stdin: nothing() } : call)

async function* nothing(): AsyncGenerator<Uint8Array> {}
