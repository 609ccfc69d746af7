import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SimClock } from '../clock.ts'
import { filesBelow } from '../node/files.ts'
import type { Tool } from '../process.ts'
import { missingForSandboxes } from './index.ts'
import { createHost, finish, type Opened, openPlaces, run } from './sandbox.fixture.ts'

const absent = await missingForSandboxes()

it.runIf(process.env.CI && process.platform === 'linux')('sandboxes work where CI runs', () => {
  expect(absent).toBeNull()
})

const tools: Record<string, Tool> = {
  hello: async (call) => {
    call.out(`${JSON.stringify({ argv: call.argv, uid: call.uid, cwd: call.cwd, tty: call.tty, lab: call.env.LAB })}\n`)
    call.err('done\n')
    return 7
  },
  count: async (call) => {
    let bytes = 0
    for await (const piece of call.stdin) bytes += piece.length
    call.out(`${bytes}\n`)
    return 0
  },
  echoed: async (call) => {
    for await (const piece of call.stdin) call.out(piece)
    return 0
  },
  much: async (call) => {
    const piece = Buffer.alloc(65_536, 'x')
    for (let at = 0; at < 64; at++) {
      call.out(piece)
      await call.drain?.()
    }
    return 0
  },
  hang: async (call) => {
    call.out('hanging\n')
    await new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve()))
    call.out(`heard ${call.signal.reason}\n`)
    return 130
  },
  dial: async (call) => {
    const stream = await call.connect?.(Number(call.argv[1]))
    if (!stream) return 1
    stream.end('GET\n')
    for await (const piece of stream) call.out(piece as Uint8Array)
    return 0
  },
  broken: async () => {
    throw new Error('no such thing')
  },
}

