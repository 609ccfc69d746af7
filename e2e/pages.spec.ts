// The pages as people meet them: catalogue, lab, report, machine; in both languages and themes, by keyboard, on a phone, and in the
// states that are hard to reach, for which the session's socket is played by the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page, WebSocketRoute } from '@playwright/test'
import { crowdedTopology, sessionOf } from '../components/session/fixtures.ts'
import type { ServerMessage, SessionView, SetupView } from '../lib/protocol/index.ts'
import { expect, LabServer, test } from './fixtures.ts'

const english = { symptom: 'Two nodes no longer take part', start: 'Start: Two nodes no longer take part' }

/** Starts the lab of the two nodes and waits for its first shell. */
async function startLab(page: Page): Promise<string> {
  await page.goto('/')
  await page
    .getByRole('button', { name: english.start })
    .or(page.getByRole('link', { name: 'Resume: Two nodes no longer take part' }))
    .first()
    .click()
  await page.waitForURL(/\/session\/[^/]+$/)
  await shell(page)
  return new URL(page.url()).pathname.split('/')[2]!
}
/** A new session over the API, so that tests do not resume each other's. */
async function freshSession(server: LabServer): Promise<string> {
  const { scenarios } = (await (await fetch(`${server.url}/api/catalogue`)).json()) as {
    scenarios: { id: string; title: { en: string } }[]
  }
  const answer = await fetch(`${server.url}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: server.url },
    body: JSON.stringify({ scenario: scenarios.find((one) => one.title.en === english.symptom)!.id }),
  })
  return ((await answer.json()) as { id: string }).id
}
async function freshLab(page: Page, server: LabServer): Promise<string> {
  const id = await freshSession(server)
  await page.goto(`/session/${id}`)
  await shell(page)
  return id
}
const shell = async (page: Page) => {
  await expect(page.locator('[data-terminal][data-ready=true]').first()).toBeVisible()
  await expect(page.locator('.xterm-rows').first()).toContainText('$')
}
async function type(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(line)
  await page.keyboard.press('Enter')
}
const port = async (page: Page) =>
  (await page
    .locator('#pane-brief')
    .getByText(/^70\d\d$/)
    .first()
    .textContent())!
const mend = async (page: Page) =>
  type(page, `sed -i "s/^port=.*/port=${await port(page)}/" $ROOT/../worker-1/etc/agent.conf $ROOT/../worker-2/etc/agent.conf`)

async function submit(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Submit' }).click()
  await page.waitForURL(/\/report$/)
}
async function accessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .exclude('.monaco-editor')
    .analyze()
  expect(
    violations.map(
      (violation) =>
        `${violation.id}: ${violation.nodes
          .map((node) => `${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`)
          .slice(0, 4)
          .join(' | ')}`,
    ),
    what,
  ).toEqual([])
}
/** What is said aloud at once; Next's own announcer of pages is not meant. */
const alert = (page: Page) => page.locator('[role=alert]:not(#__next-route-announcer__)')
/** Kept as the test's output: somebody looks at them. */
const picture = (page: Page, name: string, fullPage = false) => page.screenshot({ path: test.info().outputPath(`${name}.png`), fullPage })

/** Plays the session's socket. */
async function played(
  page: Page,
  view: Partial<SessionView> = {},
): Promise<{ say(message: ServerMessage): Promise<void>; socket(): WebSocketRoute }> {
  let route: WebSocketRoute | null = null
  await page.routeWebSocket(/\/ws\/session\//, (socket) => {
    route = socket
    socket.send(JSON.stringify({ type: 'snapshot', seq: 1, now: Date.now(), session: sessionOf(view) } satisfies ServerMessage))
  })
  return {
    // The page is drawn by the server before its socket is open.
    async say(message) {
      await expect.poll(() => route !== null).toBe(true)
      route!.send(JSON.stringify(message))
    },
    socket: () => route!,
  }
}

test.describe('The catalogue', () => {
  test('A learner finds a symptom by words of either language and keeps the filter in the address', async ({ page }) => {
    await page.goto('/')
    await expect(page.getByRole('heading', { level: 3 })).toHaveText([english.symptom, 'The shop sells nothing'])
    await page.getByRole('searchbox').fill('상점')
    await expect(page.getByRole('heading', { level: 3 })).toHaveText(['The shop sells nothing'])
    await page.getByRole('searchbox').fill('nothing at all like this')
    await expect(page.getByText('No scenario matches these filters.')).toBeVisible()
    await page.getByRole('button', { name: 'Clear filters' }).last().click()
    await page.getByLabel('Domain').selectOption('workloads')
    await expect(page.getByRole('status')).toHaveText('1 scenario')
    await page.reload()
    await expect(page.getByRole('heading', { level: 3 })).toHaveText(['The shop sells nothing'])
  })

  test('A badge says how far the grading has proven itself, also by keyboard', async ({ page }) => {
    await page.goto('/')
    await page.getByRole('button', { name: 'Unproven' }).first().focus()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('tooltip')).toContainText('Nobody has proven this')
    await page.keyboard.press('Escape')
    await expect(page.getByRole('tooltip')).toHaveCount(0)
  })

  test('The reader chooses language and theme, and they stay', async ({ page }) => {
    await page.goto('/')
    await page.getByRole('button', { name: 'Language' }).click()
    await page.getByRole('menuitemradio', { name: '한국어' }).click()
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('시나리오')
    await page.getByRole('button', { name: '테마' }).click()
    await page.getByRole('menuitemradio', { name: '다크' }).click()
    await page.reload()
    await expect(page.locator('html')).toHaveAttribute('lang', 'ko')
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
    await expect(page.locator('body')).toHaveCSS('color', 'rgb(237, 237, 234)')
  })

  test('A wrong address is answered in the reader’s language', async ({ page, consoleErrors }) => {
    await page.goto('/no/such/page')
    await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible()
    await page.goto('/session/0123456789abcdef')
    await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible()
    // The browser notes the 404 itself.
    consoleErrors.length = 0
  })
})

test.describe('The lab', () => {
  test('A learner mends the nodes in the terminal, sees the checks turn, and reads why in a report of 100 %', async ({ page }) => {
    await startLab(page)
    await expect(page.locator('[data-check=first-node]')).toHaveAttribute('data-state', 'failing')
    await mend(page)
    for (const id of ['first-node', 'second-node'])
      await expect(page.locator(`[data-check=${id}]`)).toHaveAttribute('data-state', 'passing')
    await expect(page.getByText('All goals pass. Submit when you are done.')).toBeVisible()
    await submit(page)
    await expect(page.getByText('100 %').first()).toBeVisible()
    await expect(page.getByText('Mended, with nothing else broken.')).toBeVisible()
    await expect(page.locator('[data-verdict=pass]')).toHaveCount(3)
    await expect(page.getByRole('heading', { name: 'What was wrong' })).toBeVisible()
    await page.getByRole('button', { name: 'As a list' }).click()
    await expect(page.getByRole('listitem').filter({ hasText: 'sed -i' })).toBeVisible()
    await expect(page.getByRole('listitem').filter({ hasText: 'worker-1 takes part again: Passing' }).last()).toBeVisible()
    // The replay ends where the terminal ended.
    const replay = page.getByRole('slider', { name: 'Position' })
    await replay.focus()
    await page.keyboard.press('End')
    await expect(page.locator('.xterm-rows')).toContainText('sed -i')
    await picture(page, 'report', true)
  })

  test('Half a repair scores half, with expected and actual for what failed', async ({ page, server }) => {
    await freshLab(page, server)
    await type(page, `sed -i "s/^port=.*/port=${await port(page)}/" $ROOT/../worker-1/etc/agent.conf`)
    await expect(page.locator('[data-check=first-node]')).toHaveAttribute('data-state', 'passing')
    await page.getByRole('button', { name: 'Submit' }).click()
    await expect(page.getByRole('alertdialog')).toContainText('1 of 2 goals pass at the moment')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Submit' }).click()
    await page.waitForURL(/\/report$/)
    await expect(page.getByText('60 %').first()).toBeVisible()
    const failed = page.locator('[data-verdict=fail]')
    await expect(failed).toContainText('worker-2 takes part again')
    await expect(failed.getByText('Expected')).toBeVisible()
    await expect(failed.getByText('Actual')).toBeVisible()
    await picture(page, 'report-partial', true)
  })

  test('Harm done elsewhere voids the score and says by what', async ({ page, server }) => {
    await freshLab(page, server)
    await mend(page)
    await type(page, 'rm $ROOT/../worker-1/etc/agent.key')
    await expect(page.locator('[data-check=key-kept]')).toHaveAttribute('data-state', 'failing')
    await submit(page)
    await expect(page.getByText('Score: 0 %')).toBeVisible()
    await expect(page.getByRole('heading', { name: 'Voided by a broken guard' })).toBeVisible()
    await picture(page, 'report-voided', true)
  })

  test('Hints come one by one, and giving up asks first', async ({ page, server }) => {
    await freshLab(page, server)
    await page.getByRole('button', { name: 'Show a hint' }).click()
    await expect(page.getByText('1 of 2 shown')).toBeVisible()
    await page.getByRole('button', { name: 'Show the next hint' }).click()
    await expect(page.getByText('That was the last hint.')).toBeVisible()
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Give up' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click()
    await expect(page.getByRole('button', { name: 'Submit' })).toBeVisible()
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Give up' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Give up' }).click()
    await page.waitForURL(/\/report$/)
    await expect(page.getByText('Given up')).toBeVisible()
  })

  test('Reset breaks the same thing again and keeps the lab', async ({ page, server }) => {
    await freshLab(page, server)
    await mend(page)
    await expect(page.locator('[data-check=first-node]')).toHaveAttribute('data-state', 'passing')
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Reset' }).click()
    await expect(page.getByRole('alertdialog')).toContainText('Your home directory on the workstation is kept')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Reset the lab' }).click()
    await expect(page.locator('[data-check=first-node]')).toHaveAttribute('data-state', 'failing')
  })

  test('The keyboard alone leaves the terminal and comes back', async ({ page, server }) => {
    await freshLab(page, server)
    await page.locator('.xterm-helper-textarea').focus()
    await page.keyboard.press('Control+Shift+Period')
    await expect(page.locator('#pane-dock [role=tab][aria-selected=true]')).toBeFocused()
    await page.keyboard.press('F6')
    await expect(page.locator('#pane-brief')).toBeFocused()
    await page.keyboard.press('F6')
    await expect(page.locator('.xterm-helper-textarea')).toBeFocused()
    await page.getByRole('separator', { name: 'Width of the brief' }).focus()
    const before = await page.locator('#pane-brief').boundingBox()
    await page.keyboard.press('ArrowRight')
    await expect.poll(async () => (await page.locator('#pane-brief').boundingBox())!.width).toBeGreaterThan(before!.width)
  })

  test('The terminal searches, copies and pastes, and speaks Korean', async ({ page, server, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await freshLab(page, server)
    await type(page, 'echo 한글 입력 && echo needle-one && echo needle-two')
    await expect(page.locator('.xterm-rows')).toContainText('한글 입력')
    await page.keyboard.press('Control+Shift+KeyF')
    await page.getByLabel('Search in this terminal').last().fill('needle')
    await expect(page.getByRole('status').filter({ hasText: /of 4/ })).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.locator('.xterm-helper-textarea')).toBeFocused()
    await page.evaluate(() => navigator.clipboard.writeText('echo pasted-text'))
    await page.keyboard.press('Control+Shift+KeyV')
    await page.keyboard.press('Enter')
    await expect(page.locator('.xterm-rows')).toContainText('pasted-text')
    const word = (await page.locator('.xterm-rows').getByText('needle-two', { exact: true }).last().boundingBox())!
    await page.mouse.dblclick(word.x + 8, word.y + word.height / 2)
    await page.keyboard.press('Control+Shift+KeyC')
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('needle-two')
  })

  test('A shell on a node opens in a tab of its own and closes after asking', async ({ page, server }) => {
    await freshLab(page, server)
    await page.getByRole('button', { name: 'New terminal' }).click()
    await page.getByRole('menuitem', { name: /^worker-1/ }).click()
    const tab = page.getByRole('tab', { selected: true }).filter({ hasText: 'worker-1' })
    await expect(tab).toBeVisible()
    await expect(page.locator('[role=tabpanel]:not(.hidden) .xterm-rows')).toContainText('worker-1')
    await tab.focus()
    await page.keyboard.press('ArrowLeft')
    await expect(page.getByRole('tab', { name: 'workstation' })).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Delete')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Close terminal' }).click()
    await expect(page.getByRole('tab', { name: 'worker-1' })).toHaveCount(0)
  })

  test('The editor saves a file on a node, and shows both versions when it changed meanwhile', async ({ page, server, consoleErrors }) => {
    await freshLab(page, server)
    const right = await port(page)
    await page.getByRole('tab', { name: 'Editor' }).click()
    await page.getByRole('combobox', { name: 'On' }).selectOption('worker-1')
    await page.getByLabel('Open a path').fill('/etc/agent.conf')
    await page.keyboard.press('Enter')
    await expect(page.locator('.monaco-editor .view-lines')).toContainText('port=1')
    await page.locator('.monaco-editor').first().click()
    await page.keyboard.press('Control+KeyA')
    await page.keyboard.type(`name=agent\nport=${right}\n`)
    await expect(page.getByText('Unsaved changes').last()).toBeVisible()
    await page.keyboard.press('Control+KeyS')
    await expect(page.locator('[data-check=first-node]')).toHaveAttribute('data-state', 'passing')
    await picture(page, 'editor')
    // Somebody else writes it.
    await page.getByRole('tab', { name: 'workstation' }).click()
    await type(page, 'echo theirs=1 >> $ROOT/../worker-1/etc/agent.conf; echo writ"ten"')
    await expect(page.locator('.xterm-rows')).toContainText('written')
    await page.getByRole('tab', { name: 'Editor' }).click()
    await page.locator('.monaco-editor').first().click()
    await page.keyboard.press('Control+End')
    await page.keyboard.type('mine=1')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(page.getByText('The file changed on the machine since you opened it')).toBeVisible()
    // The browser notes the refusal itself, and nothing else.
    expect(consoleErrors.splice(0)).toEqual([expect.stringContaining('409 (Conflict)')])
    await expect(page.locator('.monaco-diff-editor')).toContainText('theirs=1')
    await picture(page, 'editor-conflict')
    await page.getByRole('button', { name: 'Overwrite with mine' }).click()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled()
    await page.getByRole('tab', { name: 'workstation' }).click()
    await type(page, 'cat $ROOT/../worker-1/etc/agent.conf')
    await expect(page.locator('.xterm-rows')).toContainText('mine=1')
  })

  test('A file that cannot be opened says why, one that is not there can be made', async ({ page, server, consoleErrors }) => {
    await freshLab(page, server)
    await page.getByRole('tab', { name: 'Editor' }).click()
    await page.getByLabel('Open a path').fill('/etc/../etc/passwd')
    await page.keyboard.press('Enter')
    await expect(alert(page)).toContainText('cannot be opened')
    await page.getByLabel('Open a path').fill('/home/candidate/new.yaml')
    await page.keyboard.press('Enter')
    await expect(page.getByText('The file does not exist. Saving creates it.')).toBeVisible()
    await page.locator('.monaco-editor').first().click()
    await page.keyboard.type('kind: Pod')
    await page.keyboard.press('Control+KeyS')
    await expect(page.getByText('The file does not exist. Saving creates it.')).toHaveCount(0)
    // The browser notes the refusals itself.
    consoleErrors.length = 0
  })
})

test.describe('A lab in trouble', () => {
  test('A crowded cluster shows what is broken, and which pods are behind a service', async ({ page, server }) => {
    const id = await freshSession(server)
    const lab = await played(page, { id })
    await page.goto(`/session/${id}`)
    await expect(page.getByText('Waiting for a first look at the cluster…')).toBeVisible()
    await lab.say({ type: 'topology', topology: crowdedTopology(Date.now()) })
    await expect(page.getByText('2/3 nodes Ready')).toBeVisible()
    await expect(page.getByText('cni plugin not initialized')).toBeVisible()
    await expect(page.locator('[data-pod^="kube-system/kube-proxy-b"]')).toContainText('CrashLoopBackOff')
    await expect(page.getByRole('heading', { name: 'On no node' })).toBeVisible()
    await page.getByRole('button', { name: /kube-dns/ }).click()
    await expect(page.getByText('Pods behind kube-system/kube-dns')).toBeVisible()
    await picture(page, 'crowded')
    await page.getByLabel('Only what is broken').check()
    await expect(page.locator('[data-pod]')).toHaveCount(3)
    await accessible(page, 'the crowded cluster')
  })

  test('An outage stops the clock and says so until it is over', async ({ page, server }) => {
    const id = await freshSession(server)
    const lab = await played(page, { id })
    await page.goto(`/session/${id}`)
    await expect(page.getByRole('button', { name: 'Submit' })).toBeVisible()
    await lab.say({
      type: 'event',
      seq: 2,
      at: Date.now(),
      event: { type: 'outage', outage: { code: 'docker-unavailable', message: 'Docker does not answer.', hint: 'Start it.' } },
    })
    await expect(alert(page)).toContainText('Time is stopped and nothing is held against you')
    await picture(page, 'outage')
    await accessible(page, 'the outage')
    await lab.say({ type: 'event', seq: 3, at: Date.now(), event: { type: 'outage', outage: null } })
    await expect(page.getByText('Time is stopped')).toHaveCount(0)
  })

  test('A lost connection is said, and mended by itself', async ({ page, server }) => {
    const id = await freshSession(server)
    let refused = true
    await page.routeWebSocket(/\/ws\/session\//, (socket) => {
      if (refused) socket.close({ code: 1012 })
      else socket.connectToServer()
    })
    await page.goto(`/session/${id}`)
    await expect(page.getByRole('status').filter({ hasText: 'Connection lost' })).toBeVisible()
    await expect(page.getByRole('button', { name: 'Reconnect now' })).toBeVisible()
    refused = false
    await shell(page)
    await expect(page.getByText('Connection lost')).toHaveCount(0)
  })

  test('A start that failed says where and why, and can be tried again', async ({ page, server }) => {
    const id = await freshSession(server)
    const now = Date.now()
    const lab = await played(page, {
      id,
      state: 'starting',
      steps: [
        { id: 'claim', state: 'done', startedAt: now - 42_000, endedAt: now - 2000 },
        { id: 'prepare', state: 'running', startedAt: now - 2000, detail: 'deployment shop/catalog is ready' },
        { id: 'baseline', state: 'pending' },
        { id: 'inject', state: 'pending' },
        { id: 'confirm', state: 'pending' },
        { id: 'ready', state: 'pending' },
      ],
    })
    await page.goto(`/session/${id}`)
    await expect(page.getByRole('listitem').filter({ hasText: 'Get a cluster' })).toContainText('40 s')
    await expect(page.getByText('deployment shop/catalog is ready')).toBeVisible()
    await picture(page, 'starting')
    await accessible(page, 'a start')
    const failed = sessionOf({
      id,
      state: 'failed',
      readyAt: null,
      error: {
        code: 'symptom-absent',
        message: 'CoreDNS kept answering for 90 s after the fault was injected.',
        hint: 'Try again; if it stays, run npm run prove on this scenario.',
      },
      steps: [
        { id: 'claim', state: 'done', startedAt: now - 42_000, endedAt: now - 2000 },
        { id: 'confirm', state: 'failed', startedAt: now - 2000, endedAt: now, detail: 'asked 30 times' },
      ],
    })
    await lab.say({
      type: 'event',
      seq: 2,
      at: now,
      event: { type: 'state', state: 'failed', outcome: null, score: null, error: failed.error, view: failed },
    })
    await expect(page.getByRole('heading', { name: 'The lab could not be started' })).toBeVisible()
    await expect(alert(page)).toContainText('CoreDNS kept answering')
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible()
    await picture(page, 'failed')
    await accessible(page, 'a failed start')
  })
})

/** A Docker that answers and has nothing, whatever this machine has. */
async function emptyDocker() {
  const folder = await mkdtemp(path.join(tmpdir(), 'kubemend-docker-'))
  const socket = path.join(folder, 'docker.sock')
  const daemon = createServer((request, response) => {
    if (request.url?.endsWith('/_ping')) return void response.end('OK')
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"No such image"}')
  })
  await new Promise<void>((resolve) => daemon.listen(socket, resolve))
  return {
    host: `unix://${socket}`,
    async close() {
      daemon.closeAllConnections()
      await new Promise((resolve) => daemon.close(resolve))
      await rm(folder, { recursive: true })
    },
  }
}

