import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { inParallel, numberedRequests, postUntilAccepted } from './client.ts'
import { startWholePath, type WholePath } from './config.ts'
import { DataStream } from './search.ts'
import { eventually } from './sluice.ts'

describe('crashes on the whole path', () => {
  let path: WholePath

  beforeAll(async () => {
    path = await startWholePath(inject('elasticsearchUrl'))
  })

  afterAll(() => path?.[Symbol.asyncDispose]())

  /** The running numbers in Elasticsearch, sorted, once the buffer has nothing left. */
  async function delivered(stream: DataStream, atLeast: number): Promise<number[]> {
    await eventually(
      'the buffer is empty',
      async () => (await path.drain.metrics()).sum('sluice_buffer_records') === 0,
    )
    await eventually('all documents are there', async () => (await stream.count()) >= atLeast)
    const found = (await stream.all()).map((hit) => Number(hit._source.attributes.seq))
    return found.sort((a, b) => a - b)
  }

  it('stores a request that is sent three times over once', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const requests = numberedRequests(10, 100, stream.dataset)

    await inParallel([...requests, ...requests, ...requests], 6, ({ bytes }) =>
      postUntilAccepted(path.http, bytes),
    )

    const sent = requests.flatMap(({ sequence }) => sequence)
    expect(await delivered(stream, sent.length)).toEqual(sent)
  })

  it('loses and doubles nothing when the drain is killed in mid-delivery, again and again', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const requests = numberedRequests(90, 100, stream.dataset)

    const sending = inParallel(requests, 4, ({ bytes }) => postUntilAccepted(path.http, bytes))
    for (const share of [0.1, 0.3, 0.6]) {
      await eventually('some documents are there', async () => (await stream.count()) > share * 9000)
      await path.drain.kill()
      await path.drain.restart()
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
      await postUntilAccepted(path.http, bytes)
      accepted++
    })
    for (const share of [10, 40, 70]) {
      await eventually('some requests are accepted', async () => accepted > share)
      await path.gateway.kill()
      await path.gateway.restart()
    }
    await sending

    const sent = requests.flatMap(({ sequence }) => sequence)
    expect(await delivered(stream, sent.length)).toEqual(sent)
  })
})
