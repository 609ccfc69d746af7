// The pure parts at their doors: rosters with every slip that people make, windows over changes of the clock, a gradebook that no
// spreadsheet runs, items. Random cases are drawn from a fixed seed, so that a failure repeats.
import { expect, test } from 'vitest'
import { classLimits, type Gradebook, type LatePolicy } from '#lib/protocol/index.ts'
import { bookCsv, counting, itemsOf } from './book.ts'
import { delimiterOf, readCsv, writeCsv } from './csv.ts'
import { readRoster } from './roster.ts'
import { endsFor, localOf, momentOf, penaltyOf, reduced, standing, type WindowRules } from './window.ts'

/** mulberry32 */
function dice(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * most)
  }
}
const pick = <T>(roll: (most: number) => number, list: readonly T[]): T => list[roll(list.length)]!

// ---- CSV
test('what is written as CSV is read back as it was, whatever is in it', () => {
  const roll = dice(1)
  const letters = ['a', '김', '"', ',', ';', '\t', '\n', '\r\n', ' ', '=', "'", '😀', '0']
  for (let round = 0; round < 500; round++) {
    const rows = Array.from({ length: 1 + roll(5) }, () => {
      // A first cell that is never empty, so that no record is.
      return [
        `x${roll(9)}`,
        ...Array.from({ length: roll(4) }, () =>
          Array.from({ length: roll(6) }, () => pick(roll, letters))
            .join('')
            .trim(),
        ),
      ]
    })
    const read = readCsv(writeCsv(rows), ',').map(({ fields }) => fields)
    // A formula comes back with the apostrophe that keeps it from being one, and a break of lines alone is trimmed.
    const expected = rows.map((row) => row.map((value) => (/^\s*[=+\-@]|^[\t\r\n]/.test(value) ? `'${value}` : value).trim()))
    expect(read).toEqual(expected)
  }
})
test('no cell of an export begins as a formula', () => {
  const roll = dice(2)
  const evil = ['=', '+', '-', '@', '\t', '\r', '\n', ' ', '\uff1d', '"', '1', 'A', '|', '!']
  for (let round = 0; round < 1000; round++) {
    const value = Array.from({ length: 1 + roll(5) }, () => pick(roll, evil)).join('')
    const text = writeCsv([[value]])
    expect(text.startsWith('\ufeff')).toBe(true)
    const inner = text.slice(1, -2)
    const shown = inner.startsWith('"') ? inner.slice(1, -1).replaceAll('""', '"') : inner
    expect(/^\s*[=+\-@\uff1d]/.test(shown) || /^[\t\r\n]/.test(shown), JSON.stringify(value)).toBe(false)
    expect(shown.replace(/^'/, '')).toBe(value)
  }
  expect(writeCsv([['=HYPERLINK("http://evil.test";"x")', -3, null]])).toBe('\ufeff"\'=HYPERLINK(""http://evil.test"";""x"")",-3,\r\n')
})

// ---- rosters
test('a roster in English or Korean, with a byte order mark, quotes, and any of three separators', () => {
  const expected = [
    { line: 2, name: 'Kim, Jane', email: 'jane@example.org', externalId: '0017', known: false },
    { line: 3, name: '박지수', email: 'ji@example.org', externalId: '', known: true },
  ]
  for (const [head, separator] of [
    ['Name,E-mail,Student ID', ','],
    ['이름;이메일;학번', ';'],
    ['full name\tEmail address\tID', '\t'],
    ['학생 이름,메일,번호', ','],
  ] as const)
    for (const mark of ['', '\ufeff'])
      for (const end of ['\n', '\r\n']) {
        const text = `${mark}${head}${end}"Kim, Jane"${separator}Jane@Example.org${separator}0017${end}박지수${separator} ji@example.org ${separator}${end}${end}`
        expect(readRoster(text, ['JI@example.org']), JSON.stringify(text)).toEqual({ rows: expected, problems: [] })
      }
  // In any order, and without a header.
  expect(readRoster('id,email,name\n7,a@b.example,A').rows).toEqual([
    { line: 2, name: 'A', email: 'a@b.example', externalId: '7', known: false },
  ])
  expect(readRoster('A,a@b.example,7\nB,b@b.example,8').rows.map((row) => [row.name, row.externalId])).toEqual([
    ['A', '7'],
    ['B', '8'],
  ])
  expect(readRoster('a@b.example\nb@b.example').rows.map(({ name }) => name)).toEqual(['a', 'b'])
})
test('broken lines are told by number and reason, and the good ones can be taken', () => {
  const { problems, rows } = readRoster(
    [
      'name,email,id',
      'Ann,ann@example.org,1', // 2
      'Bob,bob at example.org,2', // 3
      'Cid,,3', // 4
      '"Dan,dan@example.org,4', // 5
      'Eve,eve@example.org,5', // 6
      'Ann again,ANN@example.org,6', // 7
      'Fay,fay@example.org,7,8', // 8
      '"Gus"x,gus@example.org,9', // 9
      `${'H'.repeat(101)},hal@example.org,10`, // 10
      '"two', // 11
      'lines",ida@example.org,11', // 12
      'Joe,joe@example.org,12', // 13
    ].join('\n'),
  )
  expect(rows.map(({ line, email }) => [line, email])).toEqual([
    [2, 'ann@example.org'],
    [6, 'eve@example.org'],
    [13, 'joe@example.org'],
  ])
  expect(problems.map(({ line, reason }) => `${line} ${reason.en}`)).toEqual([
    '3 “bob at example.org” is no email address',
    '4 there is no email address',
    '5 a quotation mark has no partner in this line',
    expect.stringContaining('7 the same address is in line 2'),
    expect.stringContaining('8 it has 4 fields'),
    expect.stringContaining('9 '),
    expect.stringContaining('10 the name has more than 100'),
    '11 a quotation mark has no partner in this line',
    '12 a quotation mark has no partner in this line',
  ])
  for (const { reason } of problems) expect(reason.ko).toMatch(/[가-힣]/)
})
test('whatever is thrown at it, each line is taken or told, and nobody is taken twice', () => {
  const roll = dice(3)
  const parts = ['Ann', 'a@b.example', 'B@B.example', '"', '""', ',', ';', '\t', '\n', '\r', ' ', '@', '=1', 'name', 'email', '\u0000']
  for (let round = 0; round < 1500; round++) {
    const text = Array.from({ length: roll(40) }, () => pick(roll, parts)).join('')
    try {
      const { problems, rows } = readRoster(text)
      expect(new Set(rows.map(({ email }) => email)).size).toBe(rows.length)
      for (const { email, line } of rows) {
        expect(email).toMatch(/^[^\s@]+@[^\s@]+\.[^\s@]+$/)
        expect(line).toBeGreaterThan(0)
      }
      const records = readCsv(text, delimiterOf(text), false)
      expect(rows.length + problems.length).toBeGreaterThanOrEqual(records.length - 1)
      expect(rows.length + problems.length).toBeLessThanOrEqual(records.length)
    } catch (thrown) {
      expect(String(thrown)).toContain('No column')
    }
  }
})
test('a roster has a limit of size and of rows', () => {
  const many = `email\n${Array.from({ length: classLimits.rosterRows + 1 }, (_, index) => `p${index}@example.org`).join('\n')}`
  expect(() => readRoster(many)).toThrow(/1001 rows/)
  expect(() => readRoster(`email\n${'x'.repeat(classLimits.rosterBytes)}`)).toThrow(/larger than/)
  expect(() => readRoster('hello\nworld')).toThrow(/No column/)
})

// ---- windows
test('local times over changes of the clock', () => {
  const iso = (local: string, zone: string) => {
    const { at, note } = momentOf(local, zone)
    return [new Date(at).toISOString(), note]
  }
  expect(iso('2026-03-20T09:00', 'Asia/Seoul')).toEqual(['2026-03-20T00:00:00.000Z', 'exact'])
  // Berlin skips 02:00–03:00 on 29 March 2026, and has 02:00–03:00 twice on 25 October.
  expect(iso('2026-03-29T01:59', 'Europe/Berlin')).toEqual(['2026-03-29T00:59:00.000Z', 'exact'])
  expect(iso('2026-03-29T02:30', 'Europe/Berlin')).toEqual(['2026-03-29T01:30:00.000Z', 'gap'])
  expect(iso('2026-03-29T03:00', 'Europe/Berlin')).toEqual(['2026-03-29T01:00:00.000Z', 'exact'])
  expect(iso('2026-10-25T02:30', 'Europe/Berlin')).toEqual(['2026-10-25T00:30:00.000Z', 'twice'])
  expect(iso('2026-10-25T03:00', 'Europe/Berlin')).toEqual(['2026-10-25T02:00:00.000Z', 'exact'])
  // Half an hour only, and a day that does not exist at all.
  expect(iso('2026-10-04T02:15', 'Australia/Lord_Howe')[1]).toBe('gap')
  expect(iso('2011-12-30T12:00', 'Pacific/Apia')[1]).toBe('gap')
  for (const local of ['2026-02-30T10:00', '2026-13-01T10:00', '2026-01-01T24:00', '2026-01-01', 'yesterday', '1999-12-31T10:00'])
    expect(() => momentOf(local, 'Asia/Seoul'), local).toThrow(/no date/)
  expect(() => momentOf('2026-01-01T10:00', 'Mars/Olympus')).toThrow(/no time zone/)
})
test('every moment is found again from its local time, but in the hour that comes twice', () => {
  const roll = dice(4)
  const zones = [
    'Asia/Seoul',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'America/St_Johns',
    'UTC',
    'Africa/Casablanca',
  ]
  for (let round = 0; round < 1000; round++) {
    const zone = pick(roll, zones)
    const at = Date.UTC(2020, 0, 1) + roll(10 * 365 * 24 * 60) * 60_000
    const { at: again, note } = momentOf(localOf(at, zone), zone)
    expect(note).not.toBe('gap')
    if (note === 'exact') expect(again).toBe(at)
    else expect(localOf(again, zone)).toBe(localOf(at, zone))
  }
})
test('who may begin, until when, and what being late costs', () => {
  const rules = (late: LatePolicy, change: Partial<WindowRules> = {}): WindowRules => ({
    opensAt: 1000,
    closesAt: 2000,
    late,
    attempts: 2,
    extraMinutes: 0,
    ...change,
  })
  const closed: LatePolicy = { kind: 'closed' }
  const until: LatePolicy = { kind: 'until', at: 3000, penalty: 25 }
  expect([999, 1000, 1999, 2000].map((now) => standing(rules(closed), 0, now))).toEqual(['not-open', 'open', 'open', 'closed'])
  expect([1999, 2000, 2999, 3000].map((now) => standing(rules(until), 0, now))).toEqual(['open', 'late', 'late', 'closed'])
  expect(standing(rules({ kind: 'none' }), 0, 1e12)).toBe('late')
  expect(standing(rules(closed, { closesAt: null }), 0, 1e12)).toBe('open')
  expect(standing(rules(closed), 2, 1500)).toBe('used-up')
  expect(standing(rules(closed, { extraMinutes: 1 }), 0, 61_999)).toBe('open')
  expect(standing(rules(closed, { extraMinutes: 1 }), 0, 62_000)).toBe('closed')
  expect([
    endsFor(rules(closed)),
    endsFor(rules(until)),
    endsFor(rules({ kind: 'none' })),
    endsFor(rules(until, { extraMinutes: 1 })),
  ]).toEqual([2000, 3000, null, 63_000])
  expect([2000, 2001, 3000].map((at) => penaltyOf(rules(until), at))).toEqual([0, 25, 25])
  expect(penaltyOf(rules({ kind: 'none' }), 9000)).toBe(0)
  expect(penaltyOf(rules(until, { extraMinutes: 1 }), 62_000)).toBe(0)
  expect([reduced(100, 25), reduced(66.6, 10), reduced(null, 10), reduced(50, 100), reduced(33.3, 0)]).toEqual([75, 59.9, null, 0, 33.3])
})

// ---- the book
test('a gradebook as CSV: every person, every assignment, safe in a spreadsheet', () => {
  const book: Gradebook = {
    classId: 'c',
    className: 'C',
    deletedAt: null,
    assignments: [
      { id: 'a', title: '=cmd', passMark: 66, deletedAt: null },
      { id: 'b', title: 'Two', passMark: 66, deletedAt: 1 },
    ],
    people: [
      { key: 'p', name: '@Ann', email: 'ann@example.org', externalId: '-1', member: true },
      { key: 'q', name: '박, 지수', email: 'q@example.org', externalId: '', member: false },
    ],
    cells: [
      { person: 'p', assignment: 'a', grade: 'g', score: 75.5, before: 50, penalty: 25, attempts: 2, dispute: 'answered' },
      { person: 'p', assignment: 'b', grade: 'h', score: 100, before: null, penalty: 0, attempts: 1, dispute: null },
      { person: 'q', assignment: 'a', grade: 'i', score: null, before: null, penalty: 0, attempts: 1, dispute: 'open' },
    ],
  }
  expect(readCsv(bookCsv(book, 'en'), ',').map(({ fields }) => fields)).toEqual([
    [
      'Name',
      'Email',
      'ID',
      "'=cmd",
      "'=cmd: before regrade",
      "'=cmd: penalty %",
      "'=cmd: attempts",
      "'=cmd: dispute",
      'Two',
      'Two: before regrade',
      'Two: penalty %',
      'Two: attempts',
      'Two: dispute',
      'Mean',
    ],
    ["'@Ann", 'ann@example.org', "'-1", '75.5', '50', '25', '2', 'answered', '100', '', '', '1', '', '87.7'],
    ['박, 지수', 'q@example.org', '', '', '', '', '1', 'open', '', '', '', '0', '', ''],
  ])
  expect(bookCsv(book, 'ko')).toContain('재채점 전')
  expect(
    counting([
      { score: 50, gradedAt: 1 },
      { score: 70, gradedAt: 3 },
      { score: 70, gradedAt: 2 },
      { score: null, gradedAt: 0 },
    ]),
  ).toEqual({ score: 70, gradedAt: 2 })
  expect(counting([])).toBeNull()
})
test('items: how often solved, how long, which check fails first, how many hints', () => {
  const title = (en: string) => ({ en, ko: en })
  const one = (scenario: string, score: number | null, spentMs: number, hints: number, verdicts: string) => ({
    scenario,
    title: title(scenario),
    score,
    spentMs,
    hints,
    checks: [...verdicts].map((verdict, index) => ({
      id: `c${index}`,
      title: title(`c${index}`),
      verdict: verdict === 'p' ? 'pass' : verdict === 'f' ? 'fail' : 'not-evaluable',
    })),
  })
  expect(
    itemsOf([
      one('easy', 100, 10, 0, 'pp'),
      one('easy', 100, 30, 1, 'pp'),
      one('hard', 0, 50, 2, 'ff'),
      one('hard', 50, 20, 1, 'pf'),
      one('hard', 0, 40, 0, 'fp'),
      one('hard', null, 99, 0, 'nn'),
    ]),
  ).toEqual([
    {
      scenario: 'hard',
      title: title('hard'),
      attempts: 4,
      graded: 3,
      solved: 0,
      medianMs: 40,
      meanScore: 16.7,
      firstFailed: { check: 'c0', title: title('c0'), count: 2 },
      hints: 3,
    },
    {
      scenario: 'easy',
      title: title('easy'),
      attempts: 2,
      graded: 2,
      solved: 2,
      medianMs: 20,
      meanScore: 100,
      firstFailed: null,
      hints: 1,
    },
  ])
})
