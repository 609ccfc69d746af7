// What browser tests on a real kind cluster share: a server on kind, a lab started from the catalogue, the terminal's keys and screen.
import { execFileSync } from 'node:child_process'
import type { Page } from '@playwright/test'
import { test as base, expect, LabServer } from './fixtures.ts'

const root = new URL('..', import.meta.url).pathname

export const kindTest = base.extend<object, { server: LabServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that one asks for from this pattern
    async ({}, use) => {
      const server = await LabServer.boot({ env: { KUBEMEND_BACKENDS: 'kind', KUBEMEND_SCENARIOS: `${root}scenarios` } })
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
})

/** Names of a cluster's containers, running or not. */
export const containersOf = (cluster: string): string[] =>
  execFileSync('docker', ['ps', '-a', '--filter', `name=${cluster}-`, '--format', '{{.Names}}'], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)

export const screen = (page: Page) => page.locator('.xterm-rows').first()
export async function type(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(line)
  await page.keyboard.press('Enter')
}

/** From the catalogue to a shell in front of the broken cluster. */
export async function startOnKind(page: Page, server: LabServer, title: string): Promise<{ id: string; cluster: string }> {
  await page.goto('/')
  await page.getByRole('button', { name: `Start: ${title}` }).click()
  await page.waitForURL(/\/session\/[^/]+$/)
  await expect(page.locator('[data-terminal][data-ready=true]').first()).toBeVisible({ timeout: 10 * 60_000 })
  await expect(screen(page)).toContainText('$')
  const id = new URL(page.url()).pathname.split('/')[2]!
  const { nodes } = await server.session(id)
  return { id, cluster: nodes.find((node) => node.place === 'control-plane')!.name.replace(/-control-plane$/, '') }
}
