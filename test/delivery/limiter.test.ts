import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AdaptiveLimit, type AdaptiveSettings, fixedLimit } from '../../src/delivery/adaptive-limit.ts'
import { Limiter, type Permit } from '../../src/delivery/limiter.ts'
import { never } from '../support/component.ts'

const SETTINGS: AdaptiveSettings = {
  initial_limit: 1,
  decrease_ratio: 0.9,
  increase_interval: 0.001,
  rtt_deviation_scale: 2.5,
}

/** Lets what was resolved go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

type Step =
  | { readonly do: 'acquire' }
  | {
      readonly do: 'abort' | 'taken' | 'refused' | 'release' | 'restart'
      readonly which: number
      readonly share: number
    }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: 'acquire' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('abort', 'taken', 'taken', 'refused', 'release', 'restart'),
      which: fc.nat(100),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
)

describe('a limiter', () => {
  it('keeps its limit from 1 to the most, never has more under way, and loses no permit, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 80 }),
        async (max, steps) => {
          const limiter = new Limiter(new AdaptiveLimit(max, { ...SETTINGS, initial_limit: 3 }))
          const held: Permit[] = []
          const waiting = new Set<AbortController>()
          let refusals = 0
          for (const each of steps) {
            const before = limiter.inFlight
            const at = <T>(all: readonly T[]): T | undefined =>
              'which' in each ? all[each.which % all.length] : undefined
            if (each.do === 'acquire') {
              const stop = new AbortController()
              waiting.add(stop)
              limiter
                .acquire(stop.signal)
                .then((permit) => held.push(permit))
                .catch(() => refusals++)
                .finally(() => waiting.delete(stop))
            } else if (each.do === 'abort') {
              const stop = at([...waiting])
              const expected = refusals + (stop ? 1 : 0)
              stop?.abort(new Error('enough'))
              await settle()
              expect(refusals).toBe(expected)
            } else if (each.do === 'restart') limiter.restart()
            else {
              const permit = at(held)
              if (permit !== undefined) held.splice(held.indexOf(permit), 1)
              if (each.do === 'taken') permit?.taken(1 + each.which * 1000)
              else if (each.do === 'refused') permit?.refused(each.share)
              permit?.release()
            }
            await settle()
            expect(limiter.limit).toBeGreaterThanOrEqual(1)
            expect(limiter.limit).toBeLessThanOrEqual(max)
            expect(limiter.inFlight).toBe(held.length)
            // A limit that was cut lets what is under way end, and nothing else begin.
            expect(limiter.inFlight).toBeLessThanOrEqual(Math.max(before, limiter.limit))
            if (waiting.size > 0) expect(limiter.inFlight).toBeGreaterThanOrEqual(limiter.limit)
          }

          while (held.length > 0) {
            held.pop()?.release()
            await settle()
          }
          expect(waiting.size).toBe(0)
          expect(limiter.inFlight).toBe(0)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('lets those through first that came first', async () => {
    const limiter = new Limiter(fixedLimit(1))
    const first = await limiter.acquire(never)
    const order: number[] = []
    const waiting = [1, 2, 3].map(async (number) => {
      const permit = await limiter.acquire(never)
      order.push(number)
      permit.release()
    })

    first.release()
    await Promise.all(waiting)

    expect(order).toEqual([1, 2, 3])
  })

  it('gives up with the reason of the signal, before and while it waits, and passes the permit on to the next', async () => {
    const limiter = new Limiter(fixedLimit(1))
    const first = await limiter.acquire(never)
    const stop = new AbortController()
    const second = limiter.acquire(stop.signal)
    const third = limiter.acquire(never)

    stop.abort(new Error('stopping'))

    await expect(second).rejects.toThrow('stopping')
    await expect(limiter.acquire(stop.signal)).rejects.toThrow('stopping')
    first.release()
    ;(await third).release()
    expect(limiter.inFlight).toBe(0)
  })

  it('takes a permit back once', async () => {
    const limiter = new Limiter(fixedLimit(2))
    const permit = await limiter.acquire(never)
    await limiter.acquire(never)

    permit.taken(1)
    permit.refused(1)
    permit.release()

    expect(limiter.inFlight).toBe(1)
  })
})
