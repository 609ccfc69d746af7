import { describe, expect, it } from 'vitest'
import { type Host, missing } from './requirements.ts'

const ubuntu = 'ID=ubuntu\nID_LIKE=debian\n'
function host(change: Partial<Host> & { gone?: string[]; stderr?: string; files?: Record<string, string> } = {}): Host {
  const files: Record<string, string> = { '/etc/os-release': ubuntu, ...change.files }
  return {
    platform: 'linux',
    uid: 1000,
    merged: true,
    lacking: () => [],
    read: (path) => files[path],
    run: async ([program, option]) =>
      change.gone?.includes(program)
        ? { code: 'ENOENT', stderr: '' }
        : option === '-c' && change.stderr !== undefined
          ? { code: 1, stderr: change.stderr }
          : { code: 0, stderr: '' },
    ...change,
  }
}
const refused = 'bwrap: setting up uid map: Permission denied\n'

describe('what sandboxes need', () => {
  it('is nothing more where one could be made', async () => {
    expect(await missing(host())).toBeNull()
  })

  it.each([
    ['macOS', host({ platform: 'darwin' }), /not Linux/, /virtual machine/],
    ['no bubblewrap', host({ gone: ['bwrap'] }), /`bwrap` is not installed/, /sudo apt-get install bubblewrap`/],
    [
      'no bubblewrap for root',
      host({ gone: ['bwrap', 'ip'], uid: 0 }),
      /`bwrap`, `ip` are not/,
      /^Run `apt-get install bubblewrap iproute2`/,
    ],
    ['Fedora', host({ gone: ['ip'], files: { '/etc/os-release': 'ID=fedora\n' } }), /`ip`/, /dnf install iproute`/],
    ['/lib apart', host({ merged: false }), /\/usr\/lib/, /kind/],
    ['no bash', host({ lacking: () => ['bash'] }), /bash/, /apt-get install bash/],
    [
      'Ubuntu 24.04',
      host({ stderr: refused, files: { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' } }),
      /AppArmor.*Permission denied/,
      /apparmor_parser/,
    ],
    [
      'old Debian',
      host({ stderr: refused, files: { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' } }),
      /Ordinary users/,
      /unprivileged_userns_clone=1/,
    ],
    [
      'switched off',
      host({ stderr: refused, files: { '/proc/sys/user/max_user_namespaces': '0\n' } }),
      /switched off/,
      /max_user_namespaces/,
    ],
    ['an old bubblewrap', host({ stderr: 'bwrap: Unknown option --disable-userns\n' }), /too old/, /0\.8/],
    ['a container', host({ stderr: refused, uid: 0 }), /cannot make a sandbox/, /docker run/],
  ])('is said in words, with a remedy: %s', async (_name, on, message, remedy) => {
    const found = await missing(on)
    expect(found?.message).toMatch(message)
    expect(found?.remedy).toMatch(remedy)
  })
})
