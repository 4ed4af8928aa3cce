import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Assembly } from '../../../receivers/otlp/assembly.ts'
import { SizeLimit } from '../../../receivers/otlp/decompression/decompress.ts'
import { MessageReader } from '../../../receivers/otlp/grpc/message-reader.ts'
import { InFlight } from '../../../receivers/otlp/limits/in-flight.ts'
import { RetryableError } from '../../../src/component.ts'
import { memory } from '../../../src/memory.ts'
import { testContext } from '../../support/component.ts'
import { makeRequest } from '../../support/requests.ts'
import { cut } from './frames.ts'
import { frame, serve } from './harness.ts'

const MIB = 1024 * 1024
const large = makeRequest({ records: 1000, body: () => 'x'.repeat(1000) })

const hold = () => new InFlight(Number.POSITIVE_INFINITY, testContext().metrics).hold()

describe('a message', () => {
  it('is the same wherever it is cut', () => {
    const places = fc.array(fc.nat(), { maxLength: 30 })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300_000 }), places, (size, at) => {
        const message = Buffer.alloc(size, 'abcdefg')
        const reader = new MessageReader(new SizeLimit(MIB, 'limit'), hold())
        for (const piece of cut(frame(message), at)) reader.add(piece)
        expect(reader.finish().equals(message)).toBe(true)
        reader.giveBack()
      }),
    )
  })

  it('takes no more memory than sixteen times what has come, and at least a little', () => {
    const take = vi.spyOn(memory, 'take')
    try {
      const assembly = new Assembly(20 * MIB, hold())
      assembly.add(Buffer.alloc(1))
      expect(take).not.toHaveBeenCalled()
      assembly.add(Buffer.alloc(100_000))
      expect(take.mock.calls).toEqual([[100_001 * 16]])
      assembly.giveBack()
    } finally {
      take.mockRestore()
    }
  })

  it('that comes in one piece is not copied', () => {
    const piece = Buffer.alloc(100_000)
    const assembly = new Assembly(100_000, hold())
    assembly.add(piece)
    expect(assembly.bytes.buffer).toBe(piece.buffer)
    // It was not lent, so it does not go to others either.
    assembly.giveBack()
    expect(memory.take(100_000).buffer).not.toBe(piece.buffer)
  })

  it('is given back once, however often that is asked for', () => {
    const assembly = new Assembly(100_000, hold())
    assembly.add(Buffer.alloc(60_000))
    assembly.add(Buffer.alloc(40_000))
    const { buffer } = assembly.bytes
    assembly.giveBack()
    assembly.giveBack()
    expect(memory.take(100_000).buffer).toBe(buffer)
    expect(memory.take(100_000).buffer).not.toBe(buffer)
  })

  it('that comes in one piece is copied where that is lent', () => {
    const piece = Buffer.alloc(100_000, 'a')
    const assembly = new Assembly(100_000, hold(), { copies: true })
    assembly.add(piece)
    piece.fill('b')
    expect(assembly.bytes.equals(Buffer.alloc(100_000, 'a'))).toBe(true)
  })

  it('that is small has memory to itself, which goes to the next small one', () => {
    const first = new Assembly(2000, hold(), { copies: true })
    first.add(Buffer.alloc(2000))
    const { buffer } = first.bytes
    expect(buffer.byteLength).toBeLessThan(4000)
    first.giveBack()
    const next = new Assembly(2000, hold(), { copies: true })
    next.add(Buffer.alloc(2000))
    expect(next.bytes.buffer).toBe(buffer)
  })
})

describe.each(['grpc', 'post'] as const)('the memory of a request by %s', (way) => {
  it('goes to the next request once the push has resolved', async () => {
    const used: unknown[] = []
    const harness = await serve(async (batch) => {
      used.push(batch.data.bytes.buffer)
      expect(batch.data.bytes.equals(large)).toBe(true)
    })
    for (let i = 0; i < 3; i++) {
      const answer = await harness[way](large)
      expect(answer).toMatchObject(way === 'grpc' ? { code: 0 } : { status: 200 })
    }
    expect(new Set(used).size).toBe(1)
  })

  it('is nobody else’s while the push runs', async () => {
    const used: unknown[] = []
    const harness = await serve(async (batch) => {
      used.push(batch.data.bytes.buffer)
      // The others have come by now, each with its own.
      await vi.waitUntil(() => used.length === 4)
    })
    await Promise.all([1, 2, 3, 4].map(() => harness[way](large)))
    expect(new Set(used).size).toBe(4)
  })

  it('is left alone after a rejection: somebody may still read it', async () => {
    const used: unknown[] = []
    const harness = await serve(async (batch) => {
      used.push(batch.data.bytes.buffer)
      throw new RetryableError('full')
    })
    for (let i = 0; i < 3; i++) await harness[way](large)
    expect(new Set(used).size).toBe(3)
  })

  it('holds what was compressed only until it is pushed', async () => {
    const sizes: number[] = []
    const { grpc, post } = await serve(async (batch) => void sizes.push(batch.size))
    const noise = makeRequest({ records: 1000, body: () => crypto.randomUUID().repeat(10) })
    for (let i = 0; i < 2; i++) {
      if (way === 'grpc') await grpc(noise, { 'grpc.default_compression_algorithm': 2 })
      else await post(gzipSync(noise), { 'content-encoding': 'gzip' })
    }
    expect(sizes).toEqual([1000, 1000])
  })
})
