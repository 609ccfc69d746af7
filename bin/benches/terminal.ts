// A terminal through the whole path (shell, keeper, server, recording, WebSocket, client) beside `docker exec -it` into the same
// container, in the same run: throughput of a large file, latency of one key's echo. Without a ready kind, the fake backend beside a
// plain pty; the name says which.
import { spawn } from '@lydell/node-pty'
import { must, processes } from '#lib/exec/index.ts'
import { Client } from '#lib/server/client.ts'
import { TestLab } from '#lib/server/testing.ts'
import type { Bench, Figure } from '../bench.ts'

const megabytes = 32
const keys = 300

/** Something one types into and reads from. */
interface Line {
  write(text: string): void
  onData(listener: (bytes: Uint8Array) => void): void
}

/** Resolves with the bytes that came when `mark` has come. */
function until(line: Line, mark: string, begin: () => void): Promise<number> {
  const wanted = Buffer.from(mark)
  let tail = Buffer.alloc(0)
  let count = 0
  return new Promise((resolve) => {
    line.onData((bytes) => {
      count += bytes.byteLength
      const seen = Buffer.concat([tail, bytes])
      if (seen.includes(wanted)) resolve(count)
      tail = Buffer.from(seen.subarray(-wanted.length))
    })
    begin()
  })
}
/** MB/s of `cat file`. */
async function throughput(line: Line, file: string): Promise<number> {
  const from = performance.now()
  // The mark is split in what is typed: its echo does not hold it.
  const bytes = await until(line, 'the-end-of-it', () => line.write(`\u0015cat ${file}; echo the-end"-of-it"\r`))
  if (bytes < megabytes * 1e6) throw new Error(`only ${bytes} bytes of ${file} came through`)
  return bytes / 1e6 / ((performance.now() - from) / 1000)
}
/** Milliseconds from a key to its echo: median and 99th percentile. */
async function latency(line: Line): Promise<{ p50: number; p99: number }> {
  const times: number[] = []
  await until(line, '$', () => line.write('true\r'))
  for (let index = 0; index < keys; index++) {
    const key = 'abcdefghijklmnopqrstuvwxyz'[index % 26]!
    const from = performance.now()
    await until(line, key, () => line.write(key))
    times.push(performance.now() - from)
    if (index % 26 === 25) await until(line, '$', () => line.write('\u0015true\r'))
  }
  times.sort((left, right) => left - right)
  return { p50: times[Math.floor(times.length * 0.5)]!, p99: times[Math.floor(times.length * 0.99)]! }
}

async function measure(line: Line, file: string) {
  await throughput(line, file) // warm caches
  return { ...(await latency(line)), mbs: await throughput(line, file) }
}

export const terminalBench: Bench = async (say) => {
  let backend: 'kind' | 'fake' = 'kind'
  let lab = await TestLab.open({ env: { KUBEMEND_BACKENDS: 'kind' }, parts: { provider: () => undefined } })
  const [view] = await lab.lab.backends()
  if (view?.state !== 'ready') {
    say(`kind is not ready (${view?.message}); the fake backend is measured beside a plain pty`)
    await lab.close()
    backend = 'fake'
    lab = await TestLab.open()
  }
  try {
    const client = new Client(lab.url)
    say(`starting a lab on ${backend}`)
    const id = await client.begin('The shop sells nothing')
    const page = await client.open(id)
    page.keep = false
    await page.inState('ready')
    const session = await lab.lab.sessionsOf.open('local', id)
    const cluster = session.cluster!
    const file = 'bench.txt'
    const made = await cluster.exec('workstation', ['sh', '-c', `cd && base64 /dev/urandom | head -c ${megabytes * 1_000_000} > ${file}`])
    if (made.exitCode !== 0) throw new Error(`the file could not be made: ${made.stderr}`)
    const terminal = await page.terminal('workstation')
    const through: Line = {
      write: (text) => page.type(text, terminal),
      onData: (listener) => {
        page.onOutput = listener
      },
    }
    let plain: Line
    let end: () => void
    if (backend === 'kind') {
      const found = await must(processes, {
        argv: [
          'docker',
          'ps',
          '-q',
          '--filter',
          `label=dev.kubemend.cluster=${cluster.id}`,
          '--filter',
          'label=dev.kubemend.role=workstation',
        ],
      })
      const pty = spawn('docker', ['exec', '-it', '-u', 'candidate', '-w', '/home/candidate', found.stdout.trim(), 'bash', '-l'], {
        cols: 80,
        rows: 24,
        encoding: null,
      })
      plain = onPty(pty)
      end = () => pty.kill()
    } else {
      const home = (await cluster.exec('workstation', ['sh', '-c', 'cd && pwd'])).stdout.trim()
      const pty = spawn('bash', ['--norc', '--noprofile'], { cols: 80, rows: 24, encoding: null, cwd: home })
      plain = onPty(pty)
      end = () => pty.kill()
    }
    say('measuring the baseline')
    const baseline = await measure(plain, file)
    say('measuring the whole path')
    const ours = await measure(through, file)
    end()
    await page.close()
    const beside = backend === 'kind' ? 'kind, docker exec -it' : 'fake, pty'
    const figure = (name: string, unit: string, value: number, base: number): Figure => ({
      name: `terminal ${name} (beside ${beside})`,
      value,
      unit,
      baseline: base,
      ratio: value / base,
    })
    return [
      figure(`throughput of ${megabytes} MB`, 'MB/s', ours.mbs, baseline.mbs),
      figure('echo latency p50', 'ms', ours.p50, baseline.p50),
      figure('echo latency p99', 'ms', ours.p99, baseline.p99),
    ]
  } finally {
    for (const { id, state } of await lab.lab.sessionsOf.list('local'))
      if (state !== 'ended') await (await lab.lab.sessionsOf.open('local', id)).abandon()
    await lab.close()
  }
}

function onPty(pty: ReturnType<typeof spawn>): Line {
  let listener: (bytes: Uint8Array) => void = () => {}
  pty.onData((data) => listener(data as unknown as Uint8Array))
  return {
    write: (text) => pty.write(text),
    onData: (next) => {
      listener = next
    },
  }
}
