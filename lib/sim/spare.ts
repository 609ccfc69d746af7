// Folders of machines written ahead of the lab that will use them: making a thousand files costs a file system more than the rest of a start, changing
// those that differ costs next to nothing. Each is a copy of one that is written once, made by another process, so that this one goes on meanwhile.
// Knows nothing of what the files are, nor when there is time for it.
import { execFile } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { type FileImage, putImage } from './node/image.ts'

/** Machines' folders in `dir`, by place, as `files` says. */
export interface Spare {
  dir: string
  files: Readonly<Record<string, FileImage>>
}
/** as many as this wait, of each pattern */
const ready = 3

/** Of one pattern. */
interface Shelf {
  /** where it is written once; undefined until it is */
  pattern: string | undefined
  there: Spare[]
  /** the one that is being copied */
  coming: Promise<void> | undefined
}

export class Spares {
  readonly #dir: string
  readonly #shelves = new Map<Spare['files'], Shelf>()
  #serial = 0
  #closed = false
  #writing: Promise<void> = Promise.resolve()

  /** `dir`: on the file system of the labs’ folders, this object’s alone; what is left of it when the process ends is the caller’s to remove */
  constructor(dir: string) {
    this.#dir = dir
  }
  /** One that is ready or is just being copied; it is the caller’s then, `dir` included. */
  async take(files: Spare['files']): Promise<Spare | undefined> {
    for (;;) {
      const shelf = this.#shelves.get(files)
      const spare = shelf?.there.shift()
      if (spare || !shelf?.coming) return spare
      await shelf.coming
    }
  }
  /** Begins to write what is missing. What fails is left out: labs write their own files then. */
  fill(files: Spare['files']): void {
    this.#writing = this.#writing.then(() => this.#fill(files)).catch(() => {})
  }
  /** when all that was asked so far is written */
  settled(): Promise<void> {
    return this.#writing
  }
  /** No more is written; those that wait are removed. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
    this.#shelves.clear()
    await rm(this.#dir, { recursive: true, force: true })
  }
  /** A pattern that is not used again needs no spares. */
  forget(files: Spare['files']): void {
    const shelf = this.#shelves.get(files)
    this.#shelves.delete(files)
    if (shelf?.pattern) rmSync(shelf.pattern, { recursive: true, force: true })
    for (const spare of shelf?.there ?? []) rmSync(spare.dir, { recursive: true, force: true })
  }
  async #fill(files: Spare['files']): Promise<void> {
    const shelf = this.#shelves.get(files) ?? { pattern: undefined, there: [], coming: undefined }
    this.#shelves.set(files, shelf)
    const kept = () => !this.#closed && this.#shelves.get(files) === shelf
    // At once, though it stops the others for a tenth of a second: it happens once in a process, and the next lab waits for it or writes as much itself.
    shelf.pattern ??= await this.#make((dir) => {
      for (const [place, image] of Object.entries(files)) putImage(`${dir}/${place}`, image)
    })
    while (shelf.there.length < ready && kept()) {
      const { pattern } = shelf
      const copied = this.#make((dir) => copy(pattern, dir))
      shelf.coming = copied.then(
        (dir) => {
          shelf.coming = undefined
          if (kept()) shelf.there.push({ dir, files })
          else rmSync(dir, { recursive: true, force: true })
        },
        () => {
          shelf.coming = undefined
        },
      )
      await copied
      await shelf.coming
    }
    if (!kept()) rmSync(shelf.pattern, { recursive: true, force: true })
  }
  /** A new folder, or nothing of it. */
  async #make(write: (dir: string) => void | Promise<void>): Promise<string> {
    this.#serial += 1
    const dir = `${this.#dir}/${this.#serial}`
    try {
      // Nothing above it is made: whoever removed that wants nothing here.
      await mkdir(this.#dir).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
      await write(dir)
      return dir
    } catch (error) {
      await rm(dir, { recursive: true, force: true })
      throw error
    }
  }
}

/** with modes, times and links; `to` is not there yet */
const copy = (from: string, to: string): Promise<void> =>
  new Promise((resolve, reject) => execFile('cp', ['-a', from, to], (error) => (error ? reject(error) : resolve())))

type Entry = FileImage['entries'][number]
const bytesOf = (entry: Extract<Entry, { type: 'file' }>): Buffer =>
  'text' in entry ? Buffer.from(entry.text) : Buffer.from(entry.base64, 'base64')
const sameContent = (a: Extract<Entry, { type: 'file' }>, b: Extract<Entry, { type: 'file' }>): boolean =>
  'text' in a ? 'text' in b && a.text === b.text : 'base64' in b && a.base64 === b.base64

/**
 * Moves a spare to `dir`, where none of its places is yet, and makes it equal to `wanted`. `renamed`: the path that one of the spare has there; parents
 * come before children. Files are changed in place: nobody has them open.
 */
export function moveSpare(spare: Spare, dir: string, wanted: Readonly<Record<string, FileImage>>, renamed: (path: string) => string): void {
  mkdirSync(dir, { recursive: true })
  for (const [place, image] of Object.entries(wanted)) {
    const root = `${dir}/${place}`
    const from = spare.files[place]
    if (from) renameSync(`${spare.dir}/${place}`, root)
    else mkdirSync(root)
    const there = new Map<string, Entry>()
    for (const entry of from?.entries ?? []) {
      const path = renamed(entry.path)
      const parent = path.slice(0, path.lastIndexOf('/'))
      const name = entry.path.slice(entry.path.lastIndexOf('/'))
      if (path !== parent + name) renameSync(`${root}${parent}${name}`, `${root}${path}`)
      there.set(path, entry)
    }
    for (const entry of image.entries) {
      change(`${root}${entry.path}`, there.get(entry.path), entry)
      there.delete(entry.path)
    }
    for (const path of there.keys()) rmSync(`${root}${path}`, { recursive: true, force: true })
  }
  // All of its places are elsewhere now.
  rmdirSync(spare.dir)
}

function change(host: string, before: Entry | undefined, entry: Entry): void {
  if (before && before.type !== entry.type) {
    rmSync(host, { recursive: true, force: true })
    before = undefined
  }
  if (entry.type === 'directory') {
    if (!before) mkdirSync(host)
    if (before?.type !== 'directory' || before.mode !== entry.mode) chmodSync(host, entry.mode)
  } else if (entry.type === 'link') {
    if (before?.type === 'link' && before.target === entry.target) return
    if (before) rmSync(host)
    symlinkSync(entry.target, host)
  } else {
    const same = before?.type === 'file' ? before : undefined
    if (!same || !sameContent(same, entry)) {
      const bytes = bytesOf(entry)
      const file = openSync(host, constants.O_WRONLY | constants.O_NOFOLLOW | (same ? 0 : constants.O_CREAT | constants.O_EXCL), entry.mode)
      try {
        // Not emptied first: what is emptied and written again a file system brings to the disk at once.
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at)
        if (same && bytesOf(same).length > bytes.length) ftruncateSync(file, bytes.length)
      } finally {
        closeSync(file)
      }
    }
    if (same?.mode !== entry.mode) chmodSync(host, entry.mode)
    // Times move with the lab's; the times of its directories are the host's in any case.
    utimesSync(host, entry.mtime / 1000, entry.mtime / 1000)
  }
}
