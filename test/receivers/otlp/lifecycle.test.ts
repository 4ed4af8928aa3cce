import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { otlp } from '../../../receivers/otlp/index.ts'
import { never } from '../../support/component.ts'
import { makeRequest } from '../../support/requests.ts'
import { by, create, gate, IMPLEMENTATIONS, PROTOBUF, serveBy } from './harness.ts'

describe.each(IMPLEMENTATIONS)('with gRPC by %s', (implementation) => {
  const serve = serveBy(implementation)

  describe('starting', () => {
    it('logs the address of each protocol, with the real port', async () => {
      const { receiver, log } = await serve()
      expect(log.map(({ msg, protocol, address }) => ({ msg, protocol, address }))).toEqual([
        { msg: 'listening', protocol: 'grpc', address: `127.0.0.1:${receiver.port('grpc')}` },
        { msg: 'listening', protocol: 'http', address: `127.0.0.1:${receiver.port('http')}` },
      ])
    })

    it.each([
      ['grpc', 'gRPC'],
      ['http', 'HTTP'],
    ])(
      'is rejected naming the address where the %s port is taken, and listens nowhere',
      async (protocol, name) => {
        const squatter = createServer().listen(0, '127.0.0.1')
        await once(squatter, 'listening')
        const { port } = squatter.address() as { port: number }
        const { receiver } = create(
          undefined,
          by(implementation, {
            grpc: { endpoint: '127.0.0.1:0' },
            http: { endpoint: '127.0.0.1:0' },
            [protocol]: { endpoint: `127.0.0.1:${port}` },
          }),
        )
        await expect(receiver.start()).rejects.toThrow(
          `OTLP/${name} cannot listen on 127.0.0.1:${port}: the port is taken (EADDRINUSE)`,
        )
        // What had been listened on by then is free again.
        const again = createServer().listen(receiver.port('grpc') ?? 0, '127.0.0.1')
        await once(again, 'listening')
        again.close()
        squatter.close()
      },
    )

    it('is rejected naming the address where the host is unknown', async () => {
      const { receiver } = create(
        undefined,
        by(implementation, { grpc: { endpoint: 'nowhere.invalid:4317' } }),
      )
      await expect(receiver.start()).rejects.toThrow(/^OTLP\/gRPC cannot listen on nowhere\.invalid:4317: /)
    })
  })

  describe('stopping', () => {
    it('does nothing without a start, any number of times', async () => {
      const { receiver } = create(undefined, by(implementation))
      await expect(receiver.stop(never)).resolves.toBeUndefined()
      await expect(receiver.stop(AbortSignal.abort())).resolves.toBeUndefined()
    })

    it('lets running requests finish and takes no new connection', async () => {
      const buffered = gate()
      let running = 0
      const bothRun = gate()
      const harness = await serve(async (_, signal) => {
        if (++running === 2) bothRun.open()
        await buffered.opened
        signal.throwIfAborted()
      })
      const answers = [
        harness.grpc(makeRequest({ records: 1 })),
        harness.post(makeRequest({ records: 1 })),
      ] as const
      await bothRun.opened
      const stopped = harness.receiver.stop(never)
      await expect(fetch(harness.url(), { method: 'POST' })).rejects.toThrow('fetch failed')
      expect((await harness.grpc(makeRequest({ records: 1 }))).code).toBe(14)

      buffered.open()

      expect((await answers[0]).code).toBe(0)
      expect((await answers[1]).status).toBe(200)
      await stopped
      await harness.receiver.stop(never)
      expect(harness.batches).toHaveLength(2)
    })

    it('closes connections that are kept alive, idle ones and those that were busy', async () => {
      const buffered = gate()
      const pushed = gate()
      const { receiver } = await serve(async () => {
        pushed.open()
        await buffered.opened
      })
      const agent = new Agent({ keepAlive: true })
      const request = httpRequest({
        agent,
        port: receiver.port('http'),
        method: 'POST',
        path: '/v1/logs',
        headers: { 'content-type': PROTOBUF },
      })
      request.end(makeRequest({ records: 1 }))
      await pushed.opened
      const idle = httpRequest({ agent, port: receiver.port('http'), path: '/' }).end()
      const [answer] = (await once(idle, 'response')) as [IncomingMessage]
      answer.resume()
      await once(answer, 'end')

      const stopped = receiver.stop(never)
      buffered.open()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.resume()

      expect(response.headers.connection).toBe('close')
      await stopped
      agent.destroy()
    })

    it('gives up at the deadline: aborts the push and cuts the connections', async () => {
      const pushed = gate()
      let running = 0
      const reasons: unknown[] = []
      const harness = await serve(async (_, signal) => {
        if (++running === 2) pushed.open()
        await new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason)
            reject(signal.reason as Error)
          })
        })
      })
      const grpc = harness.grpc(makeRequest({ records: 1 }))
      const http = harness.post(makeRequest({ records: 1 })).catch((error: unknown) => error)
      await pushed.opened
      const deadline = new AbortController()
      const stopped = harness.receiver.stop(deadline.signal)

      deadline.abort()
      await stopped

      expect(reasons).toHaveLength(2)
      // CANCELLED, which OTLP clients retry.
      expect((await grpc).code).toBe(1)
      expect(await http).toBeInstanceOf(Error)
      expect(harness.log.some(({ msg }) => msg === 'request failed unexpectedly')).toBe(false)
      expect(await harness.context.value('otelcol_receiver_refused_log_records')).toBe(2)
    })
  })
})

