// Sets of field paths, and their JSON form FieldsV1 (`f:name`, `k:{"name":"x"}`, `v:"x"`, `.`), as structured-merge-diff's fieldpath.
// Knows nothing of objects. A path is a list of elements in their FieldsV1 spelling.

export type Path = readonly string[]

export class FieldSet {
  readonly members = new Set<string>()
  readonly children = new Map<string, FieldSet>()

  insert(path: Path): void {
    if (path.length === 0) return
    let at: FieldSet = this
    for (let depth = 0; depth < path.length - 1; depth += 1) {
      const element = path[depth] as string
      let next = at.children.get(element)
      if (!next) {
        next = new FieldSet()
        at.children.set(element, next)
      }
      at = next
    }
    at.members.add(path.at(-1) as string)
  }
  has(path: Path): boolean {
    let at: FieldSet | undefined = this
    for (let depth = 0; depth < path.length - 1; depth += 1) at = at?.children.get(path[depth] as string)
    return at?.members.has(path.at(-1) as string) ?? false
  }
  get empty(): boolean {
    if (this.members.size > 0) return false
    for (const child of this.children.values()) if (!child.empty) return false
    return true
  }
  union(other: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const member of this.members) result.members.add(member)
    for (const member of other.members) result.members.add(member)
    for (const [element, child] of this.children) {
      const theirs = other.children.get(element)
      result.children.set(element, theirs ? child.union(theirs) : child)
    }
    for (const [element, child] of other.children) if (!this.children.has(element)) result.children.set(element, child)
    return result
  }
  intersection(other: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const member of this.members) if (other.members.has(member)) result.members.add(member)
    for (const [element, child] of this.children) {
      const theirs = other.children.get(element)
      const both = theirs && child.intersection(theirs)
      if (both && !both.empty) result.children.set(element, both)
    }
    return result
  }
  /** paths of this that are not in the other; what lies below a path of the other stays */
  difference(other: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const member of this.members) if (!other.members.has(member)) result.members.add(member)
    for (const [element, child] of this.children) {
      const theirs = other.children.get(element)
      const rest = theirs ? child.difference(theirs) : child
      if (!rest.empty) result.children.set(element, rest)
    }
    return result
  }
  /** without these fields of the top and everything below them */
  without(fields: readonly string[]): FieldSet {
    const result = new FieldSet()
    for (const member of this.members) if (!fields.includes(member)) result.members.add(member)
    for (const [element, child] of this.children) if (!fields.includes(element)) result.children.set(element, child)
    return result
  }
  equals(other: FieldSet): boolean {
    return this.difference(other).empty && other.difference(this).empty
  }
  /** every path: a node's own members before what is below, each in order */
  *paths(prefix: Path = []): Generator<Path> {
    for (const member of [...this.members].sort(order)) yield [...prefix, member]
    for (const [element, child] of [...this.children].sort(([a], [b]) => order(a, b))) yield* child.paths([...prefix, element])
  }

  toJson(): Record<string, unknown> {
    const result: Record<string, unknown> = {}
    for (const element of [...new Set([...this.members, ...this.children.keys()])].sort(order)) {
      const child = this.children.get(element)
      if (!child || child.empty) {
        if (this.members.has(element)) result[element] = {}
      } else result[element] = this.members.has(element) ? { '.': {}, ...child.toJson() } : child.toJson()
    }
    return result
  }
  static fromJson(json: unknown): FieldSet {
    const result = new FieldSet()
    for (const [element, below] of Object.entries((json ?? {}) as Record<string, Record<string, unknown>>)) {
      if (element === '.') continue
      const keys = Object.keys(below)
      if (keys.length === 0 || '.' in below) result.members.add(element)
      if (keys.some((key) => key !== '.')) result.children.set(element, FieldSet.fromJson(below))
    }
    return result
  }
}
/** fields, then keys, then values, as the library orders path elements */
const rank: Record<string, number> = { f: 0, k: 1, v: 2, i: 3 }
function order(a: string, b: string): number {
  const ranks = (rank[a[0] as string] ?? 4) - (rank[b[0] as string] ?? 4)
  return ranks !== 0 ? ranks : a < b ? -1 : a > b ? 1 : 0
}

/** `.spec.containers[name="web"].image`, as conflicts name a path */
export function pathText(path: Path): string {
  return path
    .map((element) => {
      const rest = element.slice(2)
      if (element.startsWith('f:')) return `.${rest}`
      if (element.startsWith('v:')) return `[=${rest}]`
      if (element.startsWith('i:')) return `[${rest}]`
      const keys = JSON.parse(rest) as Record<string, unknown>
      return `[${Object.keys(keys)
        .sort()
        .map((key) => `${key}=${JSON.stringify(keys[key])}`)
        .join(',')}]`
    })
    .join('')
}
