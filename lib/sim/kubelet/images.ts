// The images that the simulated registries and nodes know, and how an image's name is read. Programs are handed in by whoever wrote them.
// Knows nothing of containers.
import type { Program, SimImage } from '../process.ts'

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'.slice(5)

// Names, ids and sizes as `crictl images` has them on a node of the registry-free kind cluster.
const onNodes: readonly (readonly [names: string, id: string, size: number])[] = [
  ['docker.io/kindest/local-path-helper:v20260131-7181c60a', '2787db1423cdf780887988826f4affd971fae192aa5f4753896a61d64e74a2a3', 3296331],
  [
    'docker.io/kindest/local-path-provisioner:v20260820-69b56db7',
    'd1688191a960027e4072b3b504265b9146ece4ead86fefb6995d4ad6ba3320a7',
    43098869,
  ],
  ['docker.io/library/busybox:1.36', '76b83386f24369a24c07be1fdae4838ddf8807bf7adf8a9610f68f677eb4d0d0', 3296776],
  ['docker.io/library/busybox:1.37', 'a801d420abe549ad4f2a60b0bd6c87da51119829b88b1b1c470d2119d90aaa52', 3296776],
  ['docker.io/library/busybox:latest', 'a8af3e104579eb153460b15e39c1bf5ab1c3b4f4965e8ca4d354eae309aa08ab', 3296782],
  ['docker.io/library/busybox:stable', '4bba11bfa2a0011e39e05b92ff5cbe16728546873b8af43d73ff34c8042511b2', 3296782],
  ['docker.io/library/nginx:1.27', 'a1584b6e218cd9719fc0ed6a842479bd1dcbff4e476a091120c7dcba88adb873', 104384348],
  ['docker.io/library/nginx:1.28', 'd9b2f12c1d89357a07d3f05173ee1559dd1c0a6448ab7826971021f28f8d4ada', 104384349],
  ['docker.io/library/nginx:1.29', '489ed68a2c1c581588435f6b6a7df784974bd8ab14624e31dd48de20bc13496e', 104384349],
  ['docker.io/library/nginx:alpine', '0e383685ef626dea2256f63f1ef30b4266f09d6d7abfb1e5199da7a2f75627b1', 104384354],
  ['docker.io/library/nginx:latest', 'a8b676cb2e3644c9f99caf4645e3abeabe81d3994a3aba76567c1cced4eb88f0', 104384355],
  ['docker.io/library/nginx:stable', '0135097c29857912d5c8c855ca779a383395a40c38fce72ee317fbeadd7da6e9', 104384355],
  ['ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1', '1e20f4ac42a7e144e015966c2f137c7ced06ad32687b9938909e6a84b8c4a104', 6100572],
  ['ghcr.io/flannel-io/flannel:v0.28.4', '99b1dfdf7803019a97e13c184ced5a945e11e5fb3ddbc6f41e2d8ad600a4ec73', 142722482],
  ['registry.k8s.io/coredns/coredns:v1.13.1', 'a2e21270f3cd860fadb48b84e12078cf89b78ee327850b668c7548c10290e995', 76852939],
  ['registry.k8s.io/e2e-test-images/agnhost:2.59', '6fddaf1cf8826143863530505ac1383a938d37d00bc30d335724ab0b5c15e234', 162126830],
  ['registry.k8s.io/etcd:3.6.6-0', '0e8c6f58f776c6468ece33bcc7029024cb37cdab79d3bc7741f3ee4244e1cab9', 61725759],
  ['registry.k8s.io/kube-apiserver:v1.35.4', '1285b223b779675caba4c6ad0223de054c970b38ba3f380d22911dd29da9f392', 103593020],
  ['registry.k8s.io/kube-controller-manager:v1.35.4', '33233f1515d1ff78a75b8ad02ad60a01abb8851319276dcd9cd662d445449565', 93807679],
  ['registry.k8s.io/kube-proxy:v1.35.4', '170c4054c6acfefbd61897c8ef1dfd6947b8272024a1d6d9bf19b5506b37f56e', 167802640],
  ['registry.k8s.io/kube-scheduler:v1.35.4', 'e981f7dda3ec9fcaeb098b80875e3d703804fa3827340c0d63e5a4695039d769', 71603263],
  ['registry.k8s.io/pause:3.10 registry.k8s.io/pause:3.10.1', '94f7e66e9921f10e51c901cabda1c32190c6117949ebf670952b1f943bfff9fe', 1429737],
]
// Common public images that a node pulls when it is asked to. Sizes are those of the published images, compressed.
const toPull: readonly (readonly [names: string, size: number])[] = [
  [
    'docker.io/library/nginx:1.26 docker.io/library/nginx:1.25 docker.io/library/nginx:mainline docker.io/library/nginx:1.29-alpine docker.io/library/nginx:1.27-alpine docker.io/library/nginx:stable-alpine',
    72_404_038,
  ],
  [
    'docker.io/library/nginx:1.14.2 docker.io/library/nginx:1.16.1 docker.io/library/nginx:1.19 docker.io/library/nginx:1.21 docker.io/library/nginx:1.23 docker.io/library/nginx:1.24',
    56_877_117,
  ],
  [
    'docker.io/library/busybox:1 docker.io/library/busybox:1.28 docker.io/library/busybox:1.35 docker.io/library/busybox:musl docker.io/library/busybox:glibc',
    2_156_519,
  ],
  [
    'docker.io/library/alpine:latest docker.io/library/alpine:3 docker.io/library/alpine:3.20 docker.io/library/alpine:3.21 docker.io/library/alpine:3.22',
    3_807_123,
  ],
  [
    'docker.io/library/debian:latest docker.io/library/debian:trixie-slim docker.io/library/debian:bookworm-slim docker.io/library/ubuntu:latest docker.io/library/ubuntu:24.04 docker.io/library/ubuntu:22.04',
    29_723_145,
  ],
  ['docker.io/hashicorp/http-echo:latest docker.io/hashicorp/http-echo:1.0.0 docker.io/hashicorp/http-echo:0.2.3', 3_093_521],
  [
    'registry.k8s.io/e2e-test-images/agnhost:2.39 registry.k8s.io/e2e-test-images/agnhost:2.40 registry.k8s.io/e2e-test-images/agnhost:2.45 registry.k8s.io/e2e-test-images/agnhost:2.47 registry.k8s.io/e2e-test-images/agnhost:2.53',
    53_250_138,
  ],
  ['registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3 registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7', 112_030_526],
  ['docker.io/curlimages/curl:latest docker.io/nicolaka/netshoot:latest', 9_824_710],
  ['registry.k8s.io/pause:3.9 registry.k8s.io/pause:3.8', 321_520],
]

