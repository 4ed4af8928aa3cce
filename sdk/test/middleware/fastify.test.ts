import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type FastifyInstance, fastify, LogController } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../test/e2e/sluice.ts'
import { currentTraceparent } from '../../src/context/context.ts'
import fastifyLogs, { type FastifyLogOptions, fastifyLogger } from '../../src/middleware/fastify.ts'
import { type TestSink, testLogger } from '../support/test-sink.ts'
import { SPAN_ID, TRACE_ID, TRACEPARENT, traceOf } from '../support/traces.ts'
import { hangUp } from './server.ts'

describe('a Fastify app with the plugin', () => {
  const apps: FastifyInstance[] = []

  afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())))

  async function shop(options: Partial<FastifyLogOptions> = {}) {
    const { log, sink, lines } = testLogger({ level: 'debug', redact: ['password'] })
    const logController = new LogController({ disableRequestLogging: true })
    const app = fastify({ loggerInstance: fastifyLogger(log), logController })
    apps.push(app)
    await app.register(fastifyLogs, { logger: log, ...options })
    app.get('/orders/:id', async (request) => {
      await nextTurn()
      request.log.info({ orderId: 7 }, 'order read')
      log.info('of the same trace')
      return { traceparent: currentTraceparent() }
    })
    app.post('/orders', { schema: { body: { type: 'object', required: ['sku'] } } }, async () => {
      log.info('after the body')
      return { traceparent: currentTraceparent() }
    })
    app.get('/broken', () => {
      throw new RangeError('no price', { cause: new Error('no rate') })
    })
    return { app, log, sink, lines }
  }

  const access = (sink: TestSink) => sink.arrived.filter(({ attributes }) => 'url.path' in attributes)

  it('writes one access log for a request, by the semantic conventions', async () => {
    const { app, sink } = await shop()
    const url = await app.listen({ port: 0, host: '127.0.0.1' })

    await (await fetch(`${url}/orders/7?page=2&token=secret`, { headers: { 'user-agent': 'test/1' } })).text()
    await eventually('the access log', async () => access(sink).length === 1)

    const [{ severity, body, attributes }] = access(sink)
    expect([severity, body]).toEqual([9, 'GET /orders/:id 200'])
    expect(attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'url.scheme': 'http',
      'url.path': '/orders/7',
      'url.query': 'page=REDACTED&token=REDACTED',
      'http.response.status_code': 200n,
      'client.address': '127.0.0.1',
      'server.address': '127.0.0.1',
      'server.port': BigInt(new URL(url).port),
      'network.protocol.version': '1.1',
      'user_agent.original': 'test/1',
      'http.response.body.size': 73n,
    })
    expect(attributes['http.server.request.duration']).toBeGreaterThan(0)
    expect(attributes['http.server.request.duration']).toBeLessThan(5)
    expect(attributes).not.toHaveProperty('error.type')
  })

  it('gives all records of a request one trace, that of its header with a span of its own', async () => {
    const { app, sink } = await shop()

    const answer = await app.inject({ url: '/orders/7', headers: { traceparent: TRACEPARENT } })

    const traces = sink.arrived.map(({ record }) => traceOf(record))
    expect(new Set(traces)).toEqual(new Set([answer.json().traceparent]))
    expect(traces.length).toBe(3)
    expect(traces[0]).toMatch(new RegExp(`^00-${TRACE_ID}-(?!${SPAN_ID})[0-9a-f]{16}-01$`))
  })

  it('gives requests without a header traces of their own', async () => {
    const { app } = await shop()

    const [a, b] = await Promise.all([app.inject('/orders/1'), app.inject('/orders/2')])

    expect(a.json().traceparent).not.toBe(b.json().traceparent)
  })

  it('keeps the context after a body has come in over the wire', async () => {
    const { app, sink } = await shop()
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const post = async (span: string) => {
      const traceparent = TRACEPARENT.replace(TRACE_ID, span)
      const headers = { traceparent, 'content-type': 'application/json' }
      const answer = await fetch(`${url}/orders`, { method: 'POST', headers, body: '{"sku":"a"}' })
      return ((await answer.json()) as { traceparent: string }).traceparent.slice(3, 35)
    }
    const ids = Array.from({ length: 5 }, (_, i) => `${i + 1}`.repeat(32))

    const found = []
    for (const id of ids) found.push(await post(id))
    await eventually('the access logs', async () => access(sink).length === ids.length)

    expect(found).toEqual(ids)
    const [, ...ofRequests] = sink.arrived.map(({ record }) => traceOf(record).slice(3, 35))
    expect(ofRequests).toEqual(ids.flatMap((id) => [id, id]))
    expect(access(sink)[0].attributes).toMatchObject({ 'http.request.body.size': 11n })
  })

  it('gives its attributes to all records of a request', async () => {
    const { app, sink } = await shop({
      attributes: ({ headers }) => ({ tenant: headers['x-tenant'], password: 'x' }),
    })

    await app.inject({ url: '/orders/7', headers: { 'x-tenant': 'blue' } })

    for (const { attributes } of sink.arrived)
      expect(attributes).toMatchObject({ tenant: 'blue', password: '[Redacted]' })
  })

  it('has a logger for each request, with the serializers of Fastify', async () => {
    const { app, sink } = await shop()

    await app.inject('/orders/7')

    expect(sink.arrived[0]).toMatchObject({
      body: 'order read',
      attributes: { orderId: 7n, reqId: 'req-1' },
    })
  })

  it('tells the error of a request', async () => {
    const { app, sink } = await shop()

    await app.inject('/broken')

    const [{ severity, attributes }] = access(sink)
    expect(severity).toBe(17)
    expect(attributes).toMatchObject({
      'http.response.status_code': 500n,
      'error.type': 'RangeError',
      'exception.type': 'RangeError',
      'exception.message': 'no price',
      'exception.causes': [{ type: 'Error', message: 'no rate' }],
    })
  })

  it.each([
    ['/nowhere', 'GET', 404, 13, 'GET /nowhere 404'],
    ['/orders', 'POST', 400, 13, 'POST /orders 400'],
    ['/orders/7', 'GET', 200, 9, 'GET /orders/:id 200'],
  ] as const)('has a level by the status: %s %s %d', async (url, method, status, severity, body) => {
    const { app, sink } = await shop()

    await app.inject(method === 'POST' ? { url, method, payload: {} } : { url, method })

    expect(access(sink).map((one) => [one.severity, one.body])).toEqual([[severity, body]])
    expect(access(sink)[0].attributes['http.response.status_code']).toBe(BigInt(status))
  })

  it('leaves out what is ignored, and has a level as it is told', async () => {
    const { app, sink } = await shop({ ignore: ['/orders/7', '/health*'], level: () => 'debug' })

    await app.inject('/orders/7?a=b')
    await app.inject('/healthz')
    await app.inject('/orders/8')

    expect(access(sink).map(({ severity, attributes }) => [severity, attributes['url.path']])).toEqual([
      [5, '/orders/8'],
    ])
  })

  it.each([
    ['keep', 'a=b'],
    ['omit', undefined],
    ['redact', 'a=REDACTED'],
  ] as const)('shows the query as it is told: %s', async (query, shown) => {
    const { app, sink } = await shop({ query })

    await app.inject('/orders/7?a=b')

    expect(access(sink)[0].attributes['url.query']).toBe(shown)
  })

  it('tells of a client that hangs up', async () => {
    const { app, sink } = await shop()
    const { promise: seen, resolve } = Promise.withResolvers<void>()
    app.get('/slow', () => {
      resolve()
      return new Promise(() => {})
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })

    await hangUp(url, '/slow', seen)
    await eventually('the access log', async () => access(sink).length === 1)

    const [{ severity, body, attributes }] = access(sink)
    expect([severity, body, attributes['error.type']]).toEqual([13, 'GET /slow aborted', 'aborted'])
    expect(attributes).toMatchObject({ 'server.address': 'shop.example' })
    expect(attributes).not.toHaveProperty('http.response.status_code')
  })

  it('answers requests whatever its options do', async () => {
    const broken = () => {
      throw new Error('broken')
    }
    const { app, sink } = await shop({ attributes: broken, ignore: broken, level: broken })

    const answer = await app.inject('/orders/7')

    expect(answer.statusCode).toBe(200)
    expect(access(sink).length).toBe(1)
  })

  it('says what Fastify says of a request, with its own serializers', async () => {
    const { log, sink } = testLogger()
    const app = fastify({ loggerInstance: fastifyLogger(log) })
    apps.push(app)
    app.get('/', { logLevel: 'warn' }, async (request) => {
      request.log.info('not from here')
      return request.log.level
    })
    app.get('/broken', () => {
      throw new RangeError('no price')
    })

    const answer = await app.inject('/')
    await app.inject('/broken')

    expect(answer.body).toBe('warn')
    const [incoming, refused] = sink.arrived
    expect(incoming).toMatchObject({ body: 'incoming request', attributes: { reqId: 'req-2' } })
    expect(incoming.attributes.req).toMatchObject({ method: 'GET', url: '/broken' })
    expect(refused.attributes).toMatchObject({ 'exception.type': 'RangeError', res: { statusCode: 500n } })
  })

  it('is no reason for a process to live on', async () => {
    const { app } = await shop()
    await app.ready()
    const closed = once(app.server, 'close').catch(() => {})

    await app.close()
    await Promise.race([closed, nextTurn()])
  })
})
