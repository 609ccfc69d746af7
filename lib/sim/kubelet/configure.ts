// A container's configuration for the runtime, from its pod's spec: command, environment, mounts, user. Writes the files that the kubelet keeps for it.
import type { KubeObject } from '../kube.ts'
import type { SimImage } from '../process.ts'
import { quantity } from '../schema/index.ts'
import { ConfigFailure, commandLine, environment, hostnameOf, hostsFile, userOf } from './environment.ts'
import type { Kit } from './kit.ts'
import type { ContainerConfig, Mount, SandboxState } from './types.ts'
import { podDirectory } from './volumes.ts'

const fnv = (text: string): string => {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
/** changes when a running container is no longer what its spec says */
export const hashOf = (container: KubeObject): string => fnv(`${container.name} ${container.image}`)

/**
 * `pod` with its present status; `volume`: the machine's path of a volume that is mounted.
 * @throws ConfigFailure
 */
export function configure(
  kit: Pick<Kit, 'machine' | 'nodeName' | 'random' | 'hostIP' | 'client'>,
  pod: KubeObject,
  container: KubeObject,
  image: SimImage,
  sandbox: SandboxState,
  attempt: number,
  volume: (name: string) => string | undefined,
): ContainerConfig {
  const { machine, nodeName, random, hostIP } = kit
  const { files } = machine
  const user = userOf(pod, container, image)
  const podIP = pod.spec.hostNetwork ? hostIP : sandbox.ip
  const api = { client: kit.client, node: { cpus: machine.cpus, memoryBytes: machine.memoryBytes } }
  const subject = { ...pod, status: { ...pod.status, hostIP, podIP } }
  const hostname = hostnameOf(pod, nodeName)
  const env = environment(api, subject, container, image, podIP, hostname)
  const directory = podDirectory(pod.metadata.uid)
  const mounts: Mount[] = []
  for (const mount of container.volumeMounts ?? []) {
    const base = volume(mount.name)
    if (base === undefined)
      throw new ConfigFailure(`cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`)
    let hostPath = base
    const sub =
      mount.subPathExpr === undefined
        ? mount.subPath
        : mount.subPathExpr.replace(/\$\(([^)]*)\)/g, (_: string, name: string) => env[name] ?? '')
    if (sub) {
      hostPath = `${base}/${sub}`
      if (!files.exists(hostPath)) files.mkdir(hostPath)
    }
    const source = (pod.spec.volumes ?? []).find((one: KubeObject) => one.name === mount.name)
    const fixed = Boolean(source?.configMap ?? source?.secret ?? source?.projected ?? source?.downwardAPI)
    mounts.push({ path: mount.mountPath, hostPath, readOnly: Boolean(mount.readOnly) || fixed })
  }
  if (!mounts.some((mount) => mount.path === '/etc/hosts')) {
    const hosts = hostsFile(pod, podIP, hostname, files)
    // The same file for all containers of the pod: a new one would not be what those that run have mounted.
    if (files.text(`${directory}/etc-hosts`) !== hosts) files.write(`${directory}/etc-hosts`, hosts)
    mounts.push({ path: '/etc/hosts', hostPath: `${directory}/etc-hosts`, readOnly: false })
  }
  const terminationFile = `${directory}/containers/${container.name}/${random.hex(8)}`
  files.write(terminationFile, '', 0o666)
  mounts.push({ path: container.terminationMessagePath ?? '/dev/termination-log', hostPath: terminationFile, readOnly: false })
  const security = container.securityContext ?? {}
  const argv = commandLine(container, image, env)
  if (argv.length === 0) throw new ConfigFailure('no command specified')
  const { name, namespace, uid } = pod.metadata
  return {
    name: container.name,
    attempt,
    image: container.image,
    imageId: image.digest,
    argv,
    env,
    cwd: container.workingDir || image.workdir || '/',
    mounts,
    terminationFile,
    logPath: `/var/log/pods/${namespace}_${name}_${uid}/${container.name}/${attempt}.log`,
    stdin: Boolean(container.stdin),
    stdinOnce: Boolean(container.stdinOnce),
    tty: Boolean(container.tty),
    readOnlyRoot: Boolean(security.readOnlyRootFilesystem),
    user,
    privileged: Boolean(security.privileged),
    capabilities: security.capabilities?.add ?? [],
    drop: security.capabilities?.drop ?? [],
    stopSignal: image.stopSignal ?? 15,
    ...(container.resources?.limits?.memory === undefined ? {} : { memoryLimit: quantity(container.resources.limits.memory) }),
    labels: {
      'io.kubernetes.container.name': container.name,
      'io.kubernetes.pod.name': name,
      'io.kubernetes.pod.namespace': namespace,
      'io.kubernetes.pod.uid': uid,
    },
    annotations: {
      'io.kubernetes.container.hash': hashOf(container),
      'io.kubernetes.container.restartCount': String(attempt),
      'io.kubernetes.container.terminationMessagePath': container.terminationMessagePath ?? '/dev/termination-log',
      'io.kubernetes.container.terminationMessagePolicy': container.terminationMessagePolicy ?? 'File',
      'io.kubernetes.pod.terminationGracePeriod': String(pod.spec.terminationGracePeriodSeconds ?? 30),
    },
  }
}
