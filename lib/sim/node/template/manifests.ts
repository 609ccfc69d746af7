// The static pods of a control plane as kubeadm writes them for kind (cmd/kubeadm/app/phases/controlplane/manifests.go, phases/etcd/local.go,
// kubernetes 1.35). Text of files, nothing runs here.
import { stringify } from 'yaml'

export interface ControlPlane {
  /** of the cluster: kubemend-xxxxxx */
  id: string
  /** the node's name */
  name: string
  address: string
  podSubnet: string
  serviceSubnet: string
}

export const kubernetesVersion = 'v1.35.4'
export const etcdImage = 'registry.k8s.io/etcd:3.6.6-0'

/** As Go's YAML writes it: keys sorted, sequences not indented, nothing folded. */
export const yaml = (value: unknown): string => stringify(value, { indentSeq: false, sortMapEntries: true, lineWidth: 0, version: '1.1' })

const hostPath = (name: string, path: string, type: string) => ({ hostPath: { path, type }, name })
const certificates = [
  hostPath('ca-certs', '/etc/ssl/certs', 'DirectoryOrCreate'),
  hostPath('etc-ca-certificates', '/etc/ca-certificates', 'DirectoryOrCreate'),
]
const sharedCertificates = [
  hostPath('usr-local-share-ca-certificates', '/usr/local/share/ca-certificates', 'DirectoryOrCreate'),
  hostPath('usr-share-ca-certificates', '/usr/share/ca-certificates', 'DirectoryOrCreate'),
]
const pki = hostPath('k8s-certs', '/etc/kubernetes/pki', 'DirectoryOrCreate')
const writable = new Set(['flexvolume-dir', 'etcd-data', 'etcd-certs'])

const probe = (kind: 'live' | 'ready' | 'start', host: string, path: string, scheme: string) => ({
  failureThreshold: kind === 'ready' ? 3 : kind === 'live' ? 8 : 24,
  httpGet: { host, path, port: 'probe-port', scheme },
  ...(kind === 'ready' ? {} : { initialDelaySeconds: 10 }),
  periodSeconds: kind === 'ready' ? 1 : 10,
  timeoutSeconds: 15,
})
interface Component {
  command: string[]
  image: string
  host: string
  port: number
  live: string
  ready?: string
  start: string
  scheme: 'HTTP' | 'HTTPS'
  requests: Record<string, string>
  volumes: ReturnType<typeof hostPath>[]
  annotations?: Record<string, string>
}
function pod(component: Component): string {
  const name = component.command[0] as string
  return yaml({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(component.annotations ? { annotations: component.annotations } : {}),
      labels: { component: name, tier: 'control-plane' },
      name,
      namespace: 'kube-system',
    },
    spec: {
      containers: [
        {
          command: component.command,
          image: component.image,
          imagePullPolicy: 'IfNotPresent',
          livenessProbe: probe('live', component.host, component.live, component.scheme),
          name,
          ports: [{ containerPort: component.port, name: 'probe-port', protocol: 'TCP' }],
          ...(component.ready ? { readinessProbe: probe('ready', component.host, component.ready, component.scheme) } : {}),
          resources: { requests: component.requests },
          startupProbe: probe('start', component.host, component.start, component.scheme),
          volumeMounts: component.volumes.map((volume) => ({
            mountPath: volume.hostPath.path,
            name: volume.name,
            ...(writable.has(volume.name) ? {} : { readOnly: true }),
          })),
        },
      ],
      hostNetwork: true,
      priority: 2000001000,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      volumes: component.volumes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    },
    status: {},
  })
}

