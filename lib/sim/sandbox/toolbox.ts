// What is in /usr/bin of a sandbox: copies of the host's programs that a learner may use, and the simulated tools, which all are one small client. Made
// once in a cache and shared by all places with the same tools. Knows neither places nor labs.
import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seccompFilter } from './seccomp.ts'

/** Programs of the host that are shown when the host has them, under these names. */
const wanted = `
  [ arch awk base32 base64 basename bash bunzip2 bzcat bzip2 cat chgrp chmod chown cksum clear clear_console cmp column comm cp csplit cut dash date dd
  df diff diff3 dircolors dirname du echo ed egrep env envsubst expand expr factor false fgrep file find flock fmt fold free getopt grep groups gunzip
  gzip head hexdump hostname iconv id infocmp install join jq kill less lessecho lesskey lesspipe link ln locale logname look ls lsof man md5sum mkdir
  mkfifo mktemp more mv nano nice nl nohup nproc numfmt od openssl paste patch pathchk perl pgrep pinky pkill pmap pr printenv printf ps ptx pwd pwdx
  readlink realpath renice reset rev rm rmdir script sdiff sed seq setsid sh sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep
  sort split stat stdbuf strings stty sum sync tac tail tar tee test time timeout tload toe top touch tput tr tree true truncate tset tsort tty uname
  unexpand uniq unlink unxz unzip uptime users vi vim vimdiff view vmstat w watch wc whereis which who whoami xargs xxd xz xzcat xzgrep yes zcat zcmp
  zdiff zgrep zip zless zmore rview rvim tmux`
  .trim()
  .split(/\s+/)

/** Found in /usr/sbin too, where Debian has them: people and scripts call them by that path. */
const administrative: ReadonlySet<string> = new Set(
  `arp bridge conntrack ethtool halt ifconfig ip ip6tables ip6tables-restore ip6tables-save iptables iptables-restore iptables-save nft poweroff reboot
  route shutdown sysctl tcpdump`.split(/\s+/),
)

/** Without these nothing that a learner types works. */
const needed = ['bash', 'cat', 'env', 'ls', 'sh', 'sleep', 'stty'] as const

const hostPath = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']

/** folders of the host's /usr in which its programs find their libraries */
export const libraries: readonly string[] = ['lib', 'lib32', 'lib64', 'libx32'].filter((name) => existsSync(`/usr/${name}`))

/** folders of /usr in which both the host and a machine have something */
export const mixed = ['lib', 'share'] as const

export interface Toolbox {
  /** with bin, sbin and libexec */
  usr: string
  /** a file that nobody may read */
  secretFile: string
  /** undefined where the machine's call numbers are not known */
  seccomp: string | undefined
}
/** Real programs that come from elsewhere and may come late (kubectl): name and what is said until then. */
export interface LateProgram {
  name: string
  /** shell-safe: printed by echo within single quotes */
  until: string
}

function find(name: string): string | undefined {
  for (const folder of hostPath) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      const real = realpathSync(path)
      if (statSync(real).isFile() && runsHere(real)) return real
    } catch {
      // the next one
    }
  }
  return undefined
}

/** Scripts of languages that are not in the box would only fail. */
function runsHere(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(64)
    readSync(file, head)
    const line = head.toString('latin1').split('\n')[0] ?? ''
    return !line.startsWith('#!') || /^#! ?(\/usr)?\/bin\/(ba|da)?sh\b/.test(line)
  } finally {
    closeSync(file)
  }
}

const clients = {
  perl: fileURLToPath(new URL('./client.pl', import.meta.url)),
  node: fileURLToPath(new URL('./client.mjs', import.meta.url)),
}

/** The host's programs, once a process. */
let host: { name: string; path: string; size: number; mtime: number }[] | undefined
function programs() {
  host ??= wanted.flatMap((name) => {
    const path = find(name)
    if (path === undefined) return []
    const { size, mtimeMs } = statSync(path)
    return [{ name, path, size, mtime: Math.floor(mtimeMs) }]
  })
  return host
}
/** Those that must be there and are not. */
export const lacking = (): string[] => needed.filter((name) => !programs().some((program) => program.name === name))

/**
 * The folder's parts for places with these tools; quick when they are there already. Safe to call in several processes at once.
 * @param cache a folder of the server's own; some 40 MB go there
 */
