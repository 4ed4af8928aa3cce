import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Clock } from '../../src/record/clock.ts'

const START = 1_790_000_000_123.25

/** A clock over two that the test sets. */
function clockAt() {
  const time = { monotonic: 0, wall: START }
  const clock = new Clock({
    origin: START,
    monotonic: () => time.monotonic,
    wall: () => Math.floor(time.wall),
  })
  const read = (): bigint => {
    clock.read()
    return (BigInt(clock.high) << 32n) | BigInt(clock.low)
  }
  const pass = (millis: number): void => {
    time.monotonic += millis
    time.wall += millis
  }
  return { clock, time, read, pass }
}

describe('the clock', () => {
  it('tells nanoseconds', () => {
    const { clock, read, pass } = clockAt()

    expect(read()).toBe(1_790_000_000_123_250_000n)
    pass(0.000_5)
    expect(read()).toBe(1_790_000_000_123_250_500n)
    pass(2000.125)
    expect(read()).toBe(1_790_000_002_123_375_500n)
    expect(clock.millis).toBe(1_790_000_002_123)
  })

  it('goes up with every reading, whatever the wall clock does', () => {
    const step = fc.record({
      passed: fc.double({ min: 0, max: 5000, noNaN: true }),
      set: fc.integer({ min: -1e7, max: 1e7 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const { time, read, pass } = clockAt()
        let before = read()
        for (const { passed, set } of steps) {
          pass(passed)
          if (set % 3 === 0) time.wall += set
          const now = read()
          expect(now > before).toBe(true)
          before = now
        }
      }),
    )
  })

  it('follows the wall clock within a second when it is set ahead, and waits for it when it is set back', () => {
    const { time, read, pass } = clockAt()
    read()
    time.wall += 3_600_000
    pass(1000)
    const ahead = read()
    time.wall -= 1_800_000
    pass(1000)
    const waiting = read()
    pass(1_800_000)

    expect(ahead).toBe(BigInt(Math.floor(START) + 3_601_000) * 1_000_000n)
    expect(waiting).toBe(ahead + 1n)
    expect(read() - ahead).toBe(1_000_000_000n)
  })

  it('tells the time of this machine', () => {
    const clock = new Clock()
    const before = Date.now()
    clock.read()

    expect(clock.millis - before).toBeGreaterThanOrEqual(-3)
    expect(clock.millis - Date.now()).toBeLessThanOrEqual(3)
  })
})
