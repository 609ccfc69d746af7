// The tests of everything that keeps rows, once more, over a real PostgreSQL that is started for them.
import { defineConfig } from 'vitest/config'
import unit from './vitest.config.ts'

export default defineConfig({
  test: {
    ...unit.test,
    include: ['lib/store/*.test.ts', 'lib/server/{accounts,erasure,exam,life,people,results}.test.ts', 'lib/classroom/*.test.ts'],
    globalSetup: 'lib/store/postgres.setup.ts',
    // Limits on a hang: each test makes a database of its own, which a slow disk takes a while for.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Each lab has ten connections, and the server two hundred.
    maxWorkers: 4,
  },
})
