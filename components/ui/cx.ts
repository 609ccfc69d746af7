// Joins class names, leaving out what is false. Knows nothing else.
export const cx = (...parts: (string | false | null | undefined)[]): string => parts.filter(Boolean).join(' ')
