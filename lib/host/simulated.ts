// What the simulated cluster needs of this machine: sandboxes for shells, and kubectl. Changes nothing. Whether sandboxes work is handed in: they are
// tried by who makes them.
import type { DoctorReport } from '#lib/protocol/index.ts'
import { findHelm, findKubectl } from './kubectl.ts'
import { type Machine, thisMachine } from './machine.ts'

export interface SimulatedOptions {
  /** why sandboxes do not work here, null when they do */
  sandboxes(): Promise<{ message: string; remedy: string } | null>
  /** default: this machine */
  machine?: Machine
}

/** What the simulated cluster has and lacks on this machine. `ok` when nothing is missing that it cannot get by itself. */
export async function doctorSimulated({ sandboxes, machine = thisMachine }: SimulatedOptions): Promise<DoctorReport> {
  const [missing, kubectl, helm, go] = await Promise.all([
    sandboxes(),
    findKubectl(machine),
    findHelm(machine),
    machine.runner.run({ argv: ['go', 'version'], timeoutMs: 15_000 }).then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    ),
  ])
  const checks: DoctorReport['checks'] = [
    missing === null
      ? { id: 'sandbox', state: 'ok', message: 'Shells run in sandboxes of bubblewrap.', remedy: '' }
      : { id: 'sandbox', state: 'missing', ...missing },
    kubectl !== undefined
      ? { id: 'kubectl', state: 'ok', message: `kubectl ${kubectl.version} (${kubectl.path}).`, remedy: '' }
      : {
          id: 'kubectl',
          state: 'missing',
          message: `There is no kubectl 1.32 to 1.36; the server ${go ? 'builds one by Go' : 'downloads one from dl.k8s.io'} when it starts, and shells have it from then on.`,
          remedy: 'To have it at once, install kubectl so that it is in PATH (https://kubernetes.io/docs/tasks/tools/).',
        },
    helm !== undefined
      ? { id: 'helm', state: 'ok', message: `helm ${helm.version} (${helm.path}).`, remedy: '' }
      : { id: 'helm', state: 'ok', message: 'There is no helm; labs do without it.', remedy: '' },
  ]
  return { ok: missing === null, checks }
}
