import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { never, testContext } from '../../support/component.ts'
import { batchOf, text } from '../../support/otlp.ts'
import { type Seen, type StubAnswer, startStub, TAKEN } from './stub.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** An exporter to a server that answers so, and what became of four records, `a` to `d`. */
async function exporterTo(answer: (request: Seen) => StubAnswer, path = '', settings: object = {}) {
  const stub = await startStub(answer)
  const context = testContext()
  const endpoint = stub.url + path
  const exporter = elasticsearch.create(elasticsearch.config.parse({ endpoint, ...settings }), context)
  onTestFinished(async () => {
    await exporter.stop?.(never)
    await stub[Symbol.asyncDispose]()
  })
  const send = () => {
    const batch = batchOf(['a', 'b', 'c', 'd'].map((body) => ({ body: text(body) })))
    return exporter.export(batch, never).then(
      () => 'delivered',
      (error: unknown) => error as Error,
    )
  }
  return { send, context, seen: stub.seen }
}

interface Item {
  readonly status: number
  readonly failure_store?: string
  readonly error?: { readonly type: string; readonly reason: string }
}

const items = (...list: Item[]): StubAnswer => ({
  body: { errors: list.some(({ error }) => error), items: list.map((item) => ({ create: item })) },
})
const ok: Item = { status: 201 }
const refused = (status: number, type: string, reason: string): Item => ({ status, error: { type, reason } })
const missing = refused(404, 'index_not_found_exception', 'no such index [logs-x.otel-default] and so on')
const complaint = (reason: string): StubAnswer => ({
  status: 400,
  body: { error: { type: 'illegal_argument_exception', reason }, status: 400 },
})

describe('documents in a failure store', () => {
  it('are delivered, and counted apart', async () => {
    const { send, context } = await exporterTo(() => items(ok, { ...ok, failure_store: 'used' }, ok, ok))

    expect(await send()).toBe('delivered')
    const value = (outcome: string) => context.value('otelcol_elasticsearch_docs_processed', { outcome })
    expect([await value('success'), await value('failure_store')]).toEqual([3, 1])
    expect(await context.value('sluice_elasticsearch_failure_store_total', { result: 'used' })).toBe(1)
  })

  it('that it did not take are refused, and counted by why', async () => {
    const error = { type: 'document_parsing_exception', reason: 'x' }
    const { send, context } = await exporterTo(() =>
      items(ok, { status: 400, failure_store: 'not_enabled', error }, ok, {
        status: 400,
        failure_store: 'failed',
        error,
      }),
    )

    expect(await send()).toMatchObject({ name: 'PermanentError', rejected: [{ records: [1, 3] }] })
    for (const result of ['not_enabled', 'failed'])
      expect(await context.value('sluice_elasticsearch_failure_store_total', { result })).toBe(1)
  })
})

describe('documents that the destination is not ready for', () => {
  it.each([
    ['a template', missing],
    ['an open index', refused(400, 'index_closed_exception', 'closed')],
    ['its pipeline', refused(400, 'illegal_argument_exception', 'pipeline with id [x] does not exist')],
    [
      'room for a shard',
      refused(
        400,
        'validation_exception',
        'Validation Failed: 1: this action would add [2] shards, but this cluster currently has [1]/[1] maximum normal shards open;',
      ),
    ],
  ])('wait, all of them, while it takes none for want of %s', async (_, item) => {
    const { send, context } = await exporterTo(() => items(item, item, item, item))

    expect(await send()).toMatchObject({
      name: 'RetryableError',
      reason: 'not_ready',
      remaining: undefined,
      rejected: [],
    })
    expect(context.states.at(-1)?.state).toBe('failed')
  })

  it('say what is missing', async () => {
    const { send } = await exporterTo(() => items(missing, missing, missing, missing))
    expect((await send()) as Error).toMatchObject({
      message: expect.stringContaining('404 index_not_found_exception logs-x.otel-default for 4 documents'),
    })
  })

  it('do not hold up others that it takes', async () => {
    const { send, context } = await exporterTo(() => items(ok, missing, ok, ok))

    expect(await send()).toMatchObject({ name: 'PermanentError', rejected: [{ records: [1] }] })
    expect(context.states.at(-1)?.state).toBe('degraded')
  })

  it('wait again once it has taken nothing for a while', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    let answer = TAKEN
    const { send } = await exporterTo(() => answer)
    await send()
    answer = items(missing, missing, missing, missing)

    const soon = await send()
    vi.advanceTimersByTime(20_000)
    const later = await send()

    expect(soon).toMatchObject({ name: 'PermanentError' })
    expect(later).toMatchObject({ name: 'RetryableError', reason: 'not_ready' })
  })
})