test.describe('A machine that is not ready', () => {
  test('The catalogue says what to do, asks before it changes anything, and shows the progress', async ({ page, server: _server }) => {
    const docker = await emptyDocker()
    const bare = await LabServer.boot({
      env: {
        KUBEMEND_BACKENDS: 'kind',
        DOCKER_HOST: docker.host,
        PATH: '/nonexistent',
        KUBEMEND_CACHE: '/nonexistent',
      },
    })
    try {
      await page.goto(bare.url)
      await expect(page.getByRole('heading', { name: 'No lab can start on this machine yet' })).toBeVisible()
      await expect(page.getByRole('button', { name: english.start })).toBeDisabled()
      await expect(page.getByText('Remedy:').first()).toBeVisible()
      await picture(page, 'not-ready')
      await accessible(page, 'the notice')
      const now = Date.now()
      let answer: SetupView = {
        state: 'running',
        error: null,
        steps: [
          { id: 'docker', title: 'Docker', state: 'done', startedAt: now - 65_000, endedAt: now - 5000 },
          { id: 'images', title: 'Images', state: 'running', startedAt: now - 5000, detail: 'building kube-apiserver (3 of 14)' },
          { id: 'check', title: 'Check', state: 'pending' },
        ],
      }
      await page.route('**/api/setup', (route) => route.fulfill({ status: route.request().method() === 'POST' ? 202 : 200, json: answer }))
      await page.route('**/api/setup/plan', (route) => route.fulfill({ json: { changes: ['install `docker.io`', 'start Docker'] } }))
      await page.getByRole('button', { name: 'Prepare this machine' }).click()
      await expect(page.getByRole('alertdialog')).toContainText('20–30 minutes')
      await expect(page.getByRole('alertdialog').getByRole('listitem')).toHaveText(['install docker.io', 'start Docker'])
      await picture(page, 'consent')
      await page.getByRole('button', { name: 'Prepare now' }).click()
      await expect(page.getByText('building kube-apiserver (3 of 14)')).toBeVisible()
      await picture(page, 'preparing')
      answer = {
        ...answer,
        state: 'failed',
        error: { code: 'disk-full', message: 'Docker’s directory is full.', hint: 'Free 15 GB, then continue.' },
      }
      await expect(alert(page).filter({ hasText: 'Free 15 GB' })).toBeVisible()
      await expect(page.getByRole('button', { name: 'Continue where it stopped' })).toBeVisible()
    } finally {
      // The page draws itself anew after a set-up; a server that ends meanwhile is none of its errors.
      await page.goto('about:blank').catch(() => {}) // closed already when the time was up
      await bare.stop()
      await docker.close()
    }
  })
})

