import { redaction } from '../../processors/redaction/index.ts'
import { sampling } from '../../processors/sampling/index.ts'
import { traceContext } from '../../processors/trace_context/index.ts'
import type { Processor } from '../../src/component.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { LineRequests } from '../../src/logs/json/line-requests.ts'
import { OtlpJsonLines } from '../../src/logs/json/lines.ts'
import { Documents } from '../../src/logs/ndjson/documents.ts'
import { ECS } from '../../src/logs/ndjson/fields/ecs.ts'
import { FieldMapping } from '../../src/logs/ndjson/fields/field-mapping.ts'
import { NONE, RAW } from '../../src/logs/ndjson/fields/plain.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import type { Mapping } from '../../src/logs/ndjson/mapping.ts'
import { OtelMapping } from '../../src/logs/ndjson/otel-document.ts'
import { RecordJson } from '../../src/logs/ndjson/record-json.ts'
import { writeJson } from '../../src/logs/ndjson/write-json.ts'
import { never, testContext } from '../support/component.ts'
import { Defect } from './target.ts'

/** What is done with a batch after the door, as pipelines do it. */

const context = testContext()
const PROCESSORS: readonly Processor[] = [
  redaction.create(redaction.config.parse({}), context),
  redaction.create(redaction.config.parse({ action: 'remove' }), context),
  traceContext.create(traceContext.config.parse({}), context),
  sampling.create(sampling.config.parse({ sampling_percentage: 50 }), context),
]
const TARGET = { dataStream: Buffer.from(',"data_stream":{"type":"logs"}') }
/** They learn from what they see, over all inputs. */
const FIELD_MAPPINGS: readonly Mapping[] = [ECS, NONE, RAW].map((scheme) => new FieldMapping(scheme))
const SMALL_PIECES = 100

/** All processors of a gateway, each on a fork of its own. Gives what they leave. */
export function processed(batch: LogBatch): LogBatch[] {
  return PROCESSORS.map((processor) => {
    const fork = batch.fork()
    void processor.process(fork, never)
    return fork
  })
}

/** Writes documents of all modes; the kernel's must be those of TypeScript. */
export function renderAll(batch: LogBatch): void {
  const plain = documentsOf(batch, new OtelMapping(new RecordJson('epoch_millis')), new JsonWriter(16))
  writeJson(16, (out) => {
    const lines = documentsOf(batch, new OtelMapping(), out)
    if (lines.join('') !== plain.join(''))
      throw new Defect('the kernel writes another document than TypeScript')
  })
  documentsOf(batch, new OtelMapping(new RecordJson('rfc3339')), new JsonWriter(16))
  for (const mapping of FIELD_MAPPINGS) documentsOf(batch, mapping, new JsonWriter(16))
  if (plain.length === 0) return
  // What the file exporter wrote can be read again.
  const requests = new LineRequests()
  for (const line of plain) requests.add(Buffer.from(line.slice(0, -1)))
  if (LogBatch.decode(requests.take()).size !== plain.length)
    throw new Defect('documents are lost in a replay')
}

export function documentsOf(batch: LogBatch, mapping: Mapping, out: JsonWriter): string[] {
  const lines: string[] = []
  let from = 0
  let failed = 0
  new Documents({
    destination: () => ({ mapping, target: TARGET }),
    before: () => {
      from = out.pos
    },
    after: () => void lines.push(out.bytes.toString('utf8', from, out.pos)),
    failed: () => {
      failed++
    },
  }).render(batch, out)
  if (lines.length + failed !== batch.size) throw new Defect('a record became no document')
  for (const line of lines) requireJsonLine(line)
  return lines
}

/** OTLP/JSON lines of a batch, as requests again. */
export function throughJson(batch: LogBatch): Buffer[] {
  const requests: Buffer[] = []
  const out = new JsonWriter(16)
  new OtlpJsonLines({
    key: () => '',
    line: (_, start, end) => {
      const line = out.bytes.toString('utf8', start, end)
      requireJsonLine(line)
      requests.push(Buffer.from(encodeJsonRequest(line)))
    },
    failed: (_, error) => {
      throw error
    },
  }).render(batch, out)
  return requests
}

function requireJsonLine(line: string): void {
  if (line.indexOf('\n') !== line.length - 1) throw new Defect('a document is not one line')
  try {
    JSON.parse(line)
  } catch (error) {
    throw new Defect('a document is not JSON', { cause: error })
  }
}

/** Writes the batch out in small pieces and in one; each opens again, with the records it says. */
export function storedOf(batch: LogBatch): Buffer {
  const whole = batch.encode(Number.POSITIVE_INFINITY)
  for (const pieces of [whole, batch.encode(SMALL_PIECES)]) {
    const opened = pieces.map(({ bytes, records }) => {
      const piece = LogBatch.open(bytes)
      if (piece.size !== records) throw new Defect('a piece does not hold the records it says')
      return piece
    })
    const total = opened.reduce((sum, { size }) => sum + size, 0)
    if (total !== batch.size) throw new Defect('pieces hold other records than the batch')
    if (opened.length > 1 && LogBatch.concat(opened).size !== total)
      throw new Defect('pieces lose records together')
  }
  return Buffer.concat(whole.map(({ bytes }) => bytes))
}

/** Reads all that processors and exporters ask a record for. */
export function readAll(batch: LogBatch): void {
  batch.forEach((record) => {
    record.attribute('nobody has this')
    record.attribute('a')
    if (record.traceIdState === 'valid') Math.max(record.traceRandomHigh, record.traceRandomLow)
    Math.max(record.hash, record.severityNumber)
  })
  const half = batch.select(batch.indices().filter((index) => index % 2 === 0))
  if (half.size !== Math.ceil(batch.size / 2))
    throw new Defect('a selection holds other records than were asked for')
}
