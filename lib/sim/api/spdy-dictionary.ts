// The compression dictionary of SPDY/3.1's header blocks, a constant of that protocol (draft-mbelshe-httpbis-spdy-00, section 2.6.10.1).
import { readFileSync } from 'node:fs'

export const dictionary: Buffer = Buffer.from(readFileSync(new URL('./data/spdy-dictionary.txt', import.meta.url), 'utf8'), 'base64')
