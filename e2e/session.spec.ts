// A lab from the first click to the report, in a real browser against a real server: the terminal, its resume, the server's restart,
// other sites' pages. What the pages look like is pages.spec.ts' business.
import type { Page } from '@playwright/test'
import type { Report } from '#lib/protocol/index.ts'
import { expect, type LabServer, test } from './fixtures.ts'

test.use({ suite: 'session' })
const symptom = 'Two nodes no longer take part'

async function openLab(page: Page, server: LabServer): Promise<string> {
  const id = await server.begin(symptom)
  await page.goto(`/session/${id}`)
  await shellReady(page)
  return id
}
async function shellReady(page: Page): Promise<void> {
  await expect(page.locator('[data-terminal][data-ready=true]').first()).toBeVisible({ timeout: 60_000 })
  await expect(page.locator('.xterm-rows').first()).toContainText('$')
}
async function type(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(line)
  await page.keyboard.press('Enter')
}
const screen = (page: Page) => page.locator('.xterm-rows').first()
const rightPort = async (server: LabServer, id: string) => /`(\d+)`/.exec((await server.session(id)).brief.en)![1]!
const reportOf = (server: LabServer, id: string) => server.get<Report>(`/api/sessions/${id}/report`)
async function submit(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Submit' }).click()
  await page.waitForURL(/\/report$/, { timeout: 60_000 })
}

test('A learner starts a lab, mends it by typing, sees every check turn green and gets 100 %', async ({ page, server }) => {
  await page.goto('/')
  await page.getByRole('button', { name: `Start: ${symptom}` }).click()
  await page.waitForURL(/\/session\/[0-9a-f]+$/)
  const id = new URL(page.url()).pathname.split('/')[2]!
  await shellReady(page)
  const port = await rightPort(server, id)
  await type(page, `for n in 1 2; do sed -i s/^port=.*/port=${port}/ $ROOT/../worker-$n/etc/agent.conf; done`)
  await expect(page.getByText('All goals pass. Submit when you are done.')).toBeVisible({ timeout: 60_000 })
  await submit(page)
  await expect(page.getByText('100').first()).toBeVisible()
  const report = await reportOf(server, id)
  expect(report).toMatchObject({ score: 100, outcome: 'solved', brokenGuards: [] })
  expect(report.timeline.some((entry) => entry.kind === 'command' && entry.command.includes('sed -i'))).toBe(true)
})

test('A cheat that breaks what must not be touched gets 0 %, a half repair its half', async ({ page, server }) => {
  for (const [command, score] of [
    ['for n in 1 2; do sed -i s/^port=.*/port=PORT/ $ROOT/../worker-$n/etc/agent.conf; done; rm $ROOT/../worker-1/etc/agent.key', 0],
    ['sed -i s/^port=.*/port=PORT/ $ROOT/../worker-1/etc/agent.conf', 60],
  ] as const) {
    const id = await openLab(page, server)
    await type(page, command.replace('PORT', await rightPort(server, id)))
    await expect
      .poll(async () => (await server.session(id)).checks.find((check) => check.id === 'first-node')?.state, { timeout: 60_000 })
      .toBe('passing')
    await submit(page)
    expect((await reportOf(server, id)).score).toBe(score)
  }
})

test('A learner types Korean and it reaches the shell whole', async ({ page, server }) => {
  await openLab(page, server)
  await page.locator('.xterm-helper-textarea').first().focus()
  // As an input method hands it over: whole syllables at once.
  await page.keyboard.insertText('echo 노드가-준비되지-않았습니다 | wc -m')
  await page.keyboard.press('Enter')
  await expect(screen(page)).toContainText('15')
})

test('A learner reloads the page and finds the same shell with what it printed', async ({ page, server }) => {
  await openLab(page, server)
  await type(page, 'MINE=kept; seq 3')
  await expect(screen(page)).toContainText('3')
  await page.reload()
  await shellReady(page)
  await expect(screen(page)).toContainText('seq 3')
  await type(page, 'echo "still $MINE"')
  await expect(screen(page)).toContainText('still kept')
})

