// CustomResourceDefinitions: names, versions, and that their schemas are structural (apiextensions-apiserver/pkg/apis/apiextensions/validation,
// pkg/apiserver/schema). Knows nothing of the objects that follow them.
import type { KubeObject } from '../../kube.ts'
import { invalidValue, notSupported, requiredValue } from '../cause.ts'
import { schemaProblems } from '../custom.ts'
import { type Causes, goStruct, isDns1035, isSubdomain } from './names.ts'

const versionNames = [
  'Name=""',
  'Served=false',
  'Storage=false',
  'Deprecated=false',
  'DeprecationWarning',
  'Schema',
  'Subresources',
  'AdditionalPrinterColumns',
  'SelectableFields',
]
export function customResourceDefinition(object: KubeObject, out: Causes): undefined {
  const { spec = {} } = object
  const names = spec.names ?? {}
  if (object.metadata?.name && object.metadata.name !== `${names.plural ?? ''}.${spec.group ?? ''}`)
    out.add(invalidValue('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'))
  if (!spec.group) out.add(requiredValue('spec.group'))
  else {
    out.check('spec.group', spec.group, isSubdomain(spec.group))
    if (!spec.group.includes('.')) out.add(invalidValue('spec.group', spec.group, 'should be a domain with at least one dot'))
  }
  if (!spec.scope) out.add(requiredValue('spec.scope'))
  else if (!['Cluster', 'Namespaced'].includes(spec.scope)) out.add(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']))
  for (const field of ['plural', 'singular', 'kind', 'listKind']) if (!names[field]) out.add(requiredValue(`spec.names.${field}`))
  const versions: KubeObject[] = spec.versions ?? []
  const seen = new Set<string>()
  for (const [index, version] of versions.entries()) {
    out.check(`spec.versions[${index}].name`, version.name ?? '', isDns1035(version.name ?? ''))
    if (seen.has(version.name)) out.add(invalidValue(`spec.versions[${index}].name`, version.name, 'must be unique'))
    seen.add(version.name)
  }
  if (versions.filter((version) => version.storage).length !== 1)
    out.add(
      invalidValue(
        'spec.versions',
        versions.map((version) => goStruct({ ...version, schema: null }, versionNames)),
        'must have exactly one version marked as storage version',
      ),
    )
  for (const [index, version] of versions.entries()) {
    const schema = version.schema?.openAPIV3Schema
    // The server speaks of a schema that all versions share as spec.validation.
    const same = versions.every((other) => JSON.stringify(other.schema) === JSON.stringify(version.schema))
    const at = same ? 'spec.validation.openAPIV3Schema' : `spec.versions[${index}].schema.openAPIV3Schema`
    if (!schema) out.add(requiredValue(`spec.versions[${index}].schema.openAPIV3Schema`))
    else if (!same || index === 0) out.add(...schemaProblems(schema, at))
  }
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    const name: string = names[field] ?? ''
    if (!name) continue
    if (field === 'plural' || field === 'singular') out.check(`spec.names.${field}`, name, isDns1035(name))
    else {
      const wrong = isDns1035(name.toLowerCase())
      if (wrong.length > 0)
        out.add(invalidValue(`spec.names.${field}`, name, `may have mixed case, but should otherwise match: ${wrong.join(',')}`))
    }
  }
  for (const [index, name] of (names.shortNames ?? []).entries()) out.check(`spec.names.shortNames[${index}]`, name, isDns1035(name))
  if (names.kind && names.kind === names.listKind)
    out.add(invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  if (!object.status?.storedVersions?.length)
    out.add(invalidValue('status.storedVersions', object.status?.storedVersions ?? null, 'must have at least one stored version'))
}
