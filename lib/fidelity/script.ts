// The scripts of the comparison: commands as a learner types them, by area. Data in scripts/*.yaml. Knows nothing of clusters.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { LabError } from '#lib/protocol/index.ts'

const regex = z.string().refine((text) => {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}, 'is not a regular expression')

const step = z.union([
  z.string().transform((run) => ({ run })),
  z.strictObject({
    /** typed in bash */
    run: z.string(),
    /** where; default workstation */
    at: z.enum(['workstation', 'control-plane', 'worker-1', 'worker-2']).optional(),
    /** run again and again until its output matches (at most four minutes of the lab's time); the last output counts */
    until: regex.optional(),
    /** lines in any order */
    sort: z.boolean().optional(),
    /** only these lines are compared */
    only: regex.optional(),
    /** these lines are not compared */
    drop: regex.optional(),
    /** only what it does and its exit code are compared: its output tells of the machine, not of the cluster */
    quiet: z.boolean().optional(),
    /** makes a state and is not counted */
    setup: z.boolean().optional(),
  }),
])
export const scriptSchema = z.strictObject({
  area: z.string().regex(/^[a-z][a-z-]*$/),
  title: z.string(),
  /** takes the cluster apart, so it is played after all others */
  last: z.boolean().default(false),
  steps: z.array(step).min(1),
  /** puts the cluster back; not compared */
  cleanup: z.string().optional(),
})
export interface Step {
  run: string
  at?: 'workstation' | 'control-plane' | 'worker-1' | 'worker-2' | undefined
  until?: string | undefined
  sort?: boolean | undefined
  only?: string | undefined
  drop?: string | undefined
  quiet?: boolean | undefined
  setup?: boolean | undefined
}
export interface Script {
  /** the file's name without its ending */
  name: string
  area: string
  title: string
  last: boolean
  steps: readonly Step[]
  cleanup?: string | undefined
}

/** Every script of a folder, by name, those that take the cluster apart last. @throws LabError bad-request naming file and field */
export async function loadScripts(folder: string): Promise<Script[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()
  const scripts = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join(folder, file), 'utf8')
      let content: unknown
      try {
        content = parse(text)
      } catch (error) {
        throw new LabError('bad-request', `${file}: ${(error as Error).message}`)
      }
      const result = scriptSchema.safeParse(content)
      if (!result.success)
        throw new LabError('bad-request', `${file}: ${result.error.issues.map((one) => `${one.path.join('.')} ${one.message}`).join('; ')}`)
      return { name: file.replace(/\.yaml$/, ''), ...result.data }
    }),
  )
  return [...scripts.filter((one) => !one.last), ...scripts.filter((one) => one.last)]
}