test('The server restarts under an open page: nothing is lost, no second shell is made', async ({ page, server, consoleErrors }) => {
  const id = await openLab(page, server)
  await type(page, 'echo before-the-restart')
  await expect(screen(page)).toContainText('before-the-restart')
  await server.restart()
  // The fake backend's machines are directories: they survive, their shells live in the server and do not. What the page shows does.
  await expect.poll(async () => (await server.session(id)).outage, { timeout: 60_000 }).toBeNull()
  await expect(screen(page)).toContainText('before-the-restart')
  // The page comes back by itself, in its own time; until then it takes no keys.
  await expect(async () => {
    await type(page, 'echo after-the-restart | tr a-z A-Z')
    await expect(screen(page)).toContainText('AFTER-THE-RESTART', { timeout: 5_000 })
  }).toPass({ timeout: 60_000 })
  expect((await server.session(id)).terminals).toHaveLength(1)
  // While the server was away the browser said so.
  consoleErrors.length = 0
})

test('`yes` does not freeze the page, and Ctrl-C ends it', async ({ page, server }) => {
  await openLab(page, server)
  await type(page, 'yes abcdefghijklmnopqrstuvwxyz')
  await expect(screen(page)).toContainText('abcdefghijklmnopqrstuvwxyz')
  await page.getByRole('button', { name: 'Show a hint' }).click()
  await expect(page.getByText('Look at what the agent on each node was told.')).toBeVisible()
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.press('Control+c')
  await type(page, 'echo it-is-over | tr a-z A-Z')
  await expect(screen(page)).toContainText('IT-IS-OVER', { timeout: 60_000 })
})

test('A full-screen program draws where it wants, and leaves the screen as it found it', async ({ page, server }) => {
  await openLab(page, server)
  await type(page, 'echo what-was-here')
  await expect(screen(page)).toContainText('what-was-here')
  await type(page, "printf '\\e[?1049h\\e[2J\\e[5;10H\\e[38;5;208mfull screen 한글\\e[0m'; read -n1; printf '\\e[?1049l'")
  await expect(page.locator('.xterm-rows').first().locator('> div').nth(4)).toHaveText(/^\s{9}full screen 한글/)
  await expect(screen(page)).not.toContainText('what-was-here')
  await page.keyboard.press('q')
  await expect(screen(page)).toContainText('what-was-here')
})

test('A page of another site gets neither a socket nor an action', async ({ page, server, browser }) => {
  const id = await server.begin(symptom)
  const elsewhere = await browser.newContext()
  const stranger = await elsewhere.newPage()
  await stranger.route('http://elsewhere.test/', (route) => route.fulfill({ contentType: 'text/html', body: '<title>elsewhere</title>' }))
  await stranger.goto('http://elsewhere.test/')
  const { ticket } = await server.post<{ ticket: string }>(`/api/sessions/${id}/ticket`)
  const got = await stranger.evaluate(
    async ({ url, id, ticket }) => {
      const posted = await fetch(`${url}/api/sessions/${id}/actions`, {
        method: 'POST',
        body: '{"type":"give-up"}',
        headers: { 'content-type': 'text/plain' },
        mode: 'no-cors',
      }).then(
        () => 'sent',
        () => 'refused',
      )
      const read = await fetch(`${url}/api/sessions/${id}`).then(
        (answer) => answer.text(),
        () => 'refused',
      )
      const socket = await new Promise<string>((resolve) => {
        const opened = new WebSocket(`${url.replace('http', 'ws')}/ws/session/${id}?ticket=${ticket}`)
        opened.onopen = () => resolve('open')
        opened.onerror = () => resolve('refused')
      })
      return { posted, read, socket }
    },
    { url: server.url, id, ticket },
  )
  expect(got).toMatchObject({ read: 'refused', socket: 'refused' })
  expect((await server.session(id)).state).not.toBe('ended')
  await elsewhere.close()
  await page.goto(`/session/${id}`)
  await shellReady(page)
})
