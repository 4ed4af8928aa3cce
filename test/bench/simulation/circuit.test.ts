import { afterEach, describe, expect, it, vi } from 'vitest'
import { Circuit, type Outcome } from '../../../bench/simulation/circuit.ts'
import { Clock } from '../../../bench/simulation/clock.ts'
import { Random } from '../../../bench/simulation/random.ts'
import { backoff } from '../../../src/delivery/circuit.ts'

const SETTINGS = { initial_interval: 500, max_interval: 30_000 }
const FAILED: Outcome = { ok: false, retryAfter: 0 }

afterEach(() => vi.restoreAllMocks())

describe('Circuit of the simulation', () => {
  it.each([0, 0.25, 0.999])('waits as long as that of the code, where chance says %s', (chance) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance)
    const clock = new Clock()
    const random = new Random(1)
    vi.spyOn(random, 'uniform').mockReturnValue(chance)
    const circuit = new Circuit(clock, random, SETTINGS)
    const attempts: number[] = []
    const again = (): void =>
      circuit.run(
        (settle) => {
          attempts.push(clock.now)
          settle(FAILED)
        },
        () => attempts.length < 10 && again(),
      )
    again()

    clock.runUntil(1e6)

    const waits = attempts.slice(1).map((at, number) => at - attempts[number])
    expect(waits).toEqual(waits.map((_, failures) => expect.closeTo(backoff(SETTINGS, failures), 6)))
    expect(waits).toHaveLength(9)
  })

  it('lets one attempt probe while the others wait, and all go once it succeeds', () => {
    const clock = new Clock()
    const circuit = new Circuit(clock, new Random(1), SETTINGS)
    const ran: [name: string, ms: number][] = []
    let down = true
    const send = (name: string): void =>
      circuit.run(
        (settle) => {
          ran.push([name, clock.now])
          clock.after(10, () => settle(down ? FAILED : { ok: true }))
        },
        (outcome) => !outcome.ok && send(name),
      )
    send('a')
    clock.after(11, () => {
      send('b')
      send('c')
    })
    clock.after(300, () => {
      down = false
    })

    clock.runUntil(10_000)

    expect(ran).toHaveLength(4)
    const [[first], [probe, probeMs], ...rest] = ran
    expect([first, probe]).toEqual(['a', 'a'])
    expect(rest).toEqual([
      ['b', probeMs + 10],
      ['c', probeMs + 10],
    ])
    expect(circuit.isOpen).toBe(false)
  })
})
