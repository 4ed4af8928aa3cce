import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Clock } from '../../../bench/simulation/clock.ts'
import { Deadlines } from '../../../bench/simulation/deadlines.ts'

describe('Clock', () => {
  it('runs actions by their times, and in the order of planning where those are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 3000 }), (times) => {
        const clock = new Clock()
        const ran: [ms: number, planned: number][] = []
        for (const [planned, ms] of times.entries()) clock.after(ms, () => ran.push([clock.now, planned]))

        clock.runUntil(20)

        const expected = times.map((ms, planned) => [ms, planned]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
        expect(ran).toEqual(expected)
      }),
      { numRuns: 50 },
    )
  })

  it('runs what actions plan, up to the time it was told and no further', () => {
    const clock = new Clock()
    const ran: number[] = []
    clock.every(10, () => ran.push(clock.now), 5)

    clock.runUntil(30)

    expect(ran).toEqual([5, 15, 25])
    expect(clock.now).toBe(30)
  })
})

describe('Deadlines', () => {
  it('calls back for those that were not met, each at its time', () => {
    const clock = new Clock()
    const deadlines = new Deadlines(clock, 100)
    const missed: [string, number][] = []
    const set = (name: string): (() => void) => deadlines.set(() => missed.push([name, clock.now]))
    const first = set('first')
    clock.after(10, () => set('second'))
    clock.after(20, set('third'))
    clock.after(150, () => set('fourth'))
    clock.after(50, first)

    clock.runUntil(1000)

    expect(missed).toEqual([
      ['second', 110],
      ['fourth', 250],
    ])
  })
})
