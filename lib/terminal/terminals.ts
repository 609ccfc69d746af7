// The terminals of one session: numbers them, limits them, finds them again after a restart. Knows nothing of sockets or storage.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Cluster, Size } from '#lib/cluster/index.ts'
import { LabError, limits, type Place, type TerminalView } from '#lib/protocol/index.ts'
import type { OpenAppendable } from './cast.ts'
import { type Clock, Terminal, type TerminalOptions } from './terminal.ts'

/** A terminal as it is stored. */
export interface StoredTerminal {
  id: number
  place: Place
  title: string
  shellId: string
  state: TerminalView['state']
  exitCode: number | null
}
export interface TerminalsOptions {
  /** directory of the recordings; made when it is missing */
  dir: string
  /** what shell ids begin with, [a-z0-9-]{1,40}, unique to the session */
  prefix: string
  cluster: () => Cluster | null
  clock?: Clock
  onChange: (terminal: StoredTerminal) => void
  onTrouble?: (error: LabError, terminal: number) => void
  open?: OpenAppendable
  tuning?: Pick<TerminalOptions, 'ringBytes' | 'unackedBytes' | 'recordingBytes' | 'stallMs'>
}

/** over the life of a session, closed ones included: bounds the disk */
const everOpened = 100
const defaultSize: Size = { cols: 80, rows: 24 }

/** File of a terminal's recording in the session's directory. */
export const recordingFile = (dir: string, terminal: number): string => path.join(dir, `terminal-${terminal}.cast`)

export class Terminals {
  readonly #options: TerminalsOptions
  readonly #terminals = new Map<number, Promise<Terminal>>()
  readonly #stored = new Map<number, StoredTerminal>()

  constructor(options: TerminalsOptions, stored: readonly StoredTerminal[] = []) {
    this.#options = options
    // Those of an earlier run are without their shell until they are attached again.
    for (const terminal of stored) this.#stored.set(terminal.id, terminal.state === 'open' ? { ...terminal, state: 'lost' } : terminal)
  }

  views(): TerminalView[] {
    return [...this.#stored.values()].map(({ id, place, title, state, exitCode }) => ({ id, place, title, state, exitCode }))
  }

  /**
   * Opens a new terminal and attaches it.
   * @throws LabError capacity-exceeded; what the cluster said
   */
  async open(place: Place, size: Size): Promise<Terminal> {
    const alive = [...this.#stored.values()].filter((terminal) => terminal.state !== 'closed')
    if (alive.length >= limits.terminalsPerSession) {
      throw new LabError(
        'capacity-exceeded',
        {
          en: `A session has ${limits.terminalsPerSession} terminals at most, and all of them are open.`,
          ko: `터미널은 한 실습에 ${limits.terminalsPerSession}개까지이고, 모두 열려 있습니다.`,
        },
        {
          hint: { en: 'Close one that you no longer need.', ko: '필요 없는 것을 닫으세요.' },
        },
      )
    }
    if (this.#stored.size >= everOpened) {
      throw new LabError(
        'capacity-exceeded',
        {
          en: `This session has opened ${everOpened} terminals, which is all it may.`,
          ko: `이 실습은 터미널을 ${everOpened}개 열었고, 더는 열 수 없습니다.`,
        },
        {
          hint: {
            en: 'Go on in one of those that are open; tmux gives you more shells in one.',
            ko: '열려 있는 터미널에서 계속하세요. tmux로 셸을 더 만들 수 있습니다.',
          },
        },
      )
    }
    const id = Math.max(0, ...this.#stored.keys()) + 1
    const nth = [...this.#stored.values()].filter((terminal) => terminal.place === place).length + 1
    const stored: StoredTerminal = {
      id,
      place,
      title: nth === 1 ? place : `${place} ${nth}`,
      shellId: `${this.#options.prefix}-${id}`,
      state: 'open',
      exitCode: null,
    }
    this.#stored.set(id, stored)
    try {
      mkdirSync(this.#options.dir, { recursive: true, mode: 0o700 })
    } catch {
      // the recording says so when it cannot be written
    }
    const loading = this.#load(stored, size)
    this.#terminals.set(id, loading)
    try {
      const terminal = await loading
      await terminal.attach()
      this.#options.onChange(this.#stored.get(id) ?? stored)
      return terminal
    } catch (error) {
      // A terminal that never was leaves no trace.
      this.#terminals.delete(id)
      this.#stored.delete(id)
      await loading.then((terminal) => terminal.detach()).catch(() => {})
      throw error
    }
  }

  #load(stored: StoredTerminal, size: Size): Promise<Terminal> {
    const { clock, cluster, dir, open, tuning } = this.#options
    return Terminal.load(
      {
        ...tuning,
        id: stored.id,
        place: stored.place,
        title: stored.title,
        shellId: stored.shellId,
        file: recordingFile(dir, stored.id),
        size,
        cluster,
        clock,
        open,
        onChange: (view) => {
          const before = this.#stored.get(view.id)
          if (before === undefined) return
          const after = { ...before, state: view.state, exitCode: view.exitCode }
          this.#stored.set(view.id, after)
          this.#options.onChange(after)
        },
        onTrouble: (error) => this.#options.onTrouble?.(error, stored.id),
      },
      { state: stored.state, exitCode: stored.exitCode },
    )
  }

  /**
   * A terminal by its number, attached when it is not closed; one of an earlier run of the server is loaded from its recording.
   * @throws LabError not-found
   */
  async get(id: number): Promise<Terminal> {
    const stored = this.#stored.get(id)
    if (stored === undefined)
      throw new LabError(
        'not-found',
        { en: `This session has no terminal ${id}.`, ko: `이 실습에는 터미널 ${id}이(가) 없습니다.` },
        { hint: { en: 'Open a new one.', ko: '새로 여세요.' } },
      )
    let loading = this.#terminals.get(id)
    if (loading === undefined) {
      loading = this.#load(stored, defaultSize)
      this.#terminals.set(id, loading)
      loading.catch(() => this.#terminals.delete(id))
    }
    return loading
  }

  /** The terminal if it is loaded, for what arrives often. */
  loaded(id: number): Promise<Terminal> | undefined {
    return this.#terminals.get(id)
  }

  async close(id: number): Promise<void> {
    const terminal = await this.get(id)
    await terminal.close()
  }
  /** Attaches what has no shell (lost, or looked at before there was a cluster), for when what was gone is back. */
  async reattach(): Promise<void> {
    for (const { id, state } of [...this.#stored.values()]) if (state !== 'closed') (await this.get(id)).reattach()
  }
  async detachAll(): Promise<void> {
    await Promise.allSettled([...this.#terminals.values()].map(async (terminal) => (await terminal).detach()))
  }
  /** Lets go of every terminal until `reattach`: what their shells run is about to end, their recordings stay and are gone on with. */
  async park(): Promise<void> {
    await this.detachAll()
    this.#terminals.clear()
  }
  /** Ends every terminal, those too that nobody has looked at since a restart. */
  async closeAll(): Promise<void> {
    await Promise.allSettled([...this.#terminals.values()].map(async (terminal) => (await terminal).close()))
    for (const stored of this.#stored.values()) {
      if (stored.state === 'closed') continue
      const after = { ...stored, state: 'closed' as const }
      this.#stored.set(stored.id, after)
      this.#options.onChange(after)
    }
  }
}
