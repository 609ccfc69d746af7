// Why an operation is refused, in the real server's words, and the tokens by which a long list goes on. Knows nothing of how operations work.
// Sources: apimachinery/pkg/api/errors, apiserver/pkg/storage/{errors,continue}.go
import type { KubeObject } from '../kube.ts'
import { ApiError } from '../kube.ts'
import { groupResource, type Served } from './registry.ts'

export const keyOf = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`
export const encodeContinue = (rv: number, start: string): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start: `${start}\u0000` })).toString('base64url')
export function decodeContinue(token: string): { rv: number; start: string } {
  const text = Buffer.from(token, 'base64url').toString('latin1')
  try {
    const { rv, start } = JSON.parse(text)
    return { rv, start: String(start).replace(/\u0000$/, '') }
  } catch {
    throw new ApiError(
      400,
      'BadRequest',
      `invalid continue token: continue key is not valid: invalid character '${text[0] ?? ''}' looking for beginning of value`,
    )
  }
}
/** metav1.Time: RFC 3339 in whole seconds */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

export function goType(apiVersion: string, kind: string): string {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return `${version ?? group}.${kind}`
}
export const internalType = (served: Served): string =>
  `${served.group === '' ? 'core' : (served.group.split('.')[0] ?? '')}.${served.kind}`

export const badVersion = (value: string): ApiError =>
  new ApiError(
    400,
    'BadRequest',
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(value)}: strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`,
  )
export const tooLarge = (wanted: number, current: number): ApiError =>
  new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
export const expired = (message: string): ApiError => new ApiError(410, 'Expired', message)
export const details = (served: Served, name: string) => ({
  name,
  ...(served.group === '' ? {} : { group: served.group }),
  kind: served.resource,
})
export function conflict(served: Served, name: string, why: string): ApiError {
  const subject = groupResource(served.group, served.resource)
  return new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${subject} ${JSON.stringify(name)}: ${why}`, details(served, name))
}
export const modified = (served: Served, name: string): ApiError =>
  conflict(served, name, 'the object has been modified; please apply your changes to the latest version and try again')
export const alreadyExists = (served: Served, name: string): ApiError =>
  new ApiError(
    409,
    'AlreadyExists',
    `${groupResource(served.group, served.resource)} ${JSON.stringify(name)} already exists`,
    details(served, name),
  )
export const unsupportedPatch = (): ApiError =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  )
