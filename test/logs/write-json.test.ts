import { describe, expect, it } from 'vitest'
import { BulkRenderer } from '../../exporters/elasticsearch/bulk.ts'
import { Targets } from '../../exporters/elasticsearch/target.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'
import { writeJson } from '../../src/logs/ndjson/write-json.ts'
import { memory } from '../../src/memory.ts'
import { encodeRequest } from '../oracle/oracle.ts'
import { attributes, batchOf, text } from '../support/otlp.ts'

const MEBIBYTE = 1024 * 1024
const TARGET = { dataStream: Buffer.alloc(0) }

function failed(_: number, error: Error): never {
  throw error
}

function edited(batch: LogBatch): LogBatch {
  batch.forEach((record) => record.setTraceContext({ spanId: Buffer.alloc(8, 1) }))
  return batch
}

describe('JSON that is written in one go', () => {
  it("is the caller's own", () => {
    const first = writeJson(16, (out) => out.ascii('"first"'))
    const second = writeJson(16, (out) => out.ascii('"second"'))

    expect([first.toString(), second.toString()]).toEqual(['"first"', '"second"'])
  })

  it('is refused while other JSON is being written, and later goes on', () => {
    const nested = (): Buffer => writeJson(16, () => writeJson(16, () => {}))

    expect(nested).toThrow('one at a time')
    expect(writeJson(16, (out) => out.ascii('1')).toString()).toBe('1')
  })
})

describe('documents larger than what the kernel can hold', () => {
  const requestOf = (bodies: readonly string[], resource = ''): LogBatch => {
    const value = (text: string) => ({ value: { case: 'stringValue' as const, value: text } })
    const logRecords = bodies.map((text) => ({ body: value(text) }))
    const attributes = [{ key: 'name', value: value(resource) }]
    return LogBatch.decode(
      encodeRequest({ resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] }),
      1_750_000_000_000,
    )
  }

  it.each([
    ['together', () => requestOf(Array.from({ length: 24 }, () => '\0'.repeat(MEBIBYTE / 4)))],
    ['in their records', () => requestOf(Array.from({ length: 5 }, () => 'x'.repeat(7 * MEBIBYTE)))],
    ['in their resource', () => requestOf(['a', 'b'], 'x'.repeat(MEBIBYTE))],
    ['in what was edited', () => edited(requestOf(['a', 'x'.repeat(MEBIBYTE), 'b']))],
  ])('are written as without it: %s', (_, make) => {
    const batch = make()
    const write = (out: JsonWriter): void =>
      new OtelDocuments({ timestamps: 'epoch_millis', target: () => TARGET, failed }).render(batch, out)
    const own = new JsonWriter(16)

    write(own)
    const written = writeJson(16, write)

    expect(written.equals(own.bytes.subarray(0, own.pos))).toBe(true)
    expect(written.toString('latin1').split('\n').length).toBe(batch.size + 1)
  })
})

describe('renderers that take turns', () => {
  it('never mix up what they render', () => {
    const batches = ['a', 'b'].map((name) => {
      const batch = batchOf([{ body: text(name) }], { attributes: attributes({ name: text(name) }) })
      batch.identify(Buffer.alloc(32))
      return batch
    })
    const renderers = batches.map(() => new BulkRenderer(new Targets()))
    const bodies = [0, 1, 0, 1].map((turn) => {
      const { body } = renderers[turn].render(batches[turn])
      const copy = body.toString()
      memory.give(body)
      return copy
    })

    expect(bodies[0]).toContain('"resource":{"attributes":{"name":"a"}}')
    expect(bodies[1]).toContain('"resource":{"attributes":{"name":"b"}}')
    expect(bodies.slice(2)).toEqual(bodies.slice(0, 2))
  })
})
