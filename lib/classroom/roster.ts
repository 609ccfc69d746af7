// A class list as text, as people export and paste it: name, email, an id of the school's own. What is good can be taken, what is broken is
// said by line and reason. Knows nothing of classes or accounts.
import { classLimits, LabError, type RosterPreview, type RosterRow, type Text } from '#lib/protocol/index.ts'
import { type CsvRecord, delimiterOf, readCsv } from './csv.ts'

type Column = 'name' | 'email' | 'externalId'
const headers: Record<Column, readonly string[]> = {
  name: ['name', 'fullname', 'student', 'studentname', 'learner', '이름', '성명', '학생', '학생이름'],
  email: ['email', 'emailaddress', 'mail', '이메일', '메일', '전자우편', '이메일주소'],
  externalId: ['id', 'externalid', 'studentid', 'studentnumber', 'number', 'no', '학번', '번호', '사번', '아이디', '외부id'],
}
const columnOf = (word: string): Column | undefined => {
  const plain = word.toLowerCase().replaceAll(/[\s_.-]/g, '')
  return (Object.keys(headers) as Column[]).find((column) => headers[column].includes(plain))
}
/** As much as an invitation needs: one @, a dot after it, no spaces (WHATWG's pattern for input type=email, and a dot). */
const email =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$/

/** Addresses are compared in lower case. */
export const normalEmail = (value: string): string => value.trim().toLowerCase()

/**
 * @param there addresses of those who are in the class already
 * @throws LabError too-large beyond the limits of size or rows; bad-request when no column holds addresses
 */
export function readRoster(text: string, there: readonly string[] = []): RosterPreview {
  if (Buffer.byteLength(text, 'utf8') > classLimits.rosterBytes)
    throw new LabError(
      'too-large',
      {
        en: `The list is larger than ${classLimits.rosterBytes / 1024} KiB.`,
        ko: `명단이 ${classLimits.rosterBytes / 1024} KiB보다 큽니다.`,
      },
      { hint: { en: 'Import it in parts.', ko: '나누어 가져오십시오.' } },
    )
  const records = readCsv(text, delimiterOf(text), false)
  const first = records[0]
  const named = first?.fields.map(columnOf) ?? []
  const header = named.some((column) => column !== undefined) && !first!.fields.some((field) => email.test(field))
  const columns = header ? named : guess(records)
  const body = header ? records.slice(1) : records
  if (body.length > classLimits.rosterRows)
    throw new LabError(
      'too-large',
      {
        en: `The list has ${body.length} rows; ${classLimits.rosterRows} is the most at a time.`,
        ko: `명단이 ${body.length}줄입니다. 한 번에 ${classLimits.rosterRows}줄까지 가져올 수 있습니다.`,
      },
      { hint: { en: 'Import it in parts.', ko: '나누어 가져오십시오.' } },
    )
  const at = (column: Column) => columns.indexOf(column)
  if (at('email') < 0)
    throw new LabError(
      'bad-request',
      { en: 'No column of this list holds email addresses.', ko: '명단에 이메일 주소가 든 열이 없습니다.' },
      {
        hint: {
          en: 'Give it a first line such as: name,email,id',
          ko: '첫 줄에 열 이름을 넣으십시오. 예: 이름,이메일,학번',
        },
      },
    )
  const rows: RosterRow[] = []
  const problems: RosterPreview['problems'] = []
  const seen = new Map<string, number>()
  const inClass = new Set(there.map(normalEmail))
  const refuse = (record: CsvRecord, en: string, ko: string) =>
    problems.push({ line: record.line, text: record.fields.join(' | ').slice(0, 200), reason: { en, ko } satisfies Text })
  for (const record of body) {
    const value = (column: Column) => (at(column) < 0 ? '' : (record.fields[at(column)] ?? ''))
    const address = normalEmail(value('email'))
    const name = value('name')
    const externalId = value('externalId')
    if (record.broken === 'quote-open')
      refuse(record, 'a quotation mark has no partner in this line', '이 줄에 짝이 없는 따옴표가 있습니다')
    else if (record.broken === 'after-quote') refuse(record, 'text follows a closed quotation mark', '닫는 따옴표 뒤에 글자가 있습니다')
    else if (address === '') refuse(record, 'there is no email address', '이메일 주소가 없습니다')
    else if (!email.test(address) || address.length > 254)
      refuse(record, `“${address.slice(0, 80)}” is no email address`, `"${address.slice(0, 80)}"은(는) 이메일 주소가 아닙니다`)
    else if (record.fields.length > Math.max(columns.length, 1))
      refuse(
        record,
        `it has ${record.fields.length} fields, the list has ${columns.length} columns`,
        `열이 ${columns.length}개인데 값이 ${record.fields.length}개 있습니다`,
      )
    else if (name.length > 100 || externalId.length > 64)
      refuse(record, 'the name has more than 100 characters, or the id more than 64', '이름이 100자 또는 번호가 64자를 넘습니다')
    else if (/[\u0000-\u001f\u007f]/.test(name + externalId)) refuse(record, 'it holds control characters', '제어 문자가 들어 있습니다')
    else if (seen.has(address))
      refuse(record, `the same address is in line ${seen.get(address)}`, `${seen.get(address)}번째 줄과 주소가 같습니다`)
    else {
      seen.set(address, record.line)
      rows.push({
        line: record.line,
        name: name === '' ? address.split('@')[0]! : name,
        email: address,
        externalId,
        known: inClass.has(address),
      })
    }
  }
  return { rows, problems }
}

/** Without a header the column of addresses is known by them, and the name is the first of the others. */
function guess(records: readonly CsvRecord[]): (Column | undefined)[] {
  const width = Math.max(0, ...records.map(({ fields }) => fields.length))
  const counts = Array.from({ length: width }, (_, index) => records.filter(({ fields }) => email.test(fields[index] ?? '')).length)
  const most = Math.max(0, ...counts)
  const at = most === 0 ? -1 : counts.indexOf(most)
  const others = Array.from({ length: width }, (_, index) => index).filter((index) => index !== at)
  return Array.from({ length: width }, (_, index) =>
    index === at ? 'email' : index === others[0] ? 'name' : index === others[1] ? 'externalId' : undefined,
  )
}
