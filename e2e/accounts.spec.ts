// A server with accounts in a real browser: the first admin, an invitation, a learner's lab, what happens when they are shown the door.
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { test as base, expect, LabServer } from './fixtures.ts'

const test = base.extend<object, { server: LabServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that one asks for from this pattern
    async ({}, use) => {
      const server = await LabServer.boot({ env: { KUBEMEND_AUTH: 'on' } })
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 300_000 },
  ],
})
test.use({ suite: 'accounts' })
test.describe.configure({ timeout: 8 * 60_000 })

const password = 'correct horse battery'
const picture = (page: Page, name: string) => page.screenshot({ path: test.info().outputPath(`${name}.png`), fullPage: true })
async function accessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  const words = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`)
  expect(words, what).toEqual([])
}
/** At a phone's width nothing is cut off or scrolls sideways. */
async function onPhone(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 })
  await accessible(page, `${name} on a phone`)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await picture(page, `${name}-390`)
  await page.setViewportSize({ width: 1440, height: 900 })
}
const somebodyElse = async (browser: Browser, server: LabServer) =>
  (await browser.newContext({ baseURL: server.url, viewport: { width: 1440, height: 900 } })).newPage()
async function join(page: Page, link: string, name: string): Promise<void> {
  await page.goto(link)
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Email address').fill(`${name.toLowerCase()}@example.org`)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Make the account' }).click()
  await expect(page.getByRole('link', { name: `Account: ${name}` })).toBeVisible()
}

test('an admin comes, invites; a learner comes, works, and is shown the door', async ({ page, server, browser, consoleErrors }) => {
  // Nobody gets anything, and is told where to go.
  await page.goto('/exam')
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in' })).toBeVisible()
  await accessible(page, 'signing in')
  await picture(page, 'sign-in')
  await onPhone(page, 'sign-in')
  await page.goto('/join')
  await expect(page.getByText('lacks the invitation')).toBeVisible()

  await expect.poll(() => server.out).toContain('/join#')
  const first = /(http:\S+\/join#\S+)/.exec(server.out)![1]!
  await page.goto(first)
  await expect(page.getByText('You were invited as Administrator.')).toBeVisible()
  await accessible(page, 'the invitation')
  await onPhone(page, 'join')
  await page.reload()
  await join(page, first, 'Ada')

  await page.getByRole('link', { name: 'People' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'People' })).toBeVisible()
  await page.getByLabel('Only for this email address').fill('lea@example.org')
  await page.getByRole('button', { name: 'Make a link' }).click()
  const link = await page.getByRole('textbox', { name: 'Invitation link' }).inputValue()
  await accessible(page, 'people')
  await picture(page, 'people')
  await onPhone(page, 'people')

  const theirs = await somebodyElse(browser, server)
  await theirs.goto(link)
  await expect(theirs.getByLabel('Email address')).toHaveValue('lea@example.org')
  await expect(theirs.getByLabel('Email address')).not.toBeEditable()
  await theirs.getByLabel('Name', { exact: true }).fill('Lea')
  await theirs.getByLabel('Password').fill(password)
  await theirs.getByRole('button', { name: 'Make the account' }).click()
  await expect(theirs.getByRole('link', { name: 'Account: Lea' })).toBeVisible()
  await expect(theirs.getByRole('link', { name: 'People' })).toHaveCount(0)
  // What is not for them is not there.
  for (const path of ['/people', '/audit', '/machine']) expect((await theirs.goto(path))?.status(), path).toBe(404)

  // The link has been used.
  const late = await somebodyElse(browser, server)
  await late.goto(link)
  await expect(late.locator('[role=alert]:not(#__next-route-announcer__)')).toContainText('has been used')
  await late.context().close()

  // A lab of her own.
  const cookies = await theirs.context().cookies()
  expect(cookies.find(({ name }) => name.includes('session_token'))).toMatchObject({ httpOnly: true, sameSite: 'Lax' })
  const started = await theirs.evaluate(async () => {
    const { scenarios } = (await (await fetch('/api/catalogue')).json()) as { scenarios: { id: string; title: { en: string } }[] }
    const scenario = scenarios.find(({ title }) => title.en === 'Two nodes no longer take part')!.id
    const answer = await fetch('/api/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ scenario }),
    })
    return ((await answer.json()) as { id: string }).id
  })
  await theirs.goto(`/session/${started}`)
  await expect(theirs.locator('.xterm-rows').first()).toContainText('$', { timeout: 90_000 })

  // Neither another learner nor the admin finds it by its id.
  expect((await page.goto(`/session/${started}`))?.status()).toBe(404)
  expect((await page.goto(`/session/${started}/report`))?.status()).toBe(404)
  expect(await page.evaluate(async (id) => (await fetch(`/api/sessions/${id}`)).status, started)).toBe(404)

  await page.goto('/people')
  await page.getByRole('button', { name: 'Actions for Lea' }).click()
  await page.getByRole('menuitem', { name: 'Sign out everywhere' }).click()
  await expect(theirs.getByRole('heading', { name: 'You are not signed in' })).toBeVisible()
  await expect(theirs.getByText('You are not signed in, or no longer.')).toBeVisible()
  await accessible(theirs, 'shown the door')
  await theirs.getByRole('link', { name: 'Sign in' }).click()
  await theirs.getByLabel('Email address').fill('lea@example.org')
  await theirs.getByLabel('Password').fill('not the password')
  await theirs.getByRole('button', { name: 'Sign in' }).click()
  await expect(theirs.locator('[role=alert]:not(#__next-route-announcer__)')).toContainText('do not fit together')
  await theirs.getByLabel('Password').fill(password)
  await theirs.getByRole('button', { name: 'Sign in' }).click()
  await theirs.waitForURL(`**/session/${started}`)
  await expect(theirs.locator('.xterm-rows').first()).toContainText('$', { timeout: 90_000 })

  await page.getByRole('link', { name: 'Audit log' }).click()
  await expect(page.getByRole('cell', { name: 'Signed out everywhere' })).toBeVisible()
  await accessible(page, 'the audit log')
  await onPhone(page, 'audit')
  await page.getByRole('link', { name: 'Account: Ada' }).click()
  await expect(page.getByText('this one')).toBeVisible()
  await accessible(page, 'the account')
  // A token: made, shown once, used by a program, revoked with a question before, refused.
  await page.getByRole('button', { name: 'Make a token' }).click()
  await page.getByLabel('For which program').fill('grades')
  await page.getByRole('button', { name: 'Make a token' }).click()
  await expect(page.getByText('Choose something that it may do.')).toBeVisible()
  await page.getByLabel('Classes').selectOption('Look')
  await page.getByRole('button', { name: 'Make a token' }).click()
  const token = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue()
  await accessible(page, 'a new token')
  await picture(page, 'token')
  await onPhone(page, 'token')
  const asked = (path: string) => fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } })
  expect((await asked('/api/classes')).status).toBe(200)
  expect((await asked('/api/sessions')).status).toBe(403)
  await page.reload()
  await expect(page.getByText('last used')).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'Token', exact: true })).toHaveCount(0)
  await page.getByRole('button', { name: 'Revoke grades' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click()
  expect((await asked('/api/classes')).status).toBe(200)
  await page.getByRole('button', { name: 'Revoke grades' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click()
  await expect(page.getByRole('button', { name: 'Revoke grades' })).toHaveCount(0)
  expect((await asked('/api/classes')).status).toBe(401)
  await picture(page, 'account')
  await onPhone(page, 'account')
  // Lea is deleted: what goes and what stays is said before.
  await page.getByRole('link', { name: 'People' }).click()
  await page.getByRole('button', { name: 'Actions for Lea' }).click()
  await page.getByRole('menuitem', { name: 'Delete…' }).click()
  const question = page.getByRole('alertdialog', { name: 'Delete Lea?' })
  await expect(question).toContainText('without whose they are')
  await question.getByRole('checkbox', { name: /Keep the grades/ }).check()
  await expect(question).toContainText('stay with name and evidence')
  await question.getByRole('checkbox').uncheck()
  await accessible(page, 'deleting somebody')
  await onPhone(page, 'delete')
  await question.getByRole('button', { name: 'Delete all of it' }).click()
  await expect(page.getByRole('button', { name: 'Actions for Lea' })).toHaveCount(0, { timeout: 60_000 })
  await page.getByRole('link', { name: 'Account: Ada' }).click()
  await page.context().addCookies([{ name: 'locale', value: 'ko', url: server.url }])
  await page.reload()
  await picture(page, 'account-ko')
  await theirs.context().close()
  // Pages that are not there, and a page signed out elsewhere, say so in the console too.
  consoleErrors.length = 0
})
