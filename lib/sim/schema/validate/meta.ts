// metadata of every kind: ValidateObjectMeta and its update (k8s.io/apimachinery/pkg/api/validation). Knows of kinds only what their names
// must look like.
import type { KubeObject } from '../../kube.ts'
import { immutable, invalidValue, requiredValue } from '../cause.ts'
import { equal } from '../patch.ts'
import { type Causes, type Check, isDns1035, isDotlessLabel, isPathSegment, isQualifiedName, isSubdomain, labels } from './names.ts'

const nameChecks: Record<string, Check> = {
  Namespace: isDotlessLabel,
  Service: isDns1035,
  Role: isPathSegment,
  ClusterRole: isPathSegment,
  RoleBinding: isPathSegment,
  ClusterRoleBinding: isPathSegment,
  FlowSchema: isPathSegment,
  CertificateSigningRequest: isSubdomain,
}
const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

export function metadata(
  object: KubeObject,
  field: string,
  out: Causes,
  options: { name?: Check | undefined; update?: boolean } = {},
): undefined {
  const meta = object.metadata ?? {}
  const check = options.name ?? nameChecks[object.kind] ?? isSubdomain
  if (meta.generateName) {
    // The generated letters come later: a hyphen at the end is no mistake.
    const prefix = meta.generateName.endsWith('-') ? `${meta.generateName.slice(0, -1)}a` : meta.generateName
    if (!meta.name || !options.update) out.check(`${field}.generateName`, meta.generateName, check(prefix))
  }
  if (!meta.name) out.add(requiredValue(`${field}.name`, 'name or generateName is required'))
  else out.check(`${field}.name`, meta.name, check(meta.name))
  out.notNegative(`${field}.generation`, meta.generation)
  labels(meta.labels, `${field}.labels`, out)
  annotations(meta.annotations, `${field}.annotations`, out)
  owners(meta.ownerReferences, `${field}.ownerReferences`, out)
  finalizers(meta.finalizers, `${field}.finalizers`, out)
}
const limit = 262144
function annotations(given: KubeObject, field: string, out: Causes): undefined {
  let size = 0
  for (const [key, value] of Object.entries((given ?? {}) as Record<string, string>)) {
    out.check(field, key, isQualifiedName(key.toLowerCase()))
    size += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (size > limit) out.add({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes`, field })
}
function owners(given: KubeObject, field: string, out: Causes): undefined {
  let controller: string | undefined
  for (const { apiVersion, kind, name, uid } of given ?? []) {
    const version = String(apiVersion ?? '')
      .split('/')
      .at(-1)
    if (!version) out.add(invalidValue(`${field}.apiVersion`, apiVersion ?? '', 'version must not be empty'))
    if (!kind) out.add(invalidValue(`${field}.kind`, kind ?? '', 'must not be empty'))
    if (!name) out.add(invalidValue(`${field}.name`, name ?? '', 'must not be empty'))
    if (!uid) out.add(invalidValue(`${field}.uid`, uid ?? '', 'must not be empty'))
    if (kind === 'Event' && apiVersion === 'v1') out.add(invalidValue(field, {}, 'v1, Kind=Event is disallowed from being an owner'))
  }
  for (const owner of given ?? []) {
    if (!owner.controller) continue
    const name = `${owner.kind}/${owner.name}`
    if (controller !== undefined)
      out.add(
        invalidValue(
          field,
          given,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
        ),
      )
    else controller = name
  }
}
function finalizers(given: KubeObject, field: string, out: Causes): undefined {
  for (const [index, name] of (given ?? []).entries()) {
    const wrong = isQualifiedName(name)
    out.check(field, name, wrong)
    if (wrong.length === 0 && !name.includes('/') && !standardFinalizers.has(name))
      out.add(invalidValue(`${field}[${index}]`, name, 'name is neither a standard finalizer name nor is it fully qualified'))
  }
}
/** what may not change once an object is there */
export function metadataUpdate(object: KubeObject, old: KubeObject, field: string, out: Causes): undefined {
  const now = object.metadata ?? {}
  const was = old.metadata ?? {}
  for (const key of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'])
    if (!equal(now[key] ?? null, was[key] ?? null) && !(now[key] === undefined && key !== 'name'))
      out.add(immutable(`${field}.${key}`, now[key]))
  labels(now.labels, `${field}.labels`, out)
  annotations(now.annotations, `${field}.annotations`, out)
  owners(now.ownerReferences, `${field}.ownerReferences`, out)
  finalizers(now.finalizers, `${field}.finalizers`, out)
  if (was.deletionTimestamp) {
    const added = (now.finalizers ?? []).filter((name: string) => !(was.finalizers ?? []).includes(name))
    if (added.length > 0)
      out.add({
        reason: 'FieldValueForbidden',
        message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name: string) => JSON.stringify(name)).join(', ')}}`,
        field: `${field}.finalizers`,
      })
  }
}
