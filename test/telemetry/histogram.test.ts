import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { QuickHistogram } from '../../src/telemetry/histogram.ts'
import { runs } from '../support/arbitraries.ts'

const CONFIG = { name: 'duration', help: 'Seconds.', labelNames: ['a', 'b'], buckets: [0.1, 1, 2.5] }

/** As it is sent to another process; nobody sets exemplars. */
const plain = (metrics: unknown): unknown =>
  JSON.parse(JSON.stringify(metrics, (key, value: unknown) => (key === 'exemplar' ? undefined : value)))

describe('a quick histogram', () => {
  it('writes the text that the library writes of the same values', async () => {
    const seen = fc.array(
      fc.tuple(fc.constantFrom('x', '"\n'), fc.constantFrom(0, 0.1, 0.5, 1, 2.4, 2.6, 1e9)),
    )
    await fc.assert(
      fc.asyncProperty(seen, async (values) => {
        const [quick, usual] = [new Registry(), new Registry()]
        const [ours, theirs] = [
          new QuickHistogram({ ...CONFIG, registers: [quick] }),
          new Histogram({ ...CONFIG, registers: [usual] }),
        ]
        for (const [a, value] of values) {
          ours.of({ a, b: 'c' }).observe(value)
          theirs.labels({ a, b: 'c' }).observe(value)
        }
        expect(await quick.metrics()).toBe(await usual.metrics())
        expect(plain(await quick.getMetricsAsJSON())).toEqual(plain(await usual.getMetricsAsJSON()))
      }),
      runs(),
    )
  })

  it('has one series for the same labels in another order', () => {
    const histogram = new QuickHistogram({ ...CONFIG, registers: [] })
    expect(histogram.of({ a: 'x', b: 'y' })).toBe(histogram.of({ b: 'y', a: 'x' }))
  })
})
