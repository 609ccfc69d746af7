// Keeps a terminal from answering questions that were asked, and answered, before this page saw them: a page that attaches to a
// shell replays its output, and a program's old "what are you?" in there must not type the answer into today's prompt.
// Knows xterm's parser; knows nothing of the socket.
import type { Terminal } from '@xterm/xterm'

export interface Replies {
  /** Output before `head` is a replay: nothing in it is answered. Without a head nothing is muted. */
  muteUntil(head: number | undefined): void
  /** Output up to `offset` has been parsed. */
  at(offset: number): void
}

/** Hooks into the queries that xterm answers (device attributes, status, modes, colours, strings, window reports). */
export function muteReplies(terminal: Pick<Terminal, 'parser'>): Replies {
  let head = 0
  let offset = 0
  const muted = () => offset < head
  const { parser } = terminal
  for (const id of [
    { final: 'c' },
    { prefix: '>', final: 'c' },
    { prefix: '=', final: 'c' },
    { final: 'n' },
    { prefix: '?', final: 'n' },
    { intermediates: '$', final: 'p' },
    { prefix: '?', intermediates: '$', final: 'p' },
    { prefix: '>', final: 'q' },
    { prefix: '?', final: 'u' },
    { final: 't' },
  ])
    parser.registerCsiHandler(id, muted)
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, muted)
  parser.registerDcsHandler({ intermediates: '+', final: 'q' }, muted)
  // Colours: only a question (a ?) is muted, setting one is part of the picture.
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (data) => muted() && data.split(';').includes('?'))
  parser.registerOscHandler(52, muted)
  return {
    muteUntil: (next) => {
      head = next ?? 0
    },
    at: (next) => {
      offset = next
    },
  }
}
