import { afterEach, describe, expect, it } from 'vitest'
import { ApiError, Unreachable } from '../kube.ts'
import type { Files } from '../machine.ts'
import { random } from '../random.ts'
import { lab, nginxFiles, type Started } from './fixture.ts'
import { createNetwork, probe } from './index.ts'
import { save } from './tables.ts'

const nodes = ['lab-control-plane', 'lab-worker', 'lab-worker2'] as const
let current: ReturnType<typeof lab> | undefined
afterEach(() => current?.close())
async function cluster() {
  const made = lab()
  current = made
  const flannels = nodes.map((node) => made.flannel(node))
  await made.settle()
  const proxies = nodes.map((node) => made.proxy(node))
  await made.settle()
  return { ...made, flannels, proxies }
}
const look = async (
  at: ReturnType<typeof lab>,
  node: string,
  target: Parameters<typeof probe>[3],
  net = at.network.host(node),
  resolv = 'nameserver 172.19.0.1\n',
) => {
  let result: Awaited<ReturnType<typeof probe>> | undefined
  void probe(at.network, net, resolv, target).then((value) => {
    result = value
  })
  await at.clock.skip(() => result !== undefined, 60_000)
  return result as NonNullable<typeof result>
}

describe('a cluster with Flannel and kube-proxy', () => {
  it('gives pods addresses and reaches them across nodes, as themselves', async () => {
    const at = await cluster()
    const [a, b] = [at.pod('lab-worker'), at.pod('lab-worker2')]
    expect([a.ip, b.ip]).toEqual(['10.244.2.2', '10.244.1.2'])
    at.start('lab-worker2', ['nginx', '-g', 'daemon off;'], { files: nginxFiles, net: b.netns })
    await at.settle(100)
    const opened = at.network.open(a.netns, 'tcp', b.ip, 80)
    expect(opened).toMatchObject({ outcome: 'open', from: a.ip })
    expect(at.network.open(a.netns, 'tcp', b.ip, 81).outcome).toBe('refused')
    for (const node of nodes) expect(at.network.open(at.network.host(node), 'tcp', b.ip, 80).outcome).toBe('open')
    expect((await at.run('lab-worker', 'ip route')).out).toBe(
      'default via 172.19.0.1 dev eth0 \n10.244.0.0/24 via 10.244.0.0 dev flannel.1 onlink \n10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink \n10.244.2.0/24 dev cni0 proto kernel scope link src 10.244.2.1 \n172.19.0.0/16 dev eth0 proto kernel scope link src 172.19.0.5 \n',
    )
    expect((await at.run('lab-worker', 'ip r', { net: a.netns })).out).toBe(
      'default via 10.244.2.1 dev eth0 \n10.244.0.0/16 via 10.244.2.1 dev eth0 \n10.244.2.0/24 dev eth0 proto kernel scope link src 10.244.2.2 \n',
    )
    at.hooks('lab-worker').del({ sandboxId: a.netns.id, namespace: '', name: '', uid: '', portMappings: [] })
    expect(at.pod('lab-worker').ip).toBe('10.244.2.3')
  })

  it('reaches services from nodes and pods, also a pod through its own, and refuses those without endpoints', async () => {
    const at = await cluster()
    const [a, b] = [at.pod('lab-worker'), at.pod('lab-worker2')]
    at.start('lab-worker2', ['nginx', '-g', 'daemon off;'], { files: nginxFiles, net: b.netns })
    at.service('web', '10.96.5.5', 8080, [{ ip: b.ip, node: 'lab-worker2' }], { type: 'NodePort', nodePort: 30080 })
    at.service('empty', '10.96.5.6', 80, [])
    await at.settle()
    for (const node of nodes) {
      expect(await look(at, node, { kind: 'http', url: 'http://10.96.5.5:8080/' })).toMatchObject({
        outcome: 'answered',
        status: 200,
        body: expect.stringContaining('Welcome to nginx'),
      })
      expect(await look(at, node, { kind: 'tcp', host: '172.19.0.4', port: 30080 })).toMatchObject({ outcome: 'open' })
      expect(await look(at, node, { kind: 'tcp', host: '10.96.5.6', port: 80 })).toMatchObject({ outcome: 'refused' })
      expect(await look(at, node, { kind: 'tcp', host: '10.96.99.9', port: 80 })).toMatchObject({ outcome: 'timeout' })
    }
    expect(at.network.open(a.netns, 'tcp', '10.96.5.5', 8080)).toMatchObject({ outcome: 'open', from: a.ip })
    expect(at.network.open(b.netns, 'tcp', '10.96.5.5', 8080)).toMatchObject({ outcome: 'open', from: '10.244.1.1' })
    at.objects.remove('v1/services', 'web', 'default')
    await at.settle()
    expect(save(at.network.host('lab-worker').tables)).not.toContain('default/web')
  })

  it("nginx reads its configuration's backslashes as nginx does, and heeds access_log and proxy_connect_timeout", async () => {
    const at = await cluster()
    const { ip, netns } = at.pod('lab-worker2')
    const site = [
      'server {',
      '  listen 80;',
      '  location = /quiet { access_log off; return 204; }',
      '  location = /gone { proxy_connect_timeout 2s; proxy_pass http://10.96.99.9; }',
      '  location / { return 200 "say \\"hello\\"\\nC:\\dir\\n"; }',
      '}',
    ].join('\n')
    const nginx = at.start('lab-worker2', ['nginx', '-g', 'daemon off;'], {
      files: { ...nginxFiles, '/etc/nginx/conf.d/default.conf': site },
      net: netns,
    })
    await at.settle(100)
    const get = (path: string) => look(at, 'lab-worker', { kind: 'http', url: `http://${ip}${path}` })
    expect((await get('/')).body).toBe('say "hello"\nC:\\dir\n')
    expect((await get('/quiet')).status).toBe(204)
    expect(await get('/gone')).toMatchObject({ status: 504, millis: 2000 })
    const asked = nginx.lines.flatMap((line) => /"GET (\S+) HTTP\/1.1" (\d+)/.exec(line)?.slice(1, 3).join(' ') ?? [])
    expect(asked).toEqual(['/ 200', '/gone 504'])
  })

  it('has a program that takes memory in steps', async () => {
    const at = await cluster()
    const started = at.start('lab-worker', ['agnhost', 'stress', '--mem-total=96Mi', '--mem-alloc-size=4Mi', '--mem-alloc-sleep', '100ms'])
    await at.settle(1000)
    const half = started.memory
    expect(half).toBeGreaterThan(30 * 2 ** 20)
    await at.settle(3000)
    expect(started.memory).toBeGreaterThan(half)
    expect(started.memory).toBeGreaterThan(96 * 2 ** 20)
    expect(started.lines.map((line) => line.replace(/^.*\] /, ''))).toEqual([
      'Allocating "96Mi" memory, in "4Mi" chunks, with a 100ms sleep between allocations',
      'Allocated "96Mi" memory',
    ])
  })

  it('passes requests on to a name that nginx asks its resolver for each time', async () => {
    const at = await cluster()
    const [web, api] = [at.pod('lab-worker'), at.pod('lab-worker2')]
    at.start('lab-worker2', ['nginx', '-g', 'daemon off;'], { files: nginxFiles, net: api.netns })
    const addresses: Record<string, string> = {}
    at.network.host('lab-control-plane').listen({
      protocol: 'udp',
      address: '0.0.0.0',
      port: 53,
      program: { name: 'coredns', pid: 1 },
      dns: ({ name }) => {
        const data = addresses[name]
        return data === undefined ? { rcode: 'NXDOMAIN', answers: [] } : { rcode: 'NOERROR', answers: [{ name, type: 'A', ttl: 5, data }] }
      },
    })
    const conf =
      'server {\n  listen 8080;\n  resolver 172.19.0.4 valid=5s;\n  set $api api.shop.svc.cluster.local;\n  location / { proxy_pass http://$api:80; }\n}\n'
    const started = at.start('lab-worker', ['nginx', '-g', 'daemon off;'], {
      files: { ...nginxFiles, '/etc/nginx/conf.d/default.conf': conf },
      net: web.netns,
    })
    await at.settle(100)
    const page = { kind: 'http', url: `http://${web.ip}:8080/` } as const
    expect(await look(at, 'lab-worker', page)).toMatchObject({ outcome: 'answered', status: 502 })
    expect(started.lines.join('\n')).toMatch(
      /\[error\] .* api\.shop\.svc\.cluster\.local could not be resolved \(3: Host not found\), client: .*, request: "GET \/ HTTP\/1\.1", host: "/,
    )
    addresses['api.shop.svc.cluster.local.'] = api.ip
    expect(await look(at, 'lab-worker', page)).toMatchObject({ status: 200, body: expect.stringContaining('Welcome to nginx') })
  })

  it('follows traffic policies, session affinity, node ports on every address, host ports', async () => {
    const at = await cluster()
    const [b, c] = [at.pod('lab-worker2'), at.pod('lab-worker')]
    for (const { netns } of [b, c]) netns.listen({ protocol: 'tcp', address: '0.0.0.0', port: 80, program: { name: 'x', pid: 1 } })
    const both = [
      { ip: b.ip, node: 'lab-worker2' },
      { ip: c.ip, node: 'lab-worker' },
    ]
    at.service('web', '10.96.5.5', 80, both, { type: 'NodePort', nodePort: 30080 })
    at.service('local', '10.96.5.6', 80, both.slice(0, 1), { type: 'NodePort', nodePort: 30081, externalTrafficPolicy: 'Local' })
    at.service('inside', '10.96.5.7', 80, both.slice(0, 1), { internalTrafficPolicy: 'Local' })
    at.service('sticky', '10.96.5.8', 80, both, { sessionAffinity: 'ClientIP' })
    await at.settle()
    const workstation = at.network.addMachine('workstation', '172.19.0.2', { resolver: 'loopback' })
    const open = (from: Parameters<typeof at.network.open>[0], address: string, port: number) => {
      const result = at.network.open(from, 'tcp', address, port)
      return result.outcome === 'open' ? `${result.to.address} as ${result.from}` : result.outcome
    }
    expect(open(at.network.host('lab-worker'), '127.0.0.1', 30080)).toMatch(/^10\.244\.[12]\.2 as 10\.244\.2\.[01]$/)
    expect(open(workstation, '172.19.0.4', 30080)).toMatch(/ as 10\.244\.0\.0$/)
    expect(open(workstation, '172.19.0.3', 30081)).toBe(`${b.ip} as 172.19.0.2`)
    expect(open(workstation, '172.19.0.4', 30081)).toBe('timeout')
    expect(open(at.network.host('lab-control-plane'), '172.19.0.4', 30081)).toBe(`${b.ip} as 10.244.0.0`)
    expect(open(c.netns, '10.96.5.7', 80)).toBe('timeout')
    expect(open(at.network.host('lab-worker2'), '10.96.5.7', 80)).toBe(`${b.ip} as 10.244.1.1`)
    expect(new Set(Array.from({ length: 20 }, () => open(c.netns, '10.96.5.8', 80))).size).toBe(1)
    expect(new Set(Array.from({ length: 40 }, () => open(at.network.host('lab-worker'), '10.96.5.5', 80))).size).toBe(2)
    const mapped = at.hooks('lab-worker').add({
      sandboxId: 'f'.repeat(64),
      namespace: 'd',
      name: 'p',
      uid: 'x',
      portMappings: [{ hostPort: 8088, containerPort: 80, protocol: 'tcp', hostIP: '' }],
    })
    mapped.netns.listen({ protocol: 'tcp', address: '0.0.0.0', port: 80, program: { name: 'x', pid: 1 } })
    expect(open(workstation, '172.19.0.5', 8088)).toBe(`${mapped.ip} as 172.19.0.2`)
    expect(open(at.network.host('lab-worker'), '127.0.0.1', 8088)).toBe(`${mapped.ip} as 10.244.2.1`)
  })

  it('is healthy, with nothing to show for it, when it may not follow endpoints', async () => {
    const at = lab()
    current = at
    const { connect } = at.deps
    at.deps.connect = (files, path, net) => {
      const client = connect(files, path, net)
      return {
        ...client,
        follow: (resource, options, on) => {
          if (resource !== 'discovery.k8s.io/v1/endpointslices') return client.follow(resource, options, on)
          on.broken?.(new ApiError(403, 'Forbidden', 'endpointslices.discovery.k8s.io is forbidden'))
          return { stop: () => {} }
        },
      }
    }
    const proxy = at.proxy('lab-worker')
    at.service('web', '10.96.5.5', 80, [])
    await at.settle()
    expect(proxy.code).toBeUndefined()
    const { body } = (await look(at, 'lab-worker', { kind: 'http', url: 'http://127.0.0.1:10256/healthz' })) as { body: string }
    expect(JSON.parse(body)).toEqual({
      lastUpdated: expect.any(String),
      currentTime: expect.any(String),
      nodeEligible: true,
      healthy: true,
    })
    expect(save(at.network.host('lab-worker').tables)).not.toContain('default/web')
  })

  it('waits for its API server as client-go does: silent while connections are refused, not when they are lost', async () => {
    const at = await cluster()
    const { connect } = at.deps
    const waiting = async (words: string) => {
      at.deps.connect = (files, path, net) => ({
        ...connect(files, path, net),
        follow: (_resource, _options, on) => {
          on.broken?.(new Unreachable(words))
          return { stop: () => {} }
        },
      })
      const proxy = at.proxy('lab-worker')
      await at.settle(200)
      return proxy.lines.map((line) => line.replace(/^.*?\] /, ''))
    }
    expect(await waiting('dial tcp 172.19.0.3:6444: connect: connection refused')).toEqual(['"Waiting for caches to sync"'])
    expect((await waiting('dial tcp 172.19.9.9:6443: i/o timeout')).at(-1)).toContain(
      '"Failed to watch" err="failed to list *v1.Node: dial tcp 172.19.9.9:6443: i/o timeout"',
    )
  })

  it('keeps rules of a kube-proxy that is gone; a new one with a wrong kubeconfig says so and programs nothing', async () => {
    const at = await cluster()
    const b = at.pod('lab-worker2')
    at.start('lab-worker2', ['nginx', '-g', 'daemon off;'], { files: nginxFiles, net: b.netns })
    at.service('old', '10.96.5.5', 80, [{ ip: b.ip, node: 'lab-worker2' }])
    await at.settle()
    at.proxies[1]?.signal(15)
    const connect = at.deps.connect
    at.deps.connect = (_files, path) => {
      throw new Error(`stat ${path}: no such file or directory`)
    }
    const broken = at.proxy('lab-worker', '/var/lib/kube-proxy/kubeconfig.yaml')
    at.deps.connect = connect
    expect(broken.code).toBe(1)
    expect(broken.lines[0]).toMatch(
      /^E1121 09:00:\d\d\.\d{6} {7}1 server\.go:134\] "Error running ProxyServer" err="stat \/var\/lib\/kube-proxy\/kubeconfig\.yaml: no such file or directory"$/,
    )
    at.service('new', '10.96.5.7', 80, [{ ip: b.ip, node: 'lab-worker2' }])
    await at.settle()
    expect((await look(at, 'lab-worker', { kind: 'tcp', host: '10.96.5.5', port: 80 })).outcome).toBe('open')
    expect((await look(at, 'lab-worker', { kind: 'tcp', host: '10.96.5.7', port: 80 })).outcome).toBe('timeout')
    expect((await look(at, 'lab-worker2', { kind: 'tcp', host: '10.96.5.7', port: 80 })).outcome).toBe('open')
    for (const chain of ['OUTPUT', 'PREROUTING'])
      expect(
        (await at.run('lab-worker', `iptables -t nat -I ${chain} -p tcp -d 10.96.5.7 --dport 80 -j DNAT --to-destination ${b.ip}:80`)).code,
      ).toBe(0)
    expect((await at.run('lab-worker', 'curl -sS --max-time 5 http://10.96.5.7/')).out).toContain('Welcome to nginx')
  })

  it('keeps with a service an EndpointSlice that was given to another, until the slice goes or it starts anew', async () => {
    const at = await cluster()
    const b = at.pod('lab-worker2')
    at.start('lab-worker2', ['nginx', '-g', 'daemon off;'], { files: nginxFiles, net: b.netns })
    at.service('web', '10.96.0.20', 80, [{ ip: b.ip, node: 'lab-worker2' }])
    at.service('shop', '10.96.0.21', 80, [])
    await at.settle()
    const open = (ip: string) => at.network.open(at.network.host('lab-worker'), 'tcp', ip, 80).outcome
    expect([open('10.96.0.20'), open('10.96.0.21')]).toEqual(['open', 'refused'])
    const given = (name: string) =>
      at.objects.put('discovery.k8s.io/v1/endpointslices', {
        metadata: { name: 'web-x', namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ name: '', port: 80, protocol: 'TCP' }],
        endpoints: [{ addresses: [b.ip], nodeName: 'lab-worker2', conditions: { ready: true, serving: true, terminating: false } }],
      })
    given('shop')
    await at.settle()
    expect([open('10.96.0.20'), open('10.96.0.21')]).toEqual(['open', 'open'])
    at.proxies[1]?.signal(15)
    at.proxy('lab-worker')
    await at.settle()
    expect([open('10.96.0.20'), open('10.96.0.21')]).toEqual(['refused', 'open'])
    given('web')
    await at.settle()
    expect([open('10.96.0.20'), open('10.96.0.21')]).toEqual(['open', 'open'])
    at.objects.remove('discovery.k8s.io/v1/endpointslices', 'web-x', 'default')
    await at.settle()
    expect([open('10.96.0.20'), open('10.96.0.21')]).toEqual(['refused', 'open'])
  })

  it('kube-proxy refuses a mode that it does not have at once, and ipvs once it has asked the kernel', async () => {
    const at = await cluster()
    const started = async (mode: string) => {
      const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclientConnection:\n  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\nmode: ${mode}\n`
      const one = at.start('lab-worker', ['/usr/local/bin/kube-proxy', '--config=/conf', '--hostname-override=lab-worker'], {
        files: { '/conf': text },
      })
      await at.settle()
      return { code: one.code, text: one.lines.join('\n') }
    }
    const gone = await started('userspace')
    expect(gone.code).toBe(1)
    expect(gone.text).toContain(
      '"command failed" err="failed validate: KubeProxyConfiguration.Mode.ProxyMode: Invalid value: \\"userspace\\": must be iptables, ipvs, nftables or blank (blank means the best-available proxy [currently iptables])"',
    )
    const missing = await started('ipvs')
    expect(missing.code).toBe(1)
    expect(missing.text).toContain('"Dummy VS not created" scheduler="rr"')
    expect(missing.text).toContain('"Error running ProxyServer" err="can\'t use the IPVS proxier: Ipvs not supported"')
  })

  it('firewalls a port from everybody outside', async () => {
    const at = await cluster()
    at.network
      .host('lab-control-plane')
      .listen({ protocol: 'tcp', address: '::', port: 6443, program: { name: 'kube-apiserver', pid: 9 }, tls: true })
    const from = (node: string) => at.network.open(at.network.host(node), 'tcp', '172.19.0.4', 6443).outcome
    expect(nodes.map(from)).toEqual(['open', 'open', 'open'])
    await at.run('lab-control-plane', 'iptables -I INPUT 1 -p tcp --dport 6443 ! -i lo -j DROP')
    expect(nodes.map(from)).toEqual(['open', 'timeout', 'timeout'])
    expect((await at.run('lab-control-plane', 'iptables -S INPUT')).out).toContain('-A INPUT ! -i lo -p tcp -m tcp --dport 6443 -j DROP\n')
    await at.run('lab-control-plane', 'iptables -D INPUT 1')
    expect(nodes.map(from)).toEqual(['open', 'open', 'open'])
    await at.run('lab-worker', 'iptables -A INPUT -p udp --dport 8472 -j DROP')
    const b = at.pod('lab-worker')
    expect(at.network.open(at.network.host('lab-worker2'), 'tcp', b.ip, 80).outcome).toBe('timeout')
  })

  it('is the same after save and load', async () => {
    const at = await cluster()
    const b = at.pod('lab-worker2')
    at.service('web', '10.96.5.5', 80, [{ ip: b.ip, node: 'lab-worker2' }])
    await at.settle()
    const again = createNetwork({ clock: at.clock, random: random(8), saved: JSON.parse(JSON.stringify(at.network.save())) })
    again.addMachine('lab-worker', '172.19.0.5')
    again.addMachine('lab-worker2', '172.19.0.3')
    expect(again.netns(b.netns.id)?.addresses()).toEqual([b.ip])
    again.netns(b.netns.id)?.listen({ protocol: 'tcp', address: '0.0.0.0', port: 80, program: { name: 'x', pid: 1 } })
    expect(again.open(again.host('lab-worker'), 'tcp', '10.96.5.5', 80).outcome).toBe('open')
    expect(again.save().namespaces.length).toBe(at.network.save().namespaces.length)
  })
})

describe('CNI by hand', () => {
  const island = (number: number) =>
    JSON.stringify({
      cniVersion: '0.3.1',
      name: 'island',
      plugins: [
        {
          type: 'bridge',
          bridge: 'island0',
          isGateway: true,
          ipMasq: true,
          ipam: { type: 'host-local', ranges: [[{ subnet: `10.99.${number}.0/24` }]], routes: [{ dst: '0.0.0.0/0' }] },
        },
      ],
    })
  it('has no network without a configuration, and islands with a bridge per node', () => {
    const at = lab()
    current = at
    expect(at.hooks('lab-worker').ready()).toBe('Network plugin returns error: cni plugin not initialized')
    expect(() => at.pod('lab-worker')).toThrow('cni plugin not initialized')
    for (const [index, node] of nodes.entries()) at.machines.get(node)?.files.write('/etc/cni/net.d/10-bridge.conflist', island(11 + index))
    expect(at.hooks('lab-worker').ready()).toBeUndefined()
    const [a, b, c] = [at.pod('lab-worker'), at.pod('lab-worker'), at.pod('lab-worker2')]
    for (const { netns } of [a, b, c]) netns.listen({ protocol: 'tcp', address: '0.0.0.0', port: 80, program: { name: 'x', pid: 1 } })
    expect(at.network.open(a.netns, 'tcp', b.ip, 80).outcome).toBe('open')
    expect(at.network.open(a.netns, 'tcp', c.ip, 80).outcome).toBe('timeout')
    expect(at.network.open(at.network.host('lab-worker'), 'tcp', a.ip, 80).outcome).toBe('open')
    expect(at.network.open(at.network.host('lab-worker'), 'tcp', c.ip, 80).outcome).toBe('timeout')
    expect(at.network.open(a.netns, 'tcp', '172.19.0.3', 22)).toMatchObject({ outcome: 'refused' })
  })
  it('ends where its network does not hold what the cluster gave to the node', async () => {
    const at = await cluster()
    const conf = '/etc/kube-flannel/net-conf.json'
    const machine = at.machines.get('lab-worker') as NonNullable<ReturnType<typeof at.machines.get>>
    const restart = async (network: string) => {
      machine.files.write(conf, JSON.stringify({ Network: network, Backend: { Type: 'vxlan' } }))
      const again = at.start('lab-worker', ['/opt/bin/flanneld', '--ip-masq', '--kube-subnet-mgr'], {
        root: machine.files,
        env: { NODE_NAME: 'lab-worker' },
      })
      await at.settle()
      return again
    }
    machine.files.remove('/run/flannel/subnet.env')
    for (const network of ['10.245.0.0/16', '10.244.1.0/24', '10.244.2.0/25']) {
      const failed = await restart(network)
      expect(failed.code).toBe(1)
      expect(failed.lines.join('\n')).toContain(
        `Error registering network: failed to acquire lease: subnet "${network}" specified in the flannel net config doesn't contain "10.244.2.0/24" PodCIDR of the "lab-worker" node`,
      )
      expect(machine.files.exists('/run/flannel/subnet.env')).toBe(false)
    }
    expect((await restart('10.0.0.0/8')).code).toBeUndefined()
    expect(machine.files.text('/run/flannel/subnet.env')).toContain('FLANNEL_NETWORK=10.0.0.0/8\nFLANNEL_SUBNET=10.244.2.1/24\n')
  })
  it('is looked for where containerd was told to when it started', async () => {
    const at = await cluster()
    const files = at.machines.get('lab-worker')?.files as Files
    const hooks = at.hooks('lab-worker')
    const add = () => hooks.add({ sandboxId: 'sandbox', namespace: '', name: '', uid: '', portMappings: [] })
    const say = (cni: string) =>
      files.write('/etc/containerd/config.toml', `version = 2\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri".cni]\n${cni}`)
    say('    bin_dir = "/usr/libexec/cni"\n')
    expect(hooks.ready()).toBeUndefined()
    hooks.begin?.()
    expect(hooks.ready()).toBeUndefined()
    expect(add).toThrow('failed to find plugin "loopback" in path [/usr/libexec/cni]')
    say("    bin_dirs = ['/usr/libexec/cni', '/opt/cni/bin'] # both\n")
    hooks.begin?.()
    expect(add().ip).toBe('10.244.2.2')
    say('    conf_dir = "/etc/containerd/net.d"\n')
    expect(hooks.begin?.()).toContain('no network config found in /etc/containerd/net.d')
    expect(hooks.ready()).toContain('cni plugin not initialized')
    expect(files.stat('/etc/containerd/net.d')?.type).toBe('directory')
    files.write('/etc/containerd/net.d/10-flannel.conflist', files.text('/etc/cni/net.d/10-flannel.conflist') as string)
    expect(hooks.ready()).toBeUndefined()
  })
  it('says what a plugin says', async () => {
    const at = lab()
    current = at
    const files = at.machines.get('lab-worker')?.files
    files?.write(
      '/etc/cni/net.d/10-flannel.conflist',
      JSON.stringify({ name: 'cbr0', plugins: [{ type: 'flannel', delegate: { isDefaultGateway: true } }] }),
    )
    expect(() => at.pod('lab-worker')).toThrow(
      'plugin type="flannel" failed (add): open /run/flannel/subnet.env: no such file or directory',
    )
    files?.write(
      '/run/flannel/subnet.env',
      'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
    )
    const bridge = files?.text('/opt/cni/bin/bridge') as string
    const failing = (why: string) => expect(() => at.pod('lab-worker')).toThrow(`plugin type="flannel" failed (add): ${why}`)
    files?.remove('/opt/cni/bin/bridge')
    failing('failed to delegate add: failed to find plugin "bridge" in path [/opt/cni/bin]')
    files?.write('/opt/cni/bin/bridge', bridge, 0o644)
    failing('failed to delegate add: netplugin failed with no error message: fork/exec /opt/cni/bin/bridge: permission denied')
    files?.remove('/opt/cni/bin/bridge')
    files?.write('/opt/cni/bin/bridge', 'a text\n', 0o755)
    failing('failed to delegate add: netplugin failed with no error message: fork/exec /opt/cni/bin/bridge: exec format error')
    files?.write('/opt/cni/bin/bridge', bridge)
    files?.remove('/opt/cni/bin/flannel')
    failing('failed to find plugin "flannel" in path [/opt/cni/bin]')
    files?.write('/etc/cni/net.d/10-flannel.conflist', '{')
    expect(at.hooks('lab-worker').ready()).toContain('cni plugin not initialized')
  })
})

