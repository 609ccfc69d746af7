// Unit and contract tests: every *.test.ts beside its source, except those that need a kind cluster (vitest.kind.config.ts).
import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{lib,bin,app,components,scenarios,e2e,images}/**/*.test.{ts,tsx}'],
    exclude: [...configDefaults.exclude, '**/*.kind.test.ts', '.next/**'],
    environment: 'node',
    // A hang must fail, a slow machine must not: these are limits on a hang, no test asserts a duration.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    restoreMocks: true,
    unstubEnvs: true,
  },
})