interface Recipe {
  entrypoint?: readonly string[]
  cmd?: readonly string[]
  shell: SimImage['shell']
  ports?: readonly string[]
  user?: string
  stopSignal?: number
  files?: Readonly<Record<string, string>>
  programs: readonly string[]
  tools?: readonly string[]
}
const smallTools = ['nslookup', 'wget', 'nc', 'ping', 'ip', 'route', 'netstat', 'hostname', 'arp', 'traceroute'] as const
// What images/workloads/nginx has, so that a page reads the same in a simulated and a real cluster.
const index =
  '<!DOCTYPE html>\n<html>\n<head><title>Welcome to nginx!</title></head>\n<body>\n<h1>Welcome to nginx!</h1>\n<p>If you see this page, the nginx web server is installed and working.</p>\n</body>\n</html>\n'
const passwd = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n'

/** by the last part of the repository's name */
const recipes: Readonly<Record<string, Recipe>> = {
  nginx: {
    cmd: ['nginx', '-g', 'daemon off;'],
    shell: 'debian',
    ports: ['80/tcp'],
    stopSignal: 3,
    programs: ['nginx'],
    tools: ['curl', 'getent', 'hostname', 'nslookup', 'wget', 'nc', 'ip'],
    files: {
      '/usr/share/nginx/html/index.html': index,
      '/etc/nginx/nginx.conf':
        'user  nginx;\nworker_processes  auto;\n\nerror_log  /var/log/nginx/error.log notice;\npid        /run/nginx.pid;\n\nevents {\n    worker_connections  1024;\n}\n\nhttp {\n    include       /etc/nginx/mime.types;\n    default_type  application/octet-stream;\n    sendfile        on;\n    keepalive_timeout  65;\n    include /etc/nginx/conf.d/*.conf;\n}\n',
      '/etc/nginx/conf.d/default.conf':
        'server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n        root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n\n    error_page   500 502 503 504  /50x.html;\n    location = /50x.html {\n        root   /usr/share/nginx/html;\n    }\n}\n',
      '/etc/passwd': `${passwd}nginx:x:101:101:nginx user:/nonexistent:/bin/false\n`,
    },
  },
  busybox: { cmd: ['sh'], shell: 'busybox', programs: [], tools: smallTools, files: { '/etc/passwd': passwd } },
  alpine: { cmd: ['/bin/sh'], shell: 'busybox', programs: [], tools: smallTools, files: { '/etc/passwd': passwd } },
  debian: { cmd: ['bash'], shell: 'debian', programs: [], tools: ['hostname', 'getent'], files: { '/etc/passwd': passwd } },
  ubuntu: { cmd: ['/bin/bash'], shell: 'debian', programs: [], tools: ['hostname', 'getent'], files: { '/etc/passwd': passwd } },
  curl: {
    entrypoint: ['/entrypoint.sh'],
    cmd: ['curl'],
    shell: 'busybox',
    programs: [],
    tools: ['curl', ...smallTools],
    files: { '/etc/passwd': passwd, '/entrypoint.sh': '#!/bin/sh\nexec "$@"\n' },
  },
  netshoot: {
    cmd: ['zsh'],
    shell: 'debian',
    programs: [],
    tools: ['curl', 'dig', 'host', 'ss', 'conntrack', 'iptables', ...smallTools],
    files: { '/etc/passwd': passwd },
  },
  'jessie-dnsutils': {
    cmd: ['sleep', 'infinity'],
    shell: 'debian',
    programs: [],
    tools: ['dig', 'host', 'nslookup', 'hostname', 'getent'],
    files: { '/etc/passwd': passwd },
  },
  agnhost: {
    entrypoint: ['/agnhost'],
    cmd: ['pause'],
    shell: 'debian',
    ports: ['5000/tcp', '80/tcp', '8080/tcp', '8081/tcp', '9376/tcp'],
    programs: ['agnhost'],
    tools: ['curl', 'dig', 'host', 'nslookup', 'nc', 'ping', 'hostname', 'ip', 'wget'],
    files: { '/etc/passwd': passwd },
  },
  'http-echo': { entrypoint: ['/http-echo'], shell: 'none', programs: ['http-echo'] },
  coredns: { entrypoint: ['/coredns'], shell: 'none', programs: ['coredns'] },
  'kube-proxy': {
    cmd: ['bash'],
    shell: 'debian',
    programs: ['kube-proxy'],
    tools: ['iptables', 'iptables-save', 'nft', 'conntrack', 'ip'],
  },
  flannel: { entrypoint: ['/opt/bin/flanneld'], shell: 'debian', programs: ['flanneld'], tools: ['ip', 'iptables', 'iptables-save'] },
  'flannel-cni-plugin': { cmd: ['sh'], shell: 'busybox', programs: [], files: { '/flannel': '#!/simulated/cni/flannel\n' } },
  'local-path-provisioner': { entrypoint: ['local-path-provisioner'], shell: 'none', programs: ['local-path-provisioner'] },
  'local-path-helper': { cmd: ['sh'], shell: 'busybox', programs: [] },
  etcd: { shell: 'none', programs: ['etcd'], tools: ['etcdctl', 'etcdutl'] },
  'kube-apiserver': { shell: 'none', programs: ['kube-apiserver'] },
  'kube-controller-manager': { shell: 'none', programs: ['kube-controller-manager'] },
  'kube-scheduler': { shell: 'none', programs: ['kube-scheduler'] },
  pause: { entrypoint: ['/pause'], shell: 'none', user: '65535:65535', programs: [] },
}

