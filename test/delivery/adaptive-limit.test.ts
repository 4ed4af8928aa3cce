import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AdaptiveLimit, type CutReason } from '../../src/delivery/adaptive-limit.ts'
import { deliverySettings } from './settings.ts'

const SETTINGS = deliverySettings().sending_queue.adaptive_concurrency
const BYTES = 1e6

/** A limit of 64 at most, and a destination for it: time passes as the destination answers. */
class Scene {
  readonly cuts: CutReason[] = []
  readonly limit: AdaptiveLimit

  constructor(settings: Partial<typeof SETTINGS> = {}) {
    this.limit = new AdaptiveLimit(64, { ...SETTINGS, ...settings }, (reason) => this.cuts.push(reason))
  }

  /** One round of as many requests as the limit allows, each answered after `ms`. */
  round(ms: number, bytes = BYTES): void {
    const started = performance.now()
    vi.advanceTimersByTime(ms)
    for (let left = this.limit.value; left > 0; left--) this.limit.taken({ started, waited: ms, bytes }, true)
  }

  /** A round of which `refused` requests are refused, a `share` of each. */
  refusedRound(ms: number, refused: number, share: number): void {
    const started = performance.now()
    vi.advanceTimersByTime(ms)
    for (let left = refused; left > 0; left--) this.limit.refused(started, share)
  }

  /** Rounds of a destination that takes `capacity` requests at once, and refuses all of those beyond. */
  rounds(count: number, capacity: number, ms = 100): number[] {
    return Array.from({ length: count }, () => {
      const { value } = this.limit
      if (value > capacity) this.refusedRound(ms, value - capacity, 1)
      else this.round(ms)
      return value
    })
  }
}

describe('an adaptive limit', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('doubles with each round until it has reached the most', () => {
    const scene = new Scene()
    const found = Array.from({ length: 8 }, () => {
      const { value } = scene.limit
      scene.round(50)
      return value
    })

    expect(found).toEqual([1, 2, 4, 8, 16, 32, 64, 64])
    expect(scene.cuts).toEqual([])
  })

  it('stays where it is while fewer requests are under way than may be', () => {
    const { limit } = new Scene({ initial_limit: 4 })
    for (let i = 0; i < 50; i++) {
      vi.advanceTimersByTime(100)
      limit.taken({ started: performance.now() - 100, waited: 100, bytes: BYTES }, false)
    }

    expect(limit.value).toBe(4)
  })

  it('is cut by as much as was refused of what was under way together, by half at most', () => {
    const shares = [0.01, 0.2, 0.6, 1]
    const scenes = shares.map((share) => {
      const scene = new Scene({ initial_limit: 60 })
      scene.refusedRound(100, 60, share)
      return scene
    })

    expect(scenes.map(({ limit }) => limit.value)).toEqual([54, 48, 30, 30])
    expect(scenes.map(({ cuts }) => cuts)).toEqual(shares.map(() => ['too_many']))
  })

  it('never falls below one', () => {
    const scene = new Scene()
    for (let i = 0; i < 20; i++) scene.refusedRound(100, 1, 1)

    expect(scene.limit.value).toBe(1)
  })

  it('grows by one in an interval after a cut', () => {
    const scene = new Scene({ initial_limit: 20 })
    scene.refusedRound(100, 1, 0)
    expect(scene.limit.value).toBe(18)

    for (let i = 0; i < 51; i++) scene.round(100)

    expect(scene.limit.value).toBe(23)
  })

  it('comes to rest at what the destination takes, and tries for more only now and then', () => {
    const scene = new Scene()
    scene.rounds(600, 6)

    const values = scene.rounds(1200, 6)

    expect(Math.min(...values)).toBeGreaterThanOrEqual(3)
    expect(values.filter((value) => value === 6).length / values.length).toBeGreaterThan(0.8)
    expect(values.filter((value) => value > 6).length / values.length).toBeLessThan(0.02)
  })

  it('finds the way up again when the destination takes more', () => {
    const scene = new Scene()
    scene.rounds(1200, 3)

    scene.rounds(1200, 20)

    expect(scene.limit.value).toBeGreaterThanOrEqual(16)
  })

  it('is cut when answers become slow, and accepts it when they stay so', () => {
    const scene = new Scene({ initial_limit: 40 })
    for (let i = 0; i < 20; i++) scene.round(100)
    const before = scene.limit.value

    for (let i = 0; i < 3; i++) scene.round(400)
    expect(scene.cuts).toContain('latency')
    expect(scene.limit.value).toBeLessThan(before)
    const cuts = scene.cuts.length
    for (let i = 0; i < 400; i++) scene.round(400)

    expect(scene.cuts.length).toBe(cuts)
    expect(scene.limit.value).toBe(64)
  })

  it('does not mind answers that are later by little', () => {
    const scene = new Scene({ initial_limit: 40 })
    for (let i = 0; i < 200; i++) scene.round(5 + (i % 7) * 8)

    expect(scene.cuts).toEqual([])
    expect(scene.limit.value).toBe(64)
  })

  it('does not take large requests for slow ones', () => {
    const scene = new Scene({ initial_limit: 40 })
    for (let i = 0; i < 20; i++) scene.round(10, 10_000)
    for (let i = 0; i < 20; i++) scene.round(600, 4_000_000)

    expect(scene.cuts).toEqual([])
  })

  it('begins anew after an outage, and what was under way before it does not matter', () => {
    const scene = new Scene({ initial_limit: 40 })
    const started = performance.now()
    vi.advanceTimersByTime(100)

    scene.limit.restart()
    expect(scene.limit.value).toBe(1)
    scene.limit.refused(started, 1)
    scene.round(100)
    scene.round(100)

    expect(scene.limit.value).toBe(4)
  })
})
