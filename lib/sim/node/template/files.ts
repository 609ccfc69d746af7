// What kubeadm, kind and our node image leave on a machine: file by file, with the lab's own names, addresses and keys. Data and text only.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ClusterPki, Issued } from '../../pki.ts'
import { type ControlPlane, kubeconfig, kubernetesVersion, manifests, yaml } from './manifests.ts'

/** A file, a link, or (ending with /) a directory. */
export type Entry = { text: string; mode?: number } | { link: string } | { directory: true; mode?: number }
export type Tree = Record<string, Entry>

export interface NodeSpec {
  place: string
  name: string
  address: string
  role: 'control-plane' | 'worker'
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const texts = new Map<string, string>()
const image = (path: string): string => {
  const text = texts.get(path) ?? read(`../../../../images/node/files${path}`)
  texts.set(path, text)
  return text
}
/** The same text for every lab is held once. */
const shared = {
  flannel: read('../../../../images/node/kube-flannel.yml'),
  storage: read('./default-storage.yaml'),
  kubeadm: read('./kubeadm.json'),
}
export const flannelManifest = shared.flannel
export const storageManifest = shared.storage
/** of kubeadm: with @id@, @control-plane@, @address@, @ca@, @expiration@ in the places of the lab's own */
export const kubeadmObjects = shared.kubeadm

const file = (text: string, mode = 0o644): Entry => ({ text, mode })
const directory = (mode = 0o755): Entry => ({ directory: true, mode })

const hosts = (lines: readonly string[]) =>
  `${['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback', 'fe00::0\tip6-localnet', 'ff00::0\tip6-mcastprefix', 'ff02::1\tip6-allnodes', 'ff02::2\tip6-allrouters', ...lines].join('\n')}\n`

const bashrc = `# System-wide .bashrc file for interactive bash(1) shells.
[ -z "\${PS1-}" ] && return
shopt -s checkwinsize
if ! [ -n "\${SUDO_USER-}" -a -n "\${SUDO_PS1-}" ]; then
  PS1='\\u@\\h:\\w\\$ '
fi
. /etc/profile.d/kubectl.sh
`
const profile = `# ~/.profile: executed by the command interpreter for login shells.
if [ -n "$BASH_VERSION" ]; then
    if [ -f "$HOME/.bashrc" ]; then
	. "$HOME/.bashrc"
    fi
fi
if [ -d "$HOME/bin" ] ; then
    PATH="$HOME/bin:$PATH"
fi
if [ -d "$HOME/.local/bin" ] ; then
    PATH="$HOME/.local/bin:$PATH"
fi
`
const userBashrc = `# ~/.bashrc: executed by bash(1) for non-login shells.
case $- in
    *i*) ;;
      *) return;;
esac
HISTCONTROL=ignoreboth
shopt -s histappend
HISTSIZE=1000
HISTFILESIZE=2000
shopt -s checkwinsize
case "$TERM" in
    xterm-color|*-256color) color_prompt=yes;;
esac
if [ "$color_prompt" = yes ]; then
    PS1='\\[\\033[01;32m\\]\\u@\\h\\[\\033[00m\\]:\\[\\033[01;34m\\]\\w\\[\\033[00m\\]\\$ '
else
    PS1='\\u@\\h:\\w\\$ '
fi
unset color_prompt
if [ -x /usr/bin/dircolors ]; then
    test -r ~/.dircolors && eval "$(dircolors -b ~/.dircolors)" || eval "$(dircolors -b)"
    alias ls='ls --color=auto'
fi
if [ -f ~/.bash_aliases ]; then
    . ~/.bash_aliases
fi
if ! shopt -oq posix; then
  if [ -f /usr/share/bash-completion/bash_completion ]; then
    . /usr/share/bash-completion/bash_completion
  elif [ -f /etc/bash_completion ]; then
    . /etc/bash_completion
  fi
fi
`
const rootBashrc = `# ~/.bashrc: executed by bash(1) for non-login shells.
`
const etcProfile = `# /etc/profile: system-wide .profile file for the Bourne shell (sh(1))
if [ "$(id -u)" -eq 0 ]; then
  PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
else
  PATH="/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
fi
export PATH
if [ "\${PS1-}" ]; then
  if [ "\${BASH-}" ] && [ "$BASH" != "/bin/sh" ]; then
    if [ -f /etc/bash.bashrc ]; then
      . /etc/bash.bashrc
    fi
  else
    if [ "$(id -u)" -eq 0 ]; then
      PS1='# '
    else
      PS1='$ '
    fi
  fi
fi
if [ -d /etc/profile.d ]; then
  for i in /etc/profile.d/*.sh; do
    if [ -r $i ]; then
      . $i
    fi
  done
  unset i
fi
`
const passwd = (node: boolean) => `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
${node ? 'systemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin\nmessagebus:x:997:997:System Message Bus:/nonexistent:/usr/sbin/nologin\nsshd:x:996:65534:sshd user:/run/sshd:/usr/sbin/nologin\n' : ''}candidate:x:1000:1000::/home/candidate:/bin/bash
`
const group = `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
man:x:12:
sudo:x:27:
www-data:x:33:
shadow:x:42:
nogroup:x:65534:
candidate:x:1000:
`
const osRelease = `PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
NAME="Debian GNU/Linux"
VERSION_ID="13"
VERSION="13 (trixie)"
VERSION_CODENAME=trixie
DEBIAN_VERSION_FULL=13.0
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
`
/** What every machine has, the workstation too. */
/** What `openssl req` and `openssl ca` do not go without; the names of the distribution's file. */
const opensslConfig = `openssl_conf = openssl_init

[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
[default_sect]

[ca]
default_ca = CA_default
[CA_default]
dir = ./demoCA
database = $dir/index.txt
new_certs_dir = $dir/newcerts
certificate = $dir/cacert.pem
serial = $dir/serial
private_key = $dir/private/cakey.pem
x509_extensions = usr_cert
default_days = 365
default_md = default
policy = policy_match
[policy_match]
countryName = match
stateOrProvinceName = match
organizationName = match
organizationalUnitName = optional
commonName = supplied
emailAddress = optional

[req]
default_bits = 2048
default_keyfile = privkey.pem
distinguished_name = req_distinguished_name
attributes = req_attributes
x509_extensions = v3_ca
string_mask = utf8only
[req_distinguished_name]
countryName = Country Name (2 letter code)
countryName_default = AU
organizationName = Organization Name (eg, company)
organizationName_default = Internet Widgits Pty Ltd
commonName = Common Name (e.g. server FQDN or YOUR name)
[req_attributes]

[usr_cert]
basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid,issuer
[v3_req]
basicConstraints = CA:FALSE
keyUsage = nonRepudiation, digitalSignature, keyEncipherment
[v3_ca]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer
basicConstraints = critical,CA:true
`
const common = (node: boolean): Tree => ({
  // Before anything makes directories of them: a pod that mounts /lib/modules would.
  '/bin': { link: 'usr/bin' },
  '/sbin': { link: 'usr/sbin' },
  '/lib': { link: 'usr/lib' },
  '/lib64': { link: 'usr/lib64' },
  '/etc/passwd': file(passwd(node)),
  '/etc/group': file(group),
  '/etc/shadow': file('root:*:20000:0:99999:7:::\ncandidate:!:20000:0:99999:7:::\n', 0o640),
  '/etc/nsswitch.conf': file(
    'passwd:         files\ngroup:          files\nshadow:         files\n\nhosts:          files dns\nnetworks:       files\n\nprotocols:      db files\nservices:       db files\n',
  ),
  '/etc/os-release': file(osRelease),
  '/etc/debian_version': file('13.0\n'),
  '/etc/profile': file(etcProfile),
  '/etc/bash.bashrc': file(bashrc),
  '/etc/profile.d/kubectl.sh': file(
    node ? image('/etc/profile.d/kubectl.sh') : read('../../../../images/workstation/files/etc/profile.d/kubectl.sh'),
  ),
  '/etc/vim/vimrc.local': file(image('/etc/vim/vimrc.local')),
  '/etc/tmux.conf': file(image('/etc/tmux.conf')),
  '/etc/default/locale': file(image('/etc/default/locale')),
  '/etc/sudoers.d/candidate': file(image('/etc/sudoers.d/candidate'), 0o440),
  '/etc/ssl/certs': directory(),
  '/etc/ssl/openssl.cnf': file(opensslConfig),
  '/etc/ca-certificates': directory(),
  '/root': directory(0o700),
  '/root/.bashrc': file(rootBashrc),
  '/root/.profile': file(profile),
  '/home/candidate': directory(0o700),
  '/home/candidate/.bashrc': file(userBashrc),
  '/home/candidate/.profile': file(profile),
  '/home/candidate/.bash_logout': file('# ~/.bash_logout: executed by bash(1) when login shell exits.\n'),
  '/home/candidate/.ssh': directory(0o700),
  '/tmp': directory(0o1777),
  '/var/tmp': directory(0o1777),
  '/var/log': directory(),
  '/run': directory(),
  '/srv': directory(),
  '/opt': directory(),
  '/usr/local/bin': directory(),
  '/usr/local/sbin': directory(),
  '/usr/local/share/ca-certificates': directory(),
})

const kubeletUnit = `# slightly modified from:
# https://github.com/kubernetes/kubernetes/blob/ba8fcafaf8c502a454acd86b728c857932555315/build/debs/kubelet.service
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=http://kubernetes.io/docs/
# Without the configuration that kubeadm writes there is nothing to run yet.
ConditionPathExists=/var/lib/kubelet/config.yaml

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=1s
CPUAccounting=true
MemoryAccounting=true
Slice=kubelet.slice
KillMode=process

[Install]
WantedBy=multi-user.target
`
const kubeadmDropIn = `# https://github.com/kubernetes/kubernetes/blob/ba8fcafaf8c502a454acd86b728c857932555315/build/debs/10-kubeadm.conf
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# Written by kubeadm init and kubeadm join, holds KUBELET_KUBEADM_ARGS
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# For whoever wants other arguments, as a last resort: KUBELET_EXTRA_ARGS
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`
const kindDropIn = `# kind specific additions go in this file
[Service]
ExecStartPre=/bin/sh -euc "if [ -f /sys/fs/cgroup/cgroup.controllers ]; then /kind/bin/create-kubelet-cgroup-v2.sh; fi"
ExecStartPre=/bin/sh -euc "if [ ! -f /sys/fs/cgroup/cgroup.controllers ] && [ ! -d /sys/fs/cgroup/systemd/kubelet ]; then mkdir -p /sys/fs/cgroup/systemd/kubelet; fi"
`
const containerdUnit = `[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target local-fs.target
# disable rate limiting
StartLimitIntervalSec=0

[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/containerd

Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=1
LimitNPROC=infinity
LimitCORE=infinity
LimitNOFILE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`
const sshUnit = `[Unit]
Description=OpenBSD Secure Shell server
Documentation=man:sshd(8) man:sshd_config(5)
After=network.target nss-user-lookup.target auditd.service
ConditionPathExists=!/etc/ssh/sshd_not_to_be_run

[Service]
EnvironmentFile=-/etc/default/ssh
ExecStart=/usr/sbin/sshd -D $SSHD_OPTS
KillMode=process
Restart=on-failure
RestartPreventExitStatus=255
Type=notify
RuntimeDirectory=sshd

[Install]
WantedBy=multi-user.target
Alias=sshd.service
`
const containerdConfig = `version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    sandbox_image = "registry.k8s.io/pause:3.10"
    tolerate_missing_hugepages_controller = true
    [plugins."io.containerd.grpc.v1.cri".containerd]
      default_runtime_name = "runc"
      discard_unpacked_layers = true
      snapshotter = "overlayfs"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes]
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
          base_runtime_spec = "/etc/containerd/cri-base.json"
          runtime_type = "io.containerd.runc.v2"
          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
            SystemdCgroup = true
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.test-handler]
          base_runtime_spec = "/etc/containerd/cri-base.json"
          runtime_type = "io.containerd.runc.v2"
          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.test-handler.options]
            SystemdCgroup = true
    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = "/etc/containerd/certs.d"
`
/** A program that exists on a node and is not a script: what it does is simulated, its file says so. */
const binary = (name: string): Entry => file(`\u007fELF ${name}: runs inside the simulation.\n`, 0o755)

/** KubeletConfiguration as kubeadm writes it to nodes; on nodes the runtime's endpoint is filled in. */
export function kubeletConfig(endpoint: string): string {
  const objects = JSON.parse(shared.kubeadm) as { metadata: { name: string }; data?: Record<string, string> }[]
  const text = objects.find((object) => object.metadata.name === 'kubelet-config')?.data?.kubelet as string
  return text.replace('containerRuntimeEndpoint: ""', `containerRuntimeEndpoint: ${endpoint}`)
}

const kindConfig = (cluster: ControlPlane, node: NodeSpec): string => {
  const extra = { 'node-ip': node.address, 'node-labels': '', 'provider-id': `kind://docker/${cluster.id}/${node.name}` }
  const registration = { criSocket: 'unix:///run/containerd/containerd.sock', kubeletExtraArgs: extra }
  return [
    {
      apiServer: { certSANs: ['localhost', '127.0.0.1'], extraArgs: { 'runtime-config': '' } },
      apiVersion: 'kubeadm.k8s.io/v1beta3',
      clusterName: cluster.id,
      controlPlaneEndpoint: `${cluster.name}:6443`,
      controllerManager: { extraArgs: { 'enable-hostpath-provisioner': 'true' } },
      kind: 'ClusterConfiguration',
      kubernetesVersion,
      networking: { podSubnet: cluster.podSubnet, serviceSubnet: cluster.serviceSubnet },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta3',
      bootstrapTokens: [{ token: 'abcdef.0123456789abcdef' }],
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: node.address, bindPort: 6443 },
      nodeRegistration: registration,
      skipPhases: ['preflight'],
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta3',
      ...(node.role === 'control-plane' ? { controlPlane: { localAPIEndpoint: { advertiseAddress: node.address, bindPort: 6443 } } } : {}),
      discovery: {
        bootstrapToken: {
          apiServerEndpoint: `${cluster.name}:6443`,
          token: 'abcdef.0123456789abcdef',
          unsafeSkipCAVerification: true,
        },
      },
      kind: 'JoinConfiguration',
      nodeRegistration: registration,
      skipPhases: ['preflight'],
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      cgroupDriver: 'systemd',
      cgroupRoot: '/kubelet',
      evictionHard: { 'imagefs.available': '0%', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%' },
      failCgroupV1: false,
      failSwapOn: false,
      imageGCHighThresholdPercent: 100,
      kind: 'KubeletConfiguration',
    },
    {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      conntrack: { maxPerCore: 0 },
      iptables: { minSyncPeriod: '1s' },
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
    },
  ]
    .map(yaml)
    .join('---\n')
}

export const gateway = '172.18.0.1'

/** A line of an OpenSSH public key of the right form; nobody dials it, ssh is a tool of the simulation. */
const publicKey = (comment: string): string => {
  const name = Buffer.from('ssh-ed25519')
  const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
  return `ssh-ed25519 ${Buffer.concat([part(name), part(randomBytes(32))]).toString('base64')} ${comment}`
}
export interface LabKeys {
  /** the learner's, which every machine knows */
  candidate: string
  /** host keys, by node name */
  hosts: Record<string, string>
}
export const labKeys = (nodes: readonly NodeSpec[]): LabKeys => ({
  candidate: publicKey('candidate@workstation'),
  hosts: Object.fromEntries(nodes.map((node) => [node.name, publicKey(`root@${node.name}`)])),
})

export interface NodeCredentials {
  /** the kubelet's client certificate */
  kubelet: Issued
  /** its self-signed serving certificate, with its authority */
  serving: Issued
}

const generalId = 'kubemend-000000'
const written = new Map<string, string>()
/** Labs' texts differ in the lab's name alone: each is written once in a process. `of`: all that it follows from. */
function once(of: unknown, id: string, write: () => string): string {
  if (!/^kubemend-[0-9a-z]{6}$/.test(id)) return write()
  const key = JSON.stringify(of).replaceAll(id, generalId)
  let text = written.get(key)
  if (text === undefined) {
    text = write().replaceAll(id, generalId)
    written.set(key, text)
  }
  return text.replaceAll(generalId, id)
}

/** Everything on a node before its kubelet starts for the first time. `at`: epoch ms, for file names. */
export function nodeTree(
  cluster: ControlPlane,
  node: NodeSpec,
  pki: ClusterPki,
  credentials: NodeCredentials,
  keys: LabKeys,
  at: number,
): Tree {
  const stamp = new Date(at).toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '-')
  const caText = pki.files['ca.crt'] as string
  const tree: Tree = {
    ...common(true),
    '/etc/hostname': file(`${node.name}\n`),
    '/etc/hosts': file(hosts([`${node.address}\t${node.name}`])),
    '/etc/resolv.conf': file(`nameserver ${gateway}\noptions ndots:0\n`),
    '/etc/crictl.yaml': file('runtime-endpoint: unix:///run/containerd/containerd.sock\n'),
    '/etc/default/kubelet': file('KUBELET_EXTRA_ARGS=--runtime-cgroups=/system.slice/containerd.service\n'),
    '/etc/sysctl.d/10-network-magic.conf': file(
      "# Do not consider loopback addresses as martian source or destination while routing\n# - Docker with custom networks uses an embedded DNS server with address 172.0.0.11\n# - Kubernetes pods mount the node resolv.conf, so they can't use a loopack address\n# that is only reachable from the node.\n#\n# KIND rewrites the well-known docker DNS address 127.0.0.11 by a non-loopback address.\n# The DNS traffic coming from a pod will have to route to a localhost address to be NATed,\n# hence we have to enable route_localnet or pods DNS will not work.\n# Kubernetes mitigates the possible security issue caused by enabling this option.\n# ref: https://nvd.nist.gov/vuln/detail/CVE-2020-8558\nnet.ipv4.conf.all.route_localnet=1\n\n# The global kernel parameter net.ipv4.conf.all.arp_ignore governs the\n# conditions under which ARP requests will be accepted or ignored. This global\n# setting will override any individual interface settings. Some host systems\n# might set this global parameter to a more restrictive setting of 2 (or\n# greater). Specifically, in mode 2, the system ignores ARP requests directed to\n# /32 addresses (this is what kindnet assigns to its veth interfaces) because\n# the request originates from a different subnet. This behavior breaks routing\n# for kindnet (specifically the ptp plugin), so we opinionatedly set this to 0\n# when kindnet is in use to ensure proper networking.\n#\n# For more information see:\n# https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html#arp_ignore\nnet.ipv4.conf.all.arp_ignore=0\n",
    ),
    '/etc/sysctl.d/10-network-security.conf': file(
      '# Turn on Source Address Verification in all interfaces to\n# prevent some spoofing attacks.\nnet.ipv4.conf.default.rp_filter=1\nnet.ipv4.conf.all.rp_filter=1\n',
    ),
    '/etc/ssh/sshd_config': file(
      'Include /etc/ssh/sshd_config.d/*.conf\n\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\nAcceptEnv LANG LC_*\nSubsystem\tsftp\t/usr/lib/openssh/sftp-server\n',
    ),
    '/etc/ssh/sshd_config.d/10-node.conf': file(image('/etc/ssh/sshd_config.d/10-node.conf')),
    '/etc/ssh/ssh_host_ed25519_key.pub': file(`${keys.hosts[node.name]}\n`),
    '/etc/ssh/ssh_host_ed25519_key': file('', 0o600),
    '/home/candidate/.ssh/authorized_keys': file(`${keys.candidate}\n`, 0o600),
    '/etc/systemd/system/kubelet.service': file(kubeletUnit),
    '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf': file(kubeadmDropIn),
    '/etc/systemd/system/kubelet.service.d/11-kind.conf': file(kindDropIn),
    '/etc/systemd/system/kubelet.slice': file(
      '[Unit]\nDescription=slice used to run Kubernetes / Kubelet\nBefore=slices.target\n\n[Slice]\nMemoryAccounting=true\nCPUAccounting=true\n',
    ),
    '/etc/systemd/system/containerd.service': file(containerdUnit),
    '/etc/systemd/system/image-mirror.socket': file(image('/etc/systemd/system/image-mirror.socket')),
    '/etc/systemd/system/image-mirror.service': file(image('/etc/systemd/system/image-mirror.service')),
    '/etc/systemd/system/ssh-host-keys.service': file(image('/etc/systemd/system/ssh-host-keys.service')),
    '/etc/systemd/system/undo-mount-hacks.service': file(
      '[Unit]\nDescription=Undo KIND mount hacks\nAfter=slices.target\nBefore=containerd.service kubelet.service\n\n[Service]\nType=oneshot\nExecStart=/kind/bin/undo-mount-hacks.sh\n\n[Install]\nWantedBy=multi-user.target\n',
    ),
    '/usr/lib/systemd/system/ssh.service': file(sshUnit),
    '/usr/lib/systemd/system/systemd-journald.service': file(
      '[Unit]\nDescription=Journal Service\n\n[Service]\nExecStart=/usr/lib/systemd/systemd-journald\n',
    ),
    '/usr/lib/systemd/system/dbus.service': file(
      '[Unit]\nDescription=D-Bus System Message Bus\n\n[Service]\nExecStart=/usr/bin/dbus-daemon --system\n',
    ),
    '/etc/systemd/system/sshd.service': { link: '/usr/lib/systemd/system/ssh.service' },
    '/etc/systemd/system/ssh.socket': { link: '/dev/null' },
    '/etc/systemd/system/sockets.target.wants/image-mirror.socket': { link: '/etc/systemd/system/image-mirror.socket' },
    '/etc/containerd/config.toml': file(containerdConfig),
    '/etc/containerd/cri-base.json': file('{"ociVersion":"1.1.0"}\n'),
    '/etc/cni/net.d': directory(0o700),
    '/etc/kubernetes': directory(),
    '/etc/kubernetes/manifests': directory(),
    '/etc/kubernetes/pki/ca.crt': file(caText),
    '/kind/README.txt': file(
      'This directory is reserved for KIND [^1] internal purposes.\n\nModifying or depending on the contents of this directory is NOT supported.\n\n[^1]: https://kind.sigs.k8s.io/\n',
    ),
    '/kind/version': file(`${kubernetesVersion}`),
    '/kind/old-ipv4': file(node.address),
    '/kind/kubeadm.conf': file(
      once(['kind', cluster, node], cluster.id, () => kindConfig(cluster, node)),
      0o600,
    ),
    '/kind/manifests/default-cni.yaml': file(shared.flannel),
    '/kind/manifests/default-storage.yaml': file(shared.storage),
    '/var/lib/kubelet': directory(0o700),
    '/var/lib/kubelet/config.yaml': file(kubeletConfig('unix:///run/containerd/containerd.sock')),
    '/var/lib/kubelet/instance-config.yaml': file('apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'),
    '/var/lib/kubelet/kubeadm-flags.env': file(
      `KUBELET_KUBEADM_ARGS="--node-ip=${node.address} --node-labels= --provider-id=kind://docker/${cluster.id}/${node.name}"\n`,
    ),
    [`/var/lib/kubelet/pki/kubelet-client-${stamp}.pem`]: file(`${credentials.kubelet.cert}${credentials.kubelet.key}`, 0o600),
    '/var/lib/kubelet/pki/kubelet-client-current.pem': { link: `/var/lib/kubelet/pki/kubelet-client-${stamp}.pem` },
    '/var/lib/kubelet/pki/kubelet.crt': file(credentials.serving.cert),
    '/var/lib/kubelet/pki/kubelet.key': file(credentials.serving.key, 0o600),
    '/var/lib/containerd': directory(0o711),
    '/var/local-path-provisioner': directory(),
    '/var/log/pods': directory(),
    '/var/log/containers': directory(),
  }
  for (const unit of ['kubelet', 'containerd', 'ssh-host-keys', 'undo-mount-hacks'])
    tree[`/etc/systemd/system/multi-user.target.wants/${unit}.service`] = { link: `/etc/systemd/system/${unit}.service` }
  tree['/etc/systemd/system/multi-user.target.wants/ssh.service'] = { link: '/usr/lib/systemd/system/ssh.service' }
  for (const plugin of ['bandwidth', 'bridge', 'firewall', 'flannel', 'host-local', 'loopback', 'portmap', 'ptp'])
    if (plugin !== 'flannel') tree[`/opt/cni/bin/${plugin}`] = binary(plugin)
  for (const program of ['containerd', 'containerd-shim-runc-v2', 'image-mirror']) tree[`/usr/local/bin/${program}`] = binary(program)
  for (const registry of ['docker.io', 'ghcr.io', 'quay.io', 'registry.k8s.io'])
    tree[`/etc/containerd/certs.d/${registry}/hosts.toml`] = file(image(`/etc/containerd/certs.d/${registry}/hosts.toml`))
  const server = `https://${cluster.name}:6443`
  const local = `https://${cluster.address}:6443`
  const current = '/var/lib/kubelet/pki/kubelet-client-current.pem'
  if (node.role === 'worker') {
    tree['/etc/kubernetes/kubelet.conf'] = file(
      kubeconfig({
        cluster: 'default-cluster',
        server,
        ca: caText,
        user: 'default-auth',
        context: 'default-context',
        namespace: 'default',
        client: { certPath: current, keyPath: current },
      }),
      0o600,
    )
    return tree
  }
  for (const [path, text] of Object.entries(pki.files))
    tree[`/etc/kubernetes/pki/${path}`] = file(text, path.endsWith('.key') || path === 'sa.pub' ? 0o600 : 0o644)
  const pods = once(['manifests', cluster], cluster.id, () => JSON.stringify(manifests(cluster)))
  for (const [path, text] of Object.entries(JSON.parse(pods) as Record<string, string>))
    tree[`/etc/kubernetes/manifests/${path}`] = file(text, 0o600)
  tree['/etc/kubernetes/kubelet.conf'] = file(
    kubeconfig({
      cluster: cluster.id,
      server: local,
      ca: caText,
      user: `system:node:${node.name}`,
      client: { certPath: current, keyPath: current },
    }),
    0o600,
  )
  tree['/var/lib/etcd'] = directory(0o700)
  return tree
}

