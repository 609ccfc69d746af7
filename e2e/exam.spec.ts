// A drill of one's own in a real browser: chosen, sat, interrupted, ended by the clock, reviewed. On the fake backend, with a server of its own,
// because an exam lets nothing else run.

import { readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { allowedInExam, type DrillView } from '#lib/protocol/index.ts'
import { expect, type LabServer, test } from './fixtures.ts'

test.use({ suite: 'exam' })
test.describe.configure({ timeout: 10 * 60_000 })

const nodes = 'Two nodes no longer take part'
const shop = 'The shop sells nothing'
const shown = (page: Page) => page.locator('[data-task]:not(.hidden)')
const screen = (page: Page) => shown(page).locator('.xterm-rows').first()
const shellReady = async (page: Page) => {
  await expect(shown(page).locator('[data-terminal][data-ready=true]').first()).toBeVisible({ timeout: 90_000 })
  await expect(screen(page)).toContainText('$')
}
async function type(page: Page, line: string): Promise<void> {
  await shown(page).locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(line)
  await page.keyboard.press('Enter')
}
const task = (page: Page, title: string) => page.getByRole('navigation', { name: /^(Tasks|문제)$/ }).getByRole('button', { name: title })
const picture = (page: Page, name: string, fullPage = false) => page.screenshot({ path: test.info().outputPath(`${name}.png`), fullPage })
async function accessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .exclude('.monaco-editor')
    .analyze()
  const words = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .map((node) => node.target.join(' '))
        .slice(0, 4)
        .join(' | ')}`,
  )
  expect(words, what).toEqual([])
}
const drillOf = (server: LabServer, id: string) => server.get<DrillView>(`/api/exam/${id}`)
/** As if the drill had begun so much earlier: the server is away meanwhile. */
async function later(server: LabServer, id: string, minutes: number): Promise<void> {
  await server.end()
  const database = new DatabaseSync(`${server.dataDir}/kubemend.db`)
  const { body } = database.prepare('select body from drill where id = ?').get(id) as { body: string }
  const record = JSON.parse(body) as { startedAt: number }
  record.startedAt -= minutes * 60_000
  database.prepare('update drill set body = ? where id = ?').run(JSON.stringify(record), id)
  database.close()
  await server.start()
}

test('a drill: chosen with what it lacks, sat with flags and notes through a reload, ended by the clock, reviewed', async ({
  page,
  server,
  context,
  consoleErrors,
}) => {
  await page.goto('/')
  await page.getByRole('link', { name: 'Drills' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Drills' })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Mini drill (2 tasks, 20 min)' })).toBeVisible()
  await expect(page.getByText('2 instead of 3 tasks')).toBeVisible()
  await expect(page.getByRole('row', { name: /Storage/ })).toContainText('nothing yet')
  await page.getByRole('radio', { name: /One domain/ }).check()
  await page.getByLabel('Domain', { exact: true }).selectOption({ label: 'Workloads' })
  await expect(page.getByRole('heading', { name: 'Domain drill: Workloads (1 task, 35 min)' })).toBeVisible()
  await page.getByRole('radio', { name: /Mini drill/ }).check()
  await page.getByRole('textbox', { name: 'Seed' }).fill('e2e')
  await expect(page.getByRole('button', { name: 'Start the drill' })).toBeDisabled()
  await page.getByRole('button', { name: 'Draw by this seed' }).click()
  await page.getByRole('checkbox', { name: /Keys of the exam/ }).check()
  await accessible(page, 'the drills')
  await picture(page, 'drills', true)
  await page.getByRole('button', { name: 'Start the drill' }).click()
  await page.waitForURL(/\/exam\/[0-9a-f]+$/)
  const id = new URL(page.url()).pathname.split('/')[2]!

  await expect(page.getByRole('timer', { name: 'Time left' })).toHaveText(/^(20:00|19:\d\d)$/, { timeout: 90_000 })
  await expect(task(page, nodes)).toHaveAttribute('data-state', 'ready', { timeout: 90_000 })
  await task(page, shop).click()
  await shellReady(page)
  await type(page, 'echo this-is-the-shop')
  await expect(screen(page)).toContainText('this-is-the-shop')
  await task(page, nodes).click()
  await expect(page.getByRole('heading', { level: 1, name: nodes })).toBeVisible()
  await shellReady(page)
  // Neither checks nor hints nor a picture of the cluster.
  for (const name of ['Goals', 'Hints', 'Cluster']) await expect(page.getByText(name, { exact: true })).toHaveCount(0)
  // The ways in, as the exam prints them; what it allows to read, and no other address.
  await expect(shown(page).getByRole('list', { name: 'Machines' })).toContainText(/ssh \S+-worker2/)
  await page.getByRole('button', { name: 'Documentation that the exam allows' }).click()
  await expect(page.getByRole('menuitem', { name: 'Helm documentation' })).toHaveAttribute('href', 'https://helm.sh/docs/')
  const out = await page.locator('a[href]').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))
  expect(out.filter((address) => !address.startsWith(server.url) && !allowedInExam(address))).toEqual([])
  expect(out.filter(allowedInExam)).toHaveLength(4)
  await page.keyboard.press('Escape')
  // The keys of the exam's terminal: one way to paste, and no other.
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.evaluate(() => navigator.clipboard.writeText('echo from-the-clip""board'))
  await shown(page).locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.press('Shift+Insert')
  await expect(page.getByText('Ctrl+Shift+C copies, Ctrl+Shift+V pastes')).toBeVisible()
  await page.keyboard.press('Control+Shift+KeyV')
  await page.keyboard.press('Enter')
  await expect(screen(page)).toContainText('from-the-clipboard')
  expect((await screen(page).textContent())!.split('echo from-the-clip').length - 1).toBe(1)
  const port = await shown(page)
    .getByText(/^70\d\d$/)
    .first()
    .textContent()
  await type(page, `for n in 1 2; do sed -i s/^port=.*/port=${port}/ $ROOT/../worker-$n/etc/agent.conf; done; echo mended | tr a-z A-Z`)
  await expect(screen(page)).toContainText('MENDED')
  await page.getByRole('button', { name: 'Flag this task' }).click()
  await expect(task(page, nodes)).toHaveAccessibleName(/flagged/)
  await page.getByRole('button', { name: 'Notepad' }).click()
  await page.getByRole('textbox', { name: 'Notepad' }).fill('the shop comes last 마지막')
  await expect(page.getByText('Saved', { exact: true })).toBeVisible()
  // Both of its shells can be had: none is thought to be opening still.
  await expect(shown(page).getByRole('button', { name: 'New terminal' })).toBeEnabled()
  await accessible(page, 'the drill')
  await picture(page, 'drill')

  // Another task and back: the same shell at once, with what stood in it.
  await page.getByRole('button', { name: 'Next task' }).click()
  await expect(screen(page)).toContainText('this-is-the-shop')
  await page.getByRole('button', { name: 'Previous task' }).click()
  await expect(screen(page)).toContainText('MENDED')

  await page.reload()
  await shellReady(page)
  await expect(screen(page)).toContainText('MENDED')
  await expect(page.getByRole('textbox', { name: 'Notepad' })).toHaveValue('the shop comes last 마지막')
  await expect(task(page, nodes)).toHaveAccessibleName(/flagged/)

  // A second browser, in Korean, dark, on a phone.
  const phone = await context
    .browser()!
    .newContext({ viewport: { width: 390, height: 844 }, locale: 'ko-KR', colorScheme: 'dark', baseURL: server.url })
  const small = await phone.newPage()
  await small.goto(`/exam/${id}`)
  await expect(task(small, '노드 두 개가')).toHaveAccessibleName(/표시함/)
  await expect(small.getByRole('timer', { name: '남은 시간' })).toHaveText(/^1\d:\d\d$/)
  await accessible(small, 'the drill on a phone')
  await picture(small, 'drill-phone')
  // The lab's own address leads to where the clock is.
  await small.goto(`/session/${(await drillOf(server, id)).tasks.find((one) => one.title.en === nodes)!.session}`)
  await small.waitForURL(`**/exam/${id}`)

  await later(server, id, 16)
  await page.reload()
  await expect(page.getByText('5 minutes left').first()).toBeVisible({ timeout: 60_000 })
  await expect(page.getByRole('timer', { name: 'Time left' })).toHaveText(/^[0-4]:\d\d$/)
  await picture(page, 'drill-late')

  await later(server, id, 5)
  await page.waitForURL(/\/review$/, { timeout: 120_000 })
  await expect(page.getByText('66.6 %').first()).toBeVisible()
  await expect(page.getByText('Passed')).toBeVisible()
  await expect(page.getByText('Ended by the clock')).toBeVisible()
  await expect(page.getByRole('listitem').filter({ hasText: 'Troubleshooting' }).first()).toContainText('100 %')
  const mended = page.locator('li[data-task]').filter({ hasText: nodes })
  // On paper: one page, light, without what can only be clicked.
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  await expect(page.getByRole('banner')).toBeHidden()
  await expect(page.getByRole('button', { name: 'Print' })).toBeHidden()
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--text').trim())).toBe('#1a1a18')
  await picture(page, 'review-print', true)
  const paper = await page.pdf({ format: 'A4', path: test.info().outputPath('review.pdf') })
  expect(paper.toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(1)
  await page.emulateMedia({ media: null, colorScheme: null })
  await mended.locator('summary').first().click()
  await expect(mended).toContainText('worker-2 takes part again')
  await accessible(page, 'the review')
  await picture(page, 'review', true)
  await mended.getByRole('link', { name: /Report with replay/ }).click()
  await expect(page.getByRole('heading', { name: 'What was wrong' })).toBeVisible()
  await small.goto(`/exam/${id}`)
  await small.waitForURL(/\/review$/)
  await expect(small.getByText(/^합격/).first()).toBeVisible()
  await accessible(small, 'the review on a phone')
  await picture(small, 'review-phone', true)
  await small.goto('/exam')
  await expect(small.getByRole('heading', { name: '지난 모의시험' })).toBeVisible()
  await accessible(small, 'the drills on a phone')
  await picture(small, 'drills-phone', true)
  await phone.close()

  await page.goto('/exam')
  await expect(page.getByRole('link', { name: /^Review: Mini drill/ })).toBeVisible()
  await expect(page.getByText('1 of 1 passed')).toBeVisible()
  // While the server was away the browser said so.
  consoleErrors.length = 0
})

test('a drill is handed in task by task; mastery shows each verdict at once', async ({ page }) => {
  await page.goto('/exam')
  await page.getByRole('radio', { name: /Mastery/ }).check()
  await page.getByRole('button', { name: 'Start the drill' }).click()
  await page.waitForURL(/\/exam\/[0-9a-f]+$/)
  await expect(page.getByText('No clock', { exact: true })).toBeVisible({ timeout: 90_000 })
  for (const title of [nodes, shop]) await expect(task(page, title)).toHaveAttribute('data-state', 'ready', { timeout: 90_000 })
  await task(page, shop).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: shop })).toBeVisible()
  await page.getByRole('button', { name: 'Hand in task' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Hand in' }).click()
  await expect(page.getByRole('heading', { level: 1, name: nodes })).toBeVisible()
  await expect(task(page, shop)).toHaveAttribute('data-state', 'graded', { timeout: 90_000 })
  await page.getByRole('button', { name: 'Finish' }).click()
  await expect(page.getByRole('alertdialog')).toContainText('1 task is not handed in yet')
  await page.getByRole('alertdialog').getByRole('button', { name: 'Finish the drill' }).click()
  await page.waitForURL(/\/review$/, { timeout: 120_000 })
  await expect(page.getByText('Not passed')).toBeVisible()
})

test('one’s own data goes out as a file and comes in again; one that is broken is refused with the place', async ({
  page,
  consoleErrors,
}) => {
  await page.goto('/exam')
  await page.getByRole('checkbox', { name: /Keys of the exam/ }).check()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const file = await (await download).path()
  const content = await readFile(file, 'utf8')
  const { drills, sessions } = JSON.parse(content) as { drills: unknown[]; sessions: unknown[] }
  await expect(page.getByText(new RegExp(`^Exported ${sessions.length} reports? and ${drills.length} drills?\\.`))).toBeVisible()
  expect(JSON.parse(content)).toMatchObject({ format: 'kubemend-data', version: 1, settings: { kept: { 'exam.keys': 1 } } })
  const bring = (text: string) =>
    page
      .getByLabel('Import a file')
      .last()
      .setInputFiles({ name: 'data.json', mimeType: 'application/json', buffer: Buffer.from(text) })
  await bring(content)
  await expect(page.getByText(`Imported 0 reports and 0 drills; ${sessions.length + drills.length} were here already.`)).toBeVisible()
  await bring(content.replace('"exam.keys":1', '"exam.keys":"on"'))
  await expect(page.getByText(/settings\.kept\.exam\.keys/)).toBeVisible()
  await bring('{"format": kubemend}')
  await expect(page.getByText('not JSON: line 1, column 12')).toBeVisible()
  await accessible(page, 'one’s own data')
  await picture(page, 'own-data', true)
  // The browser says of each refusal that it was one.
  consoleErrors.length = 0
})
