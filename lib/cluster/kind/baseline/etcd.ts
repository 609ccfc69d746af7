// The cluster's memory: taken as a snapshot, put back while the machines run. Uses etcdctl and etcdutl of the control plane's node.
// Kubernetes documents the restore ("Operating etcd clusters", --bump-revision and --mark-compacted so that watches start anew).
import { LabError } from '#lib/protocol/index.ts'
import type { Docker } from '../docker.ts'

const take = `
set -euo pipefail
pki=/etc/kubernetes/pki/etcd
at=$(mktemp -d)
trap 'rm -rf $at' EXIT
etcdctl --endpoints=127.0.0.1:2379 --cacert=$pki/ca.crt --cert=$pki/server.crt --key=$pki/server.key snapshot save $at/snapshot >/dev/null 2>&1
gzip -1 <$at/snapshot | base64 -w0
`
// The revision is raised by the time in milliseconds: it must be past every revision that anybody has seen, also after an earlier
// restore of the same snapshot, or clients that watch from there (kubelets) see nothing until it has caught up.
// The kubelet keeps running: with the manifests gone it stops both, with them back it starts both.
const put = `
set -euo pipefail
manifests=/etc/kubernetes/manifests
held=/etc/kubernetes/held
at=$(mktemp -d -p /var/lib)
trap 'rm -rf $at' EXIT
base64 -d | gunzip >$at/snapshot
flag() { grep -oE -- "--$1=\\S+" $held/etcd.yaml | head -1 | cut -d= -f2-; }
mkdir -p $held
mv $manifests/etcd.yaml $manifests/kube-apiserver.yaml $held/
systemctl start containerd kubelet
# At once: what they still write goes away with their data, and the API server would take its time to say good-bye.
for try in $(seq 240); do
  running=$(crictl ps -q --name '^(etcd|kube-apiserver)$')
  [ -z "$running" ] && break
  crictl stop -t 0 $running >/dev/null 2>&1 || true
  sleep 0.2
done
[ -z "$running" ]
etcdutl snapshot restore $at/snapshot --data-dir $at/data --name $(flag name) --initial-cluster $(flag initial-cluster) --initial-advertise-peer-urls $(flag initial-advertise-peer-urls) --bump-revision $(date +%s%3N) --mark-compacted >/dev/null 2>&1
mkdir -p -m 700 /var/lib/etcd
rm -rf /var/lib/etcd/member
mv $at/data/member /var/lib/etcd/member
# What holds connections and certificates of before begins anew, and so do the kubelet's back-offs.
others=$(crictl ps -q --name '^(kube-controller-manager|kube-scheduler)$')
[ -z "$others" ] || crictl stop -t 1 $others >/dev/null 2>&1 || true
systemctl restart kubelet
# etcd first: an API server that does not find it ends, and waits longer each time.
mv $held/etcd.yaml $manifests/
pki=/etc/kubernetes/pki/etcd
for try in $(seq 240); do
  etcdctl --endpoints=127.0.0.1:2379 --command-timeout=2s --cacert=$pki/ca.crt --cert=$pki/server.crt --key=$pki/server.key endpoint health >/dev/null 2>&1 && break
  sleep 0.2
done
mv $held/* $manifests/
rmdir $held
`
async function run(docker: Docker, container: string, script: string, what: string, signal: AbortSignal, stdin?: string): Promise<string> {
  const result = await docker.exec(container, ['bash', '-c', script], {
    user: 'root',
    signal,
    timeoutMs: 300_000,
    ...(stdin === undefined ? {} : { stdin }),
  })
  if (result.exitCode !== 0)
    throw new LabError(
      'internal',
      `The control plane's data could not be ${what}: ${(result.stderr || result.stdout).trim().slice(-400) || `exit code ${result.exitCode}`}`,
    )
  return result.stdout
}
/** @returns the snapshot, gzip in base64 */
export const takeSnapshot = (docker: Docker, container: string, signal: AbortSignal): Promise<string> =>
  run(docker, container, take, 'saved', signal)
/** Afterwards the API server starts; nothing has been waited for. */
export async function putSnapshot(docker: Docker, container: string, snapshot: string, signal: AbortSignal): Promise<void> {
  await run(docker, container, put, 'put back', signal, snapshot)
}
