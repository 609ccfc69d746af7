// Texts that say what state a cluster is in: containers, the logs of kubelet and containerd, objects. Gathers; explains nothing.
import type { Diagnostics } from '../port.ts'
import type { Ground } from './ground.ts'
import { machinesOf } from './machines.ts'

/** What is in front of a value that must not leave the machine. */
const secrets = /(certificate-authority-data|client-certificate-data|client-key-data|token|password):\s*\S+/gi
const clean = (text: string) => text.replace(secrets, '$1: (left out)').slice(-64 * 1024)

const looks: readonly (readonly [string, readonly string[]])[] = [
  ['kubelet.log', ['journalctl', '--no-pager', '-u', 'kubelet', '-n', '200']],
  ['containerd.log', ['journalctl', '--no-pager', '-u', 'containerd', '-n', '80']],
  ['containers.txt', ['crictl', 'ps', '-a']],
  ['disk.txt', ['df', '-h', '/', '/var']],
]
const cluster: readonly (readonly [string, readonly string[]])[] = [
  ['nodes.txt', ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', '--request-timeout=5s', 'get', 'nodes', '-o', 'wide']],
  ['pods.txt', ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', '--request-timeout=5s', 'get', 'pods', '-A', '-o', 'wide']],
  [
    'events.txt',
    ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', '--request-timeout=5s', 'get', 'events', '-A', '--sort-by=.lastTimestamp'],
  ],
]

/** Never throws for what it could not get: that is said in the text. */
export async function diagnose(ground: Ground, name: string, signal: AbortSignal): Promise<Diagnostics> {
  const { docker, owner } = ground
  const files: { name: string; text: string }[] = []
  const machines = await machinesOf(docker, owner, name).catch(() => [])
  await Promise.all(
    machines.map(async (machine) => {
      const details = await docker
        .find('look at a container', (api) => api.getContainer(machine.container).inspect())
        .catch(() => undefined)
      const state = details?.State
      files.push({
        name: `${machine.place}/container.txt`,
        text: state ? `${state.Status}, exit code ${state.ExitCode}${state.OOMKilled ? ', OOMKilled' : ''} ${state.Error ?? ''}` : 'gone',
      })
      if (machine.place === 'workstation') return
      if (!state?.Running) {
        const log = await docker
          .ask('read a log', (api) => api.getContainer(machine.container).logs({ stdout: true, stderr: true, tail: 100 }))
          .catch((error: Error) => Buffer.from(error.message))
        files.push({ name: `${machine.place}/console.log`, text: clean(log.toString('utf8').replace(/[^\t\n\x20-\x7e]/g, '')) })
        return
      }
      for (const [file, argv] of machine.place === 'control-plane' ? [...looks, ...cluster] : looks) {
        const text = await docker.exec(machine.container, argv, { user: 'root', timeoutMs: 15_000, signal }).then(
          ({ stdout, stderr }) => stdout + stderr,
          (error: Error) => `could not be read: ${error.message}`,
        )
        files.push({ name: `${machine.place}/${file}`, text: clean(text) })
      }
    }),
  )
  files.sort((a, b) => (a.name < b.name ? -1 : 1))
  const running = machines.filter((machine) => machine.state === 'running').length
  return {
    summary: `${name}: ${running} of ${machines.length} containers run (${machines.map((machine) => `${machine.place} ${machine.state}`).join(', ')})`,
    files,
  }
}
