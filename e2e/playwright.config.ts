// Browser tests of the whole app: a real Chromium against a real server (fixtures.ts boots it) on the fake backend.
import { defineConfig } from '@playwright/test'
import { chromiumPath } from './chromium.ts'

const executablePath = chromiumPath()

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  // One server and one browser at a time: the machine that runs this may have two cores.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  // Limits on a hang; no test asserts a duration.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: process.env.CI ? [['list'], ['html', { open: 'never', outputFolder: '../playwright-report' }]] : [['list']],
  projects: [
    { name: 'app', testMatch: '**/*.spec.ts', testIgnore: '**/*.kind.spec.ts' },
    // On a real kind cluster, by `npm run test:kind`.
    { name: 'kind', testMatch: '**/*.kind.spec.ts', timeout: 30 * 60_000 },
  ],
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    locale: 'en-US',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(executablePath === undefined ? {} : { executablePath }),
      // Chromium's own sandbox needs user namespaces that containers run as root do not give.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
})
