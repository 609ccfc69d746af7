// JSON as text that is equal for equal content, whatever the order of its keys. Knows nothing of Kubernetes.
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => [key, sorted(item)]),
        )
      : value

export const canonical = (value: unknown): string => JSON.stringify(sorted(value))
