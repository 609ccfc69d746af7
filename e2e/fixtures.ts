// What every browser test stands on: a server of its own for each worker, a page that opens on it, and no error in the browser's
// console that goes unnoticed.
import { test as base, expect } from '@playwright/test'
import { LabServer } from './server.ts'

export { expect, LabServer }

export const test = base.extend<{ consoleErrors: string[] }, { server: LabServer; suite: string }>({
  /** Files that name a suite of their own get a server of their own: nobody else's sessions run on it. */
  suite: ['', { scope: 'worker', option: true }],
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that one asks for from this pattern
    async ({}, use) => {
      const server = await LabServer.boot()
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  /** Errors that the browser wrote to its console; a test that expects some empties it. */
  consoleErrors: [
    async ({ page }, use, info) => {
      const errors: string[] = []
      page.on('console', (message) => {
        // Docker on this machine made or removed an interface: Chromium breaks off what it loads and says so; no doing of the page.
        if (message.type() === 'error' && !message.text().includes('net::ERR_NETWORK_CHANGED'))
          errors.push(`${message.text()} (${message.location().url})`)
      })
      page.on('pageerror', (error) => errors.push(String(error)))
      await use(errors)
      if (info.status === info.expectedStatus) expect(errors, 'errors in the browser console').toEqual([])
    },
    { auto: true },
  ],
})