describe('a bulk of which everything is to be sent again', () => {
  it.each([
    [429, 'too_many', 'degraded'],
    [503, 'status_503', 'degraded'],
    [403, 'unauthorized', 'failed'],
  ])('with %d gives the destination a rest', async (status, reason, state) => {
    const item = refused(status, 'some_exception', 'x')
    const { send, context } = await exporterTo(() => items(item, item, item, item))

    expect(await send()).toMatchObject({ name: 'RetryableError', reason, remaining: undefined })
    expect(context.states.at(-1)?.state).toBe(state)
  })

  it.each([401, 403])('answered %d as a whole is kept, and alerts', async (status) => {
    const { send, context } = await exporterTo(() => ({ status }))

    expect(await send()).toMatchObject({ name: 'RetryableError', reason: 'unauthorized' })
    expect(context.states.at(-1)?.state).toBe('failed')
  })
})

describe('a server that does not know all parameters', () => {
  it('is sent the same bulk without require_data_stream, and all later ones', async () => {
    const { send, seen } = await exporterTo(({ body }) =>
      body.includes('require_data_stream')
        ? complaint('Action/metadata line [1] contains an unknown parameter [require_data_stream]')
        : TAKEN,
    )

    expect([await send(), await send()]).toEqual(['delivered', 'delivered'])
    expect(seen.length).toBe(3)
  })

  it('keeps everything when it is the endpoint that asks for too much', async () => {
    const reason = 'request [/_bulk] contains unrecognized parameter: [nonsense]'
    const { send, seen, context } = await exporterTo(() => complaint(reason), '/?nonsense=1')

    expect(await send()).toMatchObject({
      name: 'RetryableError',
      reason: 'bad_request',
      remaining: undefined,
    })
    expect(seen.length).toBe(1)
    expect(context.states.at(-1)).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('endpoint'),
    })
  })
})

describe('a bulk request', () => {
  it('has the query of the endpoint, and its path', async () => {
    const { send, seen } = await exporterTo(() => TAKEN, '/es/?pipeline=mine&timeout=5s')

    await send()

    const { pathname, searchParams } = new URL(seen[0].path, 'http://a')
    expect(pathname).toBe('/es/_bulk')
    expect(searchParams.get('pipeline')).toBe('mine')
    expect(searchParams.get('timeout')).toBe('5s')
    expect(searchParams.get('filter_path')).toContain('items.*.status')
  })

  it('has the headers of the config', async () => {
    const { send, seen } = await exporterTo(() => TAKEN, '', { headers: { 'x-tenant': 'acme' } })
    await send()
    expect(seen[0].headers).toMatchObject({ 'x-tenant': 'acme' })
  })
})

describe('what is said of an answer', () => {
  it.each([
    "failed to parse field [n] of type [long] in document with id '2'. Preview of field's value: 'hunter2'",
    "[1:42] failed to parse field [n] of type [long]. Preview of field's value: 'field [hunter2]'",
    'failed to parse date field [hunter2] with format [strict_date_optional_time]',
    'For input string: "hunter2"',
    'object mapping for [n] tried to parse field [n] as object, but found a concrete value hunter2',
    'no such index [n] hunter2',
  ])('quotes no document: %s', async (reason) => {
    const item = refused(400, 'document_parsing_exception', reason)
    const { send, context } = await exporterTo(() => items(item, item, item, ok))

    const error = (await send()) as Error

    expect(error.name).toBe('PermanentError')
    expect(JSON.stringify([error, error.message, context.states])).not.toContain('hunter2')
  })

  it.each([
    ['a type', { status: 400, body: { error: { type: 'hunter2 is no type', reason: 'x' } } }],
    ['a reason', { status: 403, body: { error: { type: 'security_exception', reason: 'hunter2' } } }],
    ['a page', { status: 502, body: '<html>hunter2</html>' }],
    ['a page with 200', { body: '<html>hunter2</html>' }],
    ['a text', { status: 400, body: { error: 'hunter2' } }],
  ])('quotes nothing of a request that was refused with %s', async (_, answer) => {
    const { send, context } = await exporterTo(() => answer)

    const error = (await send()) as Error

    expect(JSON.stringify([error, error.message, context.states])).not.toContain('hunter2')
  })

  it('asks whether it is Elasticsearch at all', async () => {
    const { send, context } = await exporterTo(() => ({ body: '<html>Please log in</html>' }))

    expect(await send()).toMatchObject({ reason: 'bad_answer' })
    expect(context.states.at(-1)).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('is it Elasticsearch'),
    })
  })
})
