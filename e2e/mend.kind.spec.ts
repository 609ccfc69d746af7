// The whole way on a real kind cluster, typed by keys: from the catalogue to a broken cluster, its repair and a report of 100 %.
// Needs Docker and the images (`npm run setup:kind`); leaves no container behind.
import { expect } from './fixtures.ts'
import { containersOf, kindTest as test } from './kind.ts'
import { screen, startLab, type } from './lab.ts'

test('A learner finds why services stay silent, repairs kube-proxy by hand and is graded 100', async ({ page, server }) => {
  const { id, cluster } = await startLab(page, server, 'A new service answers on one node and is silent on the others')
  const session = await server.session(id)
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
    .poll(async () => (await server.session(id)).checks.map((check) => check.state), { timeout: 5 * 60_000 })
    .toEqual(['passing', 'passing', 'passing'])
  await page.screenshot({ path: test.info().outputPath('mended.png') })
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Submit' }).click()
  await page.waitForURL(/\/report$/, { timeout: 5 * 60_000 })
  await expect(page.getByRole('main')).toContainText('100')
  await expect(page.getByRole('main')).toContainText('kube-proxy-kubeconfig')
  await page.screenshot({ path: test.info().outputPath('report.png'), fullPage: true })
  expect((await server.session(id)).score).toBe(100)

  await expect.poll(() => containersOf(cluster), { timeout: 5 * 60_000 }).toEqual([])
})
