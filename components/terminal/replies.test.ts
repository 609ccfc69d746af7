// A terminal answers what is asked of it now, and nothing of what was asked before the page was there.
import { Terminal } from '@xterm/xterm'
import { expect, test } from 'vitest'
import { muteReplies } from './replies.ts'

const questions = ['\x1b[c', '\x1b[>c', '\x1b[6n', '\x1b[?6n', '\x1b[?2026$p', '\x1bP$qm\x1b\\']
const write = (terminal: Terminal, text: string) => new Promise<void>((resolve) => terminal.write(text, resolve))

test('what was asked in the replay is not answered, what is asked after it is', async () => {
  const terminal = new Terminal({ allowProposedApi: true })
  const said: string[] = []
  terminal.onData((data) => said.push(data))
  const replies = muteReplies(terminal)
  const replay = questions.join('')
  replies.muteUntil(replay.length)
  replies.at(0)
  await write(terminal, replay)
  expect(said).toEqual([])
  replies.at(replay.length)
  for (const question of questions) {
    const before = said.length
    await write(terminal, question)
    expect(said.length, JSON.stringify(question)).toBe(before + 1)
  }
})

test('without a replay everything is answered', async () => {
  const terminal = new Terminal({ allowProposedApi: true })
  const said: string[] = []
  terminal.onData((data) => said.push(data))
  muteReplies(terminal).muteUntil(undefined)
  await write(terminal, '\x1b[c')
  expect(said).toHaveLength(1)
})
