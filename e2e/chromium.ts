// Where a Chromium is that the browser tests can drive: an installed one, else the one that Playwright downloads.
// Knows nothing of the tests. Run by itself it prints the path, or says how to get one and exits with 1.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from '@playwright/test'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The absolute path of a Chromium: KUBEMEND_CHROMIUM when it is set, else the first of the usual names in PATH, else Playwright's own
 * browser where it was downloaded (`npx playwright install chromium`). undefined when there is none.
 */
export function chromiumPath(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  if (env.KUBEMEND_CHROMIUM) return executable(env.KUBEMEND_CHROMIUM) ? env.KUBEMEND_CHROMIUM : undefined
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue
    const found = names.map((name) => join(folder, name)).find(executable)
    if (found !== undefined) return found
  }
  const own = chromium.executablePath()
  return own !== '' && executable(own) ? own : undefined
}

if (import.meta.main) {
  const path = chromiumPath()
  if (path === undefined) {
    console.error(
      'No Chromium was found. Install one (Debian: `apt-get install chromium`; anywhere: `npx playwright install chromium`) or name it in KUBEMEND_CHROMIUM.',
    )
    process.exit(1)
  }
  console.log(path)
}
