// Partial match of JSON: every field that the pattern gives must be equal in the object. Knows nothing of Kubernetes.

/** null when `object` contains `pattern`, else one line that says where it does not. Of a list, each pattern item needs some item that matches. */
export function mismatch(pattern: unknown, object: unknown, path = ''): string | null {
  const here = path || 'the object'
  if (Array.isArray(pattern)) {
    if (!Array.isArray(object)) return `${here} is ${object === undefined ? 'missing' : 'no list'}`
    for (const [index, item] of pattern.entries())
      if (!object.some((candidate) => mismatch(item, candidate) === null))
        return `${here} has nothing that matches ${JSON.stringify(pattern[index])}`
    return null
  }
  if (pattern !== null && typeof pattern === 'object') {
    if (object === null || typeof object !== 'object') return `${here} is ${object === undefined ? 'missing' : JSON.stringify(object)}`
    for (const [key, value] of Object.entries(pattern)) {
      const why = mismatch(value, (object as Record<string, unknown>)[key], path ? `${path}.${key}` : key)
      if (why !== null) return why
    }
    return null
  }
  return Object.is(pattern, object)
    ? null
    : `${here} is ${object === undefined ? 'missing' : JSON.stringify(object)}, not ${JSON.stringify(pattern)}`
}
