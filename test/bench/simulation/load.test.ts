import { describe, expect, it } from 'vitest'
import { Histogram } from '../../../bench/simulation/histogram.ts'
import { Load } from '../../../bench/simulation/load.ts'
import { Random } from '../../../bench/simulation/random.ts'

describe('Load', () => {
  const load = new Load([
    [100, 5],
    [200, 1],
    [300, 0.5],
  ])

  it.each([0, 50, 100, 150, 250, 400])('sums what it is at every moment, from %s on', (from) => {
    for (const to of [from + 1, from + 75, from + 333]) {
      let sum = 0
      for (let ms = from; ms < to; ms++) sum += load.at(ms)

      expect(load.between(from, to)).toBeCloseTo(sum, 6)
    }
  })
})

describe('Random', () => {
  it('gives a fork of one name the same numbers, and of another name others', () => {
    const random = new Random(3)
    const numbers = (name: string): number[] => {
      const fork = random.fork(name)
      return Array.from({ length: 5 }, () => fork.uniform())
    }

    const first = numbers('a')
    random.uniform()

    expect(numbers('a')).toEqual(first)
    expect(numbers('b')).not.toEqual(first)
  })

  it.each([0.5, 8, 200])('counts %s on average, and varies as rare events do', (mean) => {
    const random = new Random(5)
    const counts = Array.from({ length: 50_000 }, () => random.poisson(mean))

    const average = counts.reduce((sum, count) => sum + count, 0) / counts.length
    const variance = counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length
    expect(average / mean).toBeCloseTo(1, 1)
    expect(variance / mean).toBeCloseTo(1, 1)
  })

  it('makes factors of mean 1 with the variation asked for', () => {
    const random = new Random(6)
    const factors = Array.from({ length: 200_000 }, () => random.factor(0.4))

    const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length
    const variance = factors.reduce((sum, factor) => sum + (factor - mean) ** 2, 0) / factors.length
    expect(mean).toBeCloseTo(1, 2)
    expect(Math.sqrt(variance)).toBeCloseTo(0.4, 1)
  })
})

describe('Histogram', () => {
  it('finds quantiles to within 2 %, by weight', () => {
    const histogram = new Histogram()
    for (let ms = 1; ms <= 10_000; ms++) histogram.add(ms, ms > 5000 ? 3 : 1)

    expect(histogram.quantile(0.25) / 5000).toBeCloseTo(1, 1)
    expect(histogram.quantile(0.99) / 9867).toBeCloseTo(1, 1)
    expect(histogram.max).toBe(10_000)
  })
})
