import { describe, expect, it } from 'vitest'
import { Memory } from '../src/memory.ts'

const MIB = 1024 * 1024

describe('lent memory', () => {
  it('is lent again once it was given back', () => {
    const memory = new Memory()
    const first = memory.take(MIB)
    memory.give(first)
    expect(memory.take(MIB - 5000).buffer).toBe(first.buffer)
  })

  it('is lent for less as well, down to half of it', () => {
    const memory = new Memory()
    const first = memory.take(8 * MIB)
    memory.give(first)
    expect(memory.take(3 * MIB).buffer).not.toBe(first.buffer)
    expect(memory.take(4 * MIB).buffer).toBe(first.buffer)
  })

  it('is the smallest that suffices', () => {
    const memory = new Memory()
    const [large, fitting] = [memory.take(7 * MIB), memory.take(5 * MIB)]
    for (const buffer of [large, fitting]) memory.give(buffer)
    expect(memory.take(4 * MIB).buffer).toBe(fitting.buffer)
  })

  it('has exactly the size asked for', () => {
    const memory = new Memory()
    for (const size of [0, 1, 65_535, 65_536, 65_537, 3 * MIB]) expect(memory.take(size)).toHaveLength(size)
  })

  it('is never lent twice at a time, even when it is given back twice', () => {
    const memory = new Memory()
    const buffer = memory.take(MIB)
    memory.give(buffer)
    memory.give(buffer)
    expect(memory.take(MIB).buffer).not.toBe(memory.take(MIB).buffer)
  })

  it('takes nothing back that it did not lend', () => {
    const memory = new Memory()
    const foreign = Buffer.alloc(MIB)
    memory.give(foreign)
    expect(memory.take(MIB).buffer).not.toBe(foreign.buffer)
  })

  it('frees what was adopted as soon as it is given back', () => {
    const memory = new Memory()
    const buffer = memory.adopt(Buffer.allocUnsafe(700_000))
    expect(buffer).toHaveLength(700_000)
    memory.give(buffer)
    expect(buffer).toHaveLength(0)
  })

  it("frees an array that is nobody else's, and leaves part of one alone", () => {
    const memory = new Memory()
    const own = new Int32Array(10_000)
    const part = new Int32Array(20_000).subarray(10_000)
    memory.discard(own)
    memory.discard(part)
    expect(own).toHaveLength(0)
    expect(part).toHaveLength(10_000)
  })

  it('leaves what Node shares between small buffers alone', () => {
    const memory = new Memory()
    const small = Buffer.from('small')
    memory.give(memory.adopt(small))
    expect(String(small)).toBe('small')
  })

  it('is kept in the sizes that are asked for now, not in those of before', () => {
    const memory = new Memory(undefined, 24 * MIB)
    const before = Array.from({ length: 24 }, () => memory.take(MIB))
    for (const buffer of before) memory.give(buffer)
    const now = memory.take(5 * MIB)
    memory.give(now)
    expect(memory.take(5 * MIB).buffer).toBe(now.buffer)
    expect(before.filter((buffer) => buffer.length === 0)).toHaveLength(5)
  })

  it('keeps no more than so much of it', () => {
    const memory = new Memory(undefined, 24 * MIB)
    const lent = Array.from({ length: 20 }, () => memory.take(4 * MIB))
    for (const buffer of lent) memory.give(buffer)
    const again = new Set(Array.from({ length: 20 }, () => memory.take(4 * MIB).buffer))
    expect(lent.filter(({ buffer }) => again.has(buffer)).length).toBe(6)
  })
})
