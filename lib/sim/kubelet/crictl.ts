// crictl, as far as an exam needs it: what the runtime has, logs, exec, stopping and removing. Output as crictl v1.36 prints it. Talks to the runtime of the
// machine that it is called on. Knows nothing of the kubelet.
import type { Tool, ToolCall } from '../process.ts'
import { readLog } from './door.ts'
import { type ContainerState, type Runtime, RuntimeFailure, type SandboxState } from './types.ts'

/** The tool; `lookup` finds the runtime of the machine that it is called on. */
export const crictl =
  (lookup: (machine: string) => Runtime | undefined): Tool =>
  async (call) => {
    const fatal = (words: string): number => {
      call.err(`time="${new Date(call.clock.now()).toISOString().slice(0, 19)}Z" level=fatal msg=${JSON.stringify(words)}\n`)
      return 1
    }
    const args = [...call.argv.slice(1)]
    while (args[0]?.startsWith('-')) {
      const flag = args.shift() as string
      if (flag === '--version' || flag === '-v') {
        call.out('crictl version v1.36.0\n')
        return 0
      }
      if (!flag.includes('=') && /^(-r|-i|-t|-c|--runtime-endpoint|--image-endpoint|--timeout|--config)$/.test(flag)) args.shift()
    }
    const command = args.shift()
    if (command === undefined || command === 'help') {
      call.out(
        `NAME:\n   crictl - client for CRI\n\nUSAGE:\n   crictl [global options] command [command options]\n\nCOMMANDS:\n${Object.keys(
          commands,
        )
          .map((name) => `   ${name}`)
          .join('\n')}\n`,
      )
      return 0
    }
    if (call.uid !== 0)
      return fatal(
        'validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: permission denied"',
      )
    const runtime = lookup(call.place.machine.name)
    if (!runtime?.running)
      return fatal(
        'validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"',
      )
    const run = commands[command]
    if (!run) {
      call.err(`No help topic for '${command}'\n`)
      return 3
    }
    try {
      return (await run(runtime, args, call)) ?? 0
    } catch (error) {
      return fatal(error instanceof RuntimeFailure || error instanceof Error ? error.message : String(error))
    }
  }

type Command = (runtime: Runtime, args: readonly string[], call: ToolCall) => Promise<number | undefined> | number | undefined

