import { describe, expect, it } from 'vitest'
import { figuresOf, variation } from '../../bench/overload/figures.ts'
import { drawOverload } from '../../bench/overload/plot.ts'
import type { Overload, Second } from '../../bench/overload/run.ts'

const second = (delivered: number, more: Partial<Second> = {}): Second => ({
  delivered,
  refused: 0,
  requests: 2,
  latency: 100,
  limit: 2,
  ...more,
})

/** Five seconds to warm up, so many steady ones, and two to end. */
const run = (steady: readonly Second[], more: Partial<Overload> = {}): Overload => ({
  seconds: [...Array.from({ length: 5 }, () => second(9)), ...steady, second(1), second(0)],
  indexed: 1000,
  cpuSeconds: 0.01,
  ...more,
})

describe('the figures of an overload', () => {
  it('vary by what windows of seconds delivered, not by single seconds', () => {
    expect(variation([300, 0, 0, 0, 300, 0, 100, 100, 100].map((delivered) => second(delivered)))).toBe(0)
    expect(variation([100, 100, 100, 300, 300, 300].map((delivered) => second(delivered)))).toBeCloseTo(0.5)
  })

  it('are of the steady seconds, and of all records', () => {
    const steady = [second(90), second(100, { limit: 3, refused: 30 }), second(110)]
    const figures = figuresOf(run(steady, { indexed: 998 }), 1000)

    expect(Object.fromEntries(figures.map(({ name, median }) => [name, median]))).toEqual({
      'records/s': 100,
      variation: 0,
      limit: 2,
      refused: 10,
      bulk: 100,
      CPU: 10,
      lost: 2,
      doubled: 0,
    })
  })

  it('are drawn for both ways, each on its own time', () => {
    const runs = { adaptive: run([second(100)]), fixed: run([second(50), second(50), second(50)]) }
    const drawn = drawOverload('title', [{ server: 'small', runs }])

    expect(drawn.match(/<polyline class="line adaptive"/g)).toHaveLength(4)
    expect(drawn.match(/<polyline class="line fixed"/g)).toHaveLength(4)
    expect(drawn).toContain('small: delivered')
    expect(drawn).not.toContain('budget</text>')
    expect(drawn).not.toMatch(/NaN|Infinity/)
  })
})
