import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../../test/e2e/sluice.ts'
import { residentBytes, watchMemory } from '../../../test/faults/kit/memory.ts'
import { startDiskPath } from '../../../test/faults/kit/path.ts'
import { temporaryFolder } from '../../../test/servers/at-exit.ts'
import { startApp } from './kit/app.ts'
import { destination, spill } from './kit/options.ts'

const SECONDS = Number(process.env.SLUICE_SDK_OUTAGE_SECONDS ?? 12)
const RATE = 5000
const MIB = 2 ** 20
const QUEUE = 8 * MIB
/** What the heap takes until it is collected, the chunks, a segment of the disk, and packed requests. */
const AROUND = 64 * MIB

describe(`a gateway that is dead for ${SECONDS} s at ${RATE} records a second`, {
  timeout: (3 * SECONDS + 240) * 1000,
}, () => {
  it.each(['drop', 'spill'] as const)(
    'leaves the memory of the application as it is (%s)',
    async (overflow) => {
      await using path = await startDiskPath()
      const folder = await temporaryFolder('outage')
      const { sink, gateway } = path
      const app = startApp({
        records: 1,
        rate: RATE,
        bodyLength: 300,
        pipe: {
          destination: destination(`http://127.0.0.1:${path.grpc}`, {
            protocol: 'grpc',
            compression: 'gzip',
          }),
          batch: { maxRecords: 512, maxBytes: 256 * 1024, delayMillis: 200 },
          queue: { maxBytes: QUEUE, maxRecords: 1e9, overflow },
          retry: { initialMillis: 500, maxMillis: 5000, budgetMillis: 120_000 },
          ...(overflow === 'spill' && {
            spill: spill(folder.path, { maxBytes: 2 ** 31, windowMillis: 2 ** 30 }),
          }),
          flushTimeoutMillis: (2 * SECONDS + 120) * 1000,
        },
      })
      await app.logged
      await eventually('the heap has found its size', async () => sink.documents.size > 3 * RATE)
      const before = residentBytes(app.pid)

      await gateway.kill()
      using memory = watchMemory(() => [app.pid])
      await delay(SECONDS * 1000)
      await gateway.restart()
      const size = sink.documents.size
      await eventually('records come again', async () => sink.documents.size > size + RATE)
      // It logs no more, and ends when all is sent.
      app.kill('SIGUSR2')
      await app.ended
      const { logged, sent, lost, dropped } = app.counters
      await eventually('all is delivered', async () => sink.documents.size >= logged - lost)
      await folder.remove()

      const grown = memory.highest - before
      process.stderr.write(
        `${overflow}: ${logged} logged, ${sent} sent, lost ${JSON.stringify(dropped)}; ` +
          `${Math.round(before / MIB)} MiB before, ${Math.round(memory.highest / MIB)} at most\n`,
      )
      expect(grown).toBeLessThan(QUEUE + AROUND)
      expect(sink.documents).toMatchObject({ size: logged - lost, doubled: [], collided: [] })
      expect(sent).toBe(logged - lost)
      expect(lost).toBe(overflow === 'spill' ? 0 : dropped.queue_full + dropped.retry_budget)
    },
  )
})