for (const client of ['perl', 'node'] as const) {
  describe.skipIf(absent !== null)(`a sandbox with the tools' client in ${client}`, () => {
    const clock = new SimClock()
    const host = createHost({ client })
    let places: ReadonlyMap<string, Opened>
    const at = (name: string) => (places.get(name) as Opened).sandbox
    beforeAll(async () => {
      places = await openPlaces(host, ['workstation', 'worker-1'], tools, clock)
    })
    afterAll(async () => {
      await host.close()
      for (const { machine } of places.values()) rmSync(machine.files.root, { recursive: true, force: true })
    })

    it('hands a tool its arguments, environment, directory and user, and passes on what it says and how it ends', async () => {
      const ran = await run(at('workstation'), 'cd /tmp; LAB=ü hello a "b c" ""; echo $?')
      expect(ran).toEqual({
        code: 0,
        stdout: `${JSON.stringify({ argv: ['hello', 'a', 'b c', ''], uid: 1000, cwd: '/tmp', lab: 'ü' })}\n7\n`,
        stderr: 'done\n',
      })
      expect((await run(at('workstation'), 'hello', { user: 'root' })).stdout).toContain('"uid":0')
      expect(await run(at('workstation'), 'broken')).toEqual({ code: 1, stdout: '', stderr: 'broken: no such thing\n' })
    })

    it('passes bytes as they are, both ways, as many as come', async () => {
      expect((await run(at('workstation'), 'head -c 3000000 /dev/zero | count')).stdout).toBe('3000000\n')
      expect(
        (await run(at('workstation'), 'head -c 300000 /dev/urandom > /tmp/a; echoed < /tmp/a | cmp - /tmp/a && echo same')).stdout,
      ).toBe('same\n')
      expect((await run(at('workstation'), 'much | wc -c')).stdout.trim()).toBe(`${64 * 65_536}`)
      expect((await run(at('workstation'), 'much | head -c 5')).stdout).toBe('xxxxx')
    })

    it('leaves input alone that a tool does not read', async () => {
      const ran = await run(at('workstation'), 'printf "1\\n2\\n3\\n" | while read n; do hello $n > /dev/null 2>&1; echo $n; done')
      expect(ran.stdout).toBe('1\n2\n3\n')
    })

    it('tells a tool of Ctrl-C, and of a caller that is gone', async () => {
      const shell = await at('workstation').spawn({ argv: ['bash', '--norc'], user: 'candidate', pty: { cols: 100, rows: 30 } })
      let text = ''
      shell.onData((bytes) => {
        text += Buffer.from(bytes).toString()
      })
      const until = (what: string) => expect.poll(() => text, { timeout: 5000, interval: 10 }).toContain(what)
      shell.write(Buffer.from('hang\r'))
      await until('hanging')
      shell.write(Buffer.from('\x03'))
      await until('heard SIGINT')
      shell.write(Buffer.from('hello\r'))
      await until('"tty":{"cols":100,"rows":30}')
      const ended = finish(shell)
      shell.write(Buffer.from('exit 3\r'))
      expect((await ended).code).toBe(3)
    })

    it('reaches a port on which a real program of the place listens', async () => {
      const serve = `perl -MSocket -e 'socket(S,2,1,0);bind(S,pack_sockaddr_in(8080,INADDR_LOOPBACK))or die;listen(S,1);print "up\\n";close STDOUT;accept(C,S);$l=<C>;syswrite(C,"got $l")' | (read up; dial 8080)`
      expect((await run(at('workstation'), serve)).stdout).toBe('got GET\n')
      expect((await run(at('workstation'), 'dial 8081')).stderr).toContain('ECONNREFUSED')
    })

    it('goes to another machine by ssh', async () => {
      expect(await run(at('workstation'), 'ssh worker-1 "echo \\$HOME; uname -n; exit 3"')).toEqual({
        code: 3,
        stdout: '/home/candidate\nworker-1\n',
        stderr: '',
      })
      expect((await run(at('workstation'), 'echo abc | ssh root@worker-1 "cat; id -u"')).stdout).toBe('abc\n0\n')
      expect(await run(at('workstation'), 'ssh nohost')).toEqual({
        code: 255,
        stdout: '',
        stderr: 'ssh: Could not resolve hostname nohost: Name or service not known\n',
      })
      expect((await run(at('workstation'), 'printf "1\\n2\\n" | while read n; do ssh -n worker-1 echo $n; done')).stdout).toBe('1\n2\n')
    })

    it('gives ssh -t a terminal that follows the size of the caller’s', async () => {
      const shell = await at('workstation').spawn({ argv: ['ssh', 'worker-1'], user: 'candidate', pty: { cols: 91, rows: 31 } })
      let text = ''
      shell.onData((bytes) => {
        text += Buffer.from(bytes).toString()
      })
      const until = (what: string | RegExp) => expect.poll(() => text, { timeout: 5000, interval: 10 }).toMatch(what)
      shell.write(Buffer.from('stty size\r'))
      await until(/31 91/)
      shell.resize({ cols: 77, rows: 17 })
      await until(/31 91/)
      await new Promise((resolve) => setImmediate(resolve))
      shell.write(Buffer.from('sleep 0.1; stty size; uname -n; sudo -i\r'))
      await until(/17 77[\s\S]*worker-1[\s\S]*# $/)
      shell.write(Buffer.from('exit\r'))
      await until(/\$ $/)
      const ended = finish(shell)
      shell.write(Buffer.from('exit 4\r'))
      expect(await ended).toMatchObject({ code: 4 })
      expect(text).toContain('Connection to worker-1 closed.')
    })
  })
}

describe.skipIf(absent !== null)('a sandbox', () => {
  const clock = new SimClock()
  const host = createHost()
  let places: ReadonlyMap<string, Opened>
  const at = (name: string) => (places.get(name) as Opened).sandbox
  const files = (name: string) => (places.get(name) as Opened).machine.files
  beforeAll(async () => {
    places = await openPlaces(host, ['workstation', 'worker-1'], tools, clock)
  })
  afterAll(async () => {
    await host.close()
    for (const { machine } of places.values()) rmSync(machine.files.root, { recursive: true, force: true })
  })

  it('shows the machine’s files to root, and to others what others may see', async () => {
    expect(
      await run(at('worker-1'), 'cat /etc/kubernetes/admin.conf; cat /root/secret; ls /var/lib/etcd; cat /etc/hostname; whoami; pwd'),
    ).toEqual({
      code: 0,
      stdout: 'worker\ncandidate\n/home/candidate\n',
      stderr: [
        'cat: /etc/kubernetes/admin.conf: Permission denied',
        'cat: /root/secret: Permission denied',
        "ls: cannot open directory '/var/lib/etcd': Permission denied",
        '',
      ].join('\n'),
    })
    const root = await run(at('worker-1'), 'cat /etc/kubernetes/admin.conf /root/secret /usr/lib/systemd/system/kubelet.service; pwd', {
      user: 'root',
    })
    expect(root.stdout).toBe('the key to the cluster\nroot only\n[Service]\nExecStart=/usr/bin/kubelet\n/root\n')
  })

  it('lets root write where a node may be changed, and others only at home and in /tmp', async () => {
    const script =
      'for f in /etc/x /usr/local/bin/x ~/x /tmp/x /new/x /usr/lib/systemd/system/x; do mkdir -p $(dirname $f) 2> /dev/null; echo 1 2> /dev/null > $f && echo $f; done 2> /dev/null'
    expect((await run(at('worker-1'), script)).stdout).toBe('/home/candidate/x\n/tmp/x\n')
    expect((await run(at('worker-1'), script, { user: 'root' })).stdout).toBe(
      '/etc/x\n/usr/local/bin/x\n/root/x\n/tmp/x\n/new/x\n/usr/lib/systemd/system/x\n',
    )
    expect(files('worker-1').text('/new/x')).toBe('1\n')
    expect((await run(at('worker-1'), 'touch /usr/bin/x', { user: 'root' })).stderr).toContain('Read-only file system')
  })

  it('puts what root installs in /usr/local/bin before a simulated tool', async () => {
    await run(at('workstation'), 'printf "#!/bin/sh\\necho mine\\n" > /usr/local/bin/hello; chmod +x /usr/local/bin/hello', {
      user: 'root',
    })
    expect((await run(at('workstation'), 'hello; command -v hello count')).stdout).toBe('mine\n/usr/local/bin/hello\n/usr/bin/count\n')
    files('workstation').remove('/usr/local/bin/hello')
  })

  it('changes the user by sudo and su', async () => {
    const script =
      'echo x | sudo tee /etc/y; sudo -u candidate id -un; sudo A=b env | grep -E "^(A|SUDO_USER)=" | sort; sudo -i pwd; sudo su - -c "id -u; pwd"; sudo nosuch; su; sudo false; echo $?'
    const ran = await run(at('workstation'), script)
    expect(ran.stdout).toBe('x\ncandidate\nA=b\nSUDO_USER=candidate\n/root\n0\n/root\n1\n')
    expect(ran.stderr).toBe('sudo: nosuch: command not found\nPassword: \nsu: Authentication failure\n')
    expect(files('workstation').text('/etc/y')).toBe('x\n')
  })

  it('leaves the keyboard to whoever reads it when sudo stands in a pipe or in the background', async () => {
    const shell = await at('workstation').spawn({ argv: ['bash', '--norc'], user: 'candidate', pty: { cols: 80, rows: 24 } })
    let text = ''
    shell.onData((bytes) => {
      text += Buffer.from(bytes).toString()
    })
    const until = (what: RegExp) => expect.poll(() => text, { timeout: 5000, interval: 10 }).toMatch(what)
    shell.write(
      Buffer.from('sudo sh -c "echo a; sleep 0.2; echo b" | (read a; echo ready; read key < /dev/tty; read b; echo "$a-$key-$b")\r'),
    )
    await until(/ready\r/)
    shell.write(Buffer.from('typed\r'))
    await until(/a-typed-b/)
    shell.write(Buffer.from('sudo sh -c "sleep 0.1; echo from-behind > /tmp/behind" & wait; jobs; cat /tmp/behind\r'))
    await until(/from-behind\r/)
    expect(text).not.toContain('Stopped')
    shell.kill('SIGKILL')
    await finish(shell)
  })

  it('copies files by scp', async () => {
    const script =
      'cd; mkdir -p d; echo one > d/f; scp d/f worker-1:/tmp/g; scp -r d worker-1:; ssh worker-1 cat /tmp/g d/f; scp worker-1:/etc/hostname .; cat hostname; scp nothere worker-1:; scp d worker-1:/tmp'
    const ran = await run(at('workstation'), script)
    expect(ran.stdout).toBe('one\none\nworker\n')
    expect(ran.stderr).toBe('scp: nothere: No such file or directory\nscp: d: not a regular file\n')
    expect(ran.code).toBe(1)
  })

  it('sleeps by the lab’s clock when that runs faster, by its own at other times', async () => {
    clock.rate = 1000
    const began = performance.now()
    expect((await run(at('workstation'), 'sleep 1m 30; sleep infinity & kill $!; wait; sleep x')).stderr).toContain('invalid time interval')
    expect(performance.now() - began).toBeLessThan(3000)
    clock.rate = 1
    const real = await run(at('workstation'), 'sleep 5 & sleep 0.3; cat /proc/$!/comm; kill $!')
    expect(real.stdout).toBe('sleep\n')
  })

  it('ends as the command does', async () => {
    expect((await run(at('workstation'), 'exit 42')).code).toBe(42)
    expect((await run(at('workstation'), 'kill -9 $$')).code).toBe(137)
    const none = await at('workstation').spawn({ argv: ['nosuch'], user: 'candidate' })
    expect(await finish(none)).toMatchObject({ code: 127 })
    const killed = await at('workstation').spawn({
      argv: ['bash', '-c', 'trap "echo term; exit 5" TERM; echo up; while :; do sleep 0.05; done'],
      user: 'candidate',
    })
    killed.onData(() => killed.kill('SIGTERM'))
    expect(await finish(killed)).toMatchObject({ code: 5 })
    const hard = await at('workstation').spawn({ argv: ['bash', '-c', 'trap "" TERM; echo up; sleep 100; true'], user: 'candidate' })
    hard.onData(() => hard.kill('SIGKILL'))
    expect((await finish(hard)).code).toBe(137)
    await expect(at('workstation').spawn({ argv: ['id'], user: 'nobody-knows' })).rejects.toThrow(
      'unable to find user nobody-knows: no matching entries in passwd file',
    )
  })

  it('shows the processes of one place to each other, and no others', async () => {
    const first = await at('workstation').spawn({ argv: ['sleep', '77'], user: 'candidate' })
    await expect.poll(async () => (await run(at('workstation'), 'pgrep -f "^sleep 77"')).stdout, { timeout: 3000 }).toMatch(/\d/)
    expect((await run(at('worker-1'), 'pgrep -f "^sleep 77"')).stdout).toBe('')
    first.kill('SIGKILL')
    await finish(first)
  })

  it('opens and closes the lab’s ports for real clients', async () => {
    const got: string[] = []
    const machine = (places.get('worker-1') as Opened).machine
    const sandbox = await host.open({
      ...{ id: 'ports', machine, hostname: 'ports', tools: [], call: async () => 0 },
      ports: [{ address: '172.18.0.4', port: 6443 }],
      connection(to, socket) {
        got.push(`${to.address}:${to.port}`)
        socket.end('hello from the lab\n')
      },
    })
    const get = (to: string) => run(sandbox, `exec 3<>/dev/tcp/${to} && cat <&3`)
    expect((await get('172.18.0.4/6443')).stdout).toBe('hello from the lab\n')
    await sandbox.listen?.([])
    expect((await get('172.18.0.4/6443')).stderr).toContain('Connection refused')
    await sandbox.listen?.([
      { address: '172.18.0.4', port: 6443 },
      { address: '127.0.0.1', port: 6443 },
    ])
    expect((await get('172.18.0.4/6443')).stdout).toBe('hello from the lab\n')
    expect((await get('127.0.0.1/6443')).stdout).toBe('hello from the lab\n')
    expect(got).toEqual(['172.18.0.4:6443', '172.18.0.4:6443', '127.0.0.1:6443'])
    // Nothing of it is seen from outside.
    const outside = createConnection(6443, '127.0.0.1')
    const answer = await new Promise<string>((resolve) =>
      outside.once('error', () => resolve('')).once('data', (bytes) => resolve(`${bytes}`)),
    )
    outside.destroy()
    expect(answer).not.toContain('the lab')
    await sandbox.close()
  })

  it('answers datagrams at an address of the lab’s, or leaves them unanswered', async () => {
    const machine = (places.get('worker-1') as Opened).machine
    const sandbox = await host.open({
      ...{ id: 'datagrams', machine, hostname: 'datagrams', tools: [], call: async () => 0, ports: [], connection() {} },
      datagrams: {
        ports: [{ address: '172.18.0.1', port: 53 }],
        answer: async (to, packet) =>
          packet.length > 3 ? Buffer.from(`${to.address}:${to.port} heard ${Buffer.from(packet)}`) : undefined,
      },
    })
    const ask = (what: string) =>
      run(
        sandbox,
        `perl -MSocket -e 'socket(S,2,2,0);connect(S,pack_sockaddr_in(53,inet_aton("172.18.0.1")))or die;send(S,"${what}",0);$r="";vec($r,fileno(S),1)=1;select($r,undef,undef,0.5)or exit 7;recv(S,$b,99,0);print $b'`,
      )
    expect(await ask('hello')).toMatchObject({ code: 0, stdout: '172.18.0.1:53 heard hello' })
    expect((await ask('no')).code).toBe(7)
    await sandbox.listen?.([{ address: '127.0.0.1', port: 6443 }])
    expect((await ask('still')).stdout).toContain('heard still')
    await sandbox.close()
  })

  it('runs tmux, whose server lives on after its terminal', async () => {
    const shell = await at('workstation').spawn({ argv: ['tmux', 'new', '-s', 'work'], user: 'candidate', pty: { cols: 80, rows: 24 } })
    let text = ''
    shell.onData((bytes) => {
      text += Buffer.from(bytes).toString()
    })
    await expect.poll(() => text, { timeout: 5000 }).toContain('work')
    shell.kill('SIGHUP')
    await finish(shell)
    expect((await run(at('workstation'), 'tmux ls')).stdout).toContain('work: 1 windows')
    await run(at('workstation'), 'tmux kill-server')
  })

  it('lets root change owners, as a person expects who copies a kubeconfig, though all files have one', async () => {
    const script =
      'mkdir -p ~/.kube; sudo cp /etc/kubernetes/admin.conf ~/.kube/config && sudo chown $(id -u):$(id -g) ~/.kube/config && cat ~/.kube/config'
    expect(await run(at('worker-1'), script)).toEqual({ code: 0, stdout: 'the key to the cluster\n', stderr: '' })
  })

  it('stands on a container’s root, with its volumes where they are mounted', async () => {
    const { machine } = places.get('worker-1') as Opened
    const [root, volume] = [mkdtempSync(join(tmpdir(), 'kubemend-root-')), mkdtempSync(join(tmpdir(), 'kubemend-volume-'))]
    for (const folder of ['etc', 'bin', 'usr/lib', 'usr/share/nginx/html']) mkdirSync(join(root, folder), { recursive: true })
    writeFileSync(join(root, 'usr/share/nginx/html/index.html'), 'welcome\n')
    writeFileSync(join(root, 'usr/lib/os-release'), 'ID=alpine\n')
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnginx:x:101:101::/var/cache/nginx:/sbin/nologin\n')
    writeFileSync(join(volume, 'key'), 'value\n')
    const mounts = [
      { path: '/etc/config', source: volume, readOnly: true },
      { path: '/data', source: volume },
      { path: '/usr/share/other/conf', source: volume, readOnly: true },
      { path: '/etc/one', source: join(volume, 'key'), readOnly: true },
    ]
    const sandbox = await host.open({
      id: 'c',
      machine,
      files: filesBelow(root),
      mounts,
      hostname: 'web-0',
      ports: [],
      tools: ['hello'],
      call: async () => 5,
      connection() {},
    })
    expect(
      await run(sandbox, 'hostname; id -un; pwd; cat /etc/config/key /etc/one; echo new > /data/key; cat /etc/config/key; ls /home 2>&1', {
        user: 'root',
      }),
    ).toMatchObject({
      stdout: "web-0\nroot\n/\nvalue\nvalue\nnew\nls: cannot access '/home': No such file or directory\n",
    })
    const script =
      'cd /usr/share/nginx/html; cat index.html; echo hello > index.html; cat index.html ../../other/conf/key /usr/lib/os-release; /bin/true; vim --version | head -c 3'
    expect(await run(sandbox, script, { user: 'root' })).toEqual({ code: 0, stdout: 'welcome\nhello\nnew\nID=alpine\nVIM', stderr: '' })
    expect(await run(sandbox, 'id -u; echo x > /etc/config/key; hello; echo $?', { user: '101' })).toMatchObject({
      stdout: '101\n5\n',
      stderr: expect.stringContaining('Read-only file system'),
    })
    // Files are replaced by renaming; what is mounted stays what it was.
    writeFileSync(join(volume, 'fresh'), 'changed\n')
    renameSync(join(volume, 'fresh'), join(volume, 'key'))
    expect(await run(sandbox, 'cat /etc/one /etc/config/key', { user: 'root' })).toEqual({ code: 0, stdout: 'new\nchanged\n', stderr: '' })
    await sandbox.close()
    for (const folder of [root, volume]) rmSync(folder, { recursive: true, force: true })
  })

  it('loses nothing of what short commands say, however many there are', async () => {
    const { sandbox } = places.get('worker-1') as Opened
    for (let round = 0; round < 20; round++)
      expect(
        await Promise.all(Array.from({ length: 10 }, (_, at) => run(sandbox, `echo out ${at}; echo err ${at} >&2; exit ${at}`))),
      ).toEqual(Array.from({ length: 10 }, (_, at) => ({ code: at, stdout: `out ${at}\n`, stderr: `err ${at}\n` })))
  }, 60_000)

  it('gets programs that come late, and says so until then', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'kubemend-cache-'))
    const fresh = createHost({ cache })
    const { machine } = places.get('worker-1') as Opened
    const sandbox = await fresh.open({ id: 'late', machine, hostname: 'h', ports: [], tools: [], call: async () => 0, connection() {} })
    expect(await run(sandbox, 'kubectl get pods')).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('kubectl: it is still being fetched'),
    })
    writeFileSync(join(cache, 'fetched'), '#!/bin/sh\necho "kubectl $*"\n', { mode: 0o755 })
    symlinkSync('fetched', join(cache, 'link'))
    fresh.provide('kubectl', join(cache, 'link'))
    expect((await run(sandbox, 'kubectl get pods')).stdout).toBe('kubectl get pods\n')
    await fresh.close()
    rmSync(cache, { recursive: true, force: true })
  })

  it('leaves no process and no file behind', async () => {
    const machine = (places.get('worker-1') as Opened).machine
    const sandbox = await host.open({ id: 'short', machine, hostname: 'h', ports: [], tools: [], call: async () => 0, connection() {} })
    await run(sandbox, 'nohup sleep 4711 > /dev/null 2>&1 &')
    await sandbox.close()
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('sleep 4711')
  })
})
