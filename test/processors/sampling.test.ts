import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { sampling } from '../../processors/sampling/index.ts'
import { isKept, thresholdOf } from '../../processors/sampling/threshold.ts'
import { never, testContext } from '../support/component.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

async function sample(records: readonly object[], config: object) {
  const batch = batchOf(records)
  const context = testContext()
  await sampling.create(sampling.config.parse(config), context).process(batch, never)
  return { kept: batch.size === 0 ? [] : documentsOf(batch), context, batch }
}

const record = (severityNumber: number, traceId = '', body = 'x') => ({
  severityNumber,
  traceId,
  body: text(body),
})
const traces = (count: number) => Array.from({ length: count }, () => randomBytes(16).toString('hex'))

describe('sampling', () => {
  it('keeps errors and above whatever the percentage', async () => {
    const { kept } = await sample([record(9), record(17), record(21), record(13)], { sampling_percentage: 0 })
    expect(kept.map((document) => document.severity_number)).toEqual([17, 21])
  })

  it('drops what is below the minimum severity, but not what has none', async () => {
    const { kept, batch } = await sample([record(1), record(5), record(9), record(0)], {
      min_severity: 'INFO',
    })
    expect(kept.map((document) => document.severity_number)).toEqual([9, undefined])
    expect(batch.takeDrops()).toEqual(new Map([['sampling_min_severity', 2]]))
  })

  it('decides the same for all records of a trace', async () => {
    const ids = traces(200)
    const { kept } = await sample(
      [...ids, ...ids, ...ids].map((id, i) => record(9, id, `record ${i}`)),
      { sampling_percentage: 50 },
    )
    const perTrace = new Map<unknown, number>()
    for (const { trace_id } of kept) perTrace.set(trace_id, (perTrace.get(trace_id) ?? 0) + 1)
    expect(new Set(perTrace.values())).toEqual(new Set([3]))
  })

  it('keeps at a higher percentage all that it keeps at a lower one', async () => {
    const ids = traces(500)
    const at = async (sampling_percentage: number) => {
      const { kept } = await sample(
        ids.map((id) => record(9, id)),
        { sampling_percentage },
      )
      return new Set(kept.map(({ trace_id }) => trace_id))
    }
    const [low, high] = [await at(10), await at(40)]
    expect(low.isSubsetOf(high)).toBe(true)
  })

  it.each([1, 10, 50, 90])(
    'keeps about %d percent, with a trace id and without',
    async (sampling_percentage) => {
      const count = 4000
      const share = async (records: readonly object[]) =>
        ((await sample(records, { sampling_percentage })).kept.length / count) * 100
      const withTrace = await share(traces(count).map((id) => record(9, id)))
      const without = await share(Array.from({ length: count }, (_, i) => record(9, '', `record ${i}`)))
      // Four standard deviations of a binomial share.
      const tolerance = 4 * Math.sqrt((sampling_percentage * (100 - sampling_percentage)) / count)
      expect(Math.abs(withTrace - sampling_percentage)).toBeLessThan(tolerance)
      expect(Math.abs(without - sampling_percentage)).toBeLessThan(tolerance)
    },
  )

  it('decides the same when a record without a trace id comes again', async () => {
    const records = Array.from({ length: 200 }, (_, i) => record(9, '', `record ${i}`))
    const bodies = async () =>
      (await sample(records, { sampling_percentage: 30 })).kept.map(({ body }) => body?.text)
    expect(await bodies()).toEqual(await bodies())
  })

  it('counts what it kept and dropped by rule', async () => {
    const { context } = await sample([record(17), record(9), record(5, 'f'.repeat(32))], {
      sampling_percentage: 0.001,
    })
    const count = (policy: string, sampled: string) =>
      context.value('otelcol_processor_probabilistic_sampler_count_logs_sampled', { policy, sampled })
    expect(await count('keep_severity', 'true')).toBe(1)
    expect(await count('trace_id', 'true')).toBe(1)
    expect(await count('record_hash', 'false')).toBe(1)
  })
})

describe('the rejection threshold', () => {
  it.each([
    [100, 0, 0],
    [50, 0x80_0000, 0],
    [25, 0xc0_0000, 0],
    [0, 0x100_0000, 0],
  ])('for %d percent is as OpenTelemetry defines it', (percentage, high, low) => {
    expect(thresholdOf(percentage)).toEqual({ high, low })
  })

  it('keeps randomness that equals it', () => {
    const threshold = thresholdOf(50)
    expect(isKept(0x80_0000, 0, threshold)).toBe(true)
    expect(isKept(0x7f_ffff, 0xffff_ffff, threshold)).toBe(false)
  })
})
