import { RedisClient } from '../../connectors/redis/client.ts'
import { RedisConfig } from '../../connectors/redis/config.ts'
import { parseInfo } from '../../connectors/redis/info.ts'
import { packElement } from '../../src/buffer/element.ts'
import { startRedis } from '../../test/servers/redis.ts'
import { makePayload } from '../payload.ts'
import { parameters as p } from './parameters.ts'

const ELEMENTS = 100

/** How many bytes of memory a real Redis takes for a byte of elements of the usual size: lists and the allocator add some. */
export async function memoryFactor(): Promise<number> {
  const { element_size: size, command_timeout: timeout } = RedisConfig.parse({})
  await using redis = await startRedis()
  const client = new RedisClient({ url: redis.url, timeout, name: 'memory probe' })
  await client.connect()
  try {
    const used = async (): Promise<number> =>
      Number(parseInfo(await client.command('INFO', ['memory'])).get('used_memory'))
    const before = await used()
    let packed = 0
    for (let seed = 1; seed <= ELEMENTS; seed++) {
      // Sizes differ, as those of real elements do, from half of an element on.
      const records = Math.floor((size / p.bytesPerRecord.value) * (0.5 + seed / ELEMENTS / 2))
      const element = packElement(makePayload({ records, seed }), 'zstd')
      packed += element.length
      await client.command('RPUSH', ['probe', element])
    }
    return ((await used()) - before) / packed
  } finally {
    client.close()
  }
}
