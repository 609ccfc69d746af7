// A class sits an exam, on the simulation, in real browsers: an instructor makes the class, imports its roster and sets the exam; two learners
// sit it at once, one reloads, one is without a network for a while; the board follows, one is helped; both are graded, one disputes, a regrade after
// a validator was mended changes both, and the CSV has it all. Needs accounts; needs neither Docker nor a network, unless KUBEMEND_E2E_CLASS=kind
// has it played on real clusters, which takes ten minutes and two of them.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { test as base, expect, LabServer } from './fixtures.ts'
import { screen, type } from './lab.ts'

const onKind = process.env.KUBEMEND_E2E_CLASS === 'kind'
const root = new URL('..', import.meta.url).pathname
const scenarios = mkdtempSync(path.join(tmpdir(), 'kubemend-class-'))
const spec = path.join(scenarios, 'troubleshooting/coredns-scaled-down/scenario.yaml')
cpSync(path.join(root, 'scenarios'), scenarios, { recursive: true })
const mended = readFileSync(spec, 'utf8')
/** The validator with a mistake in it: it asks for nine servers, which nobody was told. Worth 30 of 100. */
const right = 'rollout: { kind: Deployment, namespace: kube-system, name: coredns }'
const mistaken =
  'resource: { apiVersion: apps/v1, kind: Deployment, namespace: kube-system, name: coredns, expect: object.spec.replicas == 9 }'
if (!mended.includes(right)) throw new Error('the scenario of this test has changed')
writeFileSync(spec, mended.replace(right, mistaken))

const test = base.extend<object, { server: LabServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that one asks for from this pattern
    async ({}, use) => {
      const server = await LabServer.boot({
        env: {
          KUBEMEND_AUTH: 'on',
          KUBEMEND_SCENARIOS: scenarios,
          ...(onKind
            ? { KUBEMEND_BACKENDS: 'kind', KUBEMEND_TRUST_LEARNERS: '1', KUBEMEND_POOL: '2' }
            : { KUBEMEND_BACKENDS: 'sim', KUBEMEND_POOL: '1' }),
        },
      })
      await use(server)
      await server.stop()
      rmSync(scenarios, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 120_000 },
  ],
})
test.use({ suite: 'class' })
test.describe.configure({ timeout: 20 * 60_000 })

