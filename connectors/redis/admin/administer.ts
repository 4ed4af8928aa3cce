import type { AdminContext, BufferAdmin } from '../../../src/buffer/admin.ts'
import { Codec } from '../../../src/buffer/codec.ts'
import type { RedisConfig } from '../config.ts'
import { Connection } from '../connection/connection.ts'
import { Naming } from '../stream/naming.ts'
import { RedisAdmin } from './redis-admin.ts'

/** Goes to Redis itself, whoever else is at work there. Throws where it does not answer. */
export async function administer(config: RedisConfig, { groups, log }: AdminContext): Promise<BufferAdmin> {
  const codec = new Codec(config, { log })
  codec.start()
  const connection = new Connection(config, `sluice:${config.list ?? config.stream}`)
  const naming = new Naming(config, groups)
  try {
    const home = await connection.reach('admin', naming.identity)
    await home.command('PING', [])
  } catch (error) {
    connection.close()
    throw error
  }
  return new RedisAdmin({ connection, naming, config, codec })
}
