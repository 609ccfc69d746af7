// `npm start`: prepares the checkout (dependencies, build), says what the machine can do, serves. Plain JavaScript without dependencies,
// begins under Node 20 in a fresh clone; what is TypeScript runs in children under the Node 24 that npm brings.
// It never gets or builds images: that takes consent (the page, or `npm run setup:kind`).
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { elapsed, fail, line, prepare, root, run, StartError } from './bootstrap.mjs'

const host = process.env.HOST || '127.0.0.1'
const port = Number(process.env.PORT || 3000)
const address = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${port}`

/** @throws {StartError} when nothing can listen there */
function checkPort() {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new StartError(
      `PORT is ${JSON.stringify(process.env.PORT)}, which is not a port.`,
      'Give a number from 1 to 65535, or 0 for any free one: `PORT=3001 npm start`.',
    )
  }
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      const hint = {
        EADDRINUSE: `Perhaps kubemend already runs: open ${address}. Otherwise choose another port: \`PORT=${port === 65535 ? 3000 : port + 1} npm start\`.`,
        EACCES: `Ports below 1024 are kept for root. Choose another: \`PORT=3000 npm start\`.`,
        EADDRNOTAVAIL: 'HOST must be an address of this machine; without HOST it is 127.0.0.1.',
      }[error.code ?? '']
      const what = {
        EADDRINUSE: 'is already in use',
        EACCES: 'may not be used by this user',
        EADDRNOTAVAIL: 'is not an address of this machine',
      }[error.code ?? '']
      reject(
        new StartError(
          `Port ${port} on ${host} ${what ?? `cannot be used (${error.message})`}.`,
          hint ?? 'Choose another with PORT and HOST.',
        ),
      )
    })
    server.listen({ host, port }, () => server.close(resolve))
  })
}

/**
 * Hands on what the server prints and picks out the line that says where it serves.
 * @param {import('node:stream').Readable} output
 * @returns {Promise<string | undefined>} the address; undefined when the output ends without one
 */
async function servesAt(output) {
  return new Promise((resolve) => {
    const lines = createInterface({ input: output })
    lines.on('line', (text) => {
      const url = /^kubemend serves at (\S+)$/.exec(text)?.[1]
      if (url === undefined) process.stdout.write(`${text}\n`)
      else resolve(url)
    })
    lines.on('close', () => resolve(undefined))
  })
}

/**
 * Says whether labs can be simulated here: kind is not needed then.
 * @param {string} url where the server serves
 */
async function simulation(url) {
  const from = Date.now()
  try {
    const answer = await fetch(new URL('/api/backends', url), { signal: AbortSignal.timeout(10_000) })
    /** @type {{ backends: { name: string, state: string, message: string, remedy?: string }[] }} */
    const { backends } = await answer.json()
    const sim = backends.find(({ name }) => name === 'sim')
    if (sim?.state === 'ready') line('✓', 'simulated clusters are ready, without Docker', from)
    else if (sim !== undefined) line('!', `simulated clusters are not ready: ${sim.message} ${sim.remedy ?? ''}`, from)
  } catch {
    // The page says it too.
  }
}

async function start() {
  process.env.NEXT_TELEMETRY_DISABLED = '1'
  await checkPort()
  const node = await prepare({ build: true })

  const from = Date.now()
  const doctor = run([node, 'bin/doctor.ts', '--brief']).then(
    ({ code, output }) =>
      line(code === 0 ? '✓' : '!', output.trim().split('\n').at(-1) || 'the machine could not be looked at: `npm run doctor`', from),
    (error) => line('!', `the machine could not be looked at: ${error.message}`, from),
  )

  const served = Date.now()
  const server = spawn(node, ['--disable-warning=ExperimentalWarning', 'lib/server/main.ts'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', HOST: host, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // The server ends the process group's way: Ctrl-C reaches it by itself, `kill` of this process is handed on. It ignores a second one.
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => server.kill(signal))
  server.on('error', fail)
  server.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' || signal === 'SIGHUP' ? 0 : 1)))

  const url = await servesAt(server.stdout)
  if (url === undefined) return // it has said why
  line('✓', 'serving', served)
  await doctor
  await simulation(url)
  process.stdout.write(`\nkubemend is ready after ${elapsed()} s: ${url}\nCtrl-C ends it.\n`)
}

start().catch(fail)
