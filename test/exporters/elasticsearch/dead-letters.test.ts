import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deadLetterTemplate } from '../../../exporters/elasticsearch/dead-letter-template.ts'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { Codec } from '../../../src/buffer/codec.ts'
import { elementsOf, letterId, readLetter } from '../../../src/buffer/letters.ts'
import type { DeadLetters, Exporter } from '../../../src/component.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { never, type TestContext, testContext } from '../../support/component.ts'
import { attributes, batchOf, documentsOf, text } from '../../support/otlp.ts'

const KEY = Buffer.alloc(32, 7)
const REASON = '400 document_parsing_exception at field attributes.status of type long'
const codec = new Codec({ compression: 'none', compression_level: 1 }, { log: pino({ level: 'silent' }) })

interface Create {
  readonly _index: string
  readonly _id: string
  readonly pipeline?: string
  readonly require_data_stream?: boolean
}

interface LetterSource {
  readonly [field: string]: unknown
  readonly otlp: string
  readonly letter: { readonly id: string }
}

interface Written {
  readonly create: Create
  readonly source: LetterSource
}

interface Answer {
  readonly status?: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Scene {
  readonly exporter: Exporter
  readonly context: TestContext
  /** The letters of each bulk request. */
  readonly requests: Written[][]
  readonly bury: (letters: DeadLetters) => Promise<readonly number[]>
}

const OK: Answer = { body: '{"errors":false}' }
const items = (...statuses: number[]): Answer => ({
  body: JSON.stringify({
    errors: true,
    items: statuses.map((status) => ({
      create: { status, ...(status >= 400 && { error: { type: 'some_exception', reason: 'a secret' } }) },
    })),
  }),
})

/** An exporter with dead letters, and a server that answers bulk requests as told. */
async function sceneOf(
  answer: (letters: Written[], request: IncomingMessage) => Answer,
  settings = {},
): Promise<Scene> {
  const requests: Written[][] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
      const letters = lines.flatMap((line, index) =>
        index % 2 === 1
          ? [
              {
                ...(JSON.parse(lines[index - 1]) as { create: Create }),
                source: JSON.parse(line) as LetterSource,
              },
            ]
          : [],
      )
      requests.push(letters)
      const { status = 200, body = '{}', headers = {} } = answer(letters, request)
      response.writeHead(status, headers).end(body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const context = testContext('elasticsearch/eu')
  const config = elasticsearch.config.parse({ endpoint, dead_letters: {}, ...settings })
  const exporter = elasticsearch.create(config, context)
  onTestFinished(async () => {
    await exporter.stop?.(never)
    server.closeAllConnections()
    server.close()
  })
  const bury: Scene['bury'] = async (letters) => {
    if (exporter.bury === undefined) throw new Error('the exporter keeps no dead letters')
    return exporter.bury(letters, never)
  }
  return { exporter, context, requests, bury }
}

function refusedBatch(): LogBatch {
  const batch = batchOf(
    ['a', 'b', 'c', 'd'].map((body) => ({ body: text(body) })),
    { attributes: attributes({ 'service.name': text('shop'), 'data_stream.dataset': text('cart') }) },
  )
  batch.identify(KEY)
  return batch
}

const lettersOf = (batch: LogBatch, reason = REASON): DeadLetters => ({
  batch,
  reason,
  pipeline: 'logs/drain',
})
const bodiesOf = (batch: LogBatch): unknown[] => documentsOf(batch).map(({ body }) => body?.text)
const opened = ({ source }: Written) =>
  readLetter({ key: '', stream: '', element: Buffer.from(source.otlp, 'base64') }, codec)
const kept = (context: TestContext): Promise<number> =>
  context.value('sluice_elasticsearch_dead_letters_total')

describe('dead letters in a data stream', () => {
  it('say why a record was refused, what it was to be, and hold the whole of it', async () => {
    const { bury, requests, context } = await sceneOf(() => OK)

    const refused = await bury(lettersOf(refusedBatch().select([1, 3])))

    expect(refused).toEqual([])
    const [[first, second]] = requests
    const id = Buffer.from(batchIdOf(refusedBatch())).toString('base64url')
    expect(first.create).toEqual({
      _index: 'logs-sluice.dlq-default',
      _id: expect.stringMatching(new RegExp(`^${id}-1-[\\w-]{8}$`)) as string,
      pipeline: '_none',
      require_data_stream: true,
    })
    expect(first.source).toEqual({
      '@timestamp': expect.stringMatching(/^\d{4}-.*Z$/) as string,
      data_stream: { type: 'logs', dataset: 'sluice.dlq', namespace: 'default' },
      reason: REASON,
      http: { response: { status_code: 400 } },
      error: { type: 'document_parsing_exception', field: 'attributes.status', field_type: 'long' },
      target: { index: 'logs-cart.otel-default', id: `${id}-1` },
      letter: { id: expect.stringMatching(/^[0-9a-f]{12}$/) as string },
      pipeline: 'logs/drain',
      exporter: 'elasticsearch/eu',
      service: { name: 'shop' },
      otlp: expect.any(String) as string,
    })
    const [one, other] = [opened(first), opened(second)]
    expect([one, other].map(({ batch }) => batch && bodiesOf(batch))).toEqual([['b'], ['d']])
    expect(one).toMatchObject({ id: first.source.letter.id, reason: REASON, pipeline: 'logs/drain' })
    expect(bodiesOf(LogBatch.decode(Buffer.from(second.source.otlp, 'base64')))).toEqual(['d'])
    expect(
      await context.value('sluice_elasticsearch_dead_letters_total', {
        reason: 'document_parsing_exception',
      }),
    ).toBe(2)
  })

  it('have ids that stay the same until the record is replayed, and then others', async () => {
    const { bury, requests } = await sceneOf(() => OK)
    const batch = refusedBatch()

    await bury(lettersOf(batch.select([2])))
    await bury(lettersOf(batch.select([2])))
    const [element] = elementsOf(opened(requests[0][0]), codec, 1e6)
    const replayed = LogBatch.open(element.bytes)
    await bury(lettersOf(replayed))
    await bury(lettersOf(LogBatch.open(element.bytes)))
    await bury({ ...lettersOf(batch.select([2])), pipeline: 'logs/other' })

    const ids = requests.map(([{ create }]) => create._id)
    expect(ids[1]).toBe(ids[0])
    expect(ids[2]).toMatch(new RegExp(`^${ids[0]}-[0-9a-z]+$`))
    expect(ids[3]).toBe(ids[2])
    expect(new Set(ids).size).toBe(3)
    expect(requests.map(([{ source }]) => (source.target as { id: string }).id)).toEqual(
      Array.from({ length: 5 }, () => (requests[0][0].source.target as { id: string }).id),
    )
  })

  it.each([
    ['a 429', { status: 429, headers: { 'retry-after': '3' } }, { reason: 'status_429', retryAfter: 3000 }],
    ['a server fault', { status: 503 }, { reason: 'status_503' }],
    ['429 for one of them', items(201, 429, 201, 409), { reason: 'status_429' }],
    ['something that is no bulk response', { body: '<html>' }, { reason: 'bad_answer' }],
  ])('are written again after %s, and counted once', async (_, first, error) => {
    let attempts = 0
    const { bury, context } = await sceneOf(() => (attempts++ === 0 ? first : items(409, 201, 409, 409)))
    const letters = lettersOf(refusedBatch())

    await expect(bury(letters)).rejects.toMatchObject({ name: 'RetryableError', ...error })
    expect(await kept(context)).toBe(0)
    expect(await bury(letters)).toEqual([])

    expect(await kept(context)).toBe(4)
  })

  it.each([
    ['a mapping of its own', items(201, 400, 201, 404), [1, 3]],
    ['missing rights', items(403, 403, 201, 403), [0, 1, 3]],
    ['missing rights for the request', { status: 403 }, [0, 1, 2, 3]],
  ])('are left to the buffer where the data stream refuses them for %s', async (_, answer, refused) => {
    const { bury, context } = await sceneOf(() => answer)

    expect(await bury(lettersOf(refusedBatch()))).toEqual(refused)

    expect(await kept(context)).toBe(4 - refused.length)
  })

  it('are written one by one where they are too large together', async () => {
    const { bury, requests } = await sceneOf((letters) =>
      letters.length > 1 || opened(letters[0]).batch?.size !== 1 || letters[0].create._id.includes('-2-')
        ? { status: 413 }
        : OK,
    )

    expect(await bury(lettersOf(refusedBatch()))).toEqual([2])

    expect(requests.map((letters) => letters.length)).toEqual([4, 2, 1, 1, 2, 1, 1])
  })

  it('go to a server that does not know require_data_stream, as OpenSearch', async () => {
    const { bury, requests } = await sceneOf((letters) =>
      letters.some(({ create }) => create.require_data_stream) ? { status: 400 } : OK,
    )

    expect(await bury(lettersOf(refusedBatch()))).toEqual([])
    expect(await bury(lettersOf(refusedBatch()))).toEqual([])

    expect(requests.map((letters) => letters.map(({ create }) => create.require_data_stream))).toEqual([
      [true, true, true, true],
      Array.from({ length: 4 }),
      Array.from({ length: 4 }),
    ])
  })

  it('are divided into requests of a bearable size, whatever was refused at once', async () => {
    const { bury, requests } = await sceneOf((letters) => items(...letters.map(() => 201)))
    const records = Array.from({ length: 450 }, (_, i) => ({
      body: text(`${i} ${'x'.repeat(i === 7 ? 5e6 : 10)}`),
    }))
    const batch = batchOf(records)
    batch.identify(KEY)

    expect(await bury(lettersOf(batch))).toEqual([])

    expect(requests.map((letters) => letters.length)).toEqual([7, 1, 192, 200, 50])
    expect(new Set(requests.flat().map(({ create }) => create._id)).size).toBe(450)
  })

  it('name no document where none could be made, nor an id that Elasticsearch makes', async () => {
    const settings = { mapping: { mode: 'bodymap' }, document_id: 'none' }
    const { bury, requests } = await sceneOf(() => OK, settings)

    await bury(lettersOf(refusedBatch(), 'its body is no map'))

    const [letter] = requests[0]
    expect(letter.source).not.toHaveProperty('target')
    expect(letter.source).not.toHaveProperty('error')
    expect(letter.source.reason).toBe('its body is no map')
    const otel = await sceneOf(() => OK, { document_id: 'none' })
    await otel.bury(lettersOf(refusedBatch()))
    expect(otel.requests[0][0].source.target).toEqual({ index: 'logs-cart.otel-default' })
  })

  it('count the reasons in few words', async () => {
    const { bury, context } = await sceneOf(() => OK)
    for (const reason of [REASON, 'es1:9200 answered 413 to this record alone', 'its body is no map']) {
      await bury(lettersOf(refusedBatch(), reason))
    }

    for (const reason of ['document_parsing_exception', 'status_413', 'no_document']) {
      expect(await context.value('sluice_elasticsearch_dead_letters_total', { reason })).toBe(4)
    }
  })

  it('are kept by the buffer where the exporter is not told to keep them', () => {
    const config = elasticsearch.config.parse({ endpoint: 'http://127.0.0.1:1' })

    const exporter = elasticsearch.create(config, testContext())
    expect('bury' in exporter && exporter.bury !== undefined).toBe(false)
    expect(elasticsearch.letters?.(config, testContext())).toBeUndefined()
  })

  it.each(['logs-dlq', 'metrics-a-b', 'logs-A-b', 'logs-a*-b', 'logs--b', `logs-a-${'b'.repeat(200)}`])(
    'do not go to %s, which is no data stream of logs',
    (data_stream) => {
      const result = elasticsearch.config.safeParse({
        endpoint: 'http://es:1',
        dead_letters: { data_stream },
      })

      expect(result.error?.issues[0]).toMatchObject({
        path: ['dead_letters', 'data_stream'],
        message: expect.stringContaining('such as logs-sluice.dlq-default') as string,
      })
    },
  )

  it('have a template for all namespaces of their dataset', () => {
    expect(deadLetterTemplate('logs-shop.dlq-eu')).toMatchObject({
      name: 'logs-shop.dlq',
      body: { index_patterns: ['logs-shop.dlq-*'], data_stream: {} },
    })
  })

  it('have the template that the documentation tells', () => {
    const documented = /_index_template\/(\S+)" .* -d '(\{.*?\})'\n```/s.exec(
      readFileSync('docs/dead-letters.md', 'utf8'),
    )
    const { name, body } = deadLetterTemplate()

    expect(documented?.[1]).toBe(name)
    expect(body).toMatchObject(JSON.parse(documented?.[2] ?? '') as object)
    expect(JSON.parse(documented?.[2] ?? '')).toHaveProperty(
      'template',
      (body as { template: object }).template,
    )
  })

  it('are called by what they hold', () => {
    expect(letterId(Buffer.from('abc'))).toBe('ba7816bf8f01')
  })
})

function batchIdOf(batch: LogBatch): Uint8Array {
  const [{ id }] = batch.data.parts
  if (id === undefined) throw new Error('the batch has no id yet')
  return id
}