describe('the configuration', () => {
  const parse = (config: unknown) => otlp.config.safeParse(config)

  it('takes the defaults of the Collector where a protocol is only named', () => {
    expect(otlp.config.parse({ protocols: { grpc: null, http: null } })).toEqual({
      protocols: {
        grpc: {
          endpoint: { host: 'localhost', port: 4317 },
          implementation: 'sluice',
          max_recv_msg_size_mib: 20,
          max_concurrent_streams: 100,
          read_timeout: 60_000,
          keepalive: {
            server_parameters: {
              max_connection_idle: 0,
              max_connection_age: 0,
              max_connection_age_grace: 0,
              time: 2 * 60 * 60_000,
              timeout: 20_000,
            },
            enforcement_policy: { min_time: 5 * 60_000, permit_without_stream: false },
          },
          health: true,
          reflection: false,
        },
        http: {
          endpoint: { host: 'localhost', port: 4318 },
          logs_url_path: '/v1/logs',
          max_request_body_size: 20 * 1024 * 1024,
          read_header_timeout: 60_000,
          read_timeout: 60_000,
          idle_timeout: 60_000,
          keep_alives_enabled: true,
          compression_algorithms: ['', 'gzip', 'deflate', 'zstd', 'zlib'],
          response_headers: {},
          cors: { allowed_origins: [], allowed_headers: [], exposed_headers: [], max_age: 0 },
        },
      },
      limits: {
        max_in_flight_bytes: 48 * 1024 * 1024,
        max_compression_ratio: 200,
        max_connections: 10_000,
        min_body_rate: 240,
        min_body_rate_grace: 5000,
        max_records_per_request: 250_000,
        when_exceeded: 'truncate',
      },
      tenant: { from: 'credential' },
    })
  })

  it('leaves a protocol off that is not named', () => {
    expect(otlp.config.parse({ protocols: { http: {} } }).protocols.grpc).toBeUndefined()
  })

  it('wants at least one protocol', () => {
    expect(parse({ protocols: {} }).error?.issues[0]).toMatchObject({
      path: ['protocols'],
      message: 'expected grpc, http or both',
    })
    expect(parse({}).success).toBe(false)
  })

  it('refuses a word it does not know, and a header timeout that is longer than the whole', () => {
    expect(parse({ protocols: { grpc: { endpont: 'localhost:1' } } }).success).toBe(false)
    expect(parse({ protocols: { http: { read_timeout: '10s' } } }).error?.issues[0]).toMatchObject({
      path: ['protocols', 'http', 'read_header_timeout'],
    })
  })

  it('takes its example', () => {
    expect(parse(otlp.example).success).toBe(true)
  })
})
