// Where a text stops being JSON (RFC 8259): what JSON.parse knows and does not say. Knows nothing of what the text means.

const token =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|$)/y

/** The line and column, from 1, of the first thing that cannot be there; null when all of it is JSON. */
export function brokenAt(text: string): { line: number; column: number } | null {
  const open: ('{' | '[')[] = []
  let wants = 'value' as 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing'
  let from = 0
  const after = () => {
    wants = open.length === 0 ? 'nothing' : 'comma-or-end'
  }
  for (;;) {
    token.lastIndex = from
    const found = token.exec(text)
    const [mark, word, value] = found === null ? [] : [found[1], found[2], found[3]]
    const within = open.at(-1)
    const ends = mark === (within === '{' ? '}' : within === '[' ? ']' : undefined) && mark !== undefined
    let fits = false
    if (wants === 'nothing') {
      if (found !== null && mark === undefined && word === undefined && value === undefined) return null
    } else if (wants === 'colon') {
      fits = mark === ':'
      if (fits) wants = 'value'
    } else if (wants === 'key' || wants === 'key-or-end') {
      if (word !== undefined) {
        fits = true
        wants = 'colon'
      } else if (wants === 'key-or-end' && ends) {
        fits = true
        open.pop()
        after()
      }
    } else if (wants === 'comma-or-end') {
      if (mark === ',') {
        fits = true
        wants = within === '{' ? 'key' : 'value'
      } else if (ends) {
        fits = true
        open.pop()
        after()
      }
    } else if (word !== undefined || value !== undefined) {
      fits = true
      after()
    } else if (mark === '{' || mark === '[') {
      fits = true
      open.push(mark)
      wants = mark === '{' ? 'key-or-end' : 'value-or-end'
    } else if (wants === 'value-or-end' && ends) {
      fits = true
      open.pop()
      after()
    }
    if (!fits || found === null) {
      const at = from + /^[ \t\r\n]*/.exec(text.slice(from))![0].length
      const before = text.slice(0, at).split('\n')
      return { line: before.length, column: before.at(-1)!.length + 1 }
    }
    from = token.lastIndex
  }
}