/** file name in /etc/kubernetes/manifests → text */
export function manifests(of: ControlPlane): Record<string, string> {
  const { address } = of
  return {
    'etcd.yaml': pod({
      annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': `https://${address}:2379` },
      command: [
        'etcd',
        `--advertise-client-urls=https://${address}:2379`,
        '--cert-file=/etc/kubernetes/pki/etcd/server.crt',
        '--client-cert-auth=true',
        '--data-dir=/var/lib/etcd',
        '--feature-gates=InitialCorruptCheck=true',
        `--initial-advertise-peer-urls=https://${address}:2380`,
        `--initial-cluster=${of.name}=https://${address}:2380`,
        '--key-file=/etc/kubernetes/pki/etcd/server.key',
        `--listen-client-urls=https://127.0.0.1:2379,https://${address}:2379`,
        '--listen-metrics-urls=http://127.0.0.1:2381',
        `--listen-peer-urls=https://${address}:2380`,
        `--name=${of.name}`,
        '--peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt',
        '--peer-client-cert-auth=true',
        '--peer-key-file=/etc/kubernetes/pki/etcd/peer.key',
        '--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt',
        '--snapshot-count=10000',
        '--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt',
        '--watch-progress-notify-interval=5s',
      ],
      image: etcdImage,
      host: '127.0.0.1',
      port: 2381,
      live: '/livez',
      ready: '/readyz',
      start: '/readyz',
      scheme: 'HTTP',
      requests: { cpu: '100m', memory: '100Mi' },
      volumes: [
        hostPath('etcd-data', '/var/lib/etcd', 'DirectoryOrCreate'),
        hostPath('etcd-certs', '/etc/kubernetes/pki/etcd', 'DirectoryOrCreate'),
      ],
    }),
    'kube-apiserver.yaml': pod({
      annotations: { 'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${address}:6443` },
      command: [
        'kube-apiserver',
        `--advertise-address=${address}`,
        '--allow-privileged=true',
        '--authorization-mode=Node,RBAC',
        '--client-ca-file=/etc/kubernetes/pki/ca.crt',
        '--enable-admission-plugins=NodeRestriction',
        '--enable-bootstrap-token-auth=true',
        '--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt',
        '--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt',
        '--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key',
        '--etcd-servers=https://127.0.0.1:2379',
        '--kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt',
        '--kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key',
        '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
        '--proxy-client-cert-file=/etc/kubernetes/pki/front-proxy-client.crt',
        '--proxy-client-key-file=/etc/kubernetes/pki/front-proxy-client.key',
        '--requestheader-allowed-names=front-proxy-client',
        '--requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-username-headers=X-Remote-User',
        '--secure-port=6443',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        '--service-account-key-file=/etc/kubernetes/pki/sa.pub',
        '--service-account-signing-key-file=/etc/kubernetes/pki/sa.key',
        `--service-cluster-ip-range=${of.serviceSubnet}`,
        '--tls-cert-file=/etc/kubernetes/pki/apiserver.crt',
        '--tls-private-key-file=/etc/kubernetes/pki/apiserver.key',
        '--runtime-config=',
      ],
      image: `registry.k8s.io/kube-apiserver:${kubernetesVersion}`,
      host: address,
      port: 6443,
      live: '/livez',
      ready: '/readyz',
      start: '/livez',
      scheme: 'HTTPS',
      requests: { cpu: '250m' },
      volumes: [...certificates, pki, ...sharedCertificates],
    }),
    'kube-controller-manager.yaml': pod({
      command: [
        'kube-controller-manager',
        '--allocate-node-cidrs=true',
        '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--bind-address=127.0.0.1',
        '--client-ca-file=/etc/kubernetes/pki/ca.crt',
        `--cluster-cidr=${of.podSubnet}`,
        `--cluster-name=${of.id}`,
        '--cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt',
        '--cluster-signing-key-file=/etc/kubernetes/pki/ca.key',
        '--controllers=*,bootstrapsigner,tokencleaner',
        '--kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--leader-elect=true',
        '--requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt',
        '--root-ca-file=/etc/kubernetes/pki/ca.crt',
        '--service-account-private-key-file=/etc/kubernetes/pki/sa.key',
        `--service-cluster-ip-range=${of.serviceSubnet}`,
        '--use-service-account-credentials=true',
        '--enable-hostpath-provisioner=true',
      ],
      image: `registry.k8s.io/kube-controller-manager:${kubernetesVersion}`,
      host: '127.0.0.1',
      port: 10257,
      live: '/healthz',
      start: '/healthz',
      scheme: 'HTTPS',
      requests: { cpu: '200m' },
      volumes: [
        ...certificates,
        hostPath('flexvolume-dir', '/usr/libexec/kubernetes/kubelet-plugins/volume/exec', 'DirectoryOrCreate'),
        pki,
        hostPath('kubeconfig', '/etc/kubernetes/controller-manager.conf', 'FileOrCreate'),
        ...sharedCertificates,
      ],
    }),
    'kube-scheduler.yaml': pod({
      command: [
        'kube-scheduler',
        '--authentication-kubeconfig=/etc/kubernetes/scheduler.conf',
        '--authorization-kubeconfig=/etc/kubernetes/scheduler.conf',
        '--bind-address=127.0.0.1',
        '--kubeconfig=/etc/kubernetes/scheduler.conf',
        '--leader-elect=true',
      ],
      image: `registry.k8s.io/kube-scheduler:${kubernetesVersion}`,
      host: '127.0.0.1',
      port: 10259,
      live: '/livez',
      ready: '/readyz',
      start: '/livez',
      scheme: 'HTTPS',
      requests: { cpu: '100m' },
      volumes: [hostPath('kubeconfig', '/etc/kubernetes/scheduler.conf', 'FileOrCreate')],
    }),
  }
}

export interface KubeconfigOf {
  cluster: string
  server: string
  /** PEM */
  ca: string
  user: string
  /** PEM texts, or paths */
  client: { cert: string; key: string } | { certPath: string; keyPath: string } | { token: string }
  context?: string
  /** of the context */
  namespace?: string
}
export function kubeconfig(of: KubeconfigOf): string {
  const data = (text: string) => Buffer.from(text).toString('base64')
  const context = of.context ?? `${of.user}@${of.cluster}`
  return yaml({
    apiVersion: 'v1',
    clusters: [{ cluster: { 'certificate-authority-data': data(of.ca), server: of.server }, name: of.cluster }],
    contexts: [{ context: { cluster: of.cluster, ...(of.namespace ? { namespace: of.namespace } : {}), user: of.user }, name: context }],
    'current-context': context,
    kind: 'Config',
    users: [
      {
        name: of.user,
        user:
          'token' in of.client
            ? { token: of.client.token }
            : 'cert' in of.client
              ? { 'client-certificate-data': data(of.client.cert), 'client-key-data': data(of.client.key) }
              : { 'client-certificate': of.client.certPath, 'client-key': of.client.keyPath },
      },
    ],
  })
}
