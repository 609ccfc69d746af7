// The whole way on a real kind cluster, typed by keys: from the catalogue to a broken cluster, its repair and a report of 100 %.
// Needs Docker and the images (`npm run setup:kind`); leaves no container behind.
import { execFileSync } from 'node:child_process'
import type { Page } from '@playwright/test'
import type { SessionView } from '../lib/protocol/index.ts'
import { test as base, expect, LabServer } from './fixtures.ts'

const root = new URL('..', import.meta.url).pathname
const test = base.extend<object, { server: LabServer }>({
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

const containers = (cluster: string) =>
  execFileSync('docker', ['ps', '-a', '--filter', `name=${cluster}-`, '--format', '{{.Names}}'], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)

async function type(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(line)
  await page.keyboard.press('Enter')
}
const screen = (page: Page) => page.locator('.xterm-rows').first()
const view = (page: Page, server: LabServer): Promise<SessionView> => server.session(new URL(page.url()).pathname.split('/')[2]!)

test('A learner finds why services stay silent, repairs kube-proxy by hand and is graded 100', async ({ page, server }) => {
  await page.goto('/')
  await page.getByRole('button', { name: 'Start: A new service answers on one node and is silent on the others' }).click()
  await page.waitForURL(/\/session\/[^/]+$/)
  await expect(page.locator('[data-terminal][data-ready=true]').first()).toBeVisible({ timeout: 10 * 60_000 })
  await expect(screen(page)).toContainText('$')
  const session = await view(page, server)
  const cluster = session.nodes.find((node) => node.place === 'control-plane')!.name.replace(/-control-plane$/, '')
  await page.screenshot({ path: test.info().outputPath('broken.png') })

  await type(page, 'kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=1 | grep -o "stat .*"')
  await expect(screen(page)).toContainText('no such file or directory')
  // Real ssh to a node, and back.
  await type(page, 'ssh worker-1 hostname')
  await expect(screen(page)).toContainText(session.nodes.find((node) => node.place === 'worker-1')!.name)
  await type(page, 'clear')
  await type(
    page,
    `kubectl -n kube-system get cm kube-proxy -o yaml | sed -E 's#(kubeconfig: )/var/lib/kube-proxy/.*#\\1/var/lib/kube-proxy/kubeconfig.conf#' | kubectl apply -f -`,
  )
  await expect(screen(page)).toContainText('configured')
  await type(page, 'kubectl -n kube-system rollout restart ds kube-proxy')
  await expect(screen(page)).toContainText('restarted')

  // Live checks turn green by themselves, without a reload.
  await expect
    .poll(async () => (await view(page, server)).checks.map((check) => check.state), { timeout: 5 * 60_000 })
    .toEqual(['passing', 'passing', 'passing'])
  await page.screenshot({ path: test.info().outputPath('mended.png') })
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Submit' }).click()
  await page.waitForURL(/\/report$/, { timeout: 5 * 60_000 })
  await expect(page.getByRole('main')).toContainText('100')
  await expect(page.getByRole('main')).toContainText('kube-proxy-kubeconfig')
  await page.screenshot({ path: test.info().outputPath('report.png'), fullPage: true })
  expect((await view(page, server)).score).toBe(100)

  await expect.poll(() => containers(cluster), { timeout: 5 * 60_000 }).toEqual([])
})
