import { defineConfig } from 'vitest/config'

const SERVERS = [
  'test/**/*.integration.test.ts',
  'test/e2e/**/*.test.ts',
  'test/faults/**/*.test.ts',
  'test/servers/**/*.test.ts',
]

export default defineConfig({
  test: {
    // All cores, not all but one: there are mostly two.
    maxWorkers: '100%',
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: SERVERS } },
      {
        test: {
          name: 'integration',
          include: SERVERS,
          globalSetup: 'test/servers/global-setup.ts',
          setupFiles: 'test/servers/require-servers.ts',
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // Suites measure and kill servers; two at once would disturb each other.
          fileParallelism: false,
        },
      },
    ],
  },
})
