// Static pods: the manifests in a directory, as pods. Knows nothing of what is done with them.
import { createHash } from 'node:crypto'
import { parse } from 'yaml'
import type { KubeObject } from '../kube.ts'
import type { Files } from '../machine.ts'
import { yamlWords } from './config.ts'

export interface Found {
  pods: KubeObject[]
  problems: string[]
}

/** What was read before, by file: a manifest that has not changed is the same pod. */
export type Known = Map<string, { text: string; pod: KubeObject }>

/** Every manifest in `path` (or the one that it is). Names are `<name>-<node>`, the uid is the manifest's hash, as the kubelet makes them. */
export function staticPods(files: Files, path: string, nodeName: string, now: number, known: Known = new Map()): Found {
  const found: Found = { pods: [], problems: [] }
  const stat = files.stat(path)
  if (!stat)
    return { pods: [], problems: [`"Unable to read config path" err="path does not exist, ignoring" path=${JSON.stringify(path)}`] }
  const names = stat.type === 'directory' ? files.list(path).filter((name) => !name.startsWith('.')) : ['']
  for (const name of names) {
    const file = name ? `${path}/${name}` : path
    const type = files.stat(file)?.type
    if (type === 'directory') {
      found.problems.push(`"Provided manifest path is a directory, not recursing into manifest path" path=${JSON.stringify(file)}`)
      continue
    }
    const text = files.text(file)
    if (text === undefined) continue
    const before = known.get(file)
    if (before?.text === text) {
      found.pods.push(before.pod)
      continue
    }
    try {
      const pod = podOf(text, file, nodeName, now)
      known.set(file, { text, pod })
      found.pods.push(pod)
    } catch (error) {
      found.problems.push(
        `"Could not process manifest file" err=${JSON.stringify(`${file}: ${(error as Error).message}`)} path=${JSON.stringify(file)}`,
      )
    }
  }
  return found
}

const placeholder = 'node-0000000000'
/** text for the placeholder → JSON of what it says */
const parsed = new Map<string, string>()
/** As many manifests as several control planes have. */
const mostParsed = 64
/**
 * Labs' manifests differ in their node's name alone: with one word of a kind in another's place a text says the same of it, so that each is parsed once in
 * a process. What is said is the caller's to change. @throws YAMLParseError, of the text itself
 */
function parseFor(text: string, nodeName: string): KubeObject {
  const plain = /^[a-z]+(-[a-z0-9]+)+$/.test(nodeName) && !text.includes(placeholder)
  const general = plain ? text.replaceAll(nodeName, placeholder) : text
  let json = parsed.get(general)
  if (json === undefined) {
    const value = parse(text, { version: '1.1' })
    json = JSON.stringify(value) ?? 'null'
    if (plain) json = json.replaceAll(nodeName, placeholder)
    if (parsed.size >= mostParsed) parsed.delete(parsed.keys().next().value as string)
    parsed.set(general, json)
  }
  return JSON.parse(plain ? json.replaceAll(placeholder, nodeName) : json)
}

function podOf(text: string, file: string, nodeName: string, now: number): KubeObject {
  let pod: KubeObject
  try {
    pod = parseFor(text, nodeName)
  } catch (error) {
    throw new Error(`couldn't parse as pod(${yamlWords(error, text)}), please check config file`)
  }
  if (typeof pod !== 'object' || pod === null)
    throw new Error("couldn't parse as pod(Object 'Kind' is missing in 'null'), please check config file")
  if (!pod.kind) throw new Error(`couldn't parse as pod(Object 'Kind' is missing in '${JSON.stringify(pod)}'), please check config file`)
  if (pod.kind !== 'Pod' || pod.apiVersion !== 'v1')
    throw new Error(
      pod.apiVersion === 'v1' && pod.kind !== 'Pod'
        ? `invalid pod: &v1.${pod.kind}{}`
        : `couldn't parse as pod(no kind ${JSON.stringify(pod.kind)} is registered for version ${JSON.stringify(pod.apiVersion ?? '')} in scheme "pkg/api/legacyscheme/scheme.go:30"), please check config file`,
    )
  const { metadata = {}, spec } = pod
  const wrong: string[] = []
  if (!metadata.name) wrong.push('metadata.name: Required value: name or generateName is required')
  if (!spec?.containers?.length) wrong.push('spec.containers: Required value')
  for (const [at, container] of (spec?.containers ?? []).entries()) {
    if (!container.name) wrong.push(`spec.containers[${at}].name: Required value`)
    if (!container.image) wrong.push(`spec.containers[${at}].image: Required value`)
    for (const [index, mount] of (container.volumeMounts ?? []).entries())
      if (!(spec.volumes ?? []).some((volume: KubeObject) => volume.name === mount.name))
        wrong.push(`spec.containers[${at}].volumeMounts[${index}].name: Not found: ${JSON.stringify(mount.name)}`)
  }
  if (wrong.length) throw new Error(`invalid pod: ${wrong.length > 1 ? `[${wrong.join(', ')}]` : wrong[0]}`)
  const hash = createHash('md5')
    .update(`${nodeName} ${file} ${JSON.stringify(pod)}`)
    .digest('hex')
  const spread = (container: KubeObject): KubeObject => ({
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: /:latest$|^[^:]*$/.test(container.image) ? 'Always' : 'IfNotPresent',
    ...container,
    // The API would have defaulted what a kubelet decodes, too.
    ...Object.fromEntries(
      ['livenessProbe', 'readinessProbe', 'startupProbe']
        .filter((key) => container[key])
        .map((key) => [
          key,
          {
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
            ...container[key],
            ...(container[key].httpGet ? { httpGet: { scheme: 'HTTP', path: '/', ...container[key].httpGet } } : {}),
          },
        ]),
    ),
    ...(container.ports
      ? {
          ports: container.ports.map((port: KubeObject) => ({
            protocol: 'TCP',
            ...(spec.hostNetwork ? { hostPort: port.containerPort } : {}),
            ...port,
          })),
        }
      : {}),
  })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name: `${metadata.name}-${nodeName}`,
      namespace: metadata.namespace ?? 'default',
      uid: hash,
      creationTimestamp: null,
      annotations: {
        ...metadata.annotations,
        'kubernetes.io/config.hash': hash,
        'kubernetes.io/config.seen': new Date(now).toISOString().replace('Z', '000000Z'),
        'kubernetes.io/config.source': 'file',
      },
    },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      ...spec,
      containers: spec.containers.map(spread),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(spread) } : {}),
      nodeName,
      // Nothing may drive a static pod away.
      tolerations: [...(spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: {},
  }
}

/** The pod that the API shows for a static one. */
export function mirrorOf(pod: KubeObject, node: KubeObject | undefined): KubeObject {
  const { uid, creationTimestamp: _, ...metadata } = pod.metadata
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, 'kubernetes.io/config.mirror': uid },
      ...(node
        ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid, controller: true }] }
        : {}),
    },
    spec: pod.spec,
  }
}
