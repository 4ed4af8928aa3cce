import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { LineRequests } from '../../src/logs/json/line-requests.ts'
import { OtlpJsonLines } from '../../src/logs/json/lines.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'
import type { TimestampStyle } from '../../src/logs/ndjson/timestamp.ts'
import { MalformedError } from '../../src/logs/wire.ts'
import { decodeRequest } from '../oracle/oracle.ts'
import { runs, sample } from '../support/arbitraries.ts'

/** The lines of a batch, as the file exporter writes documents. */
function documentLines(batch: LogBatch, timestamps: TimestampStyle = 'rfc3339'): string[] {
  const out = new JsonWriter(1024)
  const documents = new OtelDocuments({
    timestamps,
    target: () => ({ dataStream: Buffer.alloc(0) }),
    failed: (_, error) => {
      throw error
    },
  })
  documents.render(batch, out)
  return out.bytes.toString('utf8', 0, out.pos).split('\n').slice(0, -1)
}

function requestLines(batch: LogBatch): string[] {
  const out = new JsonWriter(1024)
  const lines: string[] = []
  const writer = new OtlpJsonLines({
    key: () => '',
    line: (_, start, end) => lines.push(out.bytes.toString('utf8', start, end).trimEnd()),
    failed: (_, error) => {
      throw error
    },
  })
  writer.render(batch, out)
  return lines
}

/** What lines are put together to. */
function batchOfLines(lines: readonly string[]): LogBatch {
  const requests = new LineRequests()
  for (const line of lines) requests.add(Buffer.from(line))
  const { records } = requests
  const batch = LogBatch.decode(requests.take())
  expect(batch.size).toBe(records)
  return batch
}

/** NaN, which JSON lacks, is null in a document and nothing after that. */
const withoutNull = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(',"body":{"text":null}', ''))

/** Without records whose attribute `event.name` is bytes: as text, which it then is, it names the event. */
function withoutByteNames(batch: LogBatch): LogBatch {
  const indices = batch.indices()
  const named: number[] = []
  let next = 0
  batch.forEach((record) => {
    if (!(record.attribute('event.name') instanceof Uint8Array)) named.push(indices[next])
    next++
  })
  return batch.select(named)
}

function problemWith(line: string | Buffer): string {
  try {
    new LineRequests().add(Buffer.from(line))
  } catch (error) {
    if (error instanceof MalformedError) return error.message
    throw error
  }
  return 'none'
}

