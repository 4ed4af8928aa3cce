import type { Server } from 'node:http'
import express from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../test/e2e/sluice.ts'
import { currentTraceparent, withContext } from '../../src/context/context.ts'
import { type ExpressLogOptions, expressErrors, expressLogs } from '../../src/middleware/express.ts'
import { type TestSink, testLogger } from '../support/test-sink.ts'
import { TRACE_ID, TRACEPARENT, traceOf } from '../support/traces.ts'
import { hangUp, urlOf } from './server.ts'

describe('an Express app with the middleware', () => {
  const servers: Server[] = []

  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections()
  })

  async function shop(options: Partial<ExpressLogOptions> = {}, own?: (app: express.Express) => void) {
    const { log, sink } = testLogger({ level: 'debug' })
    const app = express()
    app.set('trust proxy', true)
    app.use(expressLogs({ logger: log, ...options }))
    app.use(expressLogs({ logger: log }))
    app.use(express.json())
    const orders = express.Router()
    orders.get('/:id', (_request, response) => {
      log.info('order read')
      response.json({ traceparent: currentTraceparent() })
    })
    orders.post('/', (_request, response) => {
      log.info('after the body')
      response.status(201).json({ traceparent: currentTraceparent() })
    })
    app.use('/orders', orders)
    app.get('/broken', () => {
      throw new RangeError('no price')
    })
    app.get('/stream', (_request, response) => {
      response.write('a'.repeat(1000))
      response.end()
    })
    own?.(app)
    app.use(expressErrors())
    app.use(((_error, _request, response, _next) => {
      response.status(500).end()
    }) as express.ErrorRequestHandler)
    const server = express().use(app).listen(0, '127.0.0.1')
    servers.push(server)
    await eventually('the server listens', async () => server.listening)
    return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, sink, log }
  }

  const access = (sink: TestSink) => sink.arrived.filter(({ attributes }) => 'url.path' in attributes)

  async function one(sink: TestSink) {
    await eventually('the access log', async () => access(sink).length >= 1)
    expect(access(sink).length).toBe(1)
    return access(sink)[0]
  }

  it('writes one access log for a request, however often it is used', async () => {
    const { url, sink } = await shop()

    const headers = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-host': 'shop.example',
      'user-agent': 'test/1',
    }
    await (await fetch(`${url}/orders/7?a=b`, { headers })).text()

    const { severity, body, attributes } = await one(sink)
    expect([severity, body]).toEqual([9, 'GET /orders/:id 200'])
    expect(attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'url.path': '/orders/7',
      'url.query': 'a=REDACTED',
      'url.scheme': 'http',
      'http.response.status_code': 200n,
      'client.address': '203.0.113.7',
      'server.address': 'shop.example',
      'user_agent.original': 'test/1',
    })
  })

  it('gives all records of a request one trace, after its body too', async () => {
    const { url, sink } = await shop()
    const headers = { traceparent: TRACEPARENT, 'content-type': 'application/json' }

    const answer = await fetch(`${url}/orders`, { method: 'POST', headers, body: '{"sku":"a"}' })
    const { traceparent } = (await answer.json()) as { traceparent: string }
    const { body, attributes } = await one(sink)

    expect(traceparent.slice(3, 35)).toBe(TRACE_ID)
    expect(traceparent).not.toBe(TRACEPARENT)
    expect(sink.arrived.map(({ record }) => traceOf(record))).toEqual([traceparent, traceparent])
    expect([body, attributes['http.request.body.size']]).toEqual(['POST /orders/ 201', 11n])
  })

  it('gives its attributes to all records of a request', async () => {
    const { url, sink } = await shop({ attributes: ({ headers }) => ({ tenant: headers['x-tenant'] }) })

    await (await fetch(`${url}/orders/7`, { headers: { 'x-tenant': 'blue' } })).text()
    await one(sink)

    expect(sink.arrived.map(({ attributes }) => attributes.tenant)).toEqual(['blue', 'blue'])
  })

  it('tells the error of a request, and leaves it to the next handler', async () => {
    const { url, sink } = await shop()

    const answer = await fetch(`${url}/broken`)
    const { severity, attributes } = await one(sink)

    expect(answer.status).toBe(500)
    expect(severity).toBe(17)
    expect(attributes).toMatchObject({ 'exception.type': 'RangeError', 'error.type': 'RangeError' })
  })

  it('tells how much went over the wire where no length was announced', async () => {
    const { url, sink } = await shop()

    await (await fetch(`${url}/stream`)).text()
    const { attributes } = await one(sink)

    expect(attributes).not.toHaveProperty('http.response.body.size')
    expect(Number(attributes['http.response.size'])).toBeGreaterThan(1000)
  })

  it('tells of a client that hangs up, in the context of its request', async () => {
    const { promise: seen, resolve } = Promise.withResolvers<string | undefined>()
    const { url, sink } = await shop({}, (app) => app.get('/slow', () => resolve(currentTraceparent())))

    await hangUp(url, '/slow?a=b', seen)
    const { severity, body, record } = await one(sink)

    expect([severity, body]).toEqual([13, 'GET /slow aborted'])
    expect(traceOf(record)).toBe(await seen)
  })

  it.each([
    ['GET /a?b=c', 'GET'],
    ['BREW /a', '_OTHER'],
  ])('bounds the methods: %s', async (_, method) => {
    const { log, sink } = testLogger()
    const { createServer } = await import('node:http')
    const logs = expressLogs({ logger: log })
    const server = createServer((request, response) => {
      if (method === '_OTHER') request.method = 'BREW'
      logs(request, response, () => response.end())
    })
    servers.push(server)
    const url = await urlOf(server)

    await fetch(url)
    const { attributes } = await one(sink)

    expect(attributes['http.request.method']).toBe(method)
    expect(attributes['http.request.method_original']).toBe(method === '_OTHER' ? 'BREW' : undefined)
  })

  it('does not run in the context of whoever started the server', async () => {
    const { url } = await withContext({ traceparent: TRACEPARENT }, () => shop())

    const answer = await fetch(`${url}/orders/7`)

    expect(((await answer.json()) as { traceparent: string }).traceparent).toBeDefined()
  })
})
