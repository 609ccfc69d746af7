// Lines as klog writes them. Knows nothing of who logs.

/** `I1121 08:58:52.389809       1 file.go:294] text` */
export function klog(ms: number, severity: 'I' | 'W' | 'E' | 'F', pid: number, place: string, text: string): string {
  const at = new Date(ms).toISOString()
  return `${severity}${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 23)}000 ${String(pid).padStart(7)} ${place}] ${text}\n`
}