const password = 'correct horse battery'
const scenario = 'No name resolves, and there is no DNS server to be seen'
async function accessible(page: Page, what: string): Promise<void> {
  for (const size of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(size)
      await page.emulateMedia({ colorScheme })
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
      const words = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`)
      expect(words, `${what}, ${size.width} px, ${colorScheme}`).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth), what).toBeLessThanOrEqual(size.width)
      await page.screenshot({ path: test.info().outputPath(`${what}-${size.width}-${colorScheme}.png`), fullPage: true })
    }
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
}
async function account(page: Page, link: string, name: string): Promise<void> {
  await page.goto(link)
  await page.getByLabel('Name', { exact: true }).fill(name)
  const email = page.getByLabel('Email address')
  if (await email.isEditable()) await email.fill(`${name.toLowerCase()}@example.org`)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Make the account' }).click()
  await expect(page.getByRole('link', { name: `Account: ${name}` })).toBeVisible()
}
const elsewhere = async (browser: Browser, server: LabServer) =>
  (await browser.newContext({ baseURL: server.url, viewport: { width: 1440, height: 900 }, acceptDownloads: true })).newPage()
/** Joins the class and begins the exam; resolves at the shell. */
async function sit(page: Page): Promise<void> {
  await page.goto('/assignments')
  await page.getByRole('button', { name: 'Join' }).click()
  await page.getByRole('button', { name: 'Start: Midterm' }).click()
  await page.waitForURL(/\/exam\/[^/]+$/)
  await expect(page.locator('[data-terminal][data-ready=true]').first()).toBeVisible({ timeout: 5 * 60_000 })
  await expect(screen(page)).toContainText('$')
}
async function mend(page: Page): Promise<void> {
  await type(
    page,
    `clear; kubectl -n kube-system patch deployment coredns --type json -p '[{"op":"remove","path":"/spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution"}]'; kubectl -n kube-system scale deployment coredns --replicas=2; kubectl -n kube-system rollout status deployment coredns`,
  )
  await expect(screen(page)).toContainText('successfully rolled out', { timeout: 3 * 60_000 })
}
async function finish(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Finish' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Finish' }).click()
  await page.waitForURL(/\/review$/, { timeout: 5 * 60_000 })
}

test('a class sits an exam', async ({ page, server, browser, consoleErrors }) => {
  await expect.poll(() => server.out).toContain('/join#')
  await account(page, /(http:\S+\/join#\S+)/.exec(server.out)![1]!, 'Ada')
  const learners: Record<string, Page> = {}
  for (const name of ['Ann', 'Bob']) {
    await page.goto('/people')
    await page.getByLabel('Only for this email address').fill(`${name.toLowerCase()}@example.org`)
    await page.getByRole('button', { name: 'Make a link' }).click()
    const link = await page.getByRole('textbox', { name: 'Invitation link' }).inputValue()
    learners[name] = await elsewhere(browser, server)
    await account(learners[name], link, name)
  }
  const [ann, bob] = [learners.Ann!, learners.Bob!]

  // The class, its roster with a line that cannot be read, the exam.
  await page.goto('/classes')
  await page.getByRole('textbox', { name: 'Name' }).fill('Ops 1')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.waitForURL(/\/classes\/[a-f0-9]+$/)
  const at = new URL(page.url()).pathname
  await page.getByLabel('List').fill('name,email,id\nAnn,ann@example.org,1\nnobody,,2\nBob,bob@example.org,=3')
  await page.getByRole('button', { name: 'Preview' }).click()
  await expect(page.getByText('1 line cannot be read')).toBeVisible()
  await accessible(page, 'class')
  await page.getByRole('button', { name: 'Import 2 rows' }).click()
  await expect(page.getByRole('rowheader', { name: 'Bob' })).toBeVisible()
  await page.getByRole('link', { name: 'New assignment' }).click()
  await page.getByLabel('Title').fill('Midterm')
  await page.getByRole('checkbox', { name: new RegExp(scenario) }).check()
  // It has a window, so that nobody sees results before the last has handed in.
  const results = page.getByLabel('Results open for learners')
  await expect(results).toBeDisabled()
  await page.getByLabel('Closes').fill(`${new Date().getFullYear() + 1}-01-01T00:00`)
  await expect(results).toHaveValue('close')
  await page.getByRole('button', { name: 'Check capacity' }).click()
  await expect(page.getByText('2 people × 1 tasks')).toBeVisible()
  await accessible(page, 'assign')
  await page.getByRole('button', { name: 'Set the assignment' }).click()
  await page.waitForURL(/\/board$/)
  const row = (name: string) => page.locator(`[data-learner="${name}"]`)

  // Two at once.
  await Promise.all([sit(ann), sit(bob)])
  await expect(row('Ann')).toContainText(scenario)
  await expect(row('Bob')).toContainText('of 4 checks hold', { timeout: 60_000 })
  await ann.reload()
  await expect(screen(ann)).toContainText('$', { timeout: 60_000 })
  await bob.context().setOffline(true)
  const offlineAt = Date.now()

  // Ann is helped: a hint, a look, and with her word a hand.
  await ann.getByRole('button', { name: 'Ask for help' }).click()
  await ann.getByLabel('What are you stuck on? (optional)').fill('where is DNS?')
  await ann.getByRole('button', { name: 'Send' }).click()
  await expect(row('Ann')).toContainText('where is DNS?')
  await accessible(page, 'board')
  await page.getByRole('button', { name: 'Give Ann a hint' }).click()
  await expect(ann.getByText('Ada, a hint for task 1:')).toBeVisible()
  await page.getByRole('button', { name: 'Watch Ann' }).click()
  await expect(page.getByText('You only look')).toBeVisible()
  await expect(ann.getByText('Ada looks at task 1')).toBeVisible()
  await expect(screen(page)).toContainText('$')
  await type(page, 'echo UNASKED')
  await page.getByRole('button', { name: 'Ask to type' }).click()
  await ann.getByRole('button', { name: 'Allow', exact: true }).click()
  await expect(page.getByText('You type in this terminal')).toBeVisible()
  await expect(ann.getByText('Ada types with you in task 1')).toBeVisible()
  await type(page, 'echo he"l"ped')
  await expect(screen(ann)).toContainText('helped')
  await expect(screen(ann)).not.toContainText('UNASKED')
  await ann.getByRole('button', { name: 'Stop', exact: true }).click()
  await expect(page.getByText('You only look')).toBeVisible()
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  await page.getByRole('button', { name: 'Ann is helped' }).click()

  // A minute without a network: the lab is as it was left.
  await mend(ann)
  await expect.poll(() => Date.now() - offlineAt, { timeout: 3 * 60_000 }).toBeGreaterThan(60_000)
  await bob.context().setOffline(false)
  await mend(bob)
  await Promise.all([finish(ann), finish(bob)])

  // Graded, and alike: the mistake has cost both of them.
  await expect(row('Ann').getByRole('link', { name: '70 %' })).toBeVisible({ timeout: 60_000 })
  await expect(row('Bob').getByRole('link', { name: '70 %' })).toBeVisible({ timeout: 60_000 })
  await expect(ann.getByText('The results open on')).toBeVisible()
  await accessible(ann, 'withheld')
  await ann.goto('/assignments')
  await expect(ann.getByText('Results not open yet')).toBeVisible()
  await expect(ann.getByRole('link', { name: /^Result/ })).toHaveCount(0)
  await accessible(ann, 'due')
  // The instructor opens them early; what was begun stays what it is.
  await page.goto(at)
  await page.getByRole('link', { name: 'Settings: Midterm' }).click()
  await expect(page.getByRole('checkbox', { name: new RegExp(scenario) })).toBeDisabled()
  await expect(page.getByLabel('Title')).toHaveValue('Midterm')
  await page.getByLabel('Results open for learners').selectOption('hand-in')
  await accessible(page, 'settings')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.waitForURL(/\/board$/)
  await ann.reload()
  await ann.getByRole('link', { name: 'Result: Midterm, Attempt 1' }).click()
  await ann.getByLabel('Dispute this grade').fill('Nobody asked for nine servers.')
  await ann.getByRole('button', { name: 'Send the dispute' }).click()
  await expect(ann.getByText('Waits for an answer.')).toBeVisible()
  await accessible(ann, 'grade')
  const grade = new URL(ann.url()).pathname
  await page.goto(grade)
  await page.getByLabel('Answer').fill('You are right: the check was mistaken.')
  await page.getByRole('button', { name: 'Send the answer' }).click()
  await expect(page.getByText('Ada answered:')).toBeVisible()

  // The validator is mended, and all attempts with it.
  writeFileSync(spec, mended)
  await server.restart()
  await page.goto(`${at}/gradebook`)
  await page.getByRole('button', { name: 'What would change' }).click()
  await expect(page.getByText('70 → 100')).toHaveCount(2)
  await page.getByRole('button', { name: 'Regrade now' }).click()
  await expect(page.getByRole('link', { name: 'Ann, Midterm: 100' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'Bob, Midterm: 100' })).toBeVisible()
  await accessible(page, 'gradebook')
  await ann.reload()
  await expect(ann.getByText('70 → 100, by Ada')).toBeVisible()
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Export CSV' }).click()
  const text = readFileSync(await (await download).path(), 'utf8')
  expect(text).toContain('Ann,ann@example.org,1,100,70,,1,answered')
  expect(text).toContain(`Bob,bob@example.org,"'=3",100,70,,1,`)
  await page.goto(`${at}/items`)
  await expect(page.getByRole('row', { name: new RegExp(scenario) })).toContainText('2/2')
  await accessible(page, 'items')
  // Losing the network is what the browser complains about, and nothing else.
  consoleErrors.splice(0)
})
