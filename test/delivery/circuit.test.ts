import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Circuit, type Turn } from '../../src/delivery/circuit.ts'
import { never } from '../support/component.ts'

const SETTINGS = { initial_interval: 1000, max_interval: 8000 }

describe('a circuit', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** A circuit that has just opened. */
  async function opened(least = 0): Promise<Circuit> {
    const circuit = new Circuit(SETTINGS)
    const turn = await circuit.turn(never)
    turn.failed(least)
    return circuit
  }

  /** Those who wait, and the turns they have got so far. */
  function waiters(circuit: Circuit, count: number, signal = never): Turn[] {
    const turns: Turn[] = []
    for (let i = 0; i < count; i++)
      circuit.turn(signal).then(
        (turn) => turns.push(turn),
        () => {},
      )
    return turns
  }

  it('lets everybody through while the destination answers', async () => {
    const circuit = new Circuit(SETTINGS)

    const turns = await Promise.all([circuit.turn(never), circuit.turn(never)])
    for (const turn of turns) turn.answered()

    expect(turns.map(({ isProbe }) => isProbe)).toEqual([false, false])
    expect(circuit.isOpen).toBe(false)
  })

  it('gives one of many a turn once the wait is over, and the others theirs when it was answered', async () => {
    const circuit = await opened()
    const turns = waiters(circuit, 5)

    await vi.advanceTimersByTimeAsync(499)
    expect(turns).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(turns.map(({ isProbe }) => isProbe)).toEqual([true])

    turns[0].answered()
    await vi.advanceTimersByTimeAsync(0)
    expect(turns.map(({ isProbe }) => isProbe)).toEqual([true, false, false, false, false])
  })

  it.each([1000, 2000, 4000, 8000, 8000].map((limit, failures) => ({ failures: failures + 1, limit })))(
    'probes between half and all of $limit ms after failure number $failures',
    async ({ failures, limit }) => {
      const circuit = await opened()
      for (let failed = 1; failed < failures; failed++) {
        const turn = circuit.turn(never)
        await vi.advanceTimersByTimeAsync(8001)
        ;(await turn).failed(0)
      }
      const turns = waiters(circuit, 1)

      await vi.advanceTimersByTimeAsync(limit / 2 - 1)
      expect(turns).toHaveLength(0)
      await vi.advanceTimersByTimeAsync(limit / 2 + 2)
      expect(turns).toHaveLength(1)
    },
  )

  it('waits at least as long as the destination asked', async () => {
    const circuit = await opened(20_000)
    const turns = waiters(circuit, 1)

    await vi.advanceTimersByTimeAsync(19_999)
    expect(turns).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(2)
    expect(turns).toHaveLength(1)
  })

  it('counts what failed together once', async () => {
    const circuit = new Circuit(SETTINGS)
    const together = await Promise.all(Array.from({ length: 10 }, () => circuit.turn(never)))
    for (const turn of together) turn.failed(0)
    const turns = waiters(circuit, 1)

    await vi.advanceTimersByTimeAsync(1001)

    expect(turns).toHaveLength(1)
  })

  it('lets everybody through at once when a request from before the outage is answered after all', async () => {
    const circuit = new Circuit(SETTINGS)
    const [fails, answers] = await Promise.all([circuit.turn(never), circuit.turn(never)])
    fails.failed(60_000)
    const turns = waiters(circuit, 3)
    await vi.advanceTimersByTimeAsync(10)

    answers.answered()
    await vi.advanceTimersByTimeAsync(0)

    expect(turns.map(({ isProbe }) => isProbe)).toEqual([false, false, false])
  })

  it('forgets an outage that is over', async () => {
    const circuit = await opened(60_000)
    const [probe] = await Promise.all([circuit.turn(never), vi.advanceTimersByTimeAsync(60_001)])
    probe.answered()
    ;(await circuit.turn(never)).failed(0)
    const turns = waiters(circuit, 1)

    await vi.advanceTimersByTimeAsync(1001)

    expect(turns).toHaveLength(1)
  })

  it('passes the probe on when whoever was to make it gives up or does not ask', async () => {
    const circuit = await opened()
    const stop = new AbortController()
    const first = circuit.turn(stop.signal)
    const turns = waiters(circuit, 2)
    await vi.advanceTimersByTimeAsync(10)

    stop.abort(new Error('stopping'))
    await expect(first).rejects.toThrow('stopping')
    await vi.advanceTimersByTimeAsync(1000)
    expect(turns.map(({ isProbe }) => isProbe)).toEqual([true])
    turns[0].abandon()
    await vi.advanceTimersByTimeAsync(0)

    expect(turns.map(({ isProbe }) => isProbe)).toEqual([true, true])
    expect(circuit.isOpen).toBe(true)
  })

  it('lets those give up who wait for the probe of another', async () => {
    const circuit = await opened()
    const turns = waiters(circuit, 1)
    const stop = new AbortController()
    const other = circuit.turn(stop.signal)
    other.catch(() => {})
    await vi.advanceTimersByTimeAsync(1001)
    expect(turns).toHaveLength(1)

    stop.abort(new Error('stopping'))

    await expect(other).rejects.toThrow('stopping')
  })
})
