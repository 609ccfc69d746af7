// The Lease by which an API server says that it is there, renewed every ten seconds. Knows nothing of HTTP.
// Source: apiserver/pkg/server/config.go (APIServerID), pkg/controlplane/apiserver/server.go (IdentityLeaseDurationSeconds, -RenewIntervalPeriod).
import { createHash } from 'node:crypto'
import type { Clock, Timer } from '../clock.ts'
import { ApiError, type Client, Unreachable } from '../kube.ts'
import type { Random } from '../random.ts'

const leaseSeconds = 3600
const renewMs = 10_000
const leases = 'coordination.k8s.io/v1/leases'
const namespace = 'kube-system'

/** `apiserver-` and 26 letters and digits that follow from the host's name */
export function identityOf(hostname: string): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  const part = (text: string) => Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), Buffer.from(text)])
  const hash = createHash('sha256')
    .update(Buffer.concat([part(hostname), part('kube-apiserver')]))
    .digest()
  const bits = [...hash.subarray(0, 16)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return `apiserver-${(bits.match(/.{1,5}/g) ?? []).map((five) => letters[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')}`
}

/** `client`: the server's own */
export function keepIdentity(client: Client, clock: Clock, random: Random, hostname: string): { stop(): void } {
  const name = identityOf(hostname)
  const holderIdentity = `${name}_${random.uuid()}`
  let timer: Timer | undefined
  const renew = () => {
    timer = clock.after(renewMs, renew)
    const spec = {
      holderIdentity,
      leaseDurationSeconds: leaseSeconds,
      renewTime: new Date(clock.now()).toISOString().replace('Z', '000Z'),
    }
    const labels = { 'apiserver.kubernetes.io/identity': 'kube-apiserver', 'kubernetes.io/hostname': hostname }
    try {
      const old = client.find(leases, name, namespace)
      if (old !== undefined) client.update(leases, { ...old, spec }, { fieldManager: 'kube-apiserver' })
      else
        client.create(
          leases,
          { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace, labels }, spec },
          { fieldManager: 'kube-apiserver' },
        )
    } catch (error) {
      // etcd does not answer, or somebody was quicker: the next time.
      if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error
    }
  }
  renew()
  return { stop: () => timer?.cancel() }
}
