import { stat } from 'node:fs/promises'
import type { AdminContext, BufferAdmin } from '../../src/buffer/admin.ts'
import { Codec } from '../../src/buffer/codec.ts'
import { errorCode } from '../../src/files.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { DiskAdmin } from './admin.ts'
import { AdminClient } from './admin-client.ts'
import type { DiskConfig } from './config.ts'
import { openStore } from './store.ts'

const NOBODY_LISTENS = ['ECONNREFUSED', 'ENOENT']

/** Through the process that has the folder open; where there is none, opens the folder itself meanwhile. */
export async function administer(config: DiskConfig, context: AdminContext): Promise<BufferAdmin> {
  const { directory, element_size } = config
  const { groups, log } = context
  if (!(await isDirectory(directory)))
    throw new Error(`${directory} holds no buffer: there is no such folder`)
  const codec = new Codec(config, { log })
  codec.start()
  const client = new AdminClient(directory, codec, element_size)
  try {
    await client.stats()
    return client
  } catch (error) {
    if (!NOBODY_LISTENS.includes(errorCode(error))) throw error
  }
  const unobserved = {
    id: 'disk',
    groups,
    log,
    metrics: new Metrics().bind({}),
    health: () => {},
  }
  const store = await openStore(config, unobserved, codec, {
    lost: () => {},
    acked: () => {},
    undecodable: () => {},
    poison: () => {},
    fenced: () => {},
    unreadable: () => {},
    moved: () => {},
  })
  return new DiskAdmin({ store, config, codec, close: () => store.close() })
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}
