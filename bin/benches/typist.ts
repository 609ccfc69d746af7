// Somebody at a terminal who types and waits for what appears. Knows nothing of what is typed.
import { setTimeout as wait } from 'node:timers/promises'
import { LabError } from '#lib/protocol/index.ts'

/** A terminal's line: keys in, output out. */
export interface Line {
  write(text: string): void
  onData(listener: (bytes: Uint8Array) => void): void
}
export const letters = 'abcdefghijklmnopqrstuvwxyz'

/** Sits down: the shell gets a prompt in which no key is. `until` waits for output since the last wait. @throws LabError timeout after half a minute */
export async function sitDown(line: Line): Promise<{ until(mark: RegExp): Promise<void> }> {
  let seen = ''
  let wake = () => {}
  line.onData((bytes) => {
    seen += Buffer.from(bytes).toString()
    wake()
  })
  const until = async (mark: RegExp) => {
    const late = performance.now() + 30_000
    while (!mark.test(seen)) {
      if (performance.now() > late) throw new LabError('timeout', `Half a minute without an answer: ${JSON.stringify(seen.slice(-200))}`)
      await Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve
        }),
        wait(1000),
      ])
    }
    seen = ''
  }
  line.write('PS1="> "; echo be"gi"n\r')
  await until(/begin\r\n.*> $/)
  return { until }
}
