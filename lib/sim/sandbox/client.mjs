// A simulated tool, as a real process calls it, where there is no Perl: the same as client.pl, at ten times the memory.
import { execFileSync, spawnSync } from 'node:child_process'
import { readlinkSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { basename } from 'node:path'
import { isatty } from 'node:tty'

const name = basename(process.argv[1] ?? '')
const lab = connect('/usr/libexec/lab/socket/lab')
/** @type {string | undefined} */
let stty
/** @type {import('node:net').Socket | undefined} */
let peer
const tell = (/** @type {string} */ type, /** @type {string | Uint8Array} */ payload = '') => {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeUInt32BE(bytes.length, 1)
  lab.write(Buffer.concat([head, bytes]))
}
const leave = (/** @type {number} */ code) => {
  if (stty !== undefined) spawnSync('/usr/bin/stty', [stty], { stdio: 'inherit' })
  process.exit(code)
}
// Waits for the reader: what is behind it (a pager) may be slow, and nothing else is to be done meanwhile.
const put = (/** @type {number} */ fd, /** @type {Uint8Array} */ bytes) => {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at)
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error)
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      else return code === 'EPIPE' ? leave(141) : leave(1)
    }
  }
}
const terminal = isatty(0) && isatty(1)
const windowSize = () => (process.stdout.isTTY ? process.stdout.getWindowSize() : [0, 0])
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])) process.on(signal, () => tell('S', signal))
if (terminal) process.stdout.on('resize', () => tell('W', windowSize().join('\0')))

lab.on('error', () => {
  process.stderr.write(`${name}: the lab does not answer\n`)
  leave(255)
})
lab.on('close', () => {
  process.stderr.write(`${name}: the lab went away\n`)
  leave(255)
})
const argv = [name, ...process.argv.slice(2)]
const env = Object.entries(process.env).map(([key, value]) => `${key}=${value}`)
tell('H', [...windowSize(), terminal ? 1 : isatty(0) ? 2 : 0, readlinkSync('/proc/self/cwd'), argv.length, ...argv, ...env].join('\0'))

// One piece for one request. Not fs.read: a terminal that says nothing would hold this process back from ending.
let [begun, wanted, ended] = [false, false, false]
const end = () => {
  ended = true
  if (wanted) tell('E')
  wanted = false
}
const give = () => {
  wanted = true
  if (ended) return end()
  if (!begun) {
    begun = true
    process.stdin.on('data', (/** @type {Buffer} */ bytes) => {
      process.stdin.pause()
      wanted = false
      for (let at = 0; at < bytes.length; at += 65536) tell('I', bytes.subarray(at, at + 65536))
    })
    process.stdin.on('end', end)
    process.stdin.on('error', end)
  }
  process.stdin.resume()
}
/** @param {string} type @param {Buffer} payload */
function handle(type, payload) {
  if (type === 'O') put(1, payload)
  else if (type === 'R') put(2, payload)
  else if (type === 'G') give()
  else if (type === 'X') leave(Number(payload.toString()))
  else if (type === 'M') {
    stty = execFileSync('/usr/bin/stty', ['-g'], { encoding: 'utf8', stdio: ['inherit', 'pipe', 'ignore'] }).trim()
    spawnSync('/usr/bin/stty', ['raw', '-echo'], { stdio: 'inherit' })
  } else if (type === 'B') {
    const [program, argv0, ...args] = payload.toString().split('\0')
    lab.removeAllListeners('close')
    // Node cannot become another program: this one waits for it.
    const { status, signal } = spawnSync(/** @type {string} */ (program), args, { stdio: 'inherit', argv0 })
    leave(status ?? (signal === 'SIGINT' ? 130 : 143))
  } else if (type === 'c') {
    const opening = connect(Number(payload.toString()), '127.0.0.1')
    opening.once('connect', () => {
      peer = opening
      tell('C')
    })
    opening.on('error', () => (peer === opening ? undefined : tell('N')))
    opening.on('data', (bytes) => tell('D', bytes))
    opening.on('close', () => peer === opening && tell('F'))
  } else if (type === 'd') peer?.write(payload)
  else if (type === 'f') peer?.end()
}
let have = Buffer.alloc(0)
lab.on('data', (chunk) => {
  have = Buffer.concat([have, /** @type {Buffer} */ (chunk)])
  while (have.length >= 5) {
    const length = have.readUInt32BE(1)
    if (have.length < 5 + length) return
    const [type, payload] = [String.fromCharCode(/** @type {number} */ (have[0])), have.subarray(5, 5 + length)]
    have = have.subarray(5 + length)
    handle(type, payload)
  }
})
