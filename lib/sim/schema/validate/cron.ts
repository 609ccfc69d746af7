// What is wrong with a cron schedule, as github.com/robfig/cron/v3 says it. Knows nothing of when it next runs.

const fields: readonly [least: number, most: number, names: readonly string[]][] = [
  [0, 59, []],
  [0, 23, []],
  [1, 31, []],
  [1, 12, ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']],
  [0, 6, ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']],
]
const descriptors = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

/** undefined when the schedule can be kept */
export function cronProblem(schedule: string): string | undefined {
  if (schedule.startsWith('@')) {
    if (descriptors.includes(schedule)) return undefined
    if (schedule.startsWith('@every ')) {
      const duration = schedule.slice(7)
      return /^([+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(duration)
        ? undefined
        : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`
    }
    return `unrecognized descriptor: ${schedule}`
  }
  const parts = schedule.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== 5) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [index, part] of parts.entries())
    for (const range of part.split(',')) {
      const problem = rangeProblem(range, index)
      if (problem !== undefined) return problem
    }
  return undefined
}
function rangeProblem(range: string, index: number): string | undefined {
  const [least, most, names] = fields[index] as (typeof fields)[number]
  const steps = range.split('/')
  const ends = (steps[0] as string).split('-')
  let start: number
  let end: number
  const read = (text: string): number | string => {
    const named = names.indexOf(text.toLowerCase())
    if (named >= 0) return named + (least === 1 ? 1 : 0)
    if (!/^[+-]?\d+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    const value = Number(text)
    return value < 0 ? `negative number (${value}) not allowed: ${text}` : value
  }
  if (ends[0] === '*' || ends[0] === '?') {
    start = least
    end = most
  } else {
    const first = read(ends[0] as string)
    if (typeof first === 'string') return first
    start = first
    end = first
    if (ends.length === 2) {
      const last = read(ends[1] as string)
      if (typeof last === 'string') return last
      end = last
    } else if (ends.length > 2) return `too many hyphens: ${range}`
  }
  let step = 1
  if (steps.length === 2) {
    const given = read(steps[1] as string)
    if (typeof given === 'string') return given
    step = given
    if (ends.length === 1 && ends[0] !== '*' && ends[0] !== '?') end = most
  } else if (steps.length > 2) return `too many slashes: ${range}`
  if (start < least) return `beginning of range (${start}) below minimum (${least}): ${range}`
  if (end > most) return `end of range (${end}) above maximum (${most}): ${range}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${range}`
  return step === 0 ? `step of range should be a positive number: ${range}` : undefined
}
