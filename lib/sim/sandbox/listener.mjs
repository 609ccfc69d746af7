// Started in the network namespace of a place: opens the ports of its arguments (address:port), hands the listening sockets to its parent and ends.
// A socket stays in the namespace in which it was made, so nobody has to stay here.
import { createServer } from 'node:net'

const send = (/** @type {any} */ message, /** @type {any} */ handle) =>
  new Promise((resolve) => /** @type {any} */ (process).send(message, handle, {}, resolve))

for (const to of process.argv.slice(2)) {
  const at = to.lastIndexOf(':')
  const server = createServer()
  try {
    await new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: to.slice(0, at), port: Number(to.slice(at + 1)), backlog: 128 }, () => resolve(undefined))
    })
    await send({ to }, server)
  } catch (error) {
    await send({ to, error: error instanceof Error ? error.message : String(error) }, undefined)
  }
}
process.disconnect?.()
process.exit(0)