/** A stable id for an image that no node has had yet. */
function idOf(name: string): string {
  // FNV-1a, spread over 64 digits: an id must be the same in every lab, it need not be hard to forge.
  let out = ''
  for (let part = 0; part < 8; part++) {
    let hash = 0x811c9dc5 ^ (part * 0x9e3779b1)
    for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
    out += (hash >>> 0).toString(16).padStart(8, '0')
  }
  return out
}

/** What a registry calls an image by: its manifest's digest, which is not the image's id. */
export const manifestDigest = (name: string): string => `sha256:${idOf(`manifest of ${name}`)}`

/**
 * Every image of the simulated world, on the nodes or to be pulled (`remote`). `programs`: by name (`nginx`, `coredns`, `kube-apiserver` …); an image's
 * program that is not among them is as missing as a binary that is not there.
 */
export function images(programs: Readonly<Record<string, Program>> = {}): SimImage[] {
  const made: SimImage[] = []
  const add = (names: readonly string[], id: string, sizeBytes: number, remote: boolean) => {
    const recipe = recipes[repositoryName(names[0] as string)] as Recipe
    const own = Object.freeze(
      Object.fromEntries(recipe.programs.flatMap((name) => (programs[name] ? [[name, programs[name] as Program]] : []))),
    )
    for (const name of names)
      made.push(
        Object.freeze({
          name,
          digest: `sha256:${id}`,
          sizeBytes,
          entrypoint: recipe.entrypoint ?? [],
          cmd: recipe.cmd ?? [],
          env: Object.freeze({ PATH: path }),
          workdir: '/',
          user: recipe.user ?? '',
          ports: recipe.ports ?? [],
          files: recipe.files ?? {},
          programs: own,
          shell: recipe.shell,
          tools: recipe.tools ?? [],
          ...(recipe.stopSignal === undefined ? {} : { stopSignal: recipe.stopSignal }),
          ...(remote ? { remote: true } : {}),
        }),
      )
  }
  for (const [names, id, size] of onNodes) add(names.split(' '), id, size, false)
  for (const [names, size] of toPull) for (const name of names.split(' ')) add([name], idOf(name), size, true)
  return made
}

