// `npm run doctor [-- --json | --brief] [--labs]`: what this machine has and lacks for the simulated cluster and for kind; with --labs the server's port does not count. Changes nothing. Exit code 0 when nothing is missing for kind; `--sim` asks for the simulated cluster alone, exit code accordingly.
import { parseArgs } from 'node:util'
import { doctor, doctorSimulated, summary, table } from '#lib/host/index.ts'
import { asLabError } from '#lib/protocol/index.ts'
import { missingForSandboxes } from '#lib/sim/sandbox/index.ts'

try {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, brief: { type: 'boolean' }, labs: { type: 'boolean' }, sim: { type: 'boolean' } },
  })
  const simulated = values.brief && !values.sim ? undefined : await doctorSimulated({ sandboxes: () => missingForSandboxes() })
  if (values.sim) {
    if (simulated && values.json) console.log(JSON.stringify(simulated, null, 2))
    else if (simulated) process.stdout.write(table(simulated, 'the simulated cluster'))
    process.exit(simulated?.ok ? 0 : 1)
  }
  const report = await doctor({ serving: values.labs === true })
  if (values.json) console.log(JSON.stringify({ ...report, simulated }, null, 2))
  else if (values.brief) console.log(summary(report))
  else process.stdout.write(`${simulated ? `${table(simulated, 'the simulated cluster')}\n` : ''}${table(report)}`)
  process.exitCode = report.ok ? 0 : 1
} catch (thrown) {
  const error = asLabError(thrown)
  console.error(`${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`)
  process.exitCode = 2
}
