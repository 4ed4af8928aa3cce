import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/component.ts'
import { gather } from '../../src/delivery/gather.ts'
import { batchOf, text } from '../support/otlp.ts'

const lease = (): Lease => ({
  batch: batchOf([{ body: text('x'.repeat(1000)) }]),
  ack: async () => {},
  release: async () => {},
})

async function* leasesOf(count: number): AsyncGenerator<Lease> {
  for (let i = 0; i < count; i++) yield lease()
}

async function sizes(leases: AsyncIterable<Lease>, max_size: number, min_size?: number): Promise<number[]> {
  const found: number[] = []
  for await (const run of gather(leases, { flush_timeout: 10, min_size, max_size })) found.push(run.length)
  return found
}

describe('gathering leases', () => {
  it('puts together what is there, up to the size', async () => {
    expect(await sizes(leasesOf(7), 3000)).toEqual([3, 3, 1])
  })

  it('waits for no more once it has the least size', async () => {
    expect(await sizes(leasesOf(7), 5000, 2000)).toEqual([2, 2, 2, 1])
  })

  it('hands a large one on alone', async () => {
    expect(await sizes(leasesOf(3), 1)).toEqual([1, 1, 1])
  })

  it('gives back what it had fetched ahead when nobody wants more', async () => {
    const released = Promise.withResolvers<number>()
    const ahead = { ...lease(), release: async (delayMs: number) => released.resolve(delayMs) }
    async function* two(): AsyncGenerator<Lease> {
      yield lease()
      yield ahead
    }
    const runs = gather(two(), { flush_timeout: 1, max_size: 1 })

    await runs.next()
    await runs.return()

    expect(await released.promise).toBe(0)
  })

  it('hands on what it has when no more comes', async () => {
    const more = Promise.withResolvers<void>()
    async function* slow(): AsyncGenerator<Lease> {
      yield lease()
      yield lease()
      await more.promise
      yield lease()
    }
    const runs = gather(slow(), { flush_timeout: 5, max_size: 1e6 })

    expect((await runs.next()).value).toHaveLength(2)
    more.resolve()
    expect((await runs.next()).value).toHaveLength(1)
  })
})
