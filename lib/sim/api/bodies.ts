// What a request carries: JSON, YAML or protobuf, patches, options; and the refusals of what cannot be read, in Go's words. Knows nothing of what is
// done with it. Source: apiserver/pkg/endpoints/handlers/{negotiation,create,delete}.go
import type { IncomingMessage } from 'node:http'
import { parse as fromYaml } from 'yaml'
import type { DeleteOptions, KubeObject } from '../kube.ts'
import { ApiError } from '../kube.ts'
import { decode } from '../schema/index.ts'
import type { Target } from './http.ts'

const largest = 3 * 1024 * 1024

export const contentType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''

export async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > largest) {
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${largest}`)
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
export function parseBody(bytes: Buffer, type: string, target: Target): { object: KubeObject; text?: string } {
  const { kind } = target.served.subresources.find((one) => one.name === target.subresource) ?? target.served
  const start = bytes.subarray(0, 4).toString('latin1')
  if (type === 'application/vnd.kubernetes.protobuf' || start === 'k8s\0') return { object: decode(bytes) }
  if (type === '' || type === 'application/json' || type === '*/*') {
    const text = bytes.toString()
    const unrecognized = (why: string) =>
      new ApiError(
        400,
        'BadRequest',
        `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${why} (${text === '' ? '<empty>' : excerpt(text)})`,
      )
    let object: KubeObject
    try {
      object = JSON.parse(text)
    } catch (error) {
      throw unrecognized(goJsonError(text, error))
    }
    if (typeof object === 'object' && object !== null && !Array.isArray(object)) return { object, text }
    const is = Array.isArray(object) ? 'array' : object === null ? 'null' : typeof object === 'boolean' ? 'bool' : typeof object
    throw unrecognized(
      `json: cannot unmarshal ${is} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    )
  }
  if (type === 'application/yaml') {
    const text = bytes.toString()
    return { object: parseYaml(text), text }
  }
  throw new ApiError(
    415,
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  )
}
const excerpt = (text: string): string => (text.length > 256 ? `${text.slice(0, 256)}...` : text)
export function parseYaml(text: string): KubeObject {
  try {
    return fromYaml(text)
  } catch (error) {
    throw new ApiError(400, 'BadRequest', `error decoding YAML: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
  }
}
export function parseJson(text: string, what: string): KubeObject {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ApiError(400, 'BadRequest', `error decoding ${what}: ${goJsonError(text, error)}`)
  }
}
export const optionKinds: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
}
export const badOptions = (kind: string, field: string, message: string): ApiError =>
  new ApiError(422, 'Invalid', `${kind}.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    group: 'meta.k8s.io',
    kind,
    causes: [{ reason: 'FieldValueNotSupported', message, field }],
  })
/** V8's complaint in encoding/json's words, where they are about the same thing */
function goJsonError(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const at = Number(/position (\d+)/.exec(message)?.[1] ?? -1)
  if (/end of JSON input|Unterminated/i.test(message) || at >= text.trimEnd().length) return 'unexpected end of JSON input'
  const found = /Unexpected token '(.)'/su.exec(message)?.[1] ?? text[at] ?? text.trim()[0]
  return `invalid character '${found ?? ' '}' looking for beginning of value`
}
export function deleteOptions(
  bytes: Buffer,
  request: IncomingMessage,
  query: URLSearchParams,
): DeleteOptions & { dryRun?: string[]; orphanDependents?: boolean } {
  const options: KubeObject = {}
  if (bytes.length > 0) {
    const isProtobuf = contentType(request) === 'application/vnd.kubernetes.protobuf' || bytes.subarray(0, 4).toString('latin1') === 'k8s\0'
    Object.assign(
      options,
      isProtobuf
        ? decode(bytes)
        : contentType(request) === 'application/yaml'
          ? parseYaml(bytes.toString())
          : parseJson(bytes.toString(), 'DeleteOptions'),
    )
  }
  const grace = query.get('gracePeriodSeconds')
  if (grace !== null) options.gracePeriodSeconds = Number(grace)
  const policy = query.get('propagationPolicy')
  if (policy !== null) options.propagationPolicy = policy
  const orphan = query.get('orphanDependents')
  if (orphan !== null) options.orphanDependents = orphan === 'true'
  if (options.propagationPolicy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(options.propagationPolicy)) {
    const value = JSON.stringify(options.propagationPolicy)
    throw badOptions(
      'DeleteOptions',
      'propagationPolicy',
      `Unsupported value: ${value}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    )
  }
  return options
}
