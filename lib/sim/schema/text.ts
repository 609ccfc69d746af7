// How Go prints values, where an error message contains one. Knows nothing of Kubernetes.

/** `%v` of JSON decoded without types: `map[a:1 b:[x y]]`, keys sorted, nil as `<nil>` */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`
  if (typeof value === 'object')
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goValue((value as Record<string, unknown>)[key])}`)
      .join(' ')}]`
  return String(value)
}
