import { defineConfig } from 'vitest/config'

const FAULTS = ['test/faults/**/*.test.ts']
const SERVERS = [
  'test/**/*.integration.test.ts',
  'test/e2e/**/*.test.ts',
  'test/servers/**/*.test.ts',
  'sdk/test/**/*.integration.test.ts',
]

/** Properties try hundreds of cases, on machines that have other things to do. */
const PROPERTY_TIMEOUT = 60_000
/** What is polled for comes in milliseconds, and on a busy machine when its turn comes. */
const EXPECT = { poll: { timeout: 15_000 } }

export default defineConfig({
  test: {
    // All cores, not all but one: there are mostly two.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          expect: EXPECT,
          include: ['test/**/*.test.ts'],
          exclude: [...SERVERS, ...FAULTS],
          // Loading the same modules for each file took as long as a third of the tests.
          isolate: false,
          testTimeout: PROPERTY_TIMEOUT,
        },
      },
      {
        test: {
          name: 'unit without kernel',
          expect: EXPECT,
          include: [
            'test/logs/*.test.ts',
            'test/processors/redaction.test.ts',
            'test/exporters/elasticsearch.test.ts',
            'test/exporters/elasticsearch/*.test.ts',
            'test/exporters/elasticsearch/fields/*.test.ts',
          ],
          exclude: [...SERVERS, ...FAULTS],
          env: { SLUICE_KERNEL: 'off' },
          isolate: false,
          testTimeout: PROPERTY_TIMEOUT,
        },
      },
      {
        test: {
          name: 'unit of the sdk',
          expect: EXPECT,
          include: ['sdk/test/**/*.test.ts'],
          exclude: SERVERS,
          testTimeout: PROPERTY_TIMEOUT,
        },
      },
      {
        test: {
          name: 'integration',
          expect: EXPECT,
          include: SERVERS,
          globalSetup: 'test/servers/global-setup.ts',
          setupFiles: 'test/servers/require-servers.ts',
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // Suites measure and kill servers; two at once would disturb each other.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'faults',
          expect: EXPECT,
          include: FAULTS,
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          // After all others, for the same reason.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
