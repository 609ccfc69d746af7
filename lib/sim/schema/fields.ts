// Strict decoding: which fields of a body nobody declared, and which are there twice. Knows nothing of types.
import { parseDocument, visit } from 'yaml'
import type { KubeObject } from '../kube.ts'
import { type Shape, typeNamed } from './shape.ts'

export interface FieldErrors {
  /** `unknown field "spec.foo"` */
  unknown: string[]
  /** `duplicate field "spec.replicas"` */
  duplicate: string[]
}
/** as sigs.k8s.io/json: no more than these are gathered */
const most = 100

/**
 * What strict decoding complains of. `text` is the body as it came, JSON or YAML: only there can a duplicate be seen. The server's message
 * is `strict decoding error: ` and both lists joined by `, `.
 */
export function checkFields(object: KubeObject, shape: Shape, text?: string): FieldErrors {
  const unknown = new Set<string>()
  walk(object, shape, '', unknown, true)
  const duplicate = text === undefined ? [] : duplicates(text)
  return {
    unknown: [...unknown].slice(0, most).map((path) => `unknown field "${path}"`),
    duplicate: duplicate.slice(0, most),
  }
}

function walk(value: unknown, shape: Shape, path: string, unknown: Set<string>, top: boolean): void {
  if (typeof value !== 'object' || value === null) return
  const below = (key: string) => (path === '' ? key : `${path}.${key}`)
  if (shape.type === 'list') {
    if (Array.isArray(value)) for (const [index, item] of value.entries()) walk(item, shape.element, `${path}[${index}]`, unknown, false)
  } else if (shape.type === 'map') {
    for (const [key, item] of Object.entries(value)) walk(item, shape.value, below(key), unknown, false)
  } else if (shape.type === 'struct') {
    if (Array.isArray(value)) return
    for (const [key, item] of Object.entries(value)) {
      const field = shape.fields.get(key)
      if (field) walk(item, field.shape, below(key), unknown, false)
      else if (shape.open || ((top || shape.embedded) && /^(apiVersion|kind|metadata)$/.test(key))) continue
      else unknown.add(below(key))
    }
  } else if (shape.type === 'schema') {
    const props = typeNamed('apiextensions/v1.JSONSchemaProps')
    if (Array.isArray(value)) for (const [index, item] of value.entries()) walk(item, props, `${path}[${index}]`, unknown, false)
    else walk(value, props, path, unknown, false)
  }
}

function duplicates(text: string): string[] {
  return /^\s*[{[]/.test(text) ? inJson(text) : inYaml(text)
}
/** A scan that only follows names; the text has been parsed before, so it is well formed. */
function inJson(text: string): string[] {
  const found = new Set<string>()
  let at = 0
  const space = () => {
    while (at < text.length && (text.charCodeAt(at) <= 32 || text[at] === ',' || text[at] === ':')) at += 1
  }
  const string = (): string => {
    const start = at
    at += 1
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    at += 1
    return JSON.parse(text.slice(start, at)) as string
  }
  const value = (path: string): void => {
    space()
    if (text[at] === '{') {
      at += 1
      const seen = new Set<string>()
      for (space(); at < text.length && text[at] !== '}'; space()) {
        const key = string()
        const own = path === '' ? key : `${path}.${key}`
        if (seen.has(key)) found.add(`duplicate field "${own}"`)
        seen.add(key)
        value(own)
      }
      at += 1
    } else if (text[at] === '[') {
      at += 1
      let index = 0
      for (space(); at < text.length && text[at] !== ']'; space()) value(`${path}[${index++}]`)
      at += 1
    } else if (text[at] === '"') string()
    else while (at < text.length && !/[,\]}\s]/.test(text[at] as string)) at += 1
  }
  value('')
  return [...found]
}
/** As sigs.k8s.io/yaml says it: by line, not by path. */
function inYaml(text: string): string[] {
  const document = parseDocument(text, { uniqueKeys: false })
  const found: string[] = []
  visit(document, {
    Map(_key, node) {
      const seen = new Set<string>()
      for (const pair of node.items) {
        const key = String((pair.key as { value?: unknown } | null)?.value ?? pair.key)
        const offset = (pair.key as { range?: [number, number, number] } | null)?.range?.[0] ?? 0
        if (seen.has(key)) found.push(`line ${text.slice(0, offset).split('\n').length}: key ${JSON.stringify(key)} already set in map`)
        seen.add(key)
      }
    },
  })
  return found.length === 0 ? [] : [`yaml: unmarshal errors:\n  ${found.join('\n  ')}`]
}
