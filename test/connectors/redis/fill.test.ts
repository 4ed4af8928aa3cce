import { describe, expect, it } from 'vitest'
import { DrainRate, retryAfter } from '../../../connectors/redis/server/drain-rate.ts'
import { Fill } from '../../../connectors/redis/server/fill.ts'
import { type Level, nextLevel, OK, REFUSE, WARN } from '../../../connectors/redis/server/watermark.ts'

const marks = { memory_warn_watermark: 0.7, memory_high_watermark: 0.85, memory_low_watermark: 0.75 }
const unlimited = { ...marks, max_bytes: 0, max_records: 0 }
const queue = (records: number, bytes = records, pushed = records) => ({
  queue: 'logs',
  records,
  bytes,
  pushed,
})
const memory = (used: number) => ({ used, max: 1000 })

describe('the watermarks', () => {
  it.each<[Level, number, Level]>([
    [OK, 0.69, OK],
    [OK, 0.7, WARN],
    [OK, 0.85, REFUSE],
    [WARN, 0.69, WARN],
    [WARN, 0.67, OK],
    [WARN, 0.84, WARN],
    [REFUSE, 0.75, REFUSE],
    [REFUSE, 0.74, WARN],
    [REFUSE, 0.5, OK],
  ])('lead from level %s at a share of %s to level %s', (level, share, next) => {
    expect(nextLevel(level, share, marks)).toBe(next)
  })
})

describe('how full a buffer is', () => {
  it('refuses until the memory in use is below the low mark, and says so', () => {
    const fill = new Fill({ copies: 1, config: unlimited })
    const levels = [600, 700, 850, 800, 749, 600].map((used) => {
      fill.look()(memory(used), [queue(10)])
      return [fill.level(), fill.detail()]
    })

    expect(levels).toEqual([
      [OK, ''],
      [WARN, 'uses 70% of its maxmemory: from 85% on pushes are refused; add drains or room'],
      [REFUSE, 'uses 85% of its maxmemory: pushes are refused until it is below 75%; add drains or room'],
      [REFUSE, 'uses 80% of its maxmemory: pushes are refused until it is below 75%; add drains or room'],
      [WARN, 'uses 74% of its maxmemory: from 85% on pushes are refused; add drains or room'],
      [OK, ''],
    ])
  })

  it('is that of the fullest queue where a limit is one of queues', () => {
    const fill = new Fill({ copies: 1, config: { ...unlimited, max_bytes: 1000, max_records: 100 } })

    fill.look()(memory(0), [queue(10, 100), queue(90, 200)])

    expect(fill.share('records')).toBe(0.9)
    expect(fill.share('bytes')).toBe(0.2)
    expect(fill.greatestShare).toBe(0.9)
    expect(fill.level()).toBe(REFUSE)
    expect(fill.detail()).toContain('90% of its max_records')
  })

  it('has no share of a limit that is not set', () => {
    const fill = new Fill({ copies: 1, config: unlimited })

    fill.look()({ used: 1e9, max: 0 }, [queue(1e6)])

    expect(fill.greatestShare).toBe(0)
    expect(fill.level()).toBe(OK)
  })

  it('counts what was written since the last look, in every queue', () => {
    const fill = new Fill({ copies: 2, config: { ...unlimited, max_bytes: 1000 } })
    fill.look()(memory(500), [queue(1, 100), queue(1, 100)])

    fill.writing(100, 1)()
    fill.writing(97, 1)

    // Each takes 112 bytes of memory, as jemalloc gives it out.
    expect(fill.share('memory')).toBeCloseTo(0.5 + 4 * 0.112)
    expect(fill.share('bytes')).toBeCloseTo(0.297)
    expect(fill.level()).toBe(REFUSE)
  })

  it('counts a write until a look has begun after its answer', () => {
    const fill = new Fill({ copies: 1, config: unlimited })
    const written = fill.writing(128, 1)
    const during = fill.look()
    written()

    during(memory(0), [queue(0)])
    expect(fill.share('memory')).toBeCloseTo(0.128)
    fill.look()(memory(128), [queue(1, 128)])

    expect(fill.share('memory')).toBeCloseTo(0.128)
  })

  it('asks senders to wait as long as the drains take to the low mark', () => {
    let now = 0
    const fill = new Fill({
      copies: 1,
      config: { ...unlimited, max_records: 1000 },
      now: () => now,
      random: () => 0,
    })
    fill.look()(memory(0), [queue(900, 9000)])
    now = 1000
    fill.look()(memory(0), [queue(870, 8700, 900)])

    // 120 records over the mark, 30 a second.
    expect(fill.retryAfter()).toBe(4_000)
  })

  it('drains memory through all queues together', () => {
    let now = 0
    const fill = new Fill({ copies: 1, config: unlimited, now: () => now, random: () => 0 })
    fill.look()(memory(950), [queue(10, 300), queue(10, 300)])
    now = 1000
    fill.look()(memory(900), [queue(9, 270, 10), queue(9, 270, 10)])

    expect(fill.retryAfter()).toBe(2_500)
  })

  it('asks for a few seconds where nothing drains', () => {
    const fill = new Fill({ copies: 1, config: unlimited, random: () => 0 })
    fill.look()(memory(900), [queue(10)])

    expect(fill.retryAfter()).toBe(3_000)
  })

  it('asks for a few seconds where Redis was full before that was seen', () => {
    expect(new Fill({ copies: 1, config: unlimited, random: () => 0 }).retryAfter()).toBe(3_000)
  })
})

describe('how long senders are to wait', () => {
  it.each([
    [0, 0, 1_000],
    [4, 0, 4_000],
    [4, 1, 6_000],
    [1000, 0, 6_000],
    [1000, 1, 9_000],
    [Number.POSITIVE_INFINITY, 1, 4_500],
  ])('for room in %s s and a chance of %s is %s ms', (seconds, chance, expected) => {
    expect(retryAfter(seconds, () => chance)).toBe(expected)
  })
})

describe('the rate of the drains', () => {
  it('is what left the queue, whatever came in meanwhile', () => {
    const rate = new DrainRate()
    rate.saw(0, [queue(100, 1000, 100)])
    rate.saw(2000, [queue(150, 1500, 250)])

    expect(rate.perSecond('records', 0)).toBe(50)
    expect(rate.perSecond('bytes', 0)).toBe(500)
  })

  it('is that of the last ten seconds', () => {
    const rate = new DrainRate()
    for (let second = 0; second <= 20; second++)
      rate.saw(second * 1000, [queue(1000 - second * 10, 1000, 1000)])
    for (let second = 21; second <= 32; second++) rate.saw(second * 1000, [queue(800, 1000, 1000)])

    expect(rate.perSecond('records', 0)).toBe(0)
  })

  it('begins anew with a server that has counted less', () => {
    const rate = new DrainRate()
    rate.saw(0, [queue(100, 1000, 500)])
    rate.saw(1000, [queue(0, 0, 500)])

    rate.saw(2000, [queue(10, 100, 10)])

    expect(rate.perSecond('records', 0)).toBe(0)
  })
})