describe('lines put together as a request', () => {
  it.each(['rfc3339', 'epoch_millis'] as const)('make the same documents again (%s)', (style) => {
    fc.assert(
      fc.property(sample, ({ bytes }) => {
        const lines = documentLines(withoutByteNames(LogBatch.decode(bytes, 1_790_000_000_000)), style)

        expect(documentLines(batchOfLines(lines), style)).toEqual(withoutNull(lines))
      }),
      runs(200),
    )
  })

  it('make the same requests of OTLP/JSON again', () => {
    fc.assert(
      fc.property(sample, ({ bytes }) => {
        const lines = requestLines(LogBatch.decode(bytes))

        expect(requestLines(batchOfLines(lines))).toEqual(lines)
      }),
      runs(100),
    )
  })

  it('may be of both kinds, in any order', () => {
    fc.assert(
      fc.property(sample, sample, ({ bytes: one }, { bytes: other }) => {
        const documents = documentLines(LogBatch.decode(one))
        const requests = LogBatch.decode(other)

        const batch = batchOfLines([...documents, ...requestLines(requests), ...documents])

        expect(batch.size).toBe(2 * documents.length + requests.size)
      }),
      runs(60),
    )
  })

  it('share the resource and scope of their neighbours', () => {
    const line = (service: string, scope: string): string =>
      `{"@timestamp":"2026-09-21T14:13:20.000000001Z","attributes":{},"resource":{"attributes":{"service.name":"${service}"}},"scope":{"name":"${scope}"}}`
    const requests = new LineRequests()

    for (const [service, scope] of ['ab', 'ab', 'ac', 'bc', 'ab'])
      requests.add(Buffer.from(line(service, scope)))

    expect(
      decodeRequest(requests.take()).resourceLogs.map(({ scopeLogs }) =>
        scopeLogs.map(({ scope, logRecords }) => `${scope?.name}${logRecords.length}`),
      ),
    ).toEqual([['b2', 'c1'], ['c1'], ['b1']])
  })

  it.each([
    ['{"text":"a"}', { case: 'stringValue', value: 'a' }],
    ['{"text":9007199254740993}', { case: 'intValue', value: 9007199254740993n }],
    ['{"text":1.0}', { case: 'doubleValue', value: 1 }],
    ['{"text":18446744073709551616}', { case: 'doubleValue', value: 2 ** 64 }],
    ['{"text":null}', { case: undefined }],
    ['{"structured":{"value":[]}}', { case: 'arrayValue' }],
    ['{"structured":{"value":["a"]}}', { case: 'arrayValue' }],
    ['{"structured":[{"a":1}]}', { case: 'arrayValue' }],
    ['{"structured":{"value":[{"a":1}]}}', { case: 'kvlistValue' }],
    ['{"structured":{"value":["a"],"b":1}}', { case: 'kvlistValue' }],
    ['{"structured":{"value":"a"}}', { case: 'kvlistValue' }],
    ['{"structured":{}}', { case: 'kvlistValue' }],
  ])('read the body %s as what it was', (body, expected) => {
    const requests = new LineRequests()

    requests.add(Buffer.from(`{"body":${body},"@timestamp":"2026-09-21T14:13:20Z"}`))

    const [{ scopeLogs }] = decodeRequest(requests.take()).resourceLogs
    expect(scopeLogs[0].logRecords[0].body?.value).toMatchObject(expected)
  })

  it.each([
    ['', 'not valid JSON: the text ends too early'],
    ['{"@timestamp":"2026-09-21T14:13:20Z","body":{"te', 'body: not valid JSON: the text ends too early'],
    ['[]', 'expected an object'],
    ['{}', 'neither a request of OTLP/JSON nor a document with @timestamp'],
    ['{"message":"hello"}', 'neither a request of OTLP/JSON nor a document with @timestamp'],
    ['{"@timestamp":"today"}', '@timestamp: expected a time such as "2026-09-21T14:13:20.123456789Z"'],
    ['{"@timestamp":"2026-09-21T14:13:20Z"} x', 'not valid JSON: text after the end at byte 38'],
    [
      '{"@timestamp":"2026-09-21T14:13:20Z","attributes":{"a":[1,x]}}',
      'attributes.a[1]: not valid JSON: expected a value at byte 58',
    ],
    ['{"@timestamp":"2026-09-21T14:13:20Z","trace_flags":256}', 'trace_flags: expected 0 to 255'],
    [
      '{"@timestamp":"2026-09-21T14:13:20Z","resource":{"attributes":[]}}',
      'resource.attributes: expected an object',
    ],
    [
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"00"}]}]}]}',
      'resourceLogs[0].scopeLogs[0].logRecords[0].traceId: expected 32 hex digits',
    ],
    [Buffer.from([0x7b, 0xff]), 'not valid JSON: the text is not UTF-8'],
    [
      `{"@timestamp":"2026-09-21T14:13:20Z","attributes":{"a":${'['.repeat(70)}`,
      /nested deeper than 64 levels$/,
    ],
  ])('say what is wrong with %s', (line, problem) => {
    expect(problemWith(line)).toEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem))
  })

  it('keep the lines around one that is wrong', () => {
    const good = '{"@timestamp":"2026-09-21T14:13:20Z","resource":{"attributes":{"a":1}},"scope":{}}'
    const requests = new LineRequests()

    requests.add(Buffer.from(good))
    for (const bad of [
      good.replace('"a":1', '"a":'),
      good.replace('{}}', '{"name":1}}'),
      '{"resourceLogs":[1]}',
    ])
      expect(() => requests.add(Buffer.from(bad))).toThrow(MalformedError)
    requests.add(Buffer.from(good))

    const { resourceLogs } = decodeRequest(requests.take())
    expect(resourceLogs).toHaveLength(1)
    expect(resourceLogs[0].scopeLogs[0].logRecords).toHaveLength(2)
  })
})
