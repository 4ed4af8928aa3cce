import { once } from 'node:events'
import { createServer, type Http2Server, type ServerHttp2Stream, type Settings } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { GrpcSender } from '../../bench/load/grpc-sender.ts'

const PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const OK = { ':status': 200, 'content-type': 'application/grpc' }

type Handler = (stream: ServerHttp2Stream, body: Buffer) => void

/** An HTTP/2 server of Node's, which checks the protocol, and a sender that is connected to it. */
async function connected(handle: Handler, settings: Settings = {}) {
  const server: Http2Server = createServer({ settings })
  const paths: string[] = []
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    paths.push(String(headers[':path']))
    stream.on('error', () => {})
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('end', () => handle(stream, Buffer.concat(pieces)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sender = await GrpcSender.open('127.0.0.1', port, {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': PATH,
    ':authority': `127.0.0.1:${port}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  onTestFinished(async () => {
    await sender.close()
    server.close()
  })
  return { sender, paths }
}

function answer(stream: ServerHttp2Stream, status: string): void {
  stream.respond(OK, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }))
  stream.end(Buffer.alloc(5))
}

describe('the gRPC sender of the load generator', () => {
  it('sends whole messages through the smallest windows', async () => {
    const bodies: Buffer[] = []
    const { sender, paths } = await connected(
      (stream, body) => {
        bodies.push(body)
        answer(stream, '0')
      },
      { initialWindowSize: 1000 },
    )
    const large = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))

    const accepted = await Promise.all([sender.send(large), sender.send(Buffer.from('second'))])

    expect(accepted).toEqual([true, true])
    expect(paths).toEqual([PATH, PATH])
    expect(bodies.some((body) => body.equals(large))).toBe(true)
    expect(bodies.some((body) => body.equals(Buffer.from('second')))).toBe(true)
  })

  it('takes any other status, and a stream that is reset, as refused', async () => {
    const { sender } = await connected((stream, body) => {
      if (body.toString() === 'reset') stream.close(8)
      else if (body.toString() === 'trailers only')
        stream.respond({ ...OK, 'grpc-status': '14' }, { endStream: true })
      else answer(stream, body.toString())
    })

    const sent = ['0', '8', 'trailers only', 'reset', '0'].map((body) => sender.send(Buffer.from(body)))

    expect(await Promise.all(sent)).toEqual([true, false, false, false, true])
  })

  it('has a hundred requests under way, and no more', async () => {
    const waiting: ServerHttp2Stream[] = []
    let most = 0
    const { sender } = await connected((stream) => {
      waiting.push(stream)
      most = Math.max(most, waiting.length)
      if (waiting.length < 100) return
      for (const one of waiting.splice(0)) answer(one, '0')
    })

    const sent = Array.from({ length: 200 }, () => sender.send(Buffer.from('x')))

    expect(await Promise.all(sent)).toEqual(sent.map(() => true))
    expect(most).toBe(100)
  })

  it('answers a ping', async () => {
    const { sender } = await connected((stream) => {
      stream.session?.ping(() => answer(stream, '0'))
    })

    expect(await sender.send(Buffer.from('x'))).toBe(true)
  })

  it('rejects what has no answer when the connection breaks', async () => {
    const { sender } = await connected((stream) => stream.session?.destroy())

    await expect(sender.send(Buffer.from('x'))).rejects.toThrow('the collector')
  })
})
