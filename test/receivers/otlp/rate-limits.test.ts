import { describe, expect, it } from 'vitest'
import { config } from '../../../receivers/otlp/config.ts'
import { RateLimits } from '../../../receivers/otlp/door/rate-limits.ts'
import { TokenBucket } from '../../../receivers/otlp/door/token-bucket.ts'
import { Throttled } from '../../../receivers/otlp/outcome.ts'
import { testContext } from '../../support/component.ts'

describe('a token bucket', () => {
  it('gives its burst at once, and then its rate', () => {
    const bucket = new TokenBucket(10, 2000, 0)

    expect(bucket.wait(20, 0)).toBe(0)
    bucket.take(20)
    expect(bucket.wait(1, 0)).toBe(100)
    expect(bucket.wait(1, 100)).toBe(0)
    expect(bucket.wait(20, 100_000)).toBe(0)
    expect(bucket.wait(21, 100_000)).toBe(0)
  })

  it('lets through what is larger than itself when it is full, and has it made up for', () => {
    const bucket = new TokenBucket(10, 1000, 0)

    expect(bucket.wait(1000, 0)).toBe(0)
    bucket.take(1000)
    expect(bucket.wait(1, 0)).toBe(99_100)
    expect(bucket.wait(1000, 99_000)).toBe(1000)
    expect(bucket.wait(1000, 100_000)).toBe(0)
  })
})

describe('the rate limits', () => {
  const limitsOf = (settings: object) => {
    const context = testContext()
    const { rate_limits } = config.parse({ protocols: { grpc: null }, rate_limits: settings })
    if (rate_limits === undefined) throw new Error('none')
    return { context, limits: new RateLimits(rate_limits, context.metrics) }
  }
  const isThrottled = (limits: RateLimits, tenant: string): boolean => {
    try {
      limits.of(tenant)?.take({ requests: 1 })
      return false
    } catch (error) {
      if (error instanceof Throttled) return true
      throw error
    }
  }

  it('take all of a request or nothing', () => {
    const { limits } = limitsOf({ default: { requests: 1 / 3600, bytes: 1, burst: '1h' } })
    const allowance = limits.of('a')
    allowance?.take({ bytes: 3600 })

    expect(() => allowance?.take({ requests: 1, bytes: 3600 })).toThrow('more bytes than the tenant may send')
    expect(() => allowance?.take({ requests: 1 })).not.toThrow()
  })

  it('forget the tenants that have been silent for longest', () => {
    const { limits } = limitsOf({ default: { requests: 1 / 3600, burst: '1h' }, max_tenants: 2 })
    const throttled = ['a', 'b', 'a', 'c', 'b', 'c'].map((tenant) => isThrottled(limits, tenant))

    expect(throttled).toEqual([false, false, true, false, false, true])
  })

  it('show so many tenants by name, and the others together', async () => {
    const { limits, context } = limitsOf({
      default: { requests: 1 / 3600, burst: '1h' },
      tenants: { known: { requests: 1 / 3600, burst: '1h' } },
    })
    const tenants = [...Array.from({ length: 150 }, (_, i) => `t${i}`), 'known']
    for (const tenant of [...tenants, ...tenants]) isThrottled(limits, tenant)

    const count = (labels: Record<string, string>) =>
      context.value('sluice_receiver_rate_limited_requests_total', labels)
    expect(await count({})).toBe(151)
    expect(await count({ tenant: '(others)' })).toBe(50)
    expect(await count({ tenant: 'known' })).toBe(1)
  })

  it('never ask senders to wait for longer than SDKs do', () => {
    const { limits } = limitsOf({ default: { requests: 1 / 3600, burst: '1h' } })
    isThrottled(limits, 'a')

    expect(() => limits.of('a')?.take({ requests: 1 })).toThrow(expect.objectContaining({ retryMs: 9000 }))
  })
})
