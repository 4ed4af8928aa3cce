import { describe, expect, it } from 'vitest'
import { backoff } from '../../src/transport/backoff.ts'
import { withoutSecrets } from '../../src/transport/destination.ts'
import { readRetryAfter } from '../../src/transport/retry-after.ts'

const LIMITS = { initialMillis: 100, maxMillis: 5000 }
const QUARTER_HOUR = 15 * 60_000
const lowest = (): number => 0
const highest = (): number => 1

describe('the wait before the next attempt', () => {
  it('lies anywhere below a ceiling that doubles up to the limit', () => {
    const ceilings = [0, 1, 2, 5, 6, 100].map((attempt) => backoff(LIMITS, attempt, undefined, highest))

    expect(ceilings).toEqual([100, 200, 400, 3200, 5000, 5000])
    expect(backoff(LIMITS, 6, undefined, lowest)).toBe(0)
  })

  it('is not shorter than the collector asks for, and spread over a little more', () => {
    expect(backoff(LIMITS, 0, 2000, lowest)).toBe(2000)
    expect(backoff(LIMITS, 0, 2000, highest)).toBe(2200)
    expect(backoff(LIMITS, 0, 60_000, highest)).toBe(61_000)
    expect(backoff(LIMITS, 6, 1, highest)).toBe(5000)
  })

  it('has an end whatever the collector asks for', () => {
    expect(backoff(LIMITS, 0, 1e15, highest)).toBe(QUARTER_HOUR)
    expect(backoff({ ...LIMITS, maxMillis: Number.POSITIVE_INFINITY }, 1e9, undefined, highest)).toBe(
      QUARTER_HOUR,
    )
  })
})

describe('Retry-After', () => {
  const NOW = Date.UTC(2026, 0, 1)

  it.each([
    ['0', 0],
    [' 120 ', 120_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-1.5e', undefined],
    [undefined, undefined],
  ])('%j asks for %j ms', (value, millis) => {
    expect(readRetryAfter(value, NOW)).toBe(millis)
  })
})

describe('an address in a message', () => {
  it('holds no secrets', () => {
    expect(withoutSecrets('https://me:secret@logs.example:4318/v1/logs?key=secret')).toBe(
      'https://logs.example:4318/v1/logs',
    )
    expect(withoutSecrets('http://127.0.0.1:4317')).toBe('http://127.0.0.1:4317')
    expect(withoutSecrets('secret')).toBe('the endpoint')
  })
})
