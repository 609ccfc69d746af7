// What the commands for authors share: where a new scenario goes, and how they end.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { asLabError, type Domain, domain, LabError } from '#lib/protocol/index.ts'
import { loadCatalogue } from '#lib/scenario/index.ts'
import { root } from '#lib/server/index.ts'

/**
 * The folder of a scenario that is not there yet.
 * @throws LabError bad-request with `usage` for a name that cannot be one; conflict when the slug is taken, in whatever domain
 */
export async function newFolder(
  wanted: string | undefined,
  slug: string | undefined,
  usage: string,
): Promise<{ domain: Domain; slug: string; folder: string; shown: string }> {
  const parsed = domain.safeParse(wanted)
  if (!parsed.success || slug === undefined || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(slug)) throw new LabError('bad-request', usage)
  const scenarios = process.env.KUBEMEND_SCENARIOS ?? path.join(root, 'scenarios')
  const folder = (await loadCatalogue(scenarios)).bySlug(slug)?.folder ?? path.join(scenarios, parsed.data, slug)
  const shown = path.relative(process.cwd(), folder)
  if (await stat(folder).catch(() => undefined))
    throw new LabError('conflict', `There is a scenario "${slug}" already.`, { hint: `It is ${shown}. Choose another slug.` })
  return { domain: parsed.data, slug, folder, shown }
}

/** Does a command's work; what goes wrong is said in words, with exit code 2 for a wrong call and 1 for all else. */
export function run(main: () => Promise<void>): void {
  main().catch((thrown: unknown) => {
    const error = asLabError(thrown)
    process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
    process.exit(error.code === 'bad-request' ? 2 : 1)
  })
}
