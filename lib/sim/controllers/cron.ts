// Cron schedules as github.com/robfig/cron/v3 reads them: five fields, names, steps, @daily and @every. Pure functions.

const day = 86_400_000
const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

export interface Schedule {
  /** epoch ms of the first time after this one; undefined when there is none in five years */
  next(after: number): number | undefined
}

function field(text: string, low: number, high: number, names: readonly string[] = []): Set<number> {
  const number = (part: string): number => {
    const named = names.indexOf(part.toLowerCase())
    if (named >= 0) return named + low
    if (!/^[0-9]+$/.test(part))
      throw new Error(`failed to parse int from ${part}: strconv.Atoi: parsing ${JSON.stringify(part)}: invalid syntax`)
    return Number(part)
  }
  const found = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', every, ...rest] = part.split('/')
    if (rest.length > 0) throw new Error(`too many slashes: ${part}`)
    const step = every === undefined ? 1 : number(every)
    if (step === 0) throw new Error(`step of range should be a positive number: ${part}`)
    const ends = range.split('-')
    if (ends.length > 2) throw new Error(`too many hyphens: ${part}`)
    const any = range === '*' || range === '?'
    const from = any ? low : number(ends[0] as string)
    let to = any ? high : ends[1] === undefined ? from : number(ends[1])
    if (!any && ends[1] === undefined && every !== undefined) to = high
    if (from < low) throw new Error(`beginning of range (${from}) below minimum (${low}): ${part}`)
    if (to > high) throw new Error(`end of range (${to}) above maximum (${high}): ${part}`)
    if (from > to) throw new Error(`beginning of range (${from}) beyond end of range (${to}): ${part}`)
    for (let one = from; one <= to; one += step) found.add(one)
  }
  return found
}

/** wall time of a zone as if it were UTC */
function zoned(zone: string | undefined): (at: number) => Date {
  if (zone === undefined || zone === 'UTC' || zone === 'Etc/UTC') return (at) => new Date(at)
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, Number(part.value)]))
    return new Date(Date.UTC(parts.year as number, (parts.month as number) - 1, parts.day, parts.hour, parts.minute))
  }
}

/** Throws Error with the parser's words; `zone` is an IANA name, default UTC (RangeError for one that is none). */
export function parseSchedule(text: string, zone?: string): Schedule {
  const prefix = /^(?:CRON_)?TZ=(\S+)\s+/.exec(text)
  if (prefix !== null) return parseSchedule(text.slice(prefix[0].length), prefix[1])
  const spec = text.trim()
  if (spec === '') throw new Error('empty spec string')
  const every = /^@every (?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?$/.exec(spec)
  if (every !== null) {
    const [hours = 0, minutes = 0, seconds = 0] = every.slice(1).map((part) => Number(part ?? 0))
    const ms = Math.max(1, hours * 3600 + minutes * 60 + seconds) * 1000
    return { next: (after) => Math.floor(after / 1000) * 1000 + ms }
  }
  if (spec.startsWith('@') && macros[spec] === undefined) throw new Error(`unrecognized descriptor: ${spec}`)
  const fields = (macros[spec] ?? spec).split(/\s+/)
  if (fields.length !== 5) throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
  const [minuteText, hourText, dateText, monthText, weekText] = fields as [string, string, string, string, string]
  const minutes = field(minuteText, 0, 59)
  const hours = field(hourText, 0, 23)
  const dates = field(dateText, 1, 31)
  const month = field(monthText, 1, 12, months)
  const week = field(weekText, 0, 6, days)
  const open = (part: string) => /^[*?]/.test(part)
  const local = zoned(zone)
  const rightDay = (date: Date): boolean => {
    if (!month.has(date.getUTCMonth() + 1)) return false
    const inMonth = dates.has(date.getUTCDate())
    const inWeek = week.has(date.getUTCDay())
    return open(dateText) || open(weekText) ? inMonth && inWeek : inMonth || inWeek
  }
  return {
    next: (after) => {
      let at = Math.floor(after / 60_000) * 60_000 + 60_000
      const limit = at + 5 * 366 * day
      while (at < limit) {
        const date = local(at)
        if (!rightDay(date)) {
          // To the next midnight there; a change of the clocks is at most two hours.
          const left = day - (date.getUTCHours() * 60 + date.getUTCMinutes()) * 60_000
          at += left > 3 * 3_600_000 ? left - 2 * 3_600_000 : 60_000
          continue
        }
        if (!hours.has(date.getUTCHours())) {
          at += Math.min(15, 60 - date.getUTCMinutes()) * 60_000
          continue
        }
        if (minutes.has(date.getUTCMinutes())) return at
        at += 60_000
      }
      return undefined
    },
  }
}
