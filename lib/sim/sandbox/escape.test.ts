// Attempts to get out of a place, or to harm what is outside. Each is what a learner with a root shell could type; what must hold is said by the name.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Tool } from '../process.ts'
import { missingForSandboxes } from './index.ts'
import { createHost, finish, type Opened, openPlaces, run } from './sandbox.fixture.ts'

const absent = await missingForSandboxes()
const users = ['root', 'candidate'] as const

describe.skipIf(absent !== null)('out of a sandbox there is no way', () => {
  const MiB = 1024 ** 2
  const host = createHost({ limits: { processes: 60, file: 4 * MiB, disk: 32 * MiB, inodes: 3000, memory: 256 * MiB, data: 128 * MiB } })
  const asked: string[][] = []
  const tools: Record<string, Tool> = {
    hello: async (call) => {
      asked.push([...call.argv])
      call.out('hello\n')
      return 0
    },
  }
  let places: ReadonlyMap<string, Opened>
  const at = (name: string) => (places.get(name) as Opened).sandbox
  const root = (name: string) => (places.get(name) as Opened).machine.files.root
  const outside = mkdtempSync(join(tmpdir(), 'kubemend-outside-'))
  beforeAll(async () => {
    writeFileSync(join(outside, 'secret'), 'of the host\n')
    places = await openPlaces(host, ['one', 'two'], tools)
  })
  afterAll(async () => {
    await host.close()
    for (const { machine } of places.values()) rmSync(machine.files.root, { recursive: true, force: true })
    rmSync(outside, { recursive: true, force: true })
  })
  /** As both users. What the attempts are made with must be there: an attempt that could not be made proves nothing. */
  const all = async (script: string) => {
    const ran = await Promise.all(
      users.map((user) =>
        run(
          at('one'),
          `${script}
perl -MSocket -e 'print "tried"'`,
          { user },
        ),
      ),
    )
    for (const { stdout } of ran) expect(stdout.endsWith('tried')).toBe(true)
    return ran.map(({ stdout }) => stdout.slice(0, -5)).join('')
  }

  it('to files of the host: no path leads there, not through /proc either', async () => {
    const script = `cat ${outside}/secret /proc/*/root${outside}/secret /proc/*/cwd/../../../../../..${outside}/secret /place/root/etc/passwd /oldroot/etc/passwd 2>/dev/null
      ls -d ${process.cwd()} ${root('two')} /proc/[0-9]*/root/place /proc/[0-9]*/root${process.cwd()} 2>/dev/null
      for f in /proc/[0-9]*/fd/*; do readlink $f 2>/dev/null | grep -E "^/(home|work|root/\\.|var/lib/docker|place)" ; done
      grep -c . /etc/passwd`
    expect(await all(script)).toBe('3\n3\n')
  })

  it('through links in a machine’s files: they lead within it', async () => {
    const script = `ln -sfn ${outside} /tmp/out; ln -sfn / /tmp/top; ln -sfn /proc/1/root /tmp/init; cat /tmp/out/secret /tmp/top${outside}/secret /tmp/init${outside}/secret 2>/dev/null; rm /tmp/out /tmp/top /tmp/init`
    expect(await all(script)).toBe('')
    await run(
      at('one'),
      `mv /home/candidate /home/c; ln -s ${outside} /home/candidate; ln -sfn ${outside} /usr/local/bin/dir; ln -s ${outside} /data`,
      { user: 'root' },
    )
    expect((await run(at('one'), `ls ~/ /usr/local/bin/dir/ /data/ 2>/dev/null; cat ${outside}/secret; true`)).stdout).toBe('')
    const files = (places.get('one') as Opened).machine.files
    expect(files.text('/data/secret')).toBeUndefined()
    await run(at('one'), 'rm /home/candidate /usr/local/bin/dir /data; mv /home/c /home/candidate', { user: 'root' })
  })

  it('through a volume whose place on the node has become a link meanwhile', async () => {
    const { machine } = places.get('one') as Opened
    machine.files.mkdir('/data/volume')
    machine.files.write('/data/volume/own', 'mine\n')
    const container = machine.files.below('/data')
    const open = () =>
      host.open({
        ...{ id: 'volume', machine, files: container, hostname: 'c', ports: [], tools: [], call: async () => 0, connection() {} },
        mounts: [{ path: '/mnt', source: machine.files.hostPath('/data/volume') }],
      })
    const [kept, swapped] = [await open(), await open()]
    expect((await run(kept, 'cat /mnt/own', { user: 'root' })).stdout).toBe('mine\n')
    await run(at('one'), `rm -r /data/volume; ln -s ${outside} /data/volume`, { user: 'root' })
    await expect(run(swapped, 'cat /mnt/secret', { user: 'root' })).rejects.toThrow('EACCES')
    await run(at('one'), `rm /data/volume; mv /data /data.was; ln -s ${outside}/.. /data`, { user: 'root' })
    await expect(run(swapped, 'ls /mnt/', { user: 'root' })).rejects.toThrow()
    await run(at('one'), 'rm /data; mv /data.was /data; rm /data/volume; mkdir /data/volume; echo again > /data/volume/own', {
      user: 'root',
    })
    expect((await run(swapped, 'cat /mnt/own', { user: 'root' })).stdout).toBe('again\n')
    await kept.close()
    await swapped.close()
  })

  it('through an account whose home leads elsewhere', async () => {
    const { machine } = places.get('one') as Opened
    const before = machine.files.text('/etc/passwd') as string
    for (const home of ['/../../..', `/home/../../..${outside}`, '/proc/1/root', '/../sockets', '/tmp/link']) {
      await run(at('one'), `ln -sfn / /tmp/link; printf 'odd:x:1001:1001::%s:/bin/bash\n' ${home} >> /etc/passwd`, { user: 'root' })
      const ran = await run(at('one'), `cat ${outside}/secret ~${outside}/secret ~/../..${outside}/secret; ls ~/place ~/sockets`, {
        user: 'odd',
      })
      expect(ran.stdout).toBe('')
      machine.files.write('/etc/passwd', before)
    }
  })

  it('to processes of the host or of another place: they are neither seen nor signalled', async () => {
    const victim = spawn('sleep', ['300'], { stdio: 'ignore' })
    const other = await at('two').spawn({ argv: ['bash', '-c', 'echo up; exec -a other /usr/libexec/lab/sleep 300'], user: 'root' })
    await new Promise<void>((resolve) => other.onData(() => resolve()))
    const script = `ps -eo args | grep -cE "^(other|sleep 300|.*node )"; kill -9 ${victim.pid} ${other.pid} ${process.pid} 2>/dev/null; ls -d /proc/${process.pid} 2>/dev/null; kill -9 -1`
    for (const user of users) await run(at('one'), script, { user })
    expect(victim.exitCode ?? victim.signalCode).toBeNull()
    expect(existsSync(`/proc/${other.pid}`)).toBe(true)
    expect((await run(at('two'), 'pgrep -f "^other" | wc -l')).stdout.trim()).not.toBe('0')
    victim.kill('SIGKILL')
    other.kill('SIGKILL')
    await finish(other)
  })

  it('to sockets of the host: neither its loopback, nor abstract ones, nor its hypervisor', async () => {
    const server = createServer((socket) => socket.end('of the host'))
    const abstract = createServer((socket) => socket.end('abstract of the host'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => abstract.listen(`\0kubemend-${process.pid}`, resolve))
    const { port } = server.address() as { port: number }
    const script = `(exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3) 2>/dev/null
      perl -MSocket -e 'socket(S,1,1,0);connect(S,pack_sockaddr_un("\\0kubemend-${process.pid}")) and print "abstract\\n"'
      perl -e 'socket(S,40,1,0) and print "vsock\\n"; socket(S,17,3,768) and print "packet\\n"; socket(S,38,5,0) and print "alg\\n"'
      perl -e 'socket(S,2,3,1) and print "raw\\n"'
      ls /proc/net/unix > /dev/null && grep -v "@" /proc/net/unix | grep -E "docker|containerd|systemd|dbus"`
    expect(await all(script)).toBe('')
    server.close()
    abstract.close()
  })

  it('by mounts, namespaces, devices, or the kernel’s switches', async () => {
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
    const calls =
      process.arch === 'x64'
        ? { unshare: 272, mount: 165, ptrace: 101, bpf: 321, keyctl: 250, uring: 425, chroot: 161 }
        : { unshare: 97, mount: 40, ptrace: 117, bpf: 280, keyctl: 219, uring: 425, chroot: 51 }
    const script = `for call in ${Object.values(calls).join(' ')}; do perl -e 'my $r = syscall($ARGV[0], 0, 0, 0, 0, 0); print "$ARGV[0] $r\\n" unless $r == -1 && $! == 1' $call; done
      perl -e 'my $r = syscall(${process.arch === 'x64' ? 56 : 220}, 0x10000011, 0, 0, 0, 0); if ($r == 0) { exit 0 } print "clone\\n" if $r > 0'
      perl -e 'ioctl(STDIN, 0x5412, "x") and print "tiocsti\\n"'
      echo x 2>/dev/null > /proc/sys/kernel/core_pattern && echo core_pattern; echo h 2>/dev/null > /proc/sysrq-trigger && echo sysrq
      for d in $(find /proc /sys -path "/proc/[0-9]*" -prune -o -type f -writable -print 2>/dev/null); do echo "writable $d"; done
      head -c 1 /proc/kcore 2>/dev/null; ls /dev/sd* /dev/vd* /dev/nvme* /dev/mem /dev/kmsg /dev/kvm /dev/fuse /dev/net 2>/dev/null
      cd /tmp; mknod disk b 254 0 2>/dev/null && echo mknod; cp /usr/bin/id suid; chmod 4755 suid 2>/dev/null && echo suid; rm -f suid
      grep -E "^(CapEff|CapPrm|CapBnd|CapInh|CapAmb):" /proc/self/status | grep -v 0000000000000000; grep -E "^NoNewPrivs:.*0" /proc/self/status; grep -E "^Seccomp:.*[01]$" /proc/self/status`
    expect(await all(script)).toBe('')
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before)
  })

  it('by frames at the tools’ door that are none: the connection ends, the door stays', async () => {
    const before = asked.length
    const send = (bytes: string) =>
      `perl -MSocket -e 'socket(S,1,1,0);connect(S,pack_sockaddr_un("/usr/libexec/lab/socket/lab")) or die; $SIG{PIPE}="IGNORE"; ${bytes}; sysread(S,$x,9) or print "closed "'`
    const hello = (name: string) => `my $p=join("\\0",0,0,0,"/",1,"${name}"); syswrite S,"H".pack("N",length $p).$p`
    const script = [
      send('syswrite S,"GET / HTTP/1.1\\r\\n\\r\\n"'),
      send('syswrite S,"H".pack("N",0xffffffff)'),
      send('syswrite S,"I".pack("N",70000000)'),
      send('syswrite S,"I".pack("N",1)."x"'),
      send('syswrite S,"H".pack("N",3)."abc"'),
      send('my $p=join("\\0",0,0,0,"/",99999,"hello"); syswrite S,"H".pack("N",length $p).$p'),
      send(`for (1..40) { syswrite S,"H".pack("N",4000000)."x" x 100000 or last }`),
    ].join('\n')
    expect((await run(at('one'), script)).stdout).toBe('closed '.repeat(7))
    expect((await run(at('one'), send(`${hello('../../bin/sh')}; sysread(S,$x,99); print substr($x,5)`))).stdout).toContain(
      'command not found',
    )
    expect(asked.length).toBe(before)
    expect((await run(at('one'), 'hello')).stdout).toBe('hello\n')
    // Eighty that stay silent: more than may wait, and others still get through.
    const silent = `perl -MSocket -e 'for (1..80) { my $s; socket($s,1,1,0); connect($s,pack_sockaddr_un("/usr/libexec/lab/socket/lab")); push @s,$s } print "up\\n"; $|=1; close STDOUT; select(undef,undef,undef,0.3)' & wait`
    await run(at('one'), silent)
    expect((await run(at('one'), 'hello')).stdout).toBe('hello\n')
    expect((await run(at('one'), 'hello', { user: 'root' })).stdout).toBe('hello\n')
  })

  it('a fork bomb stops at the limit, and the next place does not notice', async () => {
    const bomb = await at('one').spawn({
      argv: ['bash', '-c', 'echo up; bomb() { bomb | bomb & }; bomb; /usr/libexec/lab/sleep 20'],
      user: 'candidate',
    })
    await new Promise<void>((resolve) => bomb.onData((_bytes, stream) => stream === 'stdout' && resolve()))
    const began = performance.now()
    expect((await run(at('two'), 'echo well')).stdout).toBe('well\n')
    expect(performance.now() - began).toBeLessThan(5000)
    const mine = readdirSync('/proc').filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes('bomb()')
      } catch {
        return false
      }
    })
    expect(mine.length).toBeLessThan(80)
    bomb.kill('SIGKILL')
    await finish(bomb)
    // What has left its session lives on in its place, and ends with it.
    await at('one').close()
    rmSync(root('one'), { recursive: true, force: true })
    places = new Map([...places, ...(await openPlaces(host, ['one'], tools))])
    expect((await run(at('one'), 'echo again')).stdout).toBe('again\n')
  })

  it('a program that wants all memory does not get it', async () => {
    const ran = await run(at('one'), `perl -e '$x = "x" x (400 * 1024 * 1024); print "got it\\n"'; echo on`)
    expect(ran.stdout).toBe('on\n')
  })

  it('a file stops growing, and many files are noticed; then only removing helps', async () => {
    const big = await run(at('one'), 'cd; yes > big; ls -l big | cut -d" " -f5')
    expect(Number(big.stdout)).toBeLessThanOrEqual(4 * MiB)
    const many = await at('one').spawn({
      argv: ['bash', '-c', 'cd; i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > f$i; done'],
      user: 'candidate',
    })
    expect((await finish(many)).code).not.toBe(0)
    const over = await run(at('one'), 'cd; head -c 1000000 /dev/zero > more; echo $?; stat -c %s more; rm -f big f* more; echo removed')
    expect(over.stdout).toMatch(/^1\d\d\n65536\nremoved\n$/)
    expect((await run(at('one'), 'cd; head -c 1000000 /dev/zero > more; echo $?')).stdout).toBe('0\n')
  }, 20_000)
})