interface Parsed {
  flags: Map<string, string>
  rest: string[]
}
/** Flags with a value are named in `valued`, by every name that they have. */
function parse(args: readonly string[], valued: readonly string[] = []): Parsed {
  const flags = new Map<string, string>()
  const rest: string[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string
    if (word === '--') {
      rest.push(...args.slice(at + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    const [name = '', value] = word.replace(/^--?/, '').split(/=(.*)/s)
    if (value !== undefined) flags.set(name, value)
    else if (valued.includes(name)) flags.set(name, args[++at] ?? '')
    // -it and the like
    else if (/^-[a-z]{2,}$/.test(word)) for (const letter of word.slice(1)) flags.set(letter, 'true')
    else flags.set(name, 'true')
  }
  return { flags, rest }
}
const has = (parsed: Parsed, ...names: string[]): boolean =>
  names.some((name) => parsed.flags.has(name) && parsed.flags.get(name) !== 'false')
const value = (parsed: Parsed, ...names: string[]): string | undefined =>
  names.map((name) => parsed.flags.get(name)).find((one) => one !== undefined)

/** Columns as text/tabwriter makes them with a least width of 20 and a padding of 3. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(20, ...rows.map((row) => (row[column] ?? '').length + 3)))
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] as number))).join('')
  return rows.map((row) => `${line(row)}\n`).join('')
}
/** github.com/docker/go-units HumanDuration */
function ago(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.round(minutes / 60)
  const say =
    seconds < 1
      ? 'Less than a second'
      : seconds === 1
        ? '1 second'
        : seconds < 60
          ? `${seconds} seconds`
          : minutes === 1
            ? 'About a minute'
            : minutes < 60
              ? `${minutes} minutes`
              : hours === 1
                ? 'About an hour'
                : hours < 48
                  ? `${hours} hours`
                  : `${Math.floor(hours / 24)} days`
  return `${say} ago`
}
const size = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB']
  let left = bytes
  let unit = 0
  while (left >= 1000 && unit < 3) {
    left /= 1000
    unit += 1
  }
  return `${Number(left.toPrecision(3))}${units[unit]}`
}
const stateNames = { created: 'Created', running: 'Running', exited: 'Exited' } as const
const nano = (ms: number): string => (ms ? `${ms}000000` : '0')

function sandboxJson(one: SandboxState) {
  return {
    id: one.id,
    metadata: { name: one.config.name, uid: one.config.uid, namespace: one.config.namespace, attempt: one.config.attempt },
    state: one.ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    createdAt: nano(one.createdAt),
    labels: one.config.labels,
    annotations: one.config.annotations,
    runtimeHandler: '',
  }
}
function containerJson(one: ContainerState) {
  return {
    id: one.id,
    podSandboxId: one.sandboxId,
    metadata: { name: one.config.name, attempt: one.config.attempt },
    image: { image: one.config.imageId, annotations: {}, userSpecifiedImage: one.config.image, runtimeHandler: '', imageRef: '' },
    imageRef: one.config.imageId,
    state: `CONTAINER_${one.state.toUpperCase()}`,
    createdAt: nano(one.createdAt),
    labels: one.config.labels,
    annotations: one.config.annotations,
    imageId: one.config.imageId,
  }
}
const print = (call: ToolCall, json: unknown): undefined => {
  call.out(`${JSON.stringify(json, null, 2)}\n`)
  return undefined
}
/** The same for logs, which tells the error of its first question by itself. */
function looked(runtime: Runtime, id: string, call: ToolCall): ContainerState {
  try {
    return container(runtime, id)
  } catch (error) {
    if (!(error instanceof RuntimeFailure) || error.code !== 'NotFound') throw error
    const at = new Date(call.clock.now()).toISOString()
    const words = JSON.stringify(`rpc error: code = NotFound desc = ${error.description}`)
    call.err(
      `E${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 23)}000   90000 remote_runtime.go:569] "ContainerStatus from runtime service failed" err=${words} containerID=${JSON.stringify(id)}\n`,
    )
    throw error
  }
}
function container(runtime: Runtime, id: string): ContainerState {
  const found = runtime.containers().filter((one) => one.id.startsWith(id))
  if (found.length !== 1 || !id)
    throw new RuntimeFailure(`an error occurred when try to find container ${JSON.stringify(id)}: not found`, 'NotFound')
  return found[0] as ContainerState
}
function sandbox(runtime: Runtime, id: string): SandboxState {
  const found = runtime.sandboxes().filter((one) => one.id.startsWith(id))
  if (found.length !== 1 || !id) throw new RuntimeFailure(`an error occurred when try to find sandbox: not found`, 'NotFound')
  return found[0] as SandboxState
}
const wants = (parsed: Parsed): boolean => value(parsed, 'o', 'output') === 'json'

const commands: Readonly<Record<string, Command>> = {
  pods(runtime, args, call) {
    const parsed = parse(args, ['name', 'namespace', 'label', 'state', 's', 'o', 'output', 'id', 'last', 'n'])
    const pods = runtime
      .sandboxes()
      .filter((one) => !value(parsed, 'name') || new RegExp(value(parsed, 'name') as string).test(one.config.name))
      .filter((one) => !value(parsed, 'namespace') || new RegExp(value(parsed, 'namespace') as string).test(one.config.namespace))
      .filter((one) => !value(parsed, 'id') || one.id.startsWith(value(parsed, 'id') as string))
      .filter(
        (one) =>
          !value(parsed, 'state', 's') || (value(parsed, 'state', 's') as string).toLowerCase() === (one.ready ? 'ready' : 'notready'),
      )
      .filter((one) => {
        const [key = '', wanted] = (value(parsed, 'label') ?? '').split('=')
        return !key || one.config.labels[key] === wanted
      })
      .sort((a, b) => b.createdAt - a.createdAt)
    if (wants(parsed)) return print(call, { items: pods.map(sandboxJson) })
    if (has(parsed, 'q', 'quiet')) {
      call.out(pods.map((one) => `${one.id}\n`).join(''))
      return undefined
    }
    const long = has(parsed, 'no-trunc')
    call.out(
      table([
        ['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'],
        ...pods.map((one) => [
          long ? one.id : one.id.slice(0, 13),
          ago(call.clock.now() - one.createdAt),
          one.ready ? 'Ready' : 'NotReady',
          one.config.name,
          one.config.namespace,
          String(one.config.attempt),
          '(default)',
        ]),
      ]),
    )
    return undefined
  },
  ps(runtime, args, call) {
    const parsed = parse(args, ['name', 'label', 'state', 's', 'o', 'output', 'id', 'pod', 'p', 'image', 'last', 'n', 'namespace'])
    const pods = new Map(runtime.sandboxes().map((one) => [one.id, one]))
    const state = value(parsed, 'state', 's')
    const list = runtime
      .containers()
      .filter((one) => has(parsed, 'a', 'all') || state !== undefined || one.state === 'running')
      .filter((one) => state === undefined || one.state === state.toLowerCase())
      .filter((one) => !value(parsed, 'name') || new RegExp(value(parsed, 'name') as string).test(one.config.name))
      .filter((one) => !value(parsed, 'id') || one.id.startsWith(value(parsed, 'id') as string))
      .filter((one) => !value(parsed, 'pod', 'p') || one.sandboxId.startsWith(value(parsed, 'pod', 'p') as string))
      .filter((one) => !value(parsed, 'namespace') || pods.get(one.sandboxId)?.config.namespace === value(parsed, 'namespace'))
      .filter((one) => {
        const [key = '', wanted] = (value(parsed, 'label') ?? '').split('=')
        return !key || one.config.labels[key] === wanted
      })
      .sort((a, b) => b.createdAt - a.createdAt)
    if (wants(parsed)) return print(call, { containers: list.map(containerJson) })
    if (has(parsed, 'q', 'quiet')) {
      call.out(list.map((one) => `${one.id}\n`).join(''))
      return undefined
    }
    const long = has(parsed, 'no-trunc')
    call.out(
      table([
        ['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID', 'POD', 'NAMESPACE'],
        ...list.map((one) => [
          long ? one.id : one.id.slice(0, 13),
          long ? one.config.imageId : one.config.imageId.slice(7, 20),
          ago(call.clock.now() - one.createdAt),
          stateNames[one.state],
          one.config.name,
          String(one.config.attempt),
          long ? one.sandboxId : one.sandboxId.slice(0, 13),
          pods.get(one.sandboxId)?.config.name ?? 'unknown',
          pods.get(one.sandboxId)?.config.namespace ?? 'unknown',
        ]),
      ]),
    )
    return undefined
  },
  images(runtime, args, call) {
    const parsed = parse(args, ['o', 'output', 'filter'])
    const list = [...runtime.images()].sort((a, b) => (a.name < b.name ? -1 : 1))
    const split = (name: string) => {
      const at = name.lastIndexOf(':')
      return [name.slice(0, at), name.slice(at + 1)] as const
    }
    const wanted = parsed.rest[0]
    const chosen = wanted
      ? list.filter((one) => one.name === wanted || split(one.name)[0].endsWith(wanted) || one.name.endsWith(wanted))
      : list
    if (wants(parsed))
      return print(call, {
        images: chosen.map((one) => ({
          id: one.digest,
          repoTags: [one.name],
          repoDigests: runtime.repoDigests(one.digest),
          size: String(one.sizeBytes),
          uid: null,
          username: '',
          spec: null,
          pinned: false,
        })),
      })
    if (has(parsed, 'q', 'quiet')) {
      call.out([...new Set(chosen.map((one) => one.digest))].map((id) => `${id}\n`).join(''))
      return undefined
    }
    call.out(
      table([
        ['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'],
        ...chosen.map((one) => [...split(one.name), has(parsed, 'no-trunc') ? one.digest : one.digest.slice(7, 20), size(one.sizeBytes)]),
      ]),
    )
    return undefined
  },
  version(runtime, _args, call) {
    call.out(`Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  ${runtime.version}\nRuntimeApiVersion:  v1\n`)
    return undefined
  },
  info(runtime, _args, call) {
    return print(call, {
      cniconfig: { PluginDirs: ['/opt/cni/bin'], PluginConfDir: '/etc/cni/net.d', PluginMaxConfNum: 1, Prefix: 'eth' },
      lastCNILoadStatus: runtime.conditions().find((one) => one.type === 'NetworkReady')?.status
        ? 'OK'
        : 'cni config load failed: no network config found in /etc/cni/net.d: cni plugin not initialized: failed to load cni config',
      status: { conditions: runtime.conditions().map(({ type, status, reason, message }) => ({ message, reason, status, type })) },
    })
  },
  async logs(runtime, args, call) {
    const parsed = parse(args, ['tail', 'since', 'limit-bytes'])
    const one = looked(runtime, parsed.rest[0] ?? '', call)
    const tail = value(parsed, 'tail')
    const since = value(parsed, 'since')
    const lines: string[] = []
    await readLog(
      runtime,
      one,
      {
        follow: has(parsed, 'f', 'follow'),
        previous: false,
        timestamps: has(parsed, 't', 'timestamps'),
        ...(tail === undefined || Number(tail) < 0 ? {} : { tailLines: Number(tail) }),
        ...(since === undefined
          ? {}
          : {
              since: Number.isNaN(Date.parse(since))
                ? call.clock.now() - Number.parseInt(since, 10) * (since.endsWith('h') ? 3_600_000 : since.endsWith('m') ? 60_000 : 1000)
                : Date.parse(since),
            }),
      },
      { write: (bytes) => call.out(bytes), end: () => lines.splice(0) },
      call.signal,
    )
    return undefined
  },
  async exec(runtime, args, call) {
    // Flags end at the container: what follows is its command's own.
    const at = args.findIndex(
      (word, index) =>
        !word.startsWith('-') && args[index - 1] !== '--timeout' && args[index - 1] !== '-r' && args[index - 1] !== '--transport',
    )
    const parsed = parse(args.slice(0, Math.max(0, at)), ['timeout', 'r', 'transport'])
    const id = at < 0 ? '' : (args[at] as string)
    const found = runtime.containers().filter((one) => one.id.startsWith(id) && id)
    if (found.length !== 1)
      throw new Error(
        `execing command in container ${id}: rpc error: code = NotFound desc = failed to find container ${JSON.stringify(id)} in store: not found`,
      )
    const tty = has(parsed, 't', 'tty')
    try {
      return await runtime.exec(
        (found[0] as ContainerState).id,
        { command: args.slice(at + 1), stdin: has(parsed, 'i', 'interactive'), stdout: true, stderr: !tty, tty },
        {
          stdin: call.stdin,
          stdout: call.out,
          stderr: call.err,
          onResize: (listener) => {
            if (call.tty) listener(call.tty)
            call.terminal?.onResize(listener)
            if (tty) call.terminal?.raw()
          },
          signal: call.signal,
        },
      )
    } catch (error) {
      throw new Error(`execing command in container ${id}: ${(error as Error).message}`)
    }
  },
  inspect(runtime, args, call) {
    for (const id of parse(args, ['o', 'output', 'template']).rest) {
      const one = container(runtime, id)
      const stamp = (ms: number) => (ms ? new Date(ms).toISOString().replace('Z', '000000Z') : '1970-01-01T00:00:00Z')
      print(call, {
        status: {
          id: one.id,
          metadata: { name: one.config.name, attempt: one.config.attempt },
          state: `CONTAINER_${one.state.toUpperCase()}`,
          createdAt: stamp(one.createdAt),
          startedAt: stamp(one.startedAt),
          finishedAt: stamp(one.finishedAt),
          exitCode: one.exitCode,
          image: {
            image: runtime.images().find((image) => image.digest === one.config.imageId)?.name ?? one.config.image,
            userSpecifiedImage: one.config.image,
          },
          imageRef: one.config.imageId,
          reason: one.reason,
          message: one.message,
          labels: one.config.labels,
          annotations: one.config.annotations,
          mounts: one.config.mounts.map((mount) => ({
            containerPath: mount.path,
            hostPath: mount.hostPath,
            readonly: mount.readOnly,
            propagation: 'PROPAGATION_PRIVATE',
            selinuxRelabel: false,
          })),
          logPath: one.config.logPath,
          user: {
            linux: {
              uid: String(one.config.user.uid),
              gid: String(one.config.user.gid),
              supplementalGroups: one.config.user.supplementalGroups.map(String),
            },
          },
        },
        info: {
          sandboxID: one.sandboxId,
          pid: one.pid,
          runtimeSpec: {
            process: {
              args: one.config.argv,
              env: Object.entries(one.config.env).map(([key, text]) => `${key}=${text}`),
              cwd: one.config.cwd,
              terminal: one.config.tty,
            },
            hostname: sandbox(runtime, one.sandboxId).config.hostname,
          },
        },
      })
    }
    return undefined
  },
  inspectp(runtime, args, call) {
    for (const id of parse(args, ['o', 'output', 'template']).rest) {
      const one = sandbox(runtime, id)
      print(call, {
        status: {
          ...sandboxJson(one),
          network: { additionalIps: [], ip: one.ip },
          linux: { namespaces: { options: { network: one.config.hostNetwork ? 'NODE' : 'POD', pid: 'CONTAINER' } } },
        },
      })
    }
    return undefined
  },
  inspecti(runtime, args, call) {
    for (const id of parse(args, ['o', 'output', 'template']).rest) {
      const image = runtime.imageStatus(id)
      if (!image) throw new Error(`no such image ${JSON.stringify(id)} present`)
      print(call, {
        status: {
          id: image.digest,
          repoTags: runtime.images().flatMap((one) => (one.digest === image.digest ? [one.name] : [])),
          repoDigests: runtime.repoDigests(image.digest),
          size: String(image.sizeBytes),
          pinned: false,
        },
        info: {
          imageSpec: {
            config: { Entrypoint: image.entrypoint, Cmd: image.cmd, Env: Object.entries(image.env).map(([key, text]) => `${key}=${text}`) },
          },
        },
      })
    }
    return undefined
  },
  async stop(runtime, args, call) {
    const parsed = parse(args, ['timeout', 't'])
    for (const id of parsed.rest) {
      await runtime.stopContainer(container(runtime, id).id, Number(value(parsed, 'timeout', 't') ?? 0) * 1000)
      call.out(`${id}\n`)
    }
    return undefined
  },
  rm(runtime, args, call) {
    const parsed = parse(args)
    const ids = has(parsed, 'a', 'all') ? runtime.containers().map((one) => one.id) : parsed.rest
    for (const id of ids) {
      const one = container(runtime, id)
      if (one.state === 'running' && !has(parsed, 'f', 'force'))
        throw new Error(`container ${JSON.stringify(one.id)} is running, please stop it first`)
      runtime.removeContainer(one.id)
      call.out(`${id}\n`)
    }
    return undefined
  },
  stopp(runtime, args, call) {
    for (const id of parse(args).rest) {
      runtime.stopSandbox(sandbox(runtime, id).id)
      call.out(`Stopped sandbox ${id}\n`)
    }
    return undefined
  },
  rmp(runtime, args, call) {
    const parsed = parse(args)
    for (const id of parsed.rest) {
      const one = sandbox(runtime, id)
      if (one.ready && !has(parsed, 'f', 'force')) throw new Error(`pod sandbox ${JSON.stringify(one.id)} is running, please stop it first`)
      runtime.removeSandbox(one.id)
      call.out(`Removed sandbox ${id}\n`)
    }
    return undefined
  },
  async pull(runtime, args, call) {
    const [name = ''] = parse(args, ['creds', 'auth']).rest
    try {
      const image = await runtime.pull(name)
      call.out(`Image is up to date for ${image.digest}\n`)
    } catch (error) {
      throw new Error(`pulling image: ${(error as Error).message}`)
    }
    return undefined
  },
  rmi(runtime, args, call) {
    const parsed = parse(args)
    for (const id of parsed.rest) {
      const image = runtime.imageStatus(id)
      if (!image) throw new Error(`no such image ${id}`)
      const names = runtime.images().flatMap((one) => (one.digest === image.digest ? [one.name] : []))
      runtime.removeImage(id)
      for (const name of names) call.out(`Deleted: ${name}\n`)
    }
    return undefined
  },
}
