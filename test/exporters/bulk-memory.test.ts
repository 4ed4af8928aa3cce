import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { elasticsearch } from '../../exporters/elasticsearch/index.ts'
import { memory } from '../../src/memory.ts'
import { never, testContext } from '../support/component.ts'
import { batchOf, text } from '../support/otlp.ts'

/** More than the sockets of a connection hold on their way. */
const LARGE_BYTES = 24 * 1024 * 1024
const TAKEN = '{"errors":false}'

const servers: Server[] = []
const sockets: Socket[] = []

afterEach(() => {
  vi.restoreAllMocks()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** Sends one bulk of about `size` bytes; `given` are the sizes of the bodies that went back to `memory` until now. */
async function sendTo(server: Server, size: number, options: { compression?: string; signal?: AbortSignal }) {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { compression = 'none', signal = never } = options
  const exporter = elasticsearch.create(elasticsearch.config.parse({ endpoint, compression }), testContext())
  const give = vi.spyOn(memory, 'give')
  const outcome = await exporter.export(batchOf([{ body: text('x'.repeat(size)) }]), signal).then(
    () => 'delivered',
    (error: unknown) => error,
  )
  return {
    outcome,
    given: () => give.mock.calls.map(([body]) => body.length),
    stop: () => exporter.stop?.(never),
  }
}

/** A server that reads the first bytes of a request and no more, and says `answer` at once. */
function deaf(answer: string): Server {
  return createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.pause()
      socket.write(answer)
    })
  })
}

describe('the memory of a bulk', () => {
  it.each(['none', 'gzip'])(
    'comes back once the server has answered, compression %s',
    async (compression) => {
      const server = createHttpServer((request, response) => {
        request.resume()
        request.on('end', () => response.end(TAKEN))
      })

      const { outcome, given, stop } = await sendTo(server, 100_000, { compression })

      expect(outcome).toBe('delivered')
      await expect.poll(given).toEqual([expect.toSatisfy((size) => size > 100_000)])
      await stop()
    },
  )

  it('stays away while the socket still writes, for all the server answers', async () => {
    const server = deaf(`HTTP/1.1 200 OK\r\ncontent-length: ${TAKEN.length}\r\n\r\n${TAKEN}`)

    const { outcome, given, stop } = await sendTo(server, LARGE_BYTES, {})

    expect(outcome).toBe('delivered')
    expect(given()).toEqual([])
    await stop()
  })

  it('comes back once the socket of a request that was given up is closed', async () => {
    const { outcome, given, stop } = await sendTo(deaf(''), LARGE_BYTES, {
      signal: AbortSignal.timeout(1500),
    })

    expect(outcome).toMatchObject({ name: 'TimeoutError' })
    await expect.poll(given).toEqual([expect.toSatisfy((size) => size > LARGE_BYTES)])
    await stop()
  })
})
