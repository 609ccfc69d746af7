// Lines as the components write them: klog's head, Go's quoting. Knows nothing of what is said.

/** `I1121 08:59:13.097529       1 server.go:218] …`; microseconds come from the clock's milliseconds */
export function klog(level: 'I' | 'W' | 'E' | 'F', ms: number, where: string, message: string): string {
  const at = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const micros = `${String(at.getUTCMilliseconds()).padStart(3, '0')}${String((ms * 7919) % 1000).padStart(3, '0')}`
  return `${level}${two(at.getUTCMonth() + 1)}${two(at.getUTCDate())} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}.${micros}       1 ${where}] ${message}\n`
}
/** strconv.Quote, as far as it matters */
export const quoted = (text: string): string => JSON.stringify(text)