export function toolbox(cache: string, tools: readonly string[], late: readonly LateProgram[], client: 'perl' | 'node'): Toolbox {
  const clientText = client === 'perl' ? readFileSync(clients.perl, 'utf8') : `#!/usr/libexec/lab/node\n`
  const clientModule = client === 'node' ? readFileSync(clients.node, 'utf8') : ''
  const base = createHash('sha256')
    .update(JSON.stringify([3, programs(), seccompFilter(process.arch)?.toString('base64')]))
    .digest('hex')
    .slice(0, 16)
  const names = [...new Set(tools)].sort()
  const set = createHash('sha256')
    .update(JSON.stringify([5, names, late, clientText, clientModule]))
    .digest('hex')
    .slice(0, 16)
  const root = join(cache, 'toolbox')
  const baseFolder = join(root, base)
  if (!existsSync(baseFolder)) make(baseFolder, makeBase)
  const setFolder = join(root, base, 'sets', set)
  if (!existsSync(setFolder)) {
    make(setFolder, (folder) => {
      const usr = join(folder, 'usr')
      const bin = join(usr, 'bin')
      mkdirSync(bin, { recursive: true })
      mkdirSync(join(usr, 'sbin'))
      const covered = new Set([...names, ...late.map((program) => program.name)])
      for (const name of readdirSync(join(baseFolder, 'bin')))
        if (!covered.has(name)) linkSync(join(baseFolder, 'bin', name), join(bin, name))
      for (const name of names) symlinkSync('/usr/libexec/lab/client', join(bin, name))
      for (const name of names) if (administrative.has(name)) symlinkSync('/usr/libexec/lab/client', join(usr, 'sbin', name))
      for (const { name, until } of late)
        if (!names.includes(name)) writeFileSync(join(bin, name), `#!/bin/sh\necho '${name}: ${until}' >&2\nexit 127\n`, { mode: 0o755 })
      const lab = join(usr, 'libexec', 'lab')
      mkdirSync(join(lab, 'socket'), { recursive: true })
      for (const name of mixed) mkdirSync(join(usr, 'libexec', name))
      // The real one keeps a name of its own: a simulated `sleep` that has nothing to simulate becomes it.
      const sleep = join(baseFolder, 'bin', 'sleep')
      if (existsSync(sleep)) linkSync(sleep, join(lab, 'sleep'))
      if (client === 'perl') writeFileSync(join(lab, 'client'), clientText, { mode: 0o755 })
      else {
        writeFileSync(join(lab, 'client'), `${clientText}import('/usr/libexec/lab/client.mjs')\n`, { mode: 0o755 })
        writeFileSync(join(lab, 'client.mjs'), clientModule)
        writeFileSync(join(lab, 'node'), '', { mode: 0o755 })
      }
    })
    prune(root, base)
  }
  const seccomp = join(baseFolder, 'seccomp')
  return {
    usr: join(setFolder, 'usr'),
    secretFile: join(baseFolder, 'secret'),
    seccomp: existsSync(seccomp) ? seccomp : undefined,
  }
}

function makeBase(folder: string): void {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  // Copies, not links: a link would show a path of the host, and the host's own files must not get another name.
  for (const { name, path } of programs()) {
    const target = join(bin, name)
    copyFileSync(path, target, constants.COPYFILE_FICLONE)
    chmodSync(target, 0o755)
  }
  const filter = seccompFilter(process.arch)
  if (filter) writeFileSync(join(folder, 'seccomp'), filter)
  mkdirSync(join(folder, 'sets'))
  writeFileSync(join(folder, 'secret'), '', { mode: 0 })
}

/** Made beside its place, then moved there in one step; who comes second throws his own away. */
function make(target: string, fill: (folder: string) => void): void {
  mkdirSync(join(target, '..'), { recursive: true })
  const folder = mkdtempSync(`${target}.new-`)
  chmodSync(folder, 0o755)
  fill(folder)
  try {
    renameSync(folder, target)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
}

/** What no place has used for a week goes: the host's programs have been upgraded since. */
function prune(root: string, keep: string): void {
  const now = new Date()
  utimesSync(join(root, keep), now, now)
  for (const name of readdirSync(root)) {
    if (name === keep) continue
    try {
      if (statSync(join(root, name)).mtimeMs < now.getTime() - 7 * 86_400_000) rmSync(join(root, name), { recursive: true, force: true })
    } catch {
      // another process does the same
    }
  }
}

export interface Own {
  name: string
  folder: boolean
}
/**
 * A folder with what the host has in its /usr/lib or /usr/share as links, and empty places for what a machine has there itself: that is mounted over
 * them. `at`: where the host's folder is found in the sandbox.
 */
export function mixedFolder(cache: string, host: string, own: readonly Own[], at: string): string {
  const names = readdirSync(host)
  const key = createHash('sha256')
    .update(JSON.stringify([own, names, at]))
    .digest('hex')
    .slice(0, 16)
  const target = join(cache, 'mixed', key)
  if (!existsSync(target))
    make(target, (folder) => {
      for (const name of names) if (!own.some((one) => one.name === name)) symlinkSync(`${at}/${name}`, join(folder, name))
      for (const { name, folder: isFolder } of own) isFolder ? mkdirSync(join(folder, name)) : writeFileSync(join(folder, name), '')
    })
  return target
}
