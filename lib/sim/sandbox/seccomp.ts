// The filter for system calls that every process in a sandbox runs under, as the kernel's classic BPF. It is a second wall: namespaces and missing
// capabilities already refuse nearly all of it. Knows nothing of bubblewrap.

/** Numbers from the kernel's syscall tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const tables = {
  x64: {
    audit: 0xc000003e,
    refused: {
      ptrace: 101,
      syslog: 103,
      personality: 135,
      pivot_root: 155,
      chroot: 161,
      acct: 163,
      settimeofday: 164,
      mount: 165,
      umount2: 166,
      swapon: 167,
      swapoff: 168,
      reboot: 169,
      sethostname: 170,
      setdomainname: 171,
      iopl: 172,
      ioperm: 173,
      init_module: 175,
      delete_module: 176,
      quotactl: 179,
      kexec_load: 246,
      add_key: 248,
      request_key: 249,
      keyctl: 250,
      unshare: 272,
      perf_event_open: 298,
      open_by_handle_at: 304,
      setns: 308,
      process_vm_readv: 310,
      process_vm_writev: 311,
      finit_module: 313,
      kexec_file_load: 320,
      bpf: 321,
      userfaultfd: 323,
    },
    chmod: [
      [90, 1],
      [91, 1],
      [268, 2],
      [452, 2],
    ],
    chown: [92, 93, 94, 260],
    clone: 56,
    ioctl: 16,
    socket: 41,
  },
  arm64: {
    audit: 0xc00000b7,
    refused: {
      umount2: 39,
      mount: 40,
      pivot_root: 41,
      chroot: 51,
      quotactl: 60,
      acct: 89,
      personality: 92,
      unshare: 97,
      kexec_load: 104,
      init_module: 105,
      delete_module: 106,
      syslog: 116,
      ptrace: 117,
      reboot: 142,
      sethostname: 161,
      setdomainname: 162,
      settimeofday: 170,
      add_key: 217,
      request_key: 218,
      keyctl: 219,
      swapon: 224,
      swapoff: 225,
      perf_event_open: 241,
      open_by_handle_at: 265,
      setns: 268,
      process_vm_readv: 270,
      process_vm_writev: 271,
      finit_module: 273,
      bpf: 280,
      userfaultfd: 282,
      kexec_file_load: 294,
    },
    chmod: [
      [52, 1],
      [53, 2],
      [452, 2],
    ],
    chown: [54, 55],
    clone: 220,
    ioctl: 29,
    socket: 198,
  },
} as const

/** The same on both: io_uring would pass by this filter, the mount calls are the new ones. */
const refusedEverywhere = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  mount_setattr: 442,
} as const
const clone3 = 435
const errno = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const
/** unix, inet, inet6, netlink (getifaddrs). Not vsock, which no network namespace holds back, nor packet. */
const families = [1, 2, 10, 16]
/** TIOCSTI puts keys into a terminal, TIOCLINUX pastes into a console. */
const ioctls = [0x5412, 0x541c]
const namespaces = 0x7e020000 // CLONE_NEW{USER,PID,NET,UTS,IPC,NS,CGROUP}
const setIds = 0o6000

const LOAD = 0x20
const EQUAL = 0x15
const AT_LEAST = 0x35
const ANY_BIT = 0x45
const RETURN = 0x06
const ALLOW = 0x7fff0000
const refuse = (code: number) => 0x00050000 | code

type Step = [code: number, jumpTrue: number, jumpFalse: number, value: number]
const number = 0
const architecture = 4
/** low half of an argument; both machines are little-endian */
const argument = (index: number) => 16 + 8 * index

/** The program for `bwrap --seccomp`, or undefined on a machine whose call numbers are not known here. */
export function seccompFilter(arch: string): Buffer | undefined {
  const table = arch === 'x64' ? tables.x64 : arch === 'arm64' ? tables.arm64 : undefined
  if (table === undefined) return undefined
  const steps: Step[] = [
    [LOAD, 0, 0, architecture],
    [EQUAL, 1, 0, table.audit],
    [RETURN, 0, 0, refuse(errno.ENOSYS)], // 32-bit programs have other numbers
    [LOAD, 0, 0, number],
    // x32 calls are x86_64's with this bit
    [AT_LEAST, 0, 1, 0x40000000],
    [RETURN, 0, 0, refuse(errno.ENOSYS)],
    // glibc then falls back to clone, whose flags can be seen
    [EQUAL, 0, 1, clone3],
    [RETURN, 0, 0, refuse(errno.ENOSYS)],
  ]
  for (const call of [...Object.values(table.refused), ...Object.values(refusedEverywhere)])
    steps.push([EQUAL, 0, 1, call], [RETURN, 0, 0, refuse(errno.EPERM)])
  // One user of the host stands behind all of a place, so a change of owner has nothing to change: it says that it is done, as under fakeroot.
  for (const call of table.chown) steps.push([EQUAL, 0, 1, call], [RETURN, 0, 0, refuse(0)])
  /** for calls whose argument decides; `number` is loaded again for the next */
  const looking = (call: number, index: number, inner: Step[]) =>
    steps.push([EQUAL, 0, inner.length + 2, call], [LOAD, 0, 0, argument(index)], ...inner, [LOAD, 0, 0, number])
  looking(table.clone, 0, [
    [ANY_BIT, 0, 1, namespaces],
    [RETURN, 0, 0, refuse(errno.EPERM)],
  ])
  looking(
    table.ioctl,
    1,
    ioctls.flatMap((request): Step[] => [
      [EQUAL, 0, 1, request],
      [RETURN, 0, 0, refuse(errno.EPERM)],
    ]),
  )
  looking(table.socket, 0, [
    ...families.map((family, index): Step => [EQUAL, families.length - index, 0, family]),
    [RETURN, 0, 0, refuse(errno.EAFNOSUPPORT)],
  ])
  // The files lie on the host: a set-user-id program there would be anybody's way to become who runs the server.
  for (const [call, index] of table.chmod)
    looking(call, index, [
      [ANY_BIT, 0, 1, setIds],
      [RETURN, 0, 0, refuse(errno.EPERM)],
    ])
  steps.push([RETURN, 0, 0, ALLOW])
  const bytes = Buffer.alloc(steps.length * 8)
  steps.forEach(([code, jumpTrue, jumpFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(jumpTrue, index * 8 + 2)
    bytes.writeUInt8(jumpFalse, index * 8 + 3)
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4)
  })
  return bytes
}
