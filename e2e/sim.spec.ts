// The whole way on the simulation, typed by keys in a real Chromium: each scenario mended to 100, and once cheated to 0. Needs neither
// Docker nor a network.
import type { Page } from '@playwright/test'
import { test as base, expect, LabServer } from './fixtures.ts'
import { screen, startLab, type } from './lab.ts'

const root = new URL('..', import.meta.url).pathname
const test = base.extend<object, { server: LabServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that one asks for from this pattern
    async ({}, use) => {
      const server = await LabServer.boot({
        env: { KUBEMEND_BACKENDS: 'sim', KUBEMEND_SCENARIOS: `${root}scenarios`, KUBEMEND_POOL: '1' },
      })
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
})
test.use({ suite: 'sim' })
test.describe.configure({ timeout: 5 * 60_000 })

interface Way {
  /** what is typed, and what is to be seen then */
  lines: readonly [line: string, seen: string | RegExp][]
  score: number
}
const kubectl = 'kubectl -n kube-system'
const app = '$(kubectl get deploy -A --no-headers | grep -Ev "kube-system|local-path" | head -1'
const scenarios: readonly { title: string; slug: string; mended: Way; cheated: Way }[] = [
  {
    title: 'A new service answers on one node and is silent on the others',
    slug: 'kube-proxy-kubeconfig',
    mended: {
      lines: [
        [`${kubectl} logs -l k8s-app=kube-proxy --tail=1 | grep -o "stat .*"`, 'no such file or directory'],
        ['ssh worker-1 hostname', /hostname\s*kubemend-\w+-worker/],
        ['clear', '$'],
        [
          `${kubectl} get cm kube-proxy -o yaml | sed -E 's#(kubeconfig: )/var/lib/kube-proxy/.*#\\1/var/lib/kube-proxy/kubeconfig.conf#' | kubectl apply -f -`,
          'configured',
        ],
        [`${kubectl} rollout restart ds kube-proxy`, 'restarted'],
        [`${kubectl} rollout status ds kube-proxy`, 'successfully rolled out'],
      ],
      score: 100,
    },
    cheated: { lines: [[`${kubectl} delete ds kube-proxy --wait`, 'deleted']], score: 0 },
  },
  {
    title: 'Nodes are NotReady and new pods never start',
    slug: 'cni-deleted',
    mended: {
      lines: [
        ['kubectl get nodes', 'NotReady'],
        ['kubectl describe node | grep -o "cni plugin not.*" | head -1', 'cni plugin not initialized'],
        ['kubectl apply -f ~/kube-flannel.yml', 'kube-flannel-ds created'],
        ['kubectl -n kube-flannel rollout status ds kube-flannel-ds', 'successfully rolled out'],
        ['clear; kubectl wait --for=condition=Ready nodes --all --timeout=120s', /worker2 condition met/],
      ],
      score: 100,
    },
    cheated: {
      lines: [[`kubectl scale deploy -n ${app} | awk '{print $1, $2}') --replicas=0`, 'scaled']],
      score: 0,
    },
  },
  {
    title: 'Names stopped resolving in the whole cluster',
    slug: 'coredns-loop',
    mended: {
      lines: [
        // Not --previous: the one before the last is removed at some point, here as on a real node.
        [`until ${kubectl} logs -l k8s-app=kube-dns --tail=3 | grep Loop; do sleep 1; done`, /Loop .* detected/],
        ['clear', '$'],
        [
          `${kubectl} get cm coredns -o yaml | sed -E 's#forward \\. 127\\.[0-9.]+#forward . /etc/resolv.conf#' | kubectl apply -f -`,
          /configured|unchanged/,
        ],
        [
          `for n in control-plane worker-1 worker-2; do ssh $n "sudo sed -i '/^resolvConf:/d' /var/lib/kubelet/config.yaml; sudo systemctl restart kubelet; echo on $n"; done`,
          'on worker-2',
        ],
        [`kubectl rollout restart ds -n $(kubectl get ds -A --no-headers | grep -Ev 'kube-' | awk '{print $1}')`, 'restarted'],
        [`clear; ${kubectl} rollout restart deploy coredns`, 'restarted'],
        [`${kubectl} rollout status deploy coredns`, 'successfully rolled out'],
      ],
      score: 100,
    },
    cheated: { lines: [[`${kubectl} scale deploy coredns --replicas=0`, 'scaled']], score: 0 },
  },
]

async function play(page: Page, server: LabServer, title: string, slug: string, way: Way): Promise<void> {
  const { id } = await startLab(page, server, title)
  await expect(page.getByRole('banner')).toContainText('Simulated')
  for (const [line, seen] of way.lines) {
    await type(page, line)
    await expect(screen(page)).toContainText(seen, { timeout: 120_000 })
  }
  if (way.score === 100) {
    // Live checks turn green by themselves, without a reload.
    await expect
      .poll(async () => [...new Set((await server.session(id)).checks.map((check) => check.state))], { timeout: 3 * 60_000 })
      .toEqual(['passing'])
  }
  await page.screenshot({ path: test.info().outputPath('lab.png') })
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Submit' }).click()
  await page.waitForURL(/\/report$/, { timeout: 4 * 60_000 })
  await expect(page.getByRole('main')).toContainText(slug)
  expect((await server.session(id)).score).toBe(way.score)
  await page.screenshot({ path: test.info().outputPath('report.png'), fullPage: true })
}

for (const { cheated, mended, slug, title } of scenarios) {
  test(`On the simulation, ${slug} is mended by hand and graded ${mended.score}`, async ({ page, server }) => {
    await play(page, server, title, slug, mended)
  })
  test(`On the simulation, a cheat at ${slug} is graded ${cheated.score}`, async ({ page, server }) => {
    await play(page, server, title, slug, cheated)
  })
}
