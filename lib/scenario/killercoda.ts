// Reads a scenario in Killercoda's form (index.json, scripts, Markdown) and writes it in ours: a task whose checks are the verify scripts.
// Form: killercoda.com/creators, github.com/killercoda/scenario-examples. Knows nothing of disks; files come in and go out as texts by path.
import { stringify } from 'yaml'
import { z } from 'zod'
import { competencies, type Domain, LabError } from '#lib/protocol/index.ts'

const page = z.object({
  title: z.string().optional(),
  text: z.string().optional(),
  verify: z.string().optional(),
  background: z.string().optional(),
  foreground: z.string().optional(),
})
const index = z.object({
  title: z.string().min(1),
  description: z.string().optional(),
  difficulty: z.string().optional(),
  time: z.string().optional(),
  details: z.object({
    intro: page.optional(),
    steps: z.array(page).default([]),
    finish: page.optional(),
    assets: z.record(z.string(), z.array(z.object({ file: z.string(), target: z.string(), chmod: z.string().optional() }))).optional(),
  }),
  backend: z.object({ imageid: z.string() }).optional(),
})

export interface Imported {
  /** texts by path inside of the new folder */
  files: ReadonlyMap<string, string>
  /** what a person still has to do or to look at */
  notes: readonly string[]
}

/** `${` is ours in every text of a scenario. */
const literal = (text: string): string => text.replaceAll('${', () => '$${')
const details = /<details>\s*(?:<summary>[\s\S]*?<\/summary>)?([\s\S]*?)<\/details>/g

/** Markdown without Killercoda's own marks, and what was folded away in it: the author's hints. */
function prose(markdown: string): { text: string; folded: string[] } {
  const folded = [...markdown.matchAll(details)].map((match) => plain(match[1] ?? '')).filter((one) => one !== '')
  return { text: plain(markdown.replaceAll(details, '')), folded }
}
const plain = (markdown: string): string =>
  literal(
    markdown
      .replaceAll(/\{\{\s*(exec|copy|open)\b[^}]*\}\}/g, '')
      .replaceAll(/<br\s*\/?>/g, '')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim(),
  )

/**
 * @param source texts of the Killercoda folder by path, index.json among them
 * @param at where its scripts run: Killercoda's learner sits on the control plane, ours on the workstation
 * @throws LabError bad-request saying what is wrong with the folder
 */
