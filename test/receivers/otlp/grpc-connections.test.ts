import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type ClientHttp2Session, constants } from 'node:http2'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { never } from '../../support/component.ts'
import { makeRequest } from '../../support/requests.ts'
import { FrameClient, Type } from './frames.ts'
import {
  by,
  frame,
  gate,
  type Harness,
  IMPLEMENTATIONS,
  OURS,
  rawCall,
  rawSession,
  roundTrip,
  serve,
  serveBy,
} from './harness.ts'

const small = makeRequest({ records: 1 })
const settings = (grpc: object) => ({ grpc: { endpoint: '127.0.0.1:0', ...grpc } })
const parameters = (server_parameters: object) => settings({ keepalive: { server_parameters } })
const portOf = ({ receiver }: Harness): number => receiver.port('grpc') ?? 0

/** A server whose pushes wait until `buffered` opens. */
async function busy(start: typeof serve, protocols: object) {
  const buffered = gate()
  const pushed = gate()
  const harness = await start(async () => {
    pushed.open()
    await buffered.opened
  }, protocols)
  return { harness, buffered, pushed }
}

function farewell(session: ClientHttp2Session): Promise<unknown[]> {
  return once(session, 'goaway')
}

describe.each(IMPLEMENTATIONS)('a connection to %s', (implementation) => {
  const start = serveBy(implementation)

  it('ends at max_connection_age, after the calls that run', async () => {
    const { harness, buffered, pushed } = await busy(start, parameters({ max_connection_age: '1s' }))
    const session = rawSession(portOf(harness))
    const ended = farewell(session)
    const closed = once(session, 'close')
    const { stream, answer } = rawCall(session)
    stream.end(frame(small))
    await pushed.opened
    expect((await ended)[0]).toBe(constants.NGHTTP2_NO_ERROR)
    buffered.open()
    expect((await answer)['grpc-status']).toBe('0')
    await closed
  })

  it('cuts calls off that run on for max_connection_age_grace', async () => {
    const { harness, pushed } = await busy(
      start,
      parameters({ max_connection_age: '1s', max_connection_age_grace: '100ms' }),
    )
    const { stream, answer } = rawCall(portOf(harness))
    stream.end(frame(small))
    await pushed.opened
    await expect(answer).rejects.toThrow(/code 8$/)
  })

  it('ends when it has been idle for max_connection_idle', async () => {
    const session = rawSession(portOf(await start(undefined, parameters({ max_connection_idle: '100ms' }))))
    expect((await farewell(session))[0]).toBe(constants.NGHTTP2_NO_ERROR)
  })

  it('stays while its client answers pings, and is closed when it does not', async () => {
    const port = portOf(await start(undefined, parameters({ time: '100ms', timeout: '300ms' })))
    const session = rawSession(port)
    await once(session, 'ping')
    await once(session, 'ping')
    expect(session.closed || session.destroyed).toBe(false)

    const silent = new FrameClient(port)
    silent.greet()
    await silent.closed
    expect(silent.types).toContain(Type.ping)
  })

  it('carries no more than max_concurrent_streams at once', async () => {
    const { harness, buffered } = await busy(start, settings({ max_concurrent_streams: 2 }))
    const session = rawSession(portOf(harness))
    await roundTrip(session)
    const calls = [1, 2, 3].map(() => rawCall(session))
    for (const { stream } of calls) stream.end(frame(small))
    await expect.poll(() => harness.batches).toHaveLength(2)
    await roundTrip(session)
    expect(harness.batches).toHaveLength(2)
    buffered.open()
    const answers = await Promise.all(calls.map(({ answer }) => answer))
    expect(answers.map((answer) => answer['grpc-status'])).toEqual(['0', '0', '0'])
  })

  it('is closed at the deadline where calls do not end, also when it stops for another reason', async () => {
    const { harness, pushed } = await busy(start, parameters({ max_connection_age: '1s' }))
    const { session, stream, answer } = rawCall(portOf(harness))
    stream.end(frame(small))
    await pushed.opened
    await farewell(session)
    await harness.receiver.stop(AbortSignal.abort())
    await expect(answer).rejects.toThrow(/code 8$/)
  })
})

describe.each(OURS)('a connection to %s, which is ours', (implementation) => {
  const start = serveBy(implementation)

  it('has windows that do not slow a client down', async () => {
    const session = rawSession(portOf(await start()))
    await roundTrip(session)
    expect(session.remoteSettings.initialWindowSize).toBe(1024 * 1024)
    expect(session.state.remoteWindowSize).toBe(4 * 1024 * 1024)
  })

  it('says when it ends, so that clients send later calls elsewhere', async () => {
    const { harness, buffered, pushed } = await busy(start, settings({}))
    const session = rawSession(portOf(harness))
    const ended = farewell(session)
    const { stream, answer } = rawCall(session)
    stream.end(frame(small))
    await pushed.opened
    const stopped = harness.receiver.stop(never)
    const [code, last] = await ended
    // Ours gives notice first, which names none.
    const named = implementation === 'sluice' ? 2 ** 31 - 1 : 1
    expect([code, last]).toEqual([constants.NGHTTP2_NO_ERROR, named])
    buffered.open()
    expect((await answer)['grpc-status']).toBe('0')
    await stopped
  })

  it('is closed when its client does not speak HTTP/2 within read_timeout', async () => {
    const client = new FrameClient(portOf(await start(undefined, settings({ read_timeout: '100ms' }))))
    await client.closed
  })

  it('is closed when its client pings too often, and says so', async () => {
    const session = rawSession(portOf(await start()))
    const ended = farewell(session)
    for (let i = 0; i < 4; i++) await roundTrip(session)
    const [code, , data] = await ended
    expect([code, String(data)]).toEqual([constants.NGHTTP2_ENHANCE_YOUR_CALM, 'too_many_pings'])
  })

  it('may be pinged anew each time a call has been answered, as clients do that measure bandwidth', async () => {
    const session = rawSession(portOf(await start()))
    for (let i = 0; i < 5; i++) {
      const { stream, answer } = rawCall(session)
      stream.end(frame(small))
      await answer
      for (let ping = 0; ping < 3; ping++) await roundTrip(session)
    }
    expect(session.destroyed).toBe(false)
  })

  it('may be pinged as often as min_time says, without calls where permit_without_stream', async () => {
    const policy = { min_time: '0s', permit_without_stream: true }
    const session = rawSession(
      portOf(await start(undefined, settings({ keepalive: { enforcement_policy: policy } }))),
    )
    for (let i = 0; i < 10; i++) await roundTrip(session)
    expect(session.destroyed).toBe(false)
  })
})

describe('the implementation', () => {
  it.each([
    ['sluice', false],
    ['http2', false],
    ['grpc-js', true],
  ] as const)('is loaded alone: grpc-js with %s is %j', async (implementation, loaded) => {
    const fixture = fileURLToPath(new URL('fixtures/is-grpc-js-loaded.ts', import.meta.url))
    const config = JSON.stringify({ protocols: by(implementation, settings({})) })
    const { stdout } = await promisify(execFile)(process.execPath, [fixture, config])
    expect(JSON.parse(stdout)).toBe(loaded)
  })
})
