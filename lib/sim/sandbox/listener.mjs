// Started in the network namespace of a place: opens the ports of its arguments (tcp/address:port, udp/address:port), hands the listening sockets to its
// parent and ends. A socket stays in the namespace in which it was made, so nobody has to stay here.
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const send = (/** @type {any} */ message, /** @type {any} */ handle) =>
  new Promise((resolve) => /** @type {any} */ (process).send(message, handle, {}, resolve))

for (const to of process.argv.slice(2)) {
  const at = to.lastIndexOf(':')
  const [host, port] = [to.slice(4, at), Number(to.slice(at + 1))]
  const handle = to.startsWith('udp/') ? createSocket('udp4') : createServer()
  try {
    await new Promise((resolve, reject) => {
      handle.once('error', reject)
      if ('bind' in handle) handle.bind(port, host, () => resolve(undefined))
      else handle.listen({ host, port, backlog: 128 }, () => resolve(undefined))
    })
    await send({ to }, handle)
  } catch (error) {
    await send({ to, error: error instanceof Error ? error.message : String(error) }, undefined)
  }
}
process.disconnect?.()
process.exit(0)
