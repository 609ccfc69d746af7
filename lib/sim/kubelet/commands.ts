// Commands of a container: where argv[0] leads (runc's own words when it leads nowhere), and the few that need no real process because they only
// wait, print or copy. Knows nothing of pods.
import { posix } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Files } from '../machine.ts'
import type { SimImage } from '../process.ts'

export interface BuiltinCall {
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
  files: Files
  hostname: string
  uid: number
  clock: Clock
  /** ends when the caller's input does */
  stdin: AsyncIterable<Uint8Array>
  /** aborts when the process is killed */
  signal: AbortSignal
  out(bytes: Uint8Array | string): void
  err(bytes: Uint8Array | string): void
}
type Builtin = (call: BuiltinCall) => Promise<number> | number

const words = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'No such file or directory'
  if (code === 'EISDIR') return 'Is a directory'
  if (code === 'ENOTDIR') return 'Not a directory'
  if (code === 'EROFS') return 'Read-only file system'
  if (code === 'EACCES') return 'Permission denied'
  return (error as Error).message
}
const at = (call: BuiltinCall, path: string): string => posix.resolve(call.cwd, path)

/** `1`, `0.5`, `2m`, `infinity`; undefined when it is no duration. In seconds. */
function duration(text: string): number | undefined {
  if (text === 'infinity' || text === 'inf') return Number.POSITIVE_INFINITY
  const found = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(text)
  return found ? Number(found[1]) * { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[found[2] as ''] : undefined
}
const forever = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))

const builtins: Readonly<Record<string, Builtin>> = {
  true: () => 0,
  ':': () => 0,
  false: () => 1,
  echo: (call) => {
    const args = call.argv.slice(1)
    const bare = args[0] === '-n'
    call.out(`${(bare ? args.slice(1) : args).join(' ')}${bare ? '' : '\n'}`)
    return 0
  },
  async sleep(call) {
    let seconds = 0
    if (call.argv.length < 2) {
      call.err('BusyBox v1.37.0 multi-call binary.\n\nUsage: sleep [N]...\n')
      return 1
    }
    for (const word of call.argv.slice(1)) {
      const one = duration(word)
      if (one === undefined) {
        call.err(`sleep: invalid number '${word}'\n`)
        return 1
      }
      seconds += one
    }
    if (!Number.isFinite(seconds)) await forever(call.signal)
    else await call.clock.sleep(seconds * 1000, call.signal)
    return call.signal.aborted ? 143 : 0
  },
  async pause(call) {
    await forever(call.signal)
    return 0
  },
  async cat(call) {
    const paths = call.argv.slice(1).filter((word) => word === '-' || !word.startsWith('-'))
    let code = 0
    for (const path of paths.length ? paths : ['-']) {
      if (path === '-') {
        for await (const bytes of call.stdin) call.out(bytes)
        continue
      }
      try {
        call.out(call.files.read(at(call, path)))
      } catch (error) {
        call.err(`cat: can't open '${path}': ${words(error)}\n`)
        code = 1
      }
    }
    return code
  },
  cp(call) {
    const paths = call.argv.slice(1).filter((word) => !word.startsWith('-'))
    const target = paths.pop()
    if (target === undefined || paths.length === 0) {
      call.err('cp: missing file operand\n')
      return 1
    }
    let code = 0
    const into = call.files.stat(at(call, target))?.type === 'directory'
    for (const path of paths) {
      const to = into ? posix.join(at(call, target), posix.basename(path)) : at(call, target)
      try {
        const bytes = call.files.read(at(call, path))
        if (!into && !call.files.exists(posix.dirname(to))) throw Object.assign(new Error(), { code: 'ENOENT', to })
        call.files.write(to, bytes, call.files.stat(at(call, path))?.mode)
      } catch (error) {
        if ((error as { to?: string }).to !== undefined) call.err(`cp: can't create '${target}': ${words(error)}\n`)
        else if ((error as NodeJS.ErrnoException).code === 'EROFS') call.err(`cp: can't create '${to}': ${words(error)}\n`)
        else call.err(`cp: can't stat '${path}': ${words(error)}\n`)
        code = 1
      }
    }
    return code
  },
  touch(call) {
    for (const path of call.argv.slice(1)) {
      try {
        call.files.write(at(call, path), call.files.exists(at(call, path)) ? call.files.read(at(call, path)) : '')
      } catch (error) {
        call.err(`touch: ${path}: ${words(error)}\n`)
        return 1
      }
    }
    return 0
  },
  test: (call) => condition(call, call.argv.slice(1)),
  '[': (call) => condition(call, call.argv.slice(1, -1)),
  pwd: (call) => {
    call.out(`${call.cwd}\n`)
    return 0
  },
  hostname: (call) => {
    if (call.argv.length > 1) return -1
    call.out(`${call.hostname}\n`)
    return 0
  },
  env: printEnvironment,
  printenv: printEnvironment,
  whoami: (call) => {
    call.out(`${call.uid === 0 ? 'root' : String(call.uid)}\n`)
    return 0
  },
}
function printEnvironment(call: BuiltinCall): number {
  const [, name] = call.argv
  if (call.argv.length > 1 && call.argv[0] === 'env') return -1
  if (name !== undefined) {
    if (call.env[name] === undefined) return 1
    call.out(`${call.env[name]}\n`)
    return 0
  }
  for (const [key, value] of Object.entries(call.env)) call.out(`${key}=${value}\n`)
  return 0
}
function condition(call: BuiltinCall, args: readonly string[]): number {
  const [flag, path] = args
  if (args.length !== 2 || path === undefined) return -1
  const stat = call.files.stat(at(call, path))
  if (flag === '-e') return stat ? 0 : 1
  if (flag === '-f') return stat?.type === 'file' ? 0 : 1
  if (flag === '-d') return stat?.type === 'directory' ? 0 : 1
  if (flag === '-s') return stat && stat.size > 0 ? 0 : 1
  if (flag === '-r') return stat ? 0 : 1
  if (flag === '-n') return path !== '' ? 0 : 1
  if (flag === '-z') return path === '' ? 0 : 1
  return -1
}

