// Tests that need Docker and the images of a kind cluster: every *.kind.test.ts, one file at a time, since each makes clusters of its own.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{lib,bin,e2e,images}/**/*.kind.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 10 * 60_000,
    hookTimeout: 10 * 60_000,
    restoreMocks: true,
    unstubEnvs: true,
  },
})
