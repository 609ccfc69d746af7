// What the exam lets a candidate read while it runs: the Kubernetes documentation and blog in any language, Helm's documentation, the Gateway
// API's site (docs.linuxfoundation.org/tc-docs/certification/certification-resources-allowed). Runs in the browser too.

/** Where each begins. */
export const examDocumentation = [
  { id: 'kubernetes', url: 'https://kubernetes.io/docs/' },
  { id: 'blog', url: 'https://kubernetes.io/blog/' },
  { id: 'helm', url: 'https://helm.sh/docs/' },
  { id: 'gateway', url: 'https://gateway-api.sigs.k8s.io/' },
] as const

/** Hosts by name, and which of their paths: with a language before it or without one. */
const allowed: Record<string, RegExp> = {
  'kubernetes.io': /^\/(?:[a-z]{2}(?:-[a-z]{2})?\/)?(?:docs|blog)(?:\/|$)/,
  'helm.sh': /^\/(?:[a-z]{2}(?:-[a-z]{2})?\/)?docs(?:\/|$)/,
  'gateway-api.sigs.k8s.io': /^\//,
}

/** Whether a candidate may open this address during the exam. */
export function allowedInExam(address: string): boolean {
  const url = URL.parse(address)
  if (url === null || url.protocol !== 'https:' || url.port !== '' || url.username !== '' || url.password !== '') return false
  return Object.hasOwn(allowed, url.hostname) && allowed[url.hostname]!.test(url.pathname)
}

/** Finds in a terminal's output what may be a link in an exam; `allowedInExam` has the last word. */
export const examAddress =
  /https:\/\/(?:kubernetes\.io|helm\.sh|gateway-api\.sigs\.k8s\.io)\/[^\s"'<>(){}|\\^`]*[^\s"':,.!?<>(){}|\\^~`[\]]/