for (const locale of ['en', 'ko'] as const)
  for (const theme of ['light', 'dark'] as const)
    test.describe(`In ${locale === 'en' ? 'English' : 'Korean'}, ${theme}`, () => {
      test.use({ locale: locale === 'en' ? 'en-US' : 'ko-KR', colorScheme: theme })

      test(`Every page can be used by everybody (${locale}, ${theme})`, async ({ page, server, consoleErrors }) => {
        for (const path of ['/', '/machine']) {
          await page.goto(path)
          await expect(page.locator('html')).toHaveAttribute('lang', locale)
          await accessible(page, path)
          await picture(page, path === '/' ? 'catalogue' : 'machine')
        }
        await page.goto('/nothing/here')
        await accessible(page, 'a page that is not there')
        consoleErrors.length = 0

        const id = await freshLab(page, server)
        await accessible(page, 'the lab')
        await picture(page, 'lab')
        await page.getByRole('tab', { name: locale === 'en' ? 'Events' : '이벤트' }).click()
        await page.getByRole('tab', { name: locale === 'en' ? 'Editor' : '편집기' }).click()
        await expect(page.getByText(locale === 'en' ? 'No file is open' : '열린 파일이 없습니다')).toBeVisible()
        await accessible(page, 'the editor and the events')
        const terminal = (await page.locator('#pane-work').boundingBox())!
        expect(terminal.width, 'the terminal has half of 1440 px or more').toBeGreaterThanOrEqual(720)

        await page.setViewportSize({ width: 390, height: 844 })
        await expect(page.locator('#pane-brief')).toBeVisible()
        await accessible(page, 'the brief on a phone')
        await picture(page, 'phone-brief')
        await page.getByRole('navigation').getByRole('button').nth(1).click()
        await page.getByRole('tab', { name: 'workstation' }).click()
        await expect(page.getByText(locale === 'en' ? 'The terminal wants a keyboard' : '키보드와 더 넓은 화면이 필요합니다')).toBeVisible()
        await picture(page, 'phone-terminal')

        await fetch(`${server.url}/api/sessions/${id}/actions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: server.url },
          body: '{"type":"submit"}',
        })
        await page.waitForURL(/\/report$/)
        await expect(page.locator('[data-verdict]').first()).toBeVisible()
        await accessible(page, 'the report on a phone')
        await picture(page, 'phone-report', true)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        expect(wide, 'nothing sticks out of a phone').toBeLessThanOrEqual(390)
        await page.setViewportSize({ width: 1440, height: 900 })
        await accessible(page, 'the report')
        await picture(page, 'report', true)
      })
    })
