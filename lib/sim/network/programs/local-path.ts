// The local-path provisioner's process: its configuration file, its words, its connection to the API. What it then does with claims and volumes, and how
// a directory is made on a node, is handed in. Sources: github.com/rancher/local-path-provisioner main.go, provisioner.go
import type { Client } from '../../kube.ts'
import type { ContainerContext, Program } from '../../process.ts'
import type { ProgramDeps } from '../deps.ts'
import { klog } from '../log.ts'

interface Config {
  nodePathMap?: { node: string; paths?: string[] }[]
  sharedFileSystemPath?: string
}
const anyNode = 'DEFAULT_PATH_FOR_NON_LISTED_NODES'

function configOf(argv: readonly string[]): string {
  for (const [at, word] of argv.entries()) {
    const match = /^--config(?:=(.*))?$/.exec(word)
    if (match) return match[1] ?? argv[at + 1] ?? ''
  }
  return '/etc/config/config.json'
}

export function localPathProvisioner(deps: ProgramDeps): Program {
  return (context: ContainerContext) => {
    const stamp = () => `${new Date(context.clock.now()).toISOString().slice(0, 19)}Z`
    const say = (level: string, text: string) => context.log(`time="${stamp()}" level=${level} msg=${JSON.stringify(text)} \n`, 'stderr')
    const fatal = (text: string) => {
      say('fatal', `Error starting daemon: ${text}`)
      context.exit(1)
      return { signal: () => {} }
    }
    const path = configOf(context.argv)
    const read = (): Config => {
      const text = context.files.text(path)
      if (text === undefined) throw new Error(`open ${path}: no such file or directory`)
      return JSON.parse(text)
    }
    if (context.files.text(path) === undefined)
      return fatal(
        `invalid empty flag helper-pod-file and it also does not exist at ConfigMap with err: open ${path}: no such file or directory`,
      )
    let config: Config
    let client: Client
    try {
      config = read()
    } catch (error) {
      return fatal(`fail to load config: ${(error as Error).message}`)
    }
    try {
      client = deps.connect(context.files, 'in-cluster', context.net)
    } catch (error) {
      return fatal(`unable to get client config: ${(error as Error).message}`)
    }
    const saved = context.saved as { identity: string } | undefined
    const identity = saved?.identity ?? `rancher.io/local-path_${context.pod.name}_${deps.network.random.uuid()}`
    if (saved === undefined) {
      say('debug', `Applied config: ${JSON.stringify({ nodePathMap: config.nodePathMap ?? null, storageClassConfigs: null })}`)
      say('debug', 'Provisioner started')
      const component = `component="${identity}"`
      context.log(klog('I', context.clock.now(), 'controller.go:824', `"Starting provisioner controller" ${component}`), 'stderr')
      context.log(klog('I', context.clock.now(), 'controller.go:873', `"Started provisioner controller" ${component}`), 'stderr')
    }
    const running = deps.volumes?.({
      client,
      identity,
      path: (node) => {
        // A file that cannot be read leaves what was applied before.
        try {
          config = read()
        } catch {}
        const maps = config.nodePathMap ?? []
        const paths = (maps.find((one) => one.node === node) ?? maps.find((one) => one.node === anyNode))?.paths ?? []
        return paths.length < 2 ? paths[0] : paths[deps.network.random.int(paths.length)]
      },
      log: (line) => context.log(`${line}\n`, 'stderr'),
    })
    return {
      signal: (number) => {
        if (number === 1) return
        running?.stop()
        context.exit(0)
      },
      save: () => ({ identity }),
    }
  }
}
