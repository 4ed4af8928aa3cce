import { describe, expect, it } from 'vitest'
import { Clock } from '../../../bench/simulation/clock.ts'
import { Random } from '../../../bench/simulation/random.ts'
import { Server } from '../../../bench/simulation/server.ts'

const JOBS = 200_000
const SERVICE_MS = 1

/** Jobs that come and are worked on at random, at a share of what the slots can do. */
function queue(use: number, slots: number) {
  const clock = new Clock()
  const random = new Random(7)
  const server = new Server(clock, slots)
  let sojournMs = 0
  let done = 0
  const arrive = (left: number): void => {
    if (left === 0) return
    const cameMs = clock.now
    const cost = random.exponential(SERVICE_MS)
    server.run(
      () => cost,
      () => {
        sojournMs += clock.now - cameMs
        done++
      },
    )
    clock.after(random.exponential(SERVICE_MS / (use * slots)), () => arrive(left - 1))
  }
  arrive(JOBS)
  const untilMs = (JOBS * SERVICE_MS) / (use * slots)
  clock.runUntil(untilMs)
  return {
    meanJobs: server.jobMs / untilMs,
    meanSojourn: sojournMs / done,
    rate: done / untilMs,
    busy: server.busyMs / untilMs / slots,
  }
}

describe('Server', () => {
  it.each([0.3, 0.6, 0.8])('has the queue of M/M/1 when it is busy for a share of %s', (use) => {
    const { meanJobs, meanSojourn, busy } = queue(use, 1)

    expect(busy).toBeCloseTo(use, 2)
    expect(meanJobs / (use / (1 - use))).toBeGreaterThan(0.95)
    expect(meanJobs / (use / (1 - use))).toBeLessThan(1.05)
    expect(meanSojourn / (SERVICE_MS / (1 - use))).toBeGreaterThan(0.95)
    expect(meanSojourn / (SERVICE_MS / (1 - use))).toBeLessThan(1.05)
  })

  it('has the queue of M/M/2 with two slots', () => {
    const use = 0.7

    const { meanJobs } = queue(use, 2)

    const expected = (2 * use) / (1 - use * use)
    expect(meanJobs / expected).toBeGreaterThan(0.95)
    expect(meanJobs / expected).toBeLessThan(1.05)
  })

  it("keeps Little's law: jobs in it are their rate times their stay", () => {
    const { meanJobs, meanSojourn, rate } = queue(0.8, 3)

    expect((rate * meanSojourn) / meanJobs).toBeCloseTo(1, 2)
  })

  it('drops what it works on and what waits when it is reset', () => {
    const clock = new Clock()
    const server = new Server(clock)
    const done: string[] = []
    for (const name of ['first', 'second'])
      server.run(
        () => 10,
        () => done.push(name),
      )
    clock.after(5, () => {
      server.reset()
      server.run(
        () => 10,
        () => done.push('third'),
      )
    })

    clock.runUntil(100)

    expect(done).toEqual(['third'])
    expect(server.jobs).toBe(0)
  })
})
