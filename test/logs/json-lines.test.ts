import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { OtlpJsonLines, type OtlpJsonLinesOptions } from '../../src/logs/json/lines.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { Record, Request, ResourceLogs, ScopeLogs } from '../../src/logs/wire.ts'
import { WireWriter } from '../../src/logs/wire-writer.ts'
import { decodeRequest, filterRecords, recordsOf } from '../oracle/oracle.ts'
import { choice, runs, sample } from '../support/arbitraries.ts'
import { batchOf, text } from '../support/otlp.ts'

interface Line {
  readonly key: string
  readonly text: string
}

/** The lines that a batch becomes. */
function linesOf(batch: LogBatch, options: Partial<OtlpJsonLinesOptions> = {}): Line[] {
  const lines: Line[] = []
  const out = new JsonWriter(16)
  const writer = new OtlpJsonLines({
    key: () => '',
    line: (key, start, end) => lines.push({ key, text: out.bytes.toString('utf8', start, end) }),
    failed: (_, error) => {
      throw error
    },
    ...options,
  })
  writer.render(batch, out)
  return lines
}

/** What is said of the records of requests, as far as OTLP/JSON can say it. */
function saidIn(requests: readonly ReturnType<typeof decodeRequest>[]): unknown[] {
  return requests.flatMap(recordsOf).map(({ record, scope, resource, ...urls }) => ({
    ...urls,
    scope: scope ?? { name: '', version: '', attributes: [], droppedAttributesCount: 0 },
    resource: resource ?? { attributes: [], droppedAttributesCount: 0, entityRefs: [] },
    record: {
      ...record,
      traceId: record.traceId.length === 16 ? record.traceId : new Uint8Array(),
      spanId: record.spanId.length === 8 ? record.spanId : new Uint8Array(),
    },
  }))
}

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, part: unknown) => {
      if (key === '$typeName') return undefined
      if (typeof part === 'bigint') return `${part}n`
      if (part instanceof Uint8Array) return Buffer.from(part).toString('hex')
      if (typeof part === 'number' && !Number.isFinite(part)) return String(part)
      return Object.is(part, -0) ? '-0' : part
    }),
  ) as unknown

const readBack = (lines: readonly Line[]): unknown =>
  plain(saidIn(lines.map((line) => decodeRequest(encodeJsonRequest(line.text)))))

describe('lines of OTLP/JSON', () => {
  it('say all that the request said', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const lines = linesOf(LogBatch.decode(bytes))

        expect(readBack(lines)).toEqual(plain(saidIn([request])))
      }),
      runs(300),
    )
  })

  it('are cut where the key changes, and leave out what was dropped', () => {
    fc.assert(
      fc.property(sample, choice, choice, ({ request, bytes }, keep, odd) => {
        const batch = LogBatch.decode(bytes)
        const kept = batch.select(batch.indices().filter((record) => keep[record]))

        const lines = linesOf(kept, { key: ({ record }) => (odd[record] ? 'odd' : 'even') })

        for (const key of ['odd', 'even']) {
          const wanted = filterRecords(request, (record) => keep[record] && odd[record] === (key === 'odd'))
          expect(readBack(lines.filter((line) => line.key === key))).toEqual(plain(saidIn([wanted])))
        }
      }),
      runs(200),
    )
  })

  it('name members as the specification does', () => {
    const request = {
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: text('cart') }] },
          scopeLogs: [
            {
              scope: { name: 'db' },
              logRecords: [
                {
                  timeUnixNano: '1790000000000000001',
                  severityNumber: 9,
                  body: { kvlistValue: { values: [{ key: 'n', value: { intValue: '-7' } }] } },
                  flags: 257,
                  traceId: '5b8efff798038103d269b633813fc60c',
                },
              ],
            },
          ],
        },
      ],
    }

    const [line] = linesOf(LogBatch.decode(encodeJsonRequest(JSON.stringify(request))))

    expect(JSON.parse(line.text)).toEqual(request)
    expect(line.text.endsWith('}\n')).toBe(true)
  })

  it('end before they are longer than the Collector reads', () => {
    const body = 'x'.repeat(100_000)
    const batch = batchOf(Array.from({ length: 20 }, () => ({ body: text(body) })))

    const lines = linesOf(batch)

    expect(lines.length).toBeGreaterThan(1)
    for (const line of lines) expect(Buffer.byteLength(line.text)).toBeLessThan(2 ** 20)
    expect(lines.flatMap((line) => saidIn([decodeRequest(encodeJsonRequest(line.text))]))).toHaveLength(20)
  })

  it('hold what grows most on its way into JSON', () => {
    const attributes = Array.from({ length: 10_000 }, () => ({ key: '' }))
    const [line] = linesOf(batchOf([{ attributes }], { attributes }))

    expect(JSON.parse(line.text)).toMatchObject({
      resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [{ attributes }] }] }],
    })
  })

  it.each([
    ['the first of a line', [true, false, false]],
    ['one in the middle', [false, true, false]],
    ['the last', [false, false, true]],
    ['all', [true, true, true]],
  ])('leave out a broken record, %s, and keep the others', (_, broken) => {
    const batch = LogBatch.open(requestWith(broken))
    const failed: number[] = []

    const lines = linesOf(batch, { failed: (record) => failed.push(record) })

    expect(failed).toEqual([0, 1, 2].filter((record) => broken[record]))
    const times = lines.flatMap((line) => saidIn([decodeRequest(encodeJsonRequest(line.text))]))
    expect(times).toHaveLength(broken.filter((is) => !is).length)
  })

  it('keep the line before a broken record with another key', () => {
    const failed: number[] = []

    const lines = linesOf(LogBatch.open(requestWith([false, true, false])), {
      key: ({ record }) => String(record),
      failed: (record) => failed.push(record),
    })

    expect(failed).toEqual([1])
    expect(lines.map(({ key }) => key)).toEqual(['0', '2'])
    for (const line of lines) JSON.parse(line.text)
  })
})

/** A request whose records have a time and an attribute, of a length that lies in those that are broken. */
function requestWith(broken: readonly boolean[]): Buffer {
  const writer = new WireWriter()
  const resource = writer.open(Request.resourceLogs)
  const scope = writer.open(ResourceLogs.scopeLogs)
  for (const isBroken of broken) {
    const record = writer.open(ScopeLogs.logRecords)
    writer.varint(Record.time)
    writer.fixed64(1_790_000_000_000_000_000n)
    writer.field(Record.attributes, Buffer.from(isBroken ? '0a7f61' : '0a0161', 'hex'))
    writer.close(record)
  }
  writer.close(scope)
  writer.close(resource)
  return writer.take()
}
