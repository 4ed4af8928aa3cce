import { describe, expect, it } from 'vitest'
import { UlidSource } from '../../src/record/ulid.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

function timeOf(ulid: string): number {
  return Array.from(ulid.slice(0, 10)).reduce((time, digit) => time * 32 + ALPHABET.indexOf(digit), 0)
}

describe('ULIDs', () => {
  it('tell their millisecond, and go up also within one and when time goes back', () => {
    const source = new UlidSource()
    const millis = [
      1_790_000_000_000, 1_790_000_000_000, 1_790_000_000_001, 1_789_999_999_999, 1_790_000_000_002,
    ]

    const ulids = Array.from({ length: 5000 }, (_, i) => {
      source.next(millis[Math.floor(i / 1000)])
      return source.text.toString()
    })

    expect(ulids.every((ulid) => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(ulid))).toBe(true)
    expect(ulids).toEqual([...ulids].sort())
    expect(new Set(ulids).size).toBe(5000)
    expect(timeOf(ulids[0])).toBe(1_790_000_000_000)
    expect(timeOf(ulids[3500])).toBe(1_790_000_000_001)
  })

  it('of two processes differ', () => {
    const [a, b] = [new UlidSource(), new UlidSource()]
    a.next(1)
    b.next(1)

    expect(a.text.equals(b.text)).toBe(false)
  })
})
