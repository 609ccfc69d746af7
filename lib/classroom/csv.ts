// Comma-separated values in both directions (RFC 4180): records with the line each began on, and text that a spreadsheet opens without
// running anything in it. Knows nothing of what the columns mean.

export interface CsvRecord {
  /** from 1, where the record begins */
  line: number
  fields: string[]
  /** why it cannot be read as a record; its fields are what there is of it */
  broken?: 'quote-open' | 'after-quote'
}

/** The separator that the first line uses most, outside of quotes. */
export function delimiterOf(text: string): ',' | ';' | '\t' {
  const counts = { ',': 0, ';': 0, '\t': 0 }
  let quoted = false
  for (const char of text) {
    if (char === '"') quoted = !quoted
    else if (!quoted && (char === '\n' || char === '\r')) {
      if (counts[','] + counts[';'] + counts['\t'] > 0) break
    } else if (!quoted && char in counts) counts[char as ','] += 1
  }
  return counts['\t'] > 0 && counts['\t'] >= counts[';'] && counts['\t'] >= counts[','] ? '\t' : counts[';'] > counts[','] ? ';' : ','
}

/**
 * Every record that is not empty. A record whose quotes do not end is broken and ends with its line.
 * @param lines a quoted field may hold line breaks; without it none may, so that one slip does not swallow the records after it
 */
export function readCsv(text: string, delimiter: string, lines = true): CsvRecord[] {
  const records: CsvRecord[] = []
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  let line = 1
  while (at < text.length) {
    const begun = line
    const fields: string[] = []
    let broken: CsvRecord['broken']
    for (;;) {
      while (text[at] === ' ' && delimiter !== ' ') at += 1
      let field = ''
      if (text[at] === '"') {
        const close = closing(text, at, lines)
        if (close < 0) {
          broken = 'quote-open'
          const end = endOfLine(text, at)
          field = text.slice(at, end)
          at = end
        } else {
          field = text.slice(at + 1, close).replaceAll('""', '"')
          line += field.split(/\r\n|\r|\n/).length - 1
          at = close + 1
          while (text[at] === ' ') at += 1
          if (at < text.length && text[at] !== delimiter && text[at] !== '\r' && text[at] !== '\n') {
            broken = 'after-quote'
            at = endOfLine(text, at)
          }
        }
      } else {
        const from = at
        while (at < text.length && text[at] !== delimiter && text[at] !== '\r' && text[at] !== '\n') at += 1
        field = text.slice(from, at)
        if (!lines && (field.split('"').length - 1) % 2 === 1) broken ??= 'quote-open'
      }
      fields.push(field.trim())
      if (text[at] !== delimiter) break
      at += 1
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at += 2
    else if (at < text.length) at += 1
    line += 1
    if (fields.some((field) => field !== '')) records.push({ line: begun, fields, ...(broken === undefined ? {} : { broken }) })
  }
  return records
}
/** Where the quote that opens at `at` is closed; -1: nowhere. */
function closing(text: string, at: number, lines: boolean): number {
  for (let index = at + 1; index < text.length; index++) {
    if (!lines && (text[index] === '\n' || text[index] === '\r')) return -1
    if (text[index] !== '"') continue
    if (text[index + 1] === '"') index += 1
    else return index
  }
  return -1
}
function endOfLine(text: string, at: number): number {
  const found = /[\r\n]/.exec(text.slice(at))
  return found === null ? text.length : at + found.index
}

/** What a spreadsheet would take for a formula (owasp.org, CSV Injection), full-width forms included, gets an apostrophe in front. */
const formula = /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/
function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = formula.test(value) ? `'${value}` : value
  return /[",;\t\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
/** Text with a byte order mark, so that spreadsheets read it as UTF-8. */
export function writeCsv(rows: readonly (readonly (string | number | null)[])[]): string {
  return `\ufeff${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}
