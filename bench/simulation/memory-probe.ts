import { RedisConfig } from '../../connectors/redis/config.ts'
import { Connection } from '../../connectors/redis/connection/connection.ts'
import { parseInfo } from '../../connectors/redis/connection/info.ts'
import { packElement } from '../../src/buffer/element.ts'
import { startRedis } from '../../test/servers/redis.ts'
import { makePayload } from '../payload.ts'
import { parameters as p } from './parameters.ts'

const ELEMENTS = 100
const { element_size: ELEMENT_BYTES } = RedisConfig.parse({})

/** How many bytes of memory a real Redis takes for a byte of elements of the usual size: lists and the allocator add some. */
export async function memoryFactor(): Promise<number> {
  const full = ELEMENT_BYTES / p.bytesPerRecord.value
  // Sizes differ, as those of real elements do, from half of an element on.
  const sizes = Array.from({ length: ELEMENTS }, (_, number) =>
    Math.floor(full * (0.5 + number / ELEMENTS / 2)),
  )
  const { used, packed } = await probe(sizes)
  return used / packed
}

/** How many bytes of memory a real Redis takes for a record in elements of so many. */
export async function memoryOf(recordsPerElement: number): Promise<number> {
  const { used } = await probe(Array<number>(ELEMENTS).fill(recordsPerElement))
  return used / ELEMENTS / recordsPerElement
}

async function probe(sizes: readonly number[]): Promise<{ readonly used: number; readonly packed: number }> {
  await using redis = await startRedis()
  const client = new Connection(RedisConfig.parse({ url: redis.url }), 'memory').at('probe', 'probe')
  await client.connect()
  try {
    const used = async (): Promise<number> =>
      Number(parseInfo(await client.command('INFO', ['memory'])).get('used_memory'))
    const before = await used()
    let packed = 0
    for (const [seed, records] of sizes.entries()) {
      const element = packElement(makePayload({ records, seed }), 'zstd')
      packed += element.length
      await client.command('RPUSH', ['probe', element])
    }
    return { used: (await used()) - before, packed }
  } finally {
    client.close()
  }
}
