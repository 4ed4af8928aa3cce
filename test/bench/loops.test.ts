import { describe, expect, it } from 'vitest'
import { makeFrame } from '../../bench/load/frames.ts'
import { closedLoop, openLoop } from '../../bench/load/loops.ts'
import type { Sender } from '../../bench/load/senders.ts'

const frames = [makeFrame({ records: 1, seed: 1 }, 'http', false)]

const sender = (send: Sender['send']): Sender => ({ send, close: async () => {} })

function keepBusy(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

describe('the open loop', () => {
  it('counts the wait of requests that could not be sent when they were meant to be', async () => {
    const slow = sender(async () => {
      keepBusy(50)
      return true
    })

    const traffic = await openLoop({ senders: [slow], frames, requestsPerSecond: 100, seconds: 0.05 })

    // Meant for 0, 10, … 40 ms, and each takes 50: the last ends 210 ms after it was meant to be sent.
    expect(traffic.requests).toBe(5)
    expect(Math.max(...traffic.latencies)).toBeGreaterThanOrEqual(209)
  })

  it('never changes a request that is under way', async () => {
    const bodies: Buffer[] = []
    const answers: (() => void)[] = []
    const unanswered = sender((body) => {
      bodies.push(body)
      return new Promise((resolve) => {
        answers.push(() => resolve(true))
        if (answers.length === 3) for (const answer of answers) answer()
      })
    })

    await openLoop({ senders: [unanswered], frames, requestsPerSecond: 1000, seconds: 0.003 })

    expect(new Set(bodies).size).toBe(3)
    expect(bodies).not.toContain(frames[0].bytes)
  })
})

describe('the closed loop', () => {
  it('sends a refused request again, and counts it once', async () => {
    const bodies: Buffer[] = []
    const reluctant = sender(async (body) => {
      bodies.push(body)
      if (bodies.length > 1) keepBusy(20)
      return bodies.length > 1
    })

    const traffic = await closedLoop({ senders: [reluctant], frames, inflight: 1, seconds: 0.01 })

    expect(traffic.refused).toBe(1)
    expect(traffic.requests).toBe(1)
    expect(bodies).toEqual([frames[0].bytes, frames[0].bytes])
  })
})
