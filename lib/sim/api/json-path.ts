// The JSON paths that printer columns use: fields, indexes, wildcards, filters on equality. Knows nothing of tables.
// Source: client-go/util/jsonpath, as far as additionalPrinterColumns go.
import type { KubeObject } from '../kube.ts'

/** `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`, `.metadata.labels['a.b/c']`; [] for what is not there or cannot be read */
export function jsonPath(object: KubeObject, path: string): KubeObject[] {
  const steps = path.replace(/^\{|\}$/g, '').match(/\.?\[[^\]]*\]|\.(?:\\.|[^.[\]])+/g)
  if (steps === null) return []
  let found: KubeObject[] = [object]
  for (const step of steps) {
    const bracket = /^\.?\[(.*)\]$/.exec(step)
    found = found.flatMap((value) =>
      bracket === null ? field(value, step.slice(1).replace(/\\(.)/g, '$1')) : inside(value, bracket[1] as string),
    )
  }
  return found
}
function field(value: KubeObject, key: string): KubeObject[] {
  if (key === '*') return value !== null && typeof value === 'object' ? Object.values(value) : []
  const next = value?.[key]
  return next === undefined ? [] : [next]
}
function inside(value: KubeObject, text: string): KubeObject[] {
  if (text === '*') return Array.isArray(value) ? value : value !== null && typeof value === 'object' ? Object.values(value) : []
  const quoted = /^(['"])(.*)\1$/.exec(text)
  if (quoted !== null) return field(value, quoted[2] as string)
  if (!Array.isArray(value)) return []
  if (/^-?\d+$/.test(text)) {
    const item = value.at(Number(text))
    return item === undefined ? [] : [item]
  }
  const filter = /^\?\(\s*@\.([\w.]+)\s*(==|!=)\s*(?:(['"])(.*)\3|(\S+))\s*\)$/.exec(text)
  if (filter === null) return []
  const [, path = '', operator, , text1, text2] = filter
  const wanted = text1 ?? text2 ?? ''
  return value.filter((item) => {
    const is = String(path.split('.').reduce((part: KubeObject, key) => part?.[key], item)) === wanted
    return operator === '==' ? is : !is
  })
}
