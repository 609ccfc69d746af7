// A learner's shell on a real kind cluster: it outlives a server that is killed, and full-screen programs are themselves in it.
// Needs Docker and the images (`npm run setup:kind`); leaves no container behind.
import type { Page } from '@playwright/test'
import { expect } from './fixtures.ts'
import { containersOf, kindTest as test } from './kind.ts'
import { screen, startLab, type } from './lab.ts'

const pressed = async (page: Page, ...keys: string[]) => {
  for (const key of keys) await page.keyboard.press(key)
}

test('The server is killed under a lab on kind: the same shell goes on, and what it printed meanwhile is there', async ({
  page,
  server,
  consoleErrors,
}) => {
  const { id, cluster } = await startLab(page, server, 'Nodes are NotReady and new pods never start')
  await type(page, 'me=$$; for i in $(seq 400); do echo tick-$i; sleep 0.1; done; echo same-$((me == $$))')
  await expect(screen(page)).toContainText('tick-20')
  await server.restart('SIGKILL')
  // Adopted: the session is alive, its terminal is the one that was there.
  await expect.poll(async () => (await server.session(id)).outage, { timeout: 3 * 60_000 }).toBeNull()
  await expect(screen(page)).toContainText('same-1', { timeout: 3 * 60_000 })
  expect((await server.session(id)).terminals).toHaveLength(1)
  // Nothing is missing in the recording: every line once, in order, whether the server was there or not.
  const cast = await (await fetch(`${server.url}/api/sessions/${id}/recordings/1`)).text()
  const printed = cast
    .split('\n')
    .slice(1)
    .filter(Boolean)
    .map((line) => JSON.parse(line) as [number, string, string])
    .filter(([, kind]) => kind === 'o')
    .map(([, , data]) => data)
    .join('')
  expect([...printed.matchAll(/tick-(\d+)\r/g)].map((match) => Number(match[1]))).toEqual(
    Array.from({ length: 400 }, (_, index) => index + 1),
  )

  // tmux, and vim inside of it: typed, saved, left; the screen is as it was.
  await type(page, 'clear; tmux new -s work')
  await expect(screen(page)).toContainText('[work]')
  await type(page, 'vim note.yaml')
  await expect(screen(page)).toContainText('note.yaml')
  await pressed(page, 'i')
  await page.keyboard.type('name: 수리')
  await pressed(page, 'Escape')
  await type(page, ':wq')
  await type(page, 'cat note.yaml; tmux list-panes | wc -l')
  await expect(screen(page)).toContainText('name: 수리')
  await type(page, 'exit')
  await expect(screen(page)).toContainText('[exited]')

  await server.act(id, 'give-up')
  await expect.poll(async () => (await server.session(id)).state, { timeout: 5 * 60_000 }).toBe('ended')
  await expect.poll(() => containersOf(cluster), { timeout: 5 * 60_000 }).toEqual([])
  // While the server was away the browser said so.
  consoleErrors.length = 0
})
