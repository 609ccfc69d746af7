// Takes out of a command's output what differs between two runs on two healthy clusters: names that are generated, times, addresses. What is left must be
// equal. Knows nothing of which command it was.

/** What stands for what in one cluster. */
export interface Facts {
  /** the cluster's id, the beginning of its nodes' names */
  id: string
  nodes: readonly { place: string; name: string; address: string }[]
  /** its time runs ahead of kubectl's, which then prints an age as `<invalid>` */
  ahead?: boolean
}

// The alphabet of generated names: k8s.io/apimachinery/pkg/util/rand.
const alnum = '[bcdfghjklmnpqrstvwxz2456789]'
const rules: readonly [RegExp, string][] = [
  [/\r/g, ''],
  [/\u001b\[[0-9;]*[A-Za-z]/g, ''],
  [/(?<![0-9a-zA-Z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>'],
  [/\b[0-9a-f]{64}\b/g, '<hash>'],
  [/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>'],
  [/(config\.(?:hash|mirror)["']?[=:]\s*["']?)[0-9a-f]{32}/g, '$1<hash>'],
  [/\bapiserver-[a-z2-7]{26}(?![a-z0-9])/g, 'apiserver-<hash>'],
  [/\bKUBE-SEP-[A-Z2-7]{16}\b/g, 'KUBE-SEP-<hash>'],
  [/\b[A-Za-z0-9+/]{60,}={0,2}(?![\w])/g, '<base64>'],
  // times
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d)(?: [A-Z]{3,4})?)?/g, '<time>'],
  [/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:\d{1,2} )?(?:[A-Z][a-z]{2} )(?:\d{1,2} )?\d{4} \d\d:\d\d:\d\d(?: [+-]\d{4})?/g, '<time>'],
  [/\b[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?: \d{4})?(?: GMT)?/g, '<time>'],
  [/\b([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6}(\s+)\d+ /g, '$1<time> <pid> '],
  // ages and durations
  [/\b\d+(?:h|min|s)(?: \d+(?:min|s|ms))* ago\b/g, '<age> ago'],
  [/\bafter \d+ ms\b/g, 'after <age>'],
  [/\bin \d+(?:\.\d+)?(?:µs|ms|s)\b/g, 'in <age>'],
  [/\((\d+(?:\.\d+)?(?:ms|s)) including waiting\)/g, '(<age> including waiting)'],
  [/\(x\d+ over /g, '(x<n> over '],
  [/(?<![\w.-])\d+(?:\.\d+)?(?:d(?:\d+h)?|h(?:\d+m)?|m(?:\d+s)?|s)(?![\w.-])/g, '<age>'],
  // generated names
  [new RegExp(`-${alnum}{6,10}-${alnum}{5}(?![a-z0-9.])`, 'g'), '-<hash>-<id>'],
  [/((?:pod-template-hash|controller-revision-hash)["']?[=:]\s*["']?)[\w-]+/g, '$1<hash>'],
  [new RegExp(`(-)${alnum}{5}(?![a-z0-9.])`, 'g'), '$1<id>'],
  [new RegExp(`(-)(?=[a-z]*\\d)${alnum}{8,10}\\b`, 'g'), '$1<hash>'],
  // numbers that only count
  [/(resourceVersion["']?[=:]\s*["']?|Resource Version:\s+|[?&]resourceVersion=)\d+/g, '$1<n>'],
  [/\b(Image size: )\d+( bytes)/g, '$1<n>$2'],
  [/\b3[0-2]\d{3}\b/g, '<node-port>'],
]

/** The text with one form for what may differ. Runs of blanks within a line count as two: a table's width follows its longest name. */
export function normalise(
  text: string,
  facts: Facts,
  options: { sort?: boolean | undefined; only?: string | undefined; drop?: string | undefined } = {},
): string {
  let out = text
  for (const node of [...facts.nodes].sort((a, b) => b.name.length - a.name.length)) out = out.replaceAll(node.name, `<${node.place}>`)
  out = out.replaceAll(facts.id, '<cluster>')
  for (const node of facts.nodes)
    out = out.replace(new RegExp(`(?<![\\d.])${node.address.replaceAll('.', '\\.')}(?![\\d])`, 'g'), `<address of ${node.place}>`)
  if (facts.ahead) out = out.replaceAll('<invalid>', '<age>')
  for (const [pattern, by] of rules) out = out.replace(pattern, by)
  out = out
    .replace(/(?<![\d.])10\.244\.\d+\.\d+(?![\d.]|\/\d)/g, '<pod-ip>')
    .replace(/(?<![\d.])10\.96\.(?!0\.1(?!\d)|0\.10(?!\d)|0\.0\/)\d+\.\d+(?!\d)/g, '<service-ip>')
    .replace(/(?<![\d.])10-244-\d+-\d+/g, '<pod-ip>')
    .replace(
      /(?<![\d.])10\.244\.\d+\.(\d+)\/(24|32)(?!\d)/g,
      (_, last: string, bits: string) => `10.244.<n>.${bits === '24' ? last : '<n>'}/${bits}`,
    )
  let lines = out.split('\n').map((line) => line.replace(/[ \t]+$/, '').replace(/(\S)(?: {2,}|\t+ *)/g, '$1  '))
  if (options.only !== undefined) lines = lines.filter((line) => new RegExp(options.only as string).test(line))
  if (options.drop !== undefined) lines = lines.filter((line) => !new RegExp(options.drop as string).test(line))
  if (options.sort) lines = lines.filter((line) => line !== '').sort()
  return lines.join('\n').replace(/^\n+|\n+$/g, '')
}
