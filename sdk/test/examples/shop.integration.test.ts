import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startWholePath, type WholePath } from '../../../test/e2e/config.ts'
import { DataStream, type Hit } from '../../../test/e2e/search.ts'
import { eventually } from '../../../test/e2e/sluice.ts'
import { freePort } from '../../../test/servers/ports.ts'
import { Child } from '../../../test/servers/process.ts'

const MAIN = fileURLToPath(new URL('../../examples/shop/main.ts', import.meta.url))
const START_TIMEOUT = 30_000
const STOP_TIMEOUT = 30_000
/** Bodies of the records of a request, those of both services. */
const PLACED = ['POST /orders 201', 'POST /payments 200', 'charging the card', /^order \d+ placed$/]
const REFUSED = [
  'POST /orders 402',
  'POST /payments 402',
  'charging the card',
  /^order \d+ is not paid$/,
  /^payment of order \d+ refused$/,
]
const ORDERS = 50
const CARD = 'card-of-blue-1'
const EMPTY_CARD = 'card-of-blue-0'

const bodyOf = ({ _source: { body } }: Hit): string => body?.text ?? ''
const serviceOf = ({ _source: { resource } }: Hit): unknown => resource.attributes['service.name']

/** The documents of one trace, by their text. */
const ofTrace = (hits: readonly Hit[], traceId: string): Hit[] =>
  hits.filter(({ _source }) => _source.trace_id === traceId).sort((a, b) => (bodyOf(a) < bodyOf(b) ? -1 : 1))

describe.each(['http/protobuf', 'grpc'] as const)(
  'the shop over %s, Sluice and Elasticsearch',
  (protocol) => {
    let path: WholePath
    let stream: DataStream
    let shop: Child
    let url: string

    beforeAll(async () => {
      path = await startWholePath(inject('elasticsearchUrl'))
      stream = await DataStream.create(inject('elasticsearchUrl'))
      const [orders, payments] = [await freePort(), await freePort()]
      const port = protocol === 'grpc' ? path.grpc : path.http
      shop = new Child(process.execPath, [MAIN], {
        env: {
          ...process.env,
          ORDERS_PORT: String(orders),
          PAYMENTS_PORT: String(payments),
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
          OTEL_RESOURCE_ATTRIBUTES: `data_stream.dataset=${stream.dataset}`,
        },
      })
      url = await shop
        .line(/the shop takes orders/, START_TIMEOUT)
        .then((line) => line.split(' ').at(-1) ?? '')
    })

    afterAll(async () => {
      await shop?.stop(STOP_TIMEOUT)
      await path?.[Symbol.asyncDispose]()
    })

    /** Orders something in a trace of its own; resolves with its id. */
    async function order(card: string): Promise<string> {
      const traceId = randomBytes(16).toString('hex')
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-tenant': 'blue',
          traceparent: `00-${traceId}-b7ad6b7169203331-01`,
        },
        body: JSON.stringify({ cents: 1250, card }),
      })
      expect(response.status).toBe(card === EMPTY_CARD ? 402 : 201)
      return traceId
    }

    it("has every request's logs of both services under its trace id, once each", async () => {
      const cards = Array.from({ length: ORDERS }, (_, i) => (i % 5 === 0 ? EMPTY_CARD : CARD))
      const traces = await Promise.all(cards.map(order))
      const expected = cards.map((card) => (card === EMPTY_CARD ? REFUSED : PLACED))
      const count = expected.reduce((sum, bodies) => sum + bodies.length, 0)

      await shop.stop(STOP_TIMEOUT)
      // Each service says where it listens, too.
      await eventually('all documents are there', async () => (await stream.count()) >= count + 2)

      const hits = await stream.all()
      expect(hits.length).toBe(count + 2)
      for (const [i, traceId] of traces.entries()) {
        const found = ofTrace(hits, traceId)
        expect(found.map(bodyOf)).toEqual(
          expected[i].map((body) => (typeof body === 'string' ? body : expect.stringMatching(body))),
        )
        expect(new Set(found.map(serviceOf))).toEqual(new Set(['orders', 'payments']))
      }
      const charged = hits.filter((hit) => bodyOf(hit) === 'charging the card')
      expect(new Set(charged.map(({ _source }) => _source.attributes.card))).toEqual(new Set(['[Redacted]']))
      expect(JSON.stringify(hits).includes('card-of-blue')).toBe(false)
    })

    it('tells the cause of a refused payment, the tenant, and what a request took', async () => {
      const hits = await stream.all()

      const refused = hits.find((hit) => bodyOf(hit).startsWith('payment of order'))
      expect(refused?._source.attributes).toMatchObject({
        'exception.type': 'Error',
        'exception.causes': [{ type: 'RangeError', message: 'the account is empty' }],
      })
      const access = hits.find((hit) => bodyOf(hit) === 'POST /orders 201')
      expect(access?._source.attributes).toMatchObject({
        tenant: 'blue',
        'http.route': '/orders',
        'http.response.status_code': 201,
      })
      expect(Number(access?._source.attributes['http.server.request.duration'])).toBeGreaterThan(0)
    })
  },
)
