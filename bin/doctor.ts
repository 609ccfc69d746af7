// `npm run doctor [-- --json | --brief] [--labs]`: what this machine has and lacks for kind; with --labs the server's port does not count. Changes nothing. Exit code 0 when nothing is missing.
import { parseArgs } from 'node:util'
import { doctor, summary, table } from '#lib/host/index.ts'
import { asLabError } from '#lib/protocol/index.ts'

try {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, brief: { type: 'boolean' }, labs: { type: 'boolean' } } })
  const report = await doctor({ serving: values.labs === true })
  if (values.json) console.log(JSON.stringify(report, null, 2))
  else if (values.brief) console.log(summary(report))
  else process.stdout.write(table(report))
  process.exitCode = report.ok ? 0 : 1
} catch (thrown) {
  const error = asLabError(thrown)
  console.error(`${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`)
  process.exitCode = 2
}