export function fromKillercoda(
  source: ReadonlyMap<string, string>,
  { domain, at = 'workstation' }: { domain: Domain; at?: 'workstation' | 'control-plane' },
): Imported {
  const raw = source.get('index.json')
  if (raw === undefined)
    throw new LabError('bad-request', 'There is no index.json in that folder.', { hint: 'Name the folder of one Killercoda scenario.' })
  let json: unknown
  try {
    json = JSON.parse(raw)
  } catch (error) {
    throw new LabError('bad-request', `index.json is not JSON: ${(error as Error).message}`)
  }
  const parsed = index.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new LabError('bad-request', `index.json: ${issue.path.join('.') || 'the file'}: ${issue.message}`)
  }
  const { title, description, details: parts, time, difficulty } = parsed.data
  const notes: string[] = []
  const find = (name: string): string | undefined => source.get(name.replace(/^\.?\//, ''))
  const read = (name: string): string => {
    const text = find(name)
    if (text === undefined) notes.push(`index.json names ${name}, which is not there.`)
    return text ?? ''
  }
  const steps = parts.steps
  const words = [parts.intro, ...steps].flatMap((one) => (one?.text ? [{ title: one.title, ...prose(read(one.text)) }] : []))
  const run = (script: string) => ({ exec: { at, argv: ['bash', '-c', literal(script)] } })
  const prepare = [
    ...Object.values(parts.assets ?? {})
      .flat()
      .flatMap(({ file, target, chmod }) => {
        const content = [...source].find(([path]) => path === `assets/${file}` || path === file)?.[1]
        if (content === undefined) notes.push(`The asset ${file} is not a text in that folder and was left out.`)
        const path = `${target.replace(/^~/, '/home/candidate').replace(/\/$/, '')}/${file.split('/').at(-1)}`
        const mode = /^\+x$/.test(chmod ?? '') ? '0755' : /^0?[0-7]{3}$/.test(chmod ?? '') ? chmod : undefined
        return content === undefined ? [] : [{ file: { at, path, content: literal(content), ...(mode === undefined ? {} : { mode }) } }]
      }),
    ...[parts.intro, ...steps]
      .flatMap((one) => [one?.background, one?.foreground])
      .filter((name) => name !== undefined)
      .map((name) => run(read(name))),
  ]
  const verified = steps.flatMap((step, number) => {
    if (step.verify === undefined) return []
    const script = find(step.verify)
    // An empty script ends with 0: a goal that everybody reaches.
    if (script === undefined || script.trim() === '')
      throw new LabError(
        'bad-request',
        `The verify script ${step.verify} of step ${number + 1} is ${script === undefined ? 'not there' : 'empty'}.`,
        {
          hint: 'Put it where index.json says, or take it out of index.json.',
        },
      )
    return [{ step, number, script }]
  })
  if (verified.length === 0)
    throw new LabError('bad-request', 'No step of it has a verify script, so there is nothing to grade.', {
      hint: 'Write checks of your own: npm run scenario:new.',
    })
  const share = Math.floor(100 / verified.length)
  const said = (en: string) => ({ en, ko: en })
  const checks = verified.map(({ step, number, script }, position) => {
    const name = plain(step.title ?? `Step ${number + 1}`)
    return {
      id: `step-${number + 1}`,
      role: 'goal',
      weight: position === verified.length - 1 ? 100 - share * position : share,
      hold: 0,
      title: said(name),
      why: said(`Its script ${step.verify} says whether it is done.`),
      script: { at, run: literal(script), describe: said(`${step.verify} ends with exit code 0`) },
    }
  })
  const folded = words.flatMap((one) => one.folded)
  const brief = words.map((one) => (one.title ? `## ${plain(one.title)}\n\n${one.text}` : one.text)).join('\n\n')
  if (/\{\{TRAFFIC_/.test(brief)) notes.push('The text links to a port by {{TRAFFIC_…}}, which does not exist here.')
  const minutes = Number(/(\d+)/.exec(time ?? '')?.[1] ?? 15)
  const scenario = {
    kind: 'task',
    title: said(plain(title)),
    summary: said(plain(description || title)),
    domain,
    competency: competencies[domain][0],
    difficulty: { beginner: 'easy', easy: 'easy', advanced: 'hard', hard: 'hard' }[(difficulty ?? '').toLowerCase()] ?? 'medium',
    weight: 5,
    minutes: Math.min(120, Math.max(1, minutes)),
    needs: { workers: /2nodes/.test(parsed.data.backend?.imageid ?? '') ? 1 : 2, capabilities: ['workstation'] },
    ...(prepare.length > 0 ? { prepare } : {}),
    checks,
    hints: folded.length > 0 ? folded.slice(0, 6).map(said) : [said('Each step says what its check looks for.')],
  }
  const finish = parts.finish?.text ? prose(read(parts.finish.text)).text : ''
  return {
    files: new Map([
      ['scenario.yaml', `# yaml-language-server: $schema=../../scenario.schema.json\n${stringify(scenario, { lineWidth: 0 })}`],
      ['brief.md', `${brief || plain(title)}\n`],
      ['brief.ko.md', `${brief || plain(title)}\n`],
      ['explanation.md', `${finish || 'What the steps asked for is done.'}\n`],
      ['explanation.ko.md', `${finish || 'What the steps asked for is done.'}\n`],
    ]),
    notes: [
      ...notes,
      `Its scripts run on the ${at}, as they are; a script that looks at files of the control plane wants --at control-plane.`,
      'Write solution.sh (first line `# score: 100`), and cheats: a verify script is often easily fooled.',
      'Set the competency; the Korean texts are the English ones until somebody translates them.',
    ],
  }
}
