import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { generator } from '../../../test/faults/kit/random.ts'
import { temporaryFolder } from '../../../test/servers/at-exit.ts'
import { type Reply, startGrpcCollector, startHttpCollector } from './kit/collector.ts'
import { destination, lostBy, spill, startPipe, type TestPipe } from './kit/options.ts'
import { log } from './kit/records.ts'

const SEEDS = Number(process.env.SLUICE_FUZZ_RUNS ?? 6)
const RECORDS = 1500
const UNAVAILABLE = 14
const NEVER = 2 ** 30

describe('whatever a collector does', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    'each record is delivered, or counted as lost (seed %i)',
    async (seed) => {
      const random = generator(seed)
      const below = (limit: number): number => Math.floor(random() * limit)
      const pick = <T>(...values: T[]): T => values[below(values.length)]
      const folder = await temporaryFolder('chaos')
      const grpc = random() < 0.5
      await using collector = await (grpc ? startGrpcCollector() : startHttpCollector())
      const trouble = (): Reply =>
        pick<Reply>(
          {},
          {},
          { http: 503, code: UNAVAILABLE },
          { http: 429, code: UNAVAILABLE, retryMs: below(50) },
          // Over gRPC these two are taken.
          { cut: true },
          { cut: true, http: 200 },
          { silent: true },
        )
      const options = {
        destination: destination(collector.url, {
          protocol: grpc ? ('grpc' as const) : ('http/protobuf' as const),
          compression: pick('none', 'gzip'),
          timeoutMillis: 150,
        }),
        batch: { maxRecords: 1 + below(100), delayMillis: 1 + below(30) },
        queue: { maxBytes: pick(20_000, 60_000, 2 ** 25), overflow: pick('drop', 'spill') },
        retry: { budgetMillis: NEVER },
        spill: pick(
          undefined,
          spill(folder.path, {
            maxBytes: pick(30_000, 2 ** 30),
            windowMillis: pick(0, 50, NEVER),
            sync: pick(true, false),
          }),
        ),
      } as const
      let logged = 0
      let lost = 0
      /** Dropped in an attempt: the collector may have taken it nevertheless, and its answer was late. */
      let doubtful = 0
      let calm = false
      const run = async (records: number, end: (pipe: TestPipe) => Promise<unknown>): Promise<void> => {
        await using pipe = startPipe(options)
        for (const until = logged + records; logged < until; ) {
          const count = Math.min(until - logged, 1 + below(60))
          log(pipe, logged, count, { severity: 1 + below(24) })
          logged += count
          if (!calm && random() < 0.5) collector.answer(trouble(), trouble(), trouble(), trouble())
          await delay(below(10))
        }
        await end(pipe)
        lost += lostBy(pipe)
        doubtful += pipe.counters.dropped.shutdown + pipe.counters.dropped.spill_full
      }

      await run(RECORDS, (pipe) => pipe.shutdown(below(300)))
      await run(RECORDS, (pipe) => pipe.shutdown(below(300)))
      calm = true
      collector.answer({})
      await run(1, (pipe) => pipe.shutdown(20_000))
      await folder.remove()

      expect(new Set(collector.seqs).size).toBe(collector.seqs.length)
      expect(collector.seqs.length).toBeGreaterThanOrEqual(logged - lost)
      expect(collector.seqs.length).toBeLessThanOrEqual(logged - lost + doubtful)
    },
  )
})
