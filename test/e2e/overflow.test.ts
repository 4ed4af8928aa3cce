import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../servers/ports.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import { type BulkSink, startBulkSink } from './bulk-sink.ts'
import { inParallel, type NumberedRequest, numberedRequests, postUntilAccepted } from './client.ts'
import { eventually, type Sluice, startSluice } from './sluice.ts'

const DATASET = 'overflow'

interface Path extends AsyncDisposable {
  readonly redis: RedisServer
  readonly sink: BulkSink
  readonly gateway: Sluice
  send(requests: readonly NumberedRequest[]): Promise<void>
}

/** Gateway, Redis and drain, with a folder for what Redis does not take. */
async function startPath(): Promise<Path> {
  await using started = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-overflow-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const redis = started.use(await startRedis())
  const sink = started.use(await startBulkSink())
  const http = await freePort()
  const config = `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
connectors:
  redis: { url: "${redis.url}", overflow: disk/spill, command_timeout: 1s, linger: 0ms }
  disk/spill: { directory: "${folder}", linger: 0ms, min_free: "0" }
exporters:
  elasticsearch: { endpoint: "${sink.url}", sending_queue: { num_consumers: 1 } }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`
  started.use(await startSluice({ config, pipelines: 'logs/drain' }))
  const gateway = started.use(await startSluice({ config, pipelines: 'logs/gateway' }))
  const all = started.move()
  return {
    redis,
    sink,
    gateway,
    send: (requests) => inParallel(requests, 4, ({ bytes }) => postUntilAccepted(http, bytes)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

const sequences = (...requests: readonly NumberedRequest[]): number[] =>
  requests.flatMap(({ sequence }) => sequence).sort((a, b) => a - b)

const delivered = ({ sink }: Path): number[] => [...sink.documents.values()].sort((a, b) => a - b)

const held = async ({ gateway }: Path): Promise<number> =>
  (await gateway.metrics()).sum('sluice_buffer_records', { connector: 'disk/spill' })

describe('a buffer in Redis with an overflow on the disk', () => {
  it('takes and keeps what Redis is not there for, and delivers it once Redis is back', async () => {
    await using path = await startPath()
    const requests = numberedRequests(40, 50, DATASET)
    await path.send(requests.slice(0, 10))
    await eventually('the first are delivered', async () => path.sink.documents.size === 500)

    await path.redis.kill()
    await path.send(requests.slice(10))
    expect(await held(path)).toBe(1500)
    expect((await path.gateway.metrics()).sum('sluice_overflow_active')).toBe(1)
    await path.redis.restart()

    await eventually('all are delivered', async () => path.sink.documents.size >= 2000)
    expect(delivered(path)).toEqual(sequences(...requests))
    await eventually('the overflow is empty', async () => (await held(path)) === 0)
    const metrics = await path.gateway.metrics()
    expect(metrics.sum('sluice_overflow_spilled_log_records_total')).toBe(1500)
    expect(metrics.sum('sluice_overflow_refilled_log_records_total')).toBe(1500)
    expect(metrics.sum('sluice_overflow_active')).toBe(0)
  })

  it('knows a request again that Redis had taken, also after a kill of the gateway while Redis is away', async () => {
    await using path = await startPath()
    const requests = numberedRequests(20, 50, DATASET)
    await path.send(requests.slice(0, 10))
    await eventually('the first are delivered', async () => path.sink.documents.size === 500)

    await path.redis.kill()
    await path.send(requests.slice(5, 15))
    await path.gateway.kill()
    await path.gateway.restart()
    await path.send(requests.slice(0, 20))
    await path.redis.restart()

    await eventually('the overflow is empty', async () => (await held(path)) === 0)
    await eventually('all are delivered', async () => path.sink.documents.size >= 1000)
    await eventually(
      'Redis is empty',
      async () => (await path.gateway.metrics()).sum('sluice_buffer_records') === 0,
    )
    expect(delivered(path)).toEqual(sequences(...requests))
  })

  it('keeps the order of what is spilled: nothing overtakes it', async () => {
    await using path = await startPath()
    const requests = numberedRequests(30, 50, DATASET)
    await path.redis.kill()
    for (const request of requests.slice(0, 20)) await path.send([request])
    await path.redis.restart()
    for (const request of requests.slice(20)) await path.send([request])

    await eventually('all are delivered', async () => path.sink.documents.size >= 1500)
    expect([...path.sink.documents.values()]).toEqual(requests.flatMap(({ sequence }) => sequence))
  })
})
