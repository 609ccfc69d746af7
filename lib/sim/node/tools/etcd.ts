// etcdctl and etcdutl: what an administrator of a cluster does with etcd. Texts are those of etcd 3.6. What is not offered says so.
import { randomBytes } from 'node:crypto'
import type { Network } from '../../net.ts'
import type { Tool, ToolCall } from '../../process.ts'
import { dialEtcd, type EtcdDeps, type EtcdEndpoint, readSnapshot, writeSnapshot } from '../etcd.ts'
import { getopt } from './flags.ts'

export interface EtcdToolDeps extends Pick<EtcdDeps, 'endpoints' | 'members' | 'clock'> {
  network: Network
}
const spec: Record<string, string> = {
  endpoints: 'endpoints=',
  cacert: 'cacert=',
  cert: 'cert=',
  key: 'key=',
  w: 'write-out=',
  'write-out': 'write-out=',
  cluster: 'cluster',
  'command-timeout': 'command-timeout=',
  'dial-timeout': 'dial-timeout=',
  'data-dir': 'data-dir=',
  name: 'name=',
  'initial-cluster': 'initial-cluster=',
  'initial-cluster-token': 'initial-cluster-token=',
  'initial-advertise-peer-urls': 'initial-advertise-peer-urls=',
  'skip-hash-check': 'skip-hash-check=',
  'bump-revision': 'bump-revision=',
  'mark-compacted': 'mark-compacted',
  prefix: 'prefix',
  'keys-only': 'keys-only',
  limit: 'limit=',
  'insecure-skip-tls-verify': 'insecure',
  'insecure-transport': 'insecure-transport',
  debug: 'debug',
  hex: 'hex',
}
const table = (head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string => {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => (row[at] ?? '').length)))
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`
  const centre = (cell: string, width: number) => `${' '.repeat(Math.floor((width - cell.length) / 2))}${cell}`.padEnd(width)
  return (
    `${rule}|${head.map((cell, at) => ` ${centre(cell, widths[at] as number)} `).join('|')}|\n${rule}` +
    rows
      .map(
        (row) =>
          `|${row.map((cell, at) => ` ${right.includes(at) ? cell.padStart(widths[at] as number) : cell.padEnd(widths[at] as number)} `).join('|')}|\n`,
      )
      .join('') +
    rule
  )
}
const size = (bytes: number) =>
  bytes < 1000 ? `${bytes} B` : bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
const readable = (call: ToolCall, path: string): Buffer => {
  const full = path.startsWith('/') ? path : `${call.cwd.replace(/\/$/, '')}/${path}`
  const stat = call.place.files.stat(full)
  if (!stat) throw new Error(`open ${path}: no such file or directory`)
  if (call.uid !== 0 && (stat.mode & 0o004) === 0) throw new Error(`open ${path}: permission denied`)
  return call.place.files.read(full)
}

export function etcdTools(deps: EtcdToolDeps): Record<string, Tool> {
  const ends = (call: ToolCall, flags: ReadonlyMap<string, string>) => {
    const value = (name: string) => flags.get(name) ?? call.env[`ETCDCTL_${name.toUpperCase().replaceAll('-', '_')}`]
    const text = (name: string) => {
      const path = value(name)
      return path === undefined || path === '' ? undefined : readable(call, path).toString('utf8')
    }
    const tls = { ca: text('cacert'), cert: text('cert'), key: text('key') }
    const dial = (endpoint: string) => {
      // With certificates a client speaks TLS to an endpoint without a scheme, too.
      const url = endpoint.includes('://') ? endpoint : `${tls.ca || tls.cert ? 'https' : 'http'}://${endpoint}`
      return dialEtcd(deps.network, deps, call.place.net, url, tls)
    }
    return { all: (value('endpoints') ?? '127.0.0.1:2379').split(','), dial }
  }
  const stuck = async (call: ToolCall, endpoint: string, method: string, why: string, fatal = true): Promise<void> => {
    await call.clock.sleep(5000, call.signal)
    call.err(
      `${JSON.stringify({ level: 'warn', ts: new Date(call.clock.now()).toISOString().replace('Z', '000Z'), logger: 'etcd-client', caller: 'v3@v3.6.6/retry_interceptor.go:65', msg: 'retrying of unary invoker failed', target: `etcd-endpoints://0x${randomBytes(6).toString('hex')}/${endpoint.replace(/^https?:\/\//, '')}`, method, attempt: 0, error: `rpc error: code = DeadlineExceeded desc = latest balancer error: ${why}` })}\n`,
    )
    if (fatal) call.err('Error: context deadline exceeded\n')
  }
  const info = (call: ToolCall, caller: string, msg: string, fields: Record<string, unknown>) =>
    call.err(
      `${JSON.stringify({ level: 'info', ts: new Date(call.clock.now()).toISOString().replace('Z', '000Z'), caller, msg, ...fields })}\n`,
    )

  const snapshotStatus = (call: ToolCall, path: string | undefined, out: string) => {
    if (!path) throw new Error('snapshot status requires exactly one argument')
    const bytes = readable(call, path)
    const { dump, hash, keys } = readSnapshot(bytes)
    const row = [hash, String(dump.revision), String(keys), size(bytes.length), '3.6.0']
    if (out === 'json')
      call.out(
        `${JSON.stringify({ hash: Number.parseInt(hash, 16), revision: dump.revision, totalKey: keys, totalSize: bytes.length, version: '3.6.0' })}\n`,
      )
    else if (out === 'table') call.out(table(['HASH', 'REVISION', 'TOTAL KEYS', 'TOTAL SIZE', 'VERSION'], [row], [0, 1, 2, 3, 4]))
    else call.out(`${row.join(', ')}\n`)
    return 0
  }
  const snapshotRestore = (call: ToolCall, path: string | undefined, flags: ReadonlyMap<string, string>) => {
    if (!path) throw new Error('snapshot restore requires exactly one argument')
    const name = flags.get('name') ?? 'default'
    const directory = flags.get('data-dir') ?? `${name}.etcd`
    const full = directory.startsWith('/') ? directory : `${call.cwd.replace(/\/$/, '')}/${directory}`
    const { dump } = readSnapshot(readable(call, path))
    if (call.place.files.list(full).length > 0) throw new Error(`data-dir "${directory}" not empty or could not be read`)
    if (call.uid !== 0 && !/^\/(tmp|home\/candidate)\//.test(`${full}/`)) throw new Error(`mkdir ${directory}: permission denied`)
    const bump = Number(flags.get('bump-revision') ?? 0)
    deps.members.make(call.place.files, full.replace(/\/$/, ''), bump > 0 ? { ...dump, revision: dump.revision + bump } : dump)
    call.place.files.mkdir(full, 0o700)
    const at = `${new Date(call.clock.now()).toISOString().slice(0, 19)}Z`
    const fields = JSON.stringify({
      path,
      'wal-dir': `${directory}/member/wal`,
      'data-dir': directory,
      'snap-dir': `${directory}/member/snap`,
      'initial-memory-map-size': 10737418240,
    })
    call.err(`${at}\tinfo\tsnapshot/v3_snapshot.go:305\trestoring snapshot\t${fields}\n`)
    call.err(
      `${at}\tinfo\tmembership/cluster.go:424\tadded member\t${JSON.stringify({ 'cluster-id': 'cdf818194e3a8c32', 'local-member-id': '0', 'added-peer-id': '8e9e05c52164694d', 'added-peer-peer-urls': [flags.get('initial-advertise-peer-urls') ?? 'http://localhost:2380'], 'added-peer-is-learner': false })}\n`,
    )
    call.err(`${at}\tinfo\tsnapshot/v3_snapshot.go:333\trestored snapshot\t${fields}\n`)
    return 0
  }

  const etcdctl: Tool = async (call) => {
    let parsed: ReturnType<typeof getopt>
    try {
      parsed = getopt(call.argv.slice(1), spec)
    } catch (error) {
      call.err(`Error: ${(error as Error).message.replace(/unrecognized option '(.*)'/, 'unknown flag: $1')}\n`)
      return 1
    }
    const { flags, words } = parsed
    if (call.env.ETCDCTL_API)
      call.err(
        `${JSON.stringify({ level: 'warn', ts: new Date(call.clock.now()).toISOString().replace('Z', '000Z'), caller: 'flags/flag.go:94', msg: 'unrecognized environment variable', 'environment-variable': `ETCDCTL_API=${call.env.ETCDCTL_API}` })}\n`,
      )
    const out = flags.get('write-out') ?? call.env.ETCDCTL_WRITE_OUT ?? 'simple'
    const verb = words.slice(0, 2).join(' ')
    try {
      if (words[0] === 'version') {
        call.out('etcdctl version: 3.6.6\nAPI version: 3.6\n')
        return 0
      }
      const { all, dial } = ends(call, flags)
      const one = async (method: string): Promise<EtcdEndpoint | undefined> => {
        let last = ''
        for (const endpoint of all) {
          const found = dial(endpoint)
          if (typeof found !== 'string') return found
          last = found
        }
        await stuck(call, all[0] as string, method, last)
        return undefined
      }
      switch (verb) {
        case 'endpoint health': {
          let healthy = true
          for (const endpoint of all) {
            const found = dial(endpoint)
            if (typeof found === 'string') {
              healthy = false
              await stuck(call, endpoint, '/etcdserverpb.KV/Range', found, false)
              call.err(`${endpoint} is unhealthy: failed to commit proposal: context deadline exceeded\n`)
            } else if (out === 'table')
              call.out(table(['ENDPOINT', 'HEALTH', 'TOOK', 'ERROR'], [[endpoint, 'true', '7.736646ms', '']], [1, 2]))
            else call.out(`${endpoint} is healthy: successfully committed proposal: took = 7.736646ms\n`)
          }
          if (!healthy) call.err('Error: unhealthy cluster\n')
          return healthy ? 0 : 1
        }
        case 'endpoint status': {
          const found = await one('/etcdserverpb.Maintenance/Status')
          if (!found) return 1
          const bytes = Math.max(3_700_000, writeSnapshot(found.store).bytes.length)
          const index = String(found.store.revision + 479)
          const row = [
            all[0] as string,
            found.memberId,
            '3.6.6',
            '3.6.0',
            size(bytes),
            size(bytes * 0.6),
            '42%',
            '2.1 GB',
            'true',
            'false',
            '2',
            index,
            index,
            '',
            '',
            'false',
          ]
          if (out === 'table')
            call.out(
              table(
                [
                  'ENDPOINT',
                  'ID',
                  'VERSION',
                  'STORAGE VERSION',
                  'DB SIZE',
                  'IN USE',
                  'PERCENTAGE NOT IN USE',
                  'QUOTA',
                  'IS LEADER',
                  'IS LEARNER',
                  'RAFT TERM',
                  'RAFT INDEX',
                  'RAFT APPLIED INDEX',
                  'ERRORS',
                  'DOWNGRADE TARGET VERSION',
                  'DOWNGRADE ENABLED',
                ],
                [row],
                [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15],
              ),
            )
          else call.out(`${row.join(', ')}\n`)
          return 0
        }
        case 'member list': {
          const found = await one('/etcdserverpb.Cluster/MemberList')
          if (!found) return 1
          const row = [found.memberId, 'started', found.name, found.advertised.peer, found.advertised.client, 'false']
          if (out === 'table') call.out(table(['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'], [row], [5]))
          else call.out(`${row.join(', ')}\n`)
          return 0
        }
        case 'snapshot save': {
          const path = words[2]
          if (!path) throw new Error('snapshot save expects one argument')
          info(call, 'snapshot/v3_snapshot.go:83', 'created temporary db file', { path: `${path}.part` })
          const found = await one('/etcdserverpb.Maintenance/Snapshot')
          if (!found) return 1
          const { bytes } = writeSnapshot(found.store)
          const full = path.startsWith('/') ? path : `${call.cwd.replace(/\/$/, '')}/${path}`
          const parent = call.place.files.stat(full.slice(0, full.lastIndexOf('/')) || '/')
          if (parent?.type !== 'directory') throw new Error(`could not open ${path}.part (open ${path}.part: no such file or directory)`)
          if (call.uid !== 0 && !/^\/(tmp|home\/candidate)\//.test(full))
            throw new Error(`could not open ${path}.part (open ${path}.part: permission denied)`)
          call.place.files.write(full, bytes, 0o600)
          info(call, 'snapshot/v3_snapshot.go:96', 'fetching snapshot', { endpoint: all[0] })
          info(call, 'snapshot/v3_snapshot.go:111', 'fetched snapshot', {
            endpoint: all[0],
            size: size(bytes.length),
            took: '54.148824ms',
            'etcd-version': '3.6.0',
          })
          info(call, 'snapshot/v3_snapshot.go:121', 'saved', { path })
          call.out(`Snapshot saved at ${path}\nServer version 3.6.0\n`)
          return 0
        }
        case 'snapshot restore':
        case 'snapshot status':
          throw new Error(`unknown command "${words[1]}" for "etcdctl snapshot": in etcd 3.6 it is etcdutl ${verb}`)
        default:
          break
      }
      if (words[0] === 'get') {
        const found = await one('/etcdserverpb.KV/Range')
        if (!found) return 1
        const prefix = words[1] ?? ''
        const dump = found.store.dump()
        const keys = Object.entries(dump.objects)
          .flatMap(([bucket, objects]) =>
            objects.map(
              (object) =>
                `/registry/${bucket.split('.')[0] === bucket ? bucket : bucket.replace(/^([^.]+)\.(.*)$/, '$1')}/${object.metadata.namespace ? `${object.metadata.namespace}/` : ''}${object.metadata.name}`,
            ),
          )
          .filter((key) => (flags.has('prefix') ? key.startsWith(prefix) : key === prefix))
          .sort()
        for (const key of keys.slice(0, Number(flags.get('limit') ?? keys.length) || keys.length)) {
          call.out(`${key}\n`)
          if (!flags.has('keys-only')) call.out('(the value is kept by the simulation; read it through the API)\n')
          else call.out('\n')
        }
        return 0
      }
      throw new Error(
        words.length === 0
          ? 'a command is needed: endpoint, member, snapshot, get, version'
          : `"${words.join(' ')}" is not offered in the simulation`,
      )
    } catch (error) {
      call.err(`Error: ${(error as Error).message}\n`)
      return 1
    }
  }
  const etcdutl: Tool = async (call) => {
    try {
      const { flags, words } = getopt(call.argv.slice(1), spec)
      if (words[0] === 'version') {
        call.out('etcdutl version: 3.6.6\nAPI version: 3.6\n')
        return 0
      }
      if (words[0] === 'snapshot' && words[1] === 'status') return snapshotStatus(call, words[2], flags.get('write-out') ?? 'simple')
      if (words[0] === 'snapshot' && words[1] === 'restore') return snapshotRestore(call, words[2], flags)
      throw new Error(`"${words.join(' ')}" is not offered in the simulation`)
    } catch (error) {
      call.err(`Error: ${(error as Error).message}\n`)
      return 1
    }
  }
  return { etcdctl, etcdutl }
}