/** Commands that a builtin answers for these arguments; others with the same name are real. */
export function builtin(argv: readonly string[]): Builtin | undefined {
  const name = posix.basename(argv[0] ?? '')
  const rest = argv.slice(1)
  if (name === 'cat' && rest.some((word) => word.startsWith('-') && word !== '-')) return undefined
  if (name === 'echo' && rest.some((word) => /^-[neE]+$/.test(word) && word !== '-n')) return undefined
  if (name === 'cp' && rest.some((word) => /^-\w*[^\W_f]/.test(word) && word !== '-f' && word !== '-v')) return undefined
  if (name === 'touch' && rest.some((word) => word.startsWith('-'))) return undefined
  if (name === 'test' && rest.length !== 2) return undefined
  if (name === '[' && rest.length !== 3) return undefined
  if ((name === 'test' || name === '[') && !/^-[efdsrnz]$/.test(rest[0] as string)) return undefined
  if (name === 'env' && rest.length > 0) return undefined
  if (name === 'hostname' && rest.length > 0) return undefined
  return Object.hasOwn(builtins, name) ? builtins[name] : undefined
}

const applets =
  '[ ash awk base64 basename cat chmod chown cksum clear cmp cp cut date dd df diff dirname dmesg du echo env expr false find fold free getopt grep gunzip gzip head hexdump hostname id kill killall less ln logger ls md5sum mkdir mkfifo mknod mktemp more mount mv nice nohup od passwd paste patch pgrep pidof pkill printenv printf ps pwd readlink realpath rev rm rmdir sed seq sh sha1sum sha256sum sha512sum sleep sort split stat stty su sync tail tar tee test time timeout top touch tr true truncate tty umount uname uniq unxz unzip uptime vi watch wc which who whoami xargs xz yes zcat'.split(
    ' ',
  )
const debian =
  '[ arch awk base64 basename bash cat chgrp chmod chown cksum comm cp cut dash date dd df diff dir dirname du echo egrep env expand expr factor false fgrep find fold grep groups gunzip gzip head hostid id install join kill link ln login logname ls md5sum mkdir mkfifo mknod mktemp more mount mv nice nl nohup nproc numfmt od paste perl pr printenv printf ps pwd readlink realpath rm rmdir sed seq sh sha1sum sha256sum shuf sleep sort split stat stdbuf stty su sum sync tac tail tar tee test timeout touch tr true truncate tsort tty umount uname unexpand uniq unlink users vdir wc which who whoami xargs yes zcat'.split(
    ' ',
  )
const shellCommands = { none: new Set<string>(), busybox: new Set(applets), debian: new Set(debian) } as const
const binDirectories = new Set(['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/bin', '/'])

export type Command =
  | { kind: 'program'; name: string }
  | { kind: 'tool'; name: string }
  | { kind: 'builtin'; run: Builtin }
  | { kind: 'real' }

/**
 * What argv[0] is in a container of this image.
 * @throws Error with the words of runc (`exec: "x": executable file not found in $PATH`)
 */
export function resolve(
  image: SimImage,
  files: Files,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Command {
  const first = argv[0] ?? ''
  const name = posix.basename(first)
  const slash = first.includes('/')
  const placed = !slash || binDirectories.has(posix.dirname(posix.resolve(cwd, first)))
  const shipped = shellCommands[image.shell].has(name)
  if (placed && Object.hasOwn(image.programs, name)) return { kind: 'program', name }
  if (placed && name === 'pause' && image.entrypoint.includes('/pause')) return { kind: 'builtin', run: builtins.pause as Builtin }
  if (placed && shipped) {
    const run = builtin(argv)
    if (run) return { kind: 'builtin', run }
  }
  if (placed && (image.tools ?? []).includes(name)) return { kind: 'tool', name }
  if (placed && shipped) return { kind: 'real' }
  const candidates = slash ? [posix.resolve(cwd, first)] : (env.PATH ?? '').split(':').map((directory) => posix.join(directory, first))
  for (const path of candidates) {
    const stat = files.stat(path)
    if (!stat) continue
    if (stat.type === 'directory') {
      if (slash) throw new Error(`exec: "${first}": is a directory`)
      continue
    }
    if ((stat.mode & 0o111) === 0) {
      if (slash) throw new Error(`exec: "${first}": permission denied`)
      continue
    }
    // A binary cannot run here, a script needs its interpreter.
    const script = /^#!\s*(\S+)/.exec(files.text(path)?.slice(0, 200) ?? '')
    if (script && !files.exists(script[1] as string) && !shellCommands[image.shell].has(posix.basename(script[1] as string)))
      throw new Error(`exec: "${first}": no such file or directory`)
    return { kind: 'real' }
  }
  throw new Error(
    slash ? `exec: "${first}": stat ${first}: no such file or directory` : `exec: "${first}": executable file not found in $PATH`,
  )
}
