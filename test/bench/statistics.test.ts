import { describe, expect, it } from 'vitest'
import { growthOf } from '../../bench/growth.ts'
import { latencyOf, median, quantile, slope } from '../../bench/statistics.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

describe('statistics of the bench', () => {
  it('takes the middle value, and between two of them the mean', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([9, 1, 5, 6])).toBe(5.5)
    expect(median([])).toBeNaN()
  })

  it('finds the value below which a share of the others lies, in whatever order they come', () => {
    const shuffled = upTo(1000).toSorted((a, b) => ((a * 7919) % 1000) - ((b * 7919) % 1000))

    expect(quantile(shuffled, 0.5)).toBe(500)
    expect(quantile(shuffled, 0.99)).toBe(990)
    expect(quantile(shuffled, 1)).toBe(999)
    expect(quantile([], 0.5)).toBeNaN()
  })

  it('tells the distribution of latencies', () => {
    expect(latencyOf(upTo(100))).toEqual({ count: 100, p50: 50, p90: 90, p99: 99, max: 99 })
  })

  it('finds by how much values grow, whatever they start from', () => {
    expect(slope(upTo(50).map((at) => 7 + 3 * at))).toBeCloseTo(3)
    expect(slope([4, 4, 4])).toBe(0)
    expect(slope([4])).toBe(0)
  })
})

describe('growth of memory', () => {
  it('leaves out what a process takes in the beginning', () => {
    const values = upTo(600).map((at) => Math.min(150, 50 + at) + (at % 2))

    const growth = growthOf(values, 1)

    expect(growth.flat).toBe(true)
    expect(growth.perMinute).toBeCloseTo(0, 0)
  })

  it('sees a leak of a MiB every ten seconds', () => {
    const growth = growthOf(
      upTo(600).map((at) => 150 + at / 10),
      1,
    )

    expect(growth.flat).toBe(false)
    expect(growth.perMinute).toBeCloseTo(6)
  })
})
