// The files that a container sees: its image's, what it wrote over them, and the machine's files that are mounted into it. The image's files are in
// memory and shared until a real process needs them. Knows nothing of processes.
import { posix } from 'node:path'
import type { Files, Stat } from '../machine.ts'
import type { Mount } from './types.ts'

const problem = (code: string, words: string, path: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${words}, '${path}'`), { code, path })

export interface RootfsOptions {
  machine: Files
  /** absolute path on the machine where the container's own layer lies; made when something is first written */
  upper: string
  image: Readonly<Record<string, string>>
  mounts: readonly Mount[]
  readOnlyRoot: boolean
}

type Place =
  | { at: 'machine'; path: string; readOnly: boolean }
  /** `path` within the container */
  | { at: 'layer'; path: string }

/** A container's root. Files of the image can be removed and changed; the image itself stays as it is. */
export class Rootfs implements Files {
  readonly #machine: Files
  readonly #upper: string
  readonly #image: Readonly<Record<string, string>>
  /** longest path first */
  readonly #mounts: readonly Mount[]
  readonly #readOnlyRoot: boolean
  readonly #removed = new Set<string>()
  #whole = false

  constructor(options: RootfsOptions) {
    this.#machine = options.machine
    this.#upper = options.upper
    this.#image = options.image
    this.#readOnlyRoot = options.readOnlyRoot
    this.#mounts = options.mounts
      .map((mount) => ({ ...mount, path: posix.resolve('/', mount.path) }))
      .sort((a, b) => b.path.length - a.path.length)
  }
  /** real; makes the image's files real first */
  get root(): string {
    this.materialise()
    return this.#machine.hostPath(this.#upper)
  }
  get mounts(): readonly Mount[] {
    return this.#mounts
  }

  /** Writes the image's files to the layer, with the mounts' places, so that a real process may use it as its root. Once. */
  materialise(): void {
    if (this.#whole) return
    this.#whole = true
    this.#machine.mkdir(this.#upper)
    for (const directory of ['/tmp', '/etc', '/root', '/var/log', '/run', '/proc', '/dev', '/sys'])
      this.#machine.mkdir(this.#upper + directory, directory === '/tmp' ? 0o1777 : 0o755)
    for (const [path, text] of Object.entries(this.#image)) {
      if (this.#removed.has(path) || this.#machine.exists(this.#upper + path)) continue
      if (path.endsWith('/')) this.#machine.mkdir(this.#upper + path.slice(0, -1))
      else this.#machine.write(this.#upper + path, text, text.startsWith('#!') ? 0o755 : 0o644)
    }
    for (const mount of [...this.#mounts].reverse()) {
      const place = this.#upper + mount.path
      if (this.#machine.exists(place)) continue
      if (this.#machine.stat(mount.hostPath)?.type === 'directory') this.#machine.mkdir(place)
      else this.#machine.write(place, '')
    }
  }

  #place(path: string): Place {
    const whole = posix.resolve('/', path)
    for (const mount of this.#mounts)
      if (mount.path === '/' || whole === mount.path || whole.startsWith(`${mount.path}/`))
        return { at: 'machine', path: mount.hostPath + whole.slice(mount.path === '/' ? 0 : mount.path.length), readOnly: mount.readOnly }
    return { at: 'layer', path: whole }
  }
  /** in the image, and neither removed nor changed */
  #ofImage(path: string): string | undefined {
    return this.#whole || this.#removed.has(path) ? undefined : this.#image[path]
  }
  #imageDirectory(path: string): boolean {
    if (this.#whole) return false
    const below = path === '/' ? '/' : `${path}/`
    return Object.keys(this.#image).some((name) => name.startsWith(below) && !this.#removed.has(name))
  }
  #writable(path: string): string {
    const place = this.#place(path)
    if (place.at === 'machine') {
      if (place.readOnly) throw problem('EROFS', 'read-only file system', path)
      return place.path
    }
    if (this.#readOnlyRoot) throw problem('EROFS', 'read-only file system', path)
    return this.#upper + place.path
  }

  read(path: string): Buffer {
    const place = this.#place(path)
    if (place.at === 'machine') return this.#machine.read(place.path)
    if (this.#machine.exists(this.#upper + place.path)) return this.#machine.read(this.#upper + place.path)
    const text = this.#ofImage(place.path)
    if (text !== undefined) return Buffer.from(text)
    if (this.#imageDirectory(place.path)) throw problem('EISDIR', 'illegal operation on a directory, read', path)
    throw problem('ENOENT', 'no such file or directory', path)
  }
  text(path: string): string | undefined {
    try {
      return this.read(path).toString('utf8')
    } catch {
      return undefined
    }
  }
  exists(path: string): boolean {
    return this.stat(path) !== undefined
  }
  stat(path: string): Stat | undefined {
    const place = this.#place(path)
    if (place.at === 'machine') return this.#machine.stat(place.path)
    const own = this.#machine.stat(this.#upper + place.path)
    if (own) return own
    const text = this.#ofImage(place.path)
    if (text !== undefined) return { type: 'file', size: Buffer.byteLength(text), mode: text.startsWith('#!') ? 0o755 : 0o644, mtime: 0 }
    const mounted = this.#mounts.some((mount) => mount.path.startsWith(place.path === '/' ? '/' : `${place.path}/`))
    if (mounted || place.path === '/' || place.path === '/tmp' || this.#imageDirectory(place.path))
      return { type: 'directory', size: 4096, mode: place.path === '/tmp' ? 0o1777 : 0o755, mtime: 0 }
    return undefined
  }
  list(path: string): string[] {
    const place = this.#place(path)
    const names = new Set(this.#machine.list(place.at === 'machine' ? place.path : this.#upper + place.path))
    const whole = posix.resolve('/', path)
    const below = whole === '/' ? '/' : `${whole}/`
    const nextName = (name: string) => name.slice(below.length).split('/')[0] as string
    if (place.at === 'layer' && !this.#whole)
      for (const name of Object.keys(this.#image)) if (name.startsWith(below) && !this.#removed.has(name)) names.add(nextName(name))
    for (const mount of this.#mounts) if (mount.path.startsWith(below) && mount.path !== below) names.add(nextName(mount.path))
    names.delete('')
    return [...names].sort()
  }
  write(path: string, bytes: string | Uint8Array, mode?: number): void {
    this.#machine.write(this.#writable(path), bytes, mode)
  }
  mkdir(path: string, mode?: number): void {
    this.#machine.mkdir(this.#writable(path), mode)
  }
  symlink(target: string, path: string): void {
    this.#machine.symlink(target, this.#writable(path))
  }
  rename(from: string, to: string): void {
    const source = this.#place(from)
    if (source.at === 'layer' && !this.#machine.exists(this.#upper + source.path)) this.write(from, this.read(from))
    this.#machine.rename(this.#writable(from), this.#writable(to))
    if (source.at === 'layer') this.#removed.add(source.path)
  }
  remove(path: string): void {
    const place = this.#place(path)
    this.#machine.remove(this.#writable(path))
    if (place.at === 'layer')
      for (const name of Object.keys(this.#image)) if (name === place.path || name.startsWith(`${place.path}/`)) this.#removed.add(name)
  }
  hostPath(path: string): string {
    const place = this.#place(path)
    if (place.at === 'machine') return this.#machine.hostPath(place.path)
    this.materialise()
    return this.#machine.hostPath(this.#upper + place.path)
  }
  watch(path: string, changed: () => void): { stop(): void } {
    const place = this.#place(path)
    return this.#machine.watch(place.at === 'machine' ? place.path : this.#upper + place.path, changed)
  }
  below(path: string): Files {
    return new Rootfs({
      machine: this.#machine,
      upper: this.#upper + posix.resolve('/', path),
      image: Object.fromEntries(
        Object.entries(this.#image).flatMap(([name, text]) => {
          const below = `${posix.resolve('/', path)}/`
          return name.startsWith(below) && !this.#removed.has(name) ? [[name.slice(below.length - 1), text]] : []
        }),
      ),
      mounts: this.#mounts.flatMap((mount) => {
        const whole = posix.resolve('/', path)
        if (mount.path.startsWith(`${whole}/`)) return [{ ...mount, path: mount.path.slice(whole.length) }]
        if (whole === mount.path || whole.startsWith(`${mount.path}/`))
          return [{ ...mount, path: '/', hostPath: mount.hostPath + whole.slice(mount.path.length) }]
        return []
      }),
      readOnlyRoot: this.#readOnlyRoot,
    })
  }
}
