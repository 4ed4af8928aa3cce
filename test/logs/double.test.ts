import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeDouble } from '../../src/logs/ndjson/double.ts'

describe('a double in JSON', () => {
  it('is the shortest text that stands for it, and no whole number', () => {
    const thousandths = fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((n) => n / 1000)
    fc.assert(
      fc.property(fc.oneof(thousandths, fc.double({ noNaN: true, noDefaultInfinity: true })), (value) => {
        const text = written(value)
        expect(text).toMatch(/[.e]/)
        expect(text.replace(/\.0$/, '')).toBe(Object.is(value, -0) ? '-0' : String(value))
      }),
      { numRuns: 5_000 },
    )
  })

  it.each([
    [0.001, '0.001'],
    [-0.5, '-0.5'],
    [12.3, '12.3'],
    [12.34, '12.34'],
    [10, '10.0'],
    [999_999.999, '999999.999'],
    [1_000_000.001, '1000000.001'],
    [0.0005, '0.0005'],
    [1.2345, '1.2345'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
    [0, '0.0'],
    [-0, '-0.0'],
    [Number.NaN, 'null'],
    [Number.NEGATIVE_INFINITY, 'null'],
  ])('%d is %s', (value, text) => {
    expect(written(value)).toBe(text)
  })
})

function written(value: number): string {
  const bytes = Buffer.alloc(40)
  return bytes.toString('latin1', 3, writeDouble(bytes, 3, value))
}
