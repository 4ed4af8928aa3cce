import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { disk } from '../../connectors/disk/index.ts'
import { redis } from '../../connectors/redis/index.ts'
import type { Compression } from '../../src/buffer/element.ts'
import type { Connector } from '../../src/component.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { startRedis } from '../../test/servers/redis.ts'

export const GROUP = 'logs/drain'

/** A connector at work, and whom else it keeps busy. */
export interface Hop extends AsyncDisposable {
  readonly connector: Connector
  /** Of a server; none for a folder. */
  readonly server: number | undefined
}

export const HOPS: Readonly<Record<string, (compression: Compression) => Promise<Hop>>> = {
  disk: openDisk,
  redis: openRedis,
}

async function openDisk(compression: Compression): Promise<Hop> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-hop-'))
  const connector = disk.create(disk.config.parse({ directory, compression }), contextOf('disk'))
  await connector.start?.()
  return {
    connector,
    server: undefined,
    async [Symbol.asyncDispose]() {
      await connector.stop?.(AbortSignal.timeout(5000))
      await rm(directory, { recursive: true })
    },
  }
}

async function openRedis(compression: Compression): Promise<Hop> {
  const server = await startRedis()
  const connector = redis.create(redis.config.parse({ url: server.url, compression }), contextOf('redis'))
  await connector.start?.()
  return {
    connector,
    server: server.pid,
    async [Symbol.asyncDispose]() {
      await connector.stop?.(AbortSignal.timeout(5000))
      await server.stop()
    },
  }
}

function contextOf(id: string) {
  const log = pino({ level: 'silent' })
  return { id, log, metrics: new Metrics().bind({}), health: () => {}, groups: [GROUP] }
}