const repositoryName = (name: string): string =>
  (name.split('@')[0] as string)
    .replace(/:[^/:]*$/, '')
    .split('/')
    .pop() as string

export interface Reference {
  /** with host and namespace: `docker.io/library/nginx` */
  repository: string
  host: string
  /** without the host: `library/nginx` */
  path: string
  tag: string
  digest: string
  /** repository with tag or digest, as containerd names it */
  full: string
}

/**
 * Reads an image's name as distribution/reference and the kubelet do; `latest` when it has neither tag nor digest.
 * @throws Error with their words (`invalid reference format: repository name (library/NGINX) must be lowercase`)
 */
export function parseReference(name: string): Reference {
  const invalid = () => new Error('invalid reference format')
  if (/^[a-f0-9]{64}$/.test(name)) throw new Error(`invalid repository name (${name}), cannot specify 64-byte hexadecimal strings`)
  const at = name.indexOf('@')
  const digest = at >= 0 ? name.slice(at + 1) : ''
  const rest = at >= 0 ? name.slice(0, at) : name
  if (digest && !/^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/.test(digest)) throw invalid()
  const slash = rest.indexOf('/')
  const first = slash >= 0 ? rest.slice(0, slash) : ''
  const hasHost = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  let host = hasHost ? first : 'docker.io'
  let remainder = hasHost ? rest.slice(slash + 1) : rest
  if (host === 'index.docker.io') host = 'docker.io'
  if (host === 'docker.io' && !remainder.includes('/')) remainder = `library/${remainder}`
  const colon = remainder.indexOf(':')
  const path = colon >= 0 ? remainder.slice(0, colon) : remainder
  const tag = colon >= 0 ? remainder.slice(colon + 1) : ''
  if (path !== path.toLowerCase()) throw new Error(`invalid reference format: repository name (${path}) must be lowercase`)
  if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(path)) throw invalid()
  if (colon >= 0 && !/^\w[\w.-]{0,127}$/.test(tag)) throw invalid()
  const repository = `${host}/${path}`
  const named = tag || (digest ? '' : 'latest')
  return { repository, host, path, tag: named, digest, full: `${repository}${named ? `:${named}` : ''}${digest ? `@${digest}` : ''}` }
}

/** Hosts at which a simulated registry answers; every other name does not resolve. */
const registries = new Set(['docker.io', 'registry.k8s.io', 'ghcr.io', 'quay.io', 'gcr.io'])

/** Why a registry does not give an image, in containerd's words after `desc = `, with the gRPC code; undefined when it does. */
export function refusal(
  reference: Reference,
  known: readonly SimImage[],
  resolver: string,
): { code: string; description: string } | undefined {
  const { full, host } = reference
  const head = `failed to pull and unpack image "${full}": failed to resolve reference "${full}": `
  if (!registries.has(host)) {
    const name = host.split(':')[0] as string
    const url = `https://${host}/v2/${reference.path}/manifests/${reference.digest || reference.tag}`
    return {
      code: 'Unknown',
      description: `${head}failed to do request: Head "${url}": dial tcp: lookup ${name} on ${resolver}:53: no such host`,
    }
  }
  if (known.some((image) => image.name === full || (reference.digest !== '' && image.digest === reference.digest))) return undefined
  return { code: 'NotFound', description: `${head}${full}: not found` }
}