describe('DNS', () => {
  const corefile = (forward: string, loop = 'loop', pods = 'pods insecure') =>
    `.:53 {\n    errors\n    health {\n       lameduck 5s\n    }\n    ready\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n       ${pods}\n       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }\n    prometheus :9153\n    forward . ${forward} {\n       max_concurrent 1000\n    }\n    cache 30 {\n       disable success cluster.local\n       disable denial cluster.local\n    }\n    ${loop}\n    reload\n    loadbalance\n}\n`
  const withDns = async (forward: string, resolv = 'nameserver 172.19.0.1\noptions ndots:0\n', loop = 'loop', pods?: string) => {
    const at = await cluster()
    at.objects.put('v1/namespaces', { metadata: { name: 'default' } })
    const { ip, netns } = at.pod('lab-control-plane')
    at.service('kube-dns', '10.96.0.10', 53, [{ ip, node: 'lab-control-plane' }], {}, 53, 'dns', 'UDP')
    at.service('kubernetes', '10.96.0.1', 443, [{ ip: '172.19.0.4', node: '' }], {}, 6443, 'https')
    const server: Started = at.start('lab-control-plane', ['/coredns', '-conf', '/etc/coredns/Corefile'], {
      net: netns,
      files: { '/etc/coredns/Corefile': corefile(forward, loop, pods), '/etc/resolv.conf': resolv },
    })
    await at.settle()
    return { ...at, server, dnsNet: netns }
  }
  it('answers names of the cluster and of outside, and says what the real one says', async () => {
    const at = await withDns('/etc/resolv.conf')
    expect(at.server.lines[1]).toBe('.:53')
    expect(at.server.lines.slice(3)).toEqual(['CoreDNS-1.13.1', 'linux/amd64, go1.26.8, '])
    const dns = (name: string) => look(at, 'lab-worker', { kind: 'dns', name, server: '10.96.0.10' })
    expect(await dns('kubernetes.default.svc.cluster.local.')).toMatchObject({ outcome: 'answered', addresses: ['10.96.0.1'] })
    expect(await dns('lab-worker2.')).toMatchObject({ outcome: 'answered', addresses: ['172.19.0.3'] })
    expect(await dns('nope.default.svc.cluster.local.')).toMatchObject({ outcome: 'nxdomain' })
    expect(await dns('example.com.')).toMatchObject({ outcome: 'nxdomain' })
    const real = await at.run('lab-worker', 'nslookup kubernetes.default.svc.cluster.local 10.96.0.10')
    expect(real).toEqual({
      code: 0,
      err: '',
      out: 'Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\nName:\tkubernetes.default.svc.cluster.local\nAddress: 10.96.0.1\n\n',
    })
    expect((await at.run('lab-worker', 'dig +short @10.96.0.10 kubernetes.default.svc.cluster.local')).out).toBe('10.96.0.1\n')
    expect((await at.run('lab-worker', 'nslookup lab-worker2')).out).toBe(
      'Server:\t\t172.19.0.1\nAddress:\t172.19.0.1#53\n\nNon-authoritative answer:\nName:\tlab-worker2\nAddress: 172.19.0.3\n\n',
    )
    expect((await at.run('lab-worker', `curl -sS http://${at.dnsNet.addresses()[0]}:8181/ready`)).out).toBe('OK')
    at.server.signal(15)
    expect(at.server.lines.slice(5)).toEqual([
      '[INFO] SIGTERM: Shutting down servers then terminating',
      '[INFO] plugin/health: Going into lameduck mode for 5s',
    ])
    await at.settle(6000)
    expect(at.server.code).toBe(0)
  })
  it('tells an alias of the own zone only together with what it leads to, one of another zone in any case', async () => {
    const at = await withDns('/etc/resolv.conf')
    const alias = (name: string, externalName: string) =>
      at.objects.put('v1/services', { metadata: { name, namespace: 'default' }, spec: { type: 'ExternalName', externalName } })
    alias('api', 'kubernetes.default.svc.cluster.local')
    alias('twice', 'api.default.svc.cluster.local')
    alias('gone', 'nope.default.svc.cluster.local')
    alias('outside', 'nope.example.com')
    await at.settle()
    const dig = async (name: string) => (await at.run('lab-worker', `dig +short @10.96.0.10 ${name}.default.svc.cluster.local`)).out
    expect(await dig('api')).toBe('kubernetes.default.svc.cluster.local.\n10.96.0.1\n')
    expect(await dig('twice')).toBe('api.default.svc.cluster.local.\nkubernetes.default.svc.cluster.local.\n10.96.0.1\n')
    expect(await dig('gone')).toBe('')
    expect(await look(at, 'lab-worker', { kind: 'dns', name: 'gone.default.svc.cluster.local.', server: '10.96.0.10' })).toMatchObject({
      outcome: 'no-data',
    })
    expect(await dig('outside')).toBe('nope.example.com.\n')
  })
  it.each([
    ['127.0.0.1', 'nameserver 172.19.0.1\n'],
    ['/etc/resolv.conf', 'nameserver 127.0.0.53\n'],
  ])('dies of a loop through %s', async (forward, resolv) => {
    const at = await withDns(forward, resolv)
    expect(at.server.code).toBe(1)
    expect(at.server.lines.at(-1)).toMatch(
      /^\[FATAL\] plugin\/loop: Loop \(127\.0\.0\.\d+:\d+ -> :53\) detected for zone "\.", see https:\/\/coredns\.io\/plugins\/loop#troubleshooting\. Query: "HINFO \d+\.\d+\."$/,
    )
    expect(
      await look(at, 'lab-worker', { kind: 'dns', name: 'kubernetes.default.svc.cluster.local.', server: '10.96.0.10' }),
    ).toMatchObject({ outcome: 'refused' })
  })
  it('without its loop plugin lives, answers for the cluster and for nobody else', async () => {
    const at = await withDns('127.0.0.1', undefined, '')
    expect(at.server.code).toBeUndefined()
    const dns = (name: string) => look(at, 'lab-worker', { kind: 'dns', name, server: '10.96.0.10' })
    expect(await dns('kubernetes.default.svc.cluster.local.')).toMatchObject({ outcome: 'answered' })
    expect((await dns('lab-worker2.')).addresses).toEqual([])
  })
  it('is asked over TCP with use-vc', async () => {
    const at = await withDns('/etc/resolv.conf')
    at.service('dns-tcp', '10.96.0.11', 53, [{ ip: at.dnsNet.addresses()[0] as string, node: 'lab-control-plane' }], {}, 53, 'dns', 'TCP')
    await at.settle()
    const ask = async (options: string) => {
      at.machines.get('lab-worker')?.files.write('/etc/resolv.conf', `nameserver 10.96.0.11\noptions ${options}\n`)
      return (await at.run('lab-worker', 'getent hosts kubernetes.default.svc.cluster.local')).out
    }
    expect(await ask('timeout:1')).toBe('')
    expect(await ask('timeout:1 use-vc')).toContain('10.96.0.1 ')
  })
  it('with noendpoints knows services and nothing behind them', async () => {
    const outcomes = async (pods?: string) => {
      const at = await withDns('/etc/resolv.conf', undefined, 'loop', pods)
      const dns = async (name: string) => (await look(at, 'lab-worker', { kind: 'dns', name, server: '10.96.0.10' })).outcome
      return [await dns('kubernetes.default.svc.cluster.local.'), await dns('172-19-0-4.kubernetes.default.svc.cluster.local.')]
    }
    expect(await outcomes()).toEqual(['answered', 'answered'])
    expect(await outcomes('noendpoints')).toEqual(['answered', 'nxdomain'])
  })
  it('goes on with the Corefile that it has when the new one is not good', async () => {
    const at = await cluster()
    const { netns } = at.pod('lab-worker')
    const root = at.machines.get('lab-worker')?.files as Files
    const good = '.:53 {\n    errors\n    hosts {\n       10.1.2.3 a.corp.example\n       fallthrough\n    }\n    cache 30\n    reload\n}\n'
    root.write('/Corefile', good)
    const server = at.start('lab-worker', ['coredns', '-conf', '/Corefile'], { net: netns, root })
    await at.settle()
    const ask = () => look(at, 'lab-worker', { kind: 'dns', name: 'a.corp.example.', server: netns.addresses()[0] as string })
    root.write('/Corefile', good.replace('fallthrough\n    }', 'fallthrough'))
    await at.settle(40_000)
    const why = "plugin/hosts: /Corefile:6 - Error during parsing: unknown property 'cache'"
    expect(server.lines.slice(-3)).toEqual([
      '[INFO] Reloading',
      `[ERROR] Restart failed: ${why}`,
      `[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: ${why}`,
    ])
    expect(await ask()).toMatchObject({ addresses: ['10.1.2.3'] })
    root.write('/Corefile', good.replace('10.1.2.3', '10.1.2.4'))
    await at.settle(40_000)
    expect(server.lines.at(-1)).toBe('[INFO] Reloading complete')
    expect(await ask()).toMatchObject({ addresses: ['10.1.2.4'] })
  })
  it('hands on only what comes in by a link that forwards; the bridge plugin heals nothing of that', async () => {
    const at = await cluster()
    const [here, there] = [at.pod('lab-worker'), at.pod('lab-worker2')]
    at.start('lab-worker2', ['nginx', '-g', 'daemon off;'], { net: there.netns, files: nginxFiles })
    await at.settle()
    const address = there.netns.addresses()[0] as string
    const get = async () => (await look(at, 'lab-worker', { kind: 'tcp', host: address, port: 80 }, here.netns as never)).outcome
    const set = (...words: string[]) => at.run('lab-worker', `sysctl ${words.join(' ')}`)
    expect(await get()).toBe('open')
    expect((await set('-w', 'net/ipv4/conf/flannel.1/forwarding=0')).out).toBe('net.ipv4.conf.flannel/1.forwarding = 0\n')
    expect(await get()).toBe('timeout')
    at.pod('lab-worker')
    expect((await set('-n', 'net.ipv4.ip_forward')).out).toBe('1\n')
    expect(await get()).toBe('timeout')
    expect((await set('net.ipv4.conf.flannel.1.forwarding')).err).toBe(
      'sysctl: cannot stat /proc/sys/net/ipv4/conf/flannel/1/forwarding: No such file or directory\n',
    )
    // What is 1 already is written to nobody.
    await set('-w', 'net.ipv4.ip_forward=1')
    expect(await get()).toBe('timeout')
    await set('-w', 'net.ipv4.ip_forward=0')
    await set('-w', 'net.ipv4.ip_forward=1')
    expect(await get()).toBe('open')
    await set('-w', 'net.ipv4.conf.cni0.forwarding=0')
    expect(await get()).toBe('timeout')
  })
  it('may not open a port below the first unprivileged one without the capability for it', async () => {
    const at = await cluster()
    const text = '.:53 {\n    errors\n}\n'
    const dropped = { uid: 0, privileged: false, capabilities: [], drop: ['ALL'] }
    const { netns } = at.pod('lab-worker')
    const begin = (security: typeof dropped) =>
      at.start('lab-worker', ['coredns', '-conf', '/Corefile'], { net: netns, files: { '/Corefile': text }, security })
    // containerd leaves no port of a pod privileged
    begin(dropped).signal(9)
    netns.sysctls?.set('net.ipv4.ip_unprivileged_port_start', '1024')
    const refused = begin(dropped)
    expect([refused.code, refused.lines.at(-1)]).toEqual([1, 'Listen: listen tcp :53: bind: permission denied'])
    const allowed = begin({ ...dropped, capabilities: ['NET_BIND_SERVICE'] as never[] })
    expect(allowed.code).toBeUndefined()
  })
  // Each as CoreDNS 1.13.1 says it.
  it.each([
    ['.:53 {\n    errors\n    forwardd . 1.1.1.1\n}\n', "/Corefile:3 - Error during parsing: Unknown directive 'forwardd'"],
    [
      '.:53 {\n    hosts {\n       10.1.2.3 a.corp.example\n       fallthrough\n    prometheus :9153\n    cache 30 {\n       disable success cluster.local\n    }\n    reload\n}\n',
      "plugin/hosts: /Corefile:5 - Error during parsing: unknown property 'prometheus'",
    ],
    [
      '.:53 {\n    errors\n    kubernetes cluster.local {\n       ttl 30\n    prometheus :9153\n}\n',
      "plugin/kubernetes: /Corefile:5 - Error during parsing: unknown property 'prometheus'",
    ],
    ['.:53 {\n    errors\n    loadbalance\n', "/Corefile:3 - Syntax error: Unexpected token 'loadbalance', expecting '}'"],
    [
      '.:53 {\n    errors\n    hosts\n       fallthrough\n    }\n}\n',
      "/Corefile:4 - Error during parsing: Unknown directive 'fallthrough'",
    ],
  ])('refuses a Corefile with what it does not know: %#', async (text, words) => {
    const at = await cluster()
    const { netns } = at.pod('lab-worker')
    const bad = at.start('lab-worker', ['coredns', '-conf', '/Corefile'], { net: netns, files: { '/Corefile': text } })
    expect(bad.lines.at(-1)).toBe(words)
    expect(bad.code).toBe(1)
  })
})
