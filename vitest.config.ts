import { defineConfig } from 'vitest/config'

const SERVERS = [
  'test/**/*.integration.test.ts',
  'test/e2e/**/*.test.ts',
  'test/faults/**/*.test.ts',
  'test/servers/**/*.test.ts',
]

/** Properties try hundreds of cases, on machines that have other things to do. */
const PROPERTY_TIMEOUT = 60_000

export default defineConfig({
  test: {
    // All cores, not all but one: there are mostly two.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: SERVERS,
          testTimeout: PROPERTY_TIMEOUT,
        },
      },
      {
        test: {
          name: 'unit without kernel',
          include: [
            'test/logs/*.test.ts',
            'test/processors/redaction.test.ts',
            'test/exporters/**/*.test.ts',
          ],
          exclude: SERVERS,
          env: { SLUICE_KERNEL: 'off' },
          testTimeout: PROPERTY_TIMEOUT,
        },
      },
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