/** The kubeconfigs of a control plane: file in /etc/kubernetes → who it is for. */
export const controlPlaneUsers = {
  'admin.conf': { user: 'kubernetes-admin', commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'], local: false },
  'super-admin.conf': {
    user: 'kubernetes-super-admin',
    commonName: 'kubernetes-super-admin',
    organizations: ['system:masters'],
    local: false,
  },
  'controller-manager.conf': {
    user: 'system:kube-controller-manager',
    commonName: 'system:kube-controller-manager',
    organizations: [],
    local: true,
  },
  'scheduler.conf': { user: 'system:kube-scheduler', commonName: 'system:kube-scheduler', organizations: [], local: true },
} as const

/** Where the learner sits. */
export function workstationTree(nodes: readonly NodeSpec[], address: string, adminConf: string, keys: LabKeys): Tree {
  return {
    ...common(false),
    '/etc/hostname': file('workstation\n'),
    '/etc/hosts': file(hosts([`${address}\tworkstation`, ...nodes.map((node) => `${node.address}\t${node.name}`)])),
    '/etc/resolv.conf': file('nameserver 127.0.0.11\noptions ndots:0\n'),
    '/home/candidate/.kube': directory(0o750),
    '/home/candidate/.kube/config': file(adminConf, 0o600),
    '/home/candidate/.ssh/config': file(
      `${nodes.map((node) => `Host ${node.place}\n  HostName ${node.name}\n`).join('')}Host *\n  User candidate\n`,
      0o600,
    ),
    '/home/candidate/.ssh/id_ed25519.pub': file(`${keys.candidate}\n`),
    '/home/candidate/.ssh/id_ed25519': file('', 0o600),
    '/home/candidate/.ssh/known_hosts': file(
      nodes
        .map((node) => `${node.name},${node.place},${node.address} ${(keys.hosts[node.name] as string).split(' ').slice(0, 2).join(' ')}\n`)
        .join(''),
      0o600,
    ),
  }
}
