import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { freePort } from '../servers/ports.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import { inParallel, numberedRequests, postUntilAccepted } from './client.ts'
import { wholePath } from './config.ts'
import { DataStream } from './search.ts'
import { eventually, type Sluice, startSluice } from './sluice.ts'

describe('crashes on the whole path', () => {
  let redis: RedisServer
  let gateway: Sluice
  let drain: Sluice
  let http: number

  beforeAll(async () => {
    redis = await startRedis()
    http = await freePort()
    const grpc = await freePort()
    const config = wholePath({
      grpc,
      http,
      redisUrl: redis.url,
      elasticsearchUrl: inject('elasticsearchUrl'),
    })
    gateway = await startSluice({ config, pipelines: 'logs/gateway' })
    drain = await startSluice({ config, pipelines: 'logs/drain' })
  })

  afterAll(async () => {
    await gateway?.stop()
    await drain?.stop()
    await redis?.stop()
  })

  /** The running numbers in Elasticsearch, sorted, once the buffer has nothing left. */
  async function delivered(stream: DataStream, atLeast: number): Promise<number[]> {
    await eventually(
      'the buffer is empty',
      async () => (await drain.metrics()).sum('sluice_buffer_records') === 0,
    )
    await eventually('all documents are there', async () => (await stream.count()) >= atLeast)
    const found = (await stream.all()).map((hit) => Number(hit._source.attributes.seq))
    return found.sort((a, b) => a - b)
  }

  it('stores a request that is sent three times over once', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const requests = numberedRequests(10, 100, stream.dataset)

    await inParallel([...requests, ...requests, ...requests], 6, ({ bytes }) =>
      postUntilAccepted(http, bytes),
    )

    const sent = requests.flatMap(({ sequence }) => sequence)
    expect(await delivered(stream, sent.length)).toEqual(sent)
  })

  it('loses and doubles nothing when the drain is killed in mid-delivery, again and again', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const requests = numberedRequests(90, 100, stream.dataset)

    const sending = inParallel(requests, 4, ({ bytes }) => postUntilAccepted(http, bytes))
    for (const share of [0.1, 0.3, 0.6]) {
      await eventually('some documents are there', async () => (await stream.count()) > share * 9000)
      await drain.kill()
      await drain.restart()
    }
    await sending

    const sent = requests.flatMap(({ sequence }) => sequence)
    expect(await delivered(stream, sent.length)).toEqual(sent)
  })

  it('loses and doubles nothing that was acknowledged when the gateway is killed under load', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const requests = numberedRequests(90, 100, stream.dataset)
    let accepted = 0

    const sending = inParallel(requests, 6, async ({ bytes }) => {
      await postUntilAccepted(http, bytes)
      accepted++
    })
    for (const share of [10, 40, 70]) {
      await eventually('some requests are accepted', async () => accepted > share)
      await gateway.kill()
      await gateway.restart()
    }
    await sending

    const sent = requests.flatMap(({ sequence }) => sequence)
    expect(await delivered(stream, sent.length)).toEqual(sent)
  })
})
