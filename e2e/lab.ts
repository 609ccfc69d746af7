// What browser tests on a lab share, whatever runs it: a lab started from the catalogue, the terminal's keys and screen, the end.
import type { Page } from '@playwright/test'
import { expect, type LabServer } from './fixtures.ts'

export const screen = (page: Page) => page.locator('.xterm-rows').first()
export async function type(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(line)
  await page.keyboard.press('Enter')
}

/** From the catalogue to a shell in front of the broken cluster. */
export async function startLab(page: Page, server: LabServer, title: string): Promise<{ id: string; cluster: string }> {
  await page.goto('/')
  await page.getByRole('button', { name: `Start: ${title}` }).click()
  await page.waitForURL(/\/session\/[^/]+$/)
  await expect(page.locator('[data-terminal][data-ready=true]').first()).toBeVisible({ timeout: 10 * 60_000 })
  await expect(screen(page)).toContainText('$')
  const id = new URL(page.url()).pathname.split('/')[2]!
  const { nodes } = await server.session(id)
  return { id, cluster: nodes.find((node) => node.place === 'control-plane')!.name.replace(/-control-plane$/, '') }
}
