import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { elasticsearch } from '../../exporters/elasticsearch/index.ts'
import { never, testContext } from '../support/component.ts'
import { batchOf, text } from '../support/otlp.ts'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

interface Answer {
  readonly status?: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A server that answers as no healthy Elasticsearch does, and an exporter that sends to it. */
async function hostile(answer: (documents: string[]) => Answer) {
  const seen: string[][] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
      const documents = lines
        .filter((_, i) => i % 2 === 1)
        .map((line) => (JSON.parse(line) as { body: { text: string } }).body.text)
      seen.push(documents)
      const { status = 200, body = '{}', headers = {} } = answer(documents)
      response.writeHead(status, headers).end(body)
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://user:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}`
  const context = testContext()
  const exporter = elasticsearch.create(elasticsearch.config.parse({ endpoint }), context)
  const batch = batchOf(['a', 'b', 'c', 'd'].map((body) => ({ body: text(body) })))
  batch.identify(Buffer.alloc(32))
  const outcome = await exporter.export(batch, AbortSignal.timeout(5000)).then(
    () => 'delivered',
    (error: unknown) => error as Error,
  )
  await exporter.stop?.(never)
  return { outcome, seen, context }
}

const items = (...statuses: number[]): string =>
  JSON.stringify({
    errors: true,
    items: statuses.map((status) => ({
      create: {
        status,
        ...(status >= 400 && { error: { type: 'some_exception', reason: 'quotes a secret' } }),
      },
    })),
  })

const cleanItems = (count: number): string => items(...Array(count).fill(201)).replace('true', 'false')

describe('the elasticsearch exporter and a hostile server', () => {
  it('settles every document by its own status', async () => {
    const { outcome } = await hostile(() => ({ body: items(201, 409, 429, 400) }))
    expect(outcome).toMatchObject({
      name: 'RetryableError',
      reason: 'too_many',
      remaining: [2],
      rejected: [{ records: [3], reason: '400 some_exception' }],
    })
  })

  it('sends documents again that met a server fault or missing rights', async () => {
    const { outcome } = await hostile(() => ({ body: items(503, 201, 403, 500) }))
    expect(outcome).toMatchObject({ name: 'RetryableError', remaining: [0, 2, 3], rejected: [] })
  })

  it.each([429, 500, 502, 503, 401, 403, 404])(
    'keeps everything when the request is answered %d',
    async (status) => {
      const { outcome } = await hostile(() => ({ status, headers: { 'retry-after': '7' } }))
      expect(outcome).toMatchObject({ name: 'RetryableError', remaining: undefined, retryAfter: 7000 })
    },
  )

  it.each([
    ['no JSON', '<html>'],
    ['an empty object', '{}'],
    ['too few items', items(201)],
    ['too many items, all taken', cleanItems(5)],
    ['too few items, all taken', cleanItems(3)],
    ['cut off', cleanItems(4).slice(0, -20)],
    ['nothing', ''],
    ['a status that is none', items(201, 0, 201, 201).replace('0', '"200"')],
    ['items without a status', '{"errors":true,"items":[{"create":{}},{},{},{}]}'],
  ])('keeps everything when the answer is %s', async (_, body) => {
    const { outcome } = await hostile(() => ({ body }))
    expect(outcome).toMatchObject({ name: 'RetryableError', reason: 'bad_answer' })
  })

  it('takes the answer of a real server to a clean bulk', async () => {
    const { outcome, context } = await hostile(() => ({ body: cleanItems(4) }))
    expect(outcome).toBe('delivered')
    expect(await context.value('otelcol_elasticsearch_docs_processed', { outcome: 'success' })).toBe(4)
  })

  it('does not read an answer without end, and keeps everything', async () => {
    const { outcome } = await hostile(() => ({ body: '{"errors":false,'.padEnd(2 ** 21) }))
    expect(outcome).toMatchObject({
      name: 'RetryableError',
      reason: 'unreachable',
      message: expect.stringContaining('the answer is larger than 1048576 bytes') as string,
    })
  })

  it('believes the items where they contradict the whole', async () => {
    const { outcome } = await hostile(() => ({ body: items(201, 503, 201, 201).replace('true', 'false') }))
    expect(outcome).toMatchObject({ name: 'RetryableError', remaining: [1] })
  })

  it('refuses no document for good with a status that is no refusal', async () => {
    const { outcome } = await hostile(() => ({ body: items(302, 201, 100, 0) }))
    expect(outcome).toMatchObject({ name: 'RetryableError', remaining: [0, 2, 3], rejected: [] })
  })

  it.each([413, 400])('finds the one record that makes a request fail with %d', async (status) => {
    const { outcome, context } = await hostile((documents) =>
      documents.includes('c') ? { status } : { body: '{"errors":false}' },
    )
    expect(outcome).toMatchObject({ name: 'PermanentError', rejected: [{ records: [2] }] })
    expect(await context.value('otelcol_elasticsearch_docs_processed', { outcome: 'success' })).toBe(3)
  })

  it.each([
    ['max_coordinating_bytes', 100, 2],
    ['max_coordinating_and_primary_bytes', 100, 2],
    ['max_coordinating_and_primary_bytes', 1_000_000, 0],
  ])(
    'halves what takes most of the memory for all, %s=%d, and nothing smaller',
    async (name, limit, halves) => {
      const reason = `rejected execution of coordinating operation [coordinating_and_primary_bytes=90, replica_bytes=0, all_bytes=90, coordinating_operation_bytes=20, ${name}=${limit}]`
      const body = JSON.stringify({ error: { type: 'es_rejected_execution_exception', reason } })
      const { outcome, seen } = await hostile((documents) =>
        documents.length > 2 ? { status: 429, body } : { body: items(201, 201) },
      )
      expect(seen).toHaveLength(1 + halves)
      expect(outcome).toEqual(halves > 0 ? 'delivered' : expect.objectContaining({ reason: 'too_many' }))
    },
  )

  it('forgets no half of a request that is too large when the other one meets trouble', async () => {
    const { outcome, seen } = await hostile((documents) => {
      if (documents.length > 2) return { status: 413 }
      return { body: documents.includes('a') ? items(429, 400) : '{"errors":false}' }
    })
    expect(seen).toEqual([
      ['a', 'b', 'c', 'd'],
      ['a', 'b'],
    ])
    expect(outcome).toMatchObject({
      name: 'RetryableError',
      reason: 'too_many',
      remaining: [0, 2, 3],
      rejected: [{ records: [1], reason: '400 some_exception' }],
    })
  })

  it('keeps what became of the first half when the second one fails as a whole', async () => {
    const { outcome } = await hostile((documents) => {
      if (documents.length > 2) return { status: 413 }
      if (documents.includes('a')) return { body: items(201, 400) }
      return { status: 503, headers: { 'retry-after': '7' } }
    })
    expect(outcome).toMatchObject({
      name: 'RetryableError',
      reason: 'status_503',
      retryAfter: 7000,
      remaining: [2, 3],
      rejected: [{ records: [1], reason: '400 some_exception' }],
    })
  })

  it('takes trouble before anything is settled for an outage, however large the request was', async () => {
    const { outcome } = await hostile((documents) => ({ status: documents.length > 2 ? 413 : 503 }))
    expect(outcome).toMatchObject({ name: 'RetryableError', remaining: undefined, rejected: [] })
  })

  it('never shows credentials or what a reason quotes', async () => {
    const { outcome, context } = await hostile(() => ({ status: 401 }))
    const shown = JSON.stringify([outcome, (outcome as Error).message, context.states])
    expect(shown).not.toContain('hunter2')
    const { outcome: refused } = await hostile(() => ({ body: items(400, 400, 400, 400) }))
    expect(JSON.stringify(refused)).not.toContain('secret')
  })
})
