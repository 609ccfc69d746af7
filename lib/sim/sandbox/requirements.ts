// Whether sandboxes work on this machine, and what to do when they do not. Tries it for real: what kernels and distributions allow is not to be read
// from settings alone. Changes nothing.
import { execFile } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { lacking } from './toolbox.ts'

export interface Missing {
  message: string
  remedy: string
}
export interface Host {
  platform: NodeJS.Platform
  uid: number
  /** undefined when it is not there or cannot be read */
  read(path: string): string | undefined
  /** /lib is a link into /usr, as on every distribution of the last years but Alpine */
  merged: boolean
  lacking(): string[]
  run(argv: readonly [string, ...string[]]): Promise<{ code: number | 'ENOENT'; stderr: string }>
}
export const thisHost: Host = {
  platform: process.platform,
  uid: process.getuid?.() ?? -1,
  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
  get merged() {
    return existsSync('/usr/lib') && lstatSync('/lib', { throwIfNoEntry: false })?.isSymbolicLink() === true
  },
  lacking,
  run: ([program, ...args]) =>
    new Promise((resolve) => {
      const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LANG: 'C' } as unknown as NodeJS.ProcessEnv
      execFile(program, args, { env, timeout: 10_000 }, (error, _stdout, stderr) =>
        resolve({
          code: error === null ? 0 : error.code === 'ENOENT' ? 'ENOENT' : typeof error.code === 'number' ? error.code : 1,
          stderr,
        }),
      )
    }),
}

/** program → the package that has it, Debian's name and Fedora's */
const programs = [
  { program: 'bwrap', debian: 'bubblewrap', fedora: 'bubblewrap' },
  { program: 'nsenter', debian: 'util-linux', fedora: 'util-linux' },
  { program: 'prlimit', debian: 'util-linux', fedora: 'util-linux' },
  { program: 'ip', debian: 'iproute2', fedora: 'iproute' },
] as const

/**
 * A place and a process in it, made as they will be made: outer bubblewrap, nsenter, inner bubblewrap. One inside the other would not do: Ubuntu's own
 * profile for bwrap (25.04) lets what bwrap starts make nothing more.
 */
const trial = `
told=$(mktemp) || exit 1
trap 'rm -f "$told"' EXIT
bwrap --unshare-user --uid 0 --gid 0 --unshare-pid --unshare-net --unshare-ipc --unshare-uts --die-with-parent --ro-bind / / --proc /proc --dev /dev \\
  --tmpfs /tmp --ro-bind-fd 4 /tmp/usr --info-fd 3 -- /bin/sh -c 'echo ready; exec sleep 10' 3> "$told" 4< /usr | {
  read -r ready || exit 1
  pid=$(sed -n 's/.*"child-pid": \\([0-9]*\\).*/\\1/p' "$told")
  nsenter -t "$pid" --user --mount --net --ipc --uts --pid --preserve-credentials -- \\
    bwrap --unshare-user --uid 1000 --gid 1000 --disable-userns --cap-drop ALL --ro-bind / / --dev /dev --proc /proc true
  code=$?
  kill -9 "$pid"
  exit "$code"
}`

/** What is missing for sandboxes, the first thing first; null when one was made. Takes some 20 ms. */
export async function missing(host: Host = thisHost): Promise<Missing | null> {
  if (host.platform !== 'linux') {
    return {
      message: 'Shells of the simulated cluster run in Linux namespaces, and this is not Linux.',
      remedy:
        host.platform === 'darwin'
          ? 'Run kubemend in a Linux virtual machine or container (Lima, Colima, Docker Desktop), or use kind as backend.'
          : 'Run kubemend in WSL 2 or a Linux virtual machine, or use kind as backend.',
    }
  }
  const debian = /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(host.read('/etc/os-release') ?? '')
  const install = (packages: readonly string[]) =>
    debian
      ? `Run \`${host.uid === 0 ? '' : 'sudo '}apt-get install ${packages.join(' ')}\`.`
      : `Install ${packages.join(', ')} (for example \`sudo dnf install ${packages.join(' ')}\`).`
  const answers = await Promise.all(
    programs.map(async (one) => ({ ...one, code: (await host.run([one.program, one.program === 'ip' ? '-V' : '--version'])).code })),
  )
  const gone = answers.filter(({ code }) => code === 'ENOENT')
  if (gone.length > 0) {
    const packages = [...new Set(gone.map((one) => (debian ? one.debian : one.fedora)))]
    return {
      message: `Shells of the simulated cluster run in sandboxes, and ${gone.map(({ program }) => `\`${program}\``).join(', ')} ${gone.length === 1 ? 'is' : 'are'} not installed.`,
      remedy: install(packages),
    }
  }
  if (!host.merged)
    return {
      message: 'This distribution keeps /lib apart from /usr/lib, which sandboxes do not support.',
      remedy: 'Use a distribution with a merged /usr (Debian 12, Ubuntu 22.04, Fedora, Arch or newer), or kind as backend.',
    }
  const lacks = host.lacking()
  if (lacks.length > 0)
    return { message: `Programs that every shell needs are not installed: ${lacks.join(', ')}.`, remedy: install(['bash', 'coreutils']) }

  const test = await host.run(['/bin/sh', '-c', trial])
  if (test.code === 0) return null
  const words = test.stderr.trim().split('\n').at(-1) ?? ''
  if (/unknown option|Unknown option/.test(words))
    return {
      message: `bubblewrap is too old: ${words}. Version 0.8 or newer is needed.`,
      remedy: 'Upgrade to a distribution with bubblewrap 0.8 (Debian 12, Ubuntu 24.04 or newer), or use kind as backend.',
    }
  const setting = (name: string) => host.read(`/proc/sys/${name.replaceAll('.', '/')}`)?.trim()
  if (setting('kernel.apparmor_restrict_unprivileged_userns') === '1' && host.uid !== 0)
    return {
      message: `AppArmor keeps ordinary users from user namespaces here (Ubuntu 23.10 and newer): ${words}`,
      remedy:
        "Allow bubblewrap, and only it: `printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`. Or allow all programs: `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`.",
    }
  if (setting('kernel.unprivileged_userns_clone') === '0' && host.uid !== 0)
    return {
      message: `Ordinary users may not make user namespaces here: ${words}`,
      remedy: 'Run `sudo sysctl -w kernel.unprivileged_userns_clone=1` (and put it in /etc/sysctl.d to keep it).',
    }
  if (setting('user.max_user_namespaces') === '0')
    return {
      message: `User namespaces are switched off here: ${words}`,
      remedy: 'Run `sudo sysctl -w user.max_user_namespaces=15000` (and put it in /etc/sysctl.d to keep it).',
    }
  return {
    message: `bubblewrap cannot make a sandbox here: ${words}`,
    remedy:
      'In a container, user namespaces and mounts must be allowed: `docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`. Elsewhere, see what `bwrap --unshare-all --ro-bind / / true` says.',
  }
}
