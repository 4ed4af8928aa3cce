import { createHash } from 'node:crypto'
import { letterId } from '../../src/buffer/letters.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { firstEnvelope } from '../../src/logs/envelope.ts'
import { nameResources } from '../../src/logs/resources.ts'
import { memory } from '../../src/memory.ts'
import type { BulkRenderer } from './bulk.ts'
import { dataStreamParts } from './dead-letter-config.ts'
import { readReason } from './dead-letter-reason.ts'
import { batchIdHead } from './document-id.ts'

/** A dead letter as an action of a bulk request, both lines of it. */
export interface LetterDocument {
  /** Index in the batch. */
  readonly record: number
  readonly lines: string
}

/** What letters of one burial have in common. */
export interface LetterOptions {
  readonly dataStream: string
  /** OpenSearch does not know the parameter, and refuses a request that has it. */
  readonly requireDataStream: boolean
  readonly exporter: string
  readonly pipeline: string
  readonly reason: string
  /** Epoch milliseconds. */
  readonly buriedMs: number
  /** Knows the document that each record was to be. */
  readonly renderer: BulkRenderer
}

const MAX_NAME = 1024

/** Makes a document of each record in `batch`: why it was refused, what it was to be, and the whole of it as OTLP. */
export function letterDocuments(batch: LogBatch, options: LetterOptions): LetterDocument[] {
  const records = batch.indices()
  // Apart from the others in the batch, which writing each record would pass over again.
  const few = LogBatch.open(Buffer.concat(batch.encode(Number.POSITIVE_INFINITY).map(({ bytes }) => bytes)))
  const targets = targetsOf(few, options.renderer)
  const { reason, pipeline, buriedMs } = options
  const pieces = few.encode(0, { reason, pipeline, buriedMs })
  return pieces.map(({ bytes }, index) => ({
    record: records[index],
    lines: `${actionOf(bytes, options)}\n${documentOf(bytes, targets.get(index), options)}\n`,
  }))
}

/** `_none`: the ingest pipeline of the settings is for logs. */
function actionOf(otlp: Buffer, options: LetterOptions): string {
  const create = {
    _index: options.dataStream,
    _id: idOf(otlp, options),
    pipeline: '_none',
    ...(options.requireDataStream && { require_data_stream: true }),
  }
  return JSON.stringify({ create })
}

/**
 * The same for the same record in the same place, however often it is buried. Another one after a replay: the letter
 * that is on its way back is not the one that the record becomes when it is refused again meanwhile.
 */
function idOf(otlp: Buffer, { exporter, pipeline }: LetterOptions): string {
  const { id, runs, lastBuriedMs } = firstEnvelope(otlp)
  const place = createHash('sha256').update(`${exporter}\n${pipeline}`).digest('base64url').slice(0, 8)
  const again = lastBuriedMs === undefined ? '' : `-${lastBuriedMs.toString(36)}`
  return `${batchIdHead({ id })}${runs[0]}-${place}${again}`
}

function documentOf(otlp: Buffer, target: Target | undefined, options: LetterOptions): string {
  const { dataStream, exporter, pipeline, reason, buriedMs } = options
  const { status, type, field, fieldType } = readReason(reason)
  const service = serviceOf(otlp)
  return JSON.stringify({
    '@timestamp': new Date(buriedMs).toISOString(),
    data_stream: { type: 'logs', ...dataStreamParts(dataStream) },
    reason,
    ...(status !== undefined && { http: { response: { status_code: status } } }),
    ...(type !== undefined && { error: { type, field, field_type: fieldType } }),
    ...(target && { target }),
    letter: { id: letterId(otlp) },
    pipeline,
    exporter,
    ...(service !== undefined && { service: { name: service } }),
    otlp: otlp.toString('base64'),
  })
}

function serviceOf(otlp: Buffer): string | undefined {
  const [name] = nameResources(LogBatch.open(otlp), (resource) => {
    const value = resource.attribute('service.name')
    return typeof value === 'string' ? value.slice(0, MAX_NAME) : ''
  })
  return name || undefined
}

interface Target {
  readonly index: string
  readonly id: string | undefined
}

/** Where the records were to go, by their index; nowhere those that cannot be documents. */
function targetsOf(batch: LogBatch, renderer: BulkRenderer): ReadonlyMap<number, Target> {
  const { body, records } = renderer.render(batch)
  const lines = body.toString().split('\n')
  memory.give(body)
  return new Map(
    records.map((record, index) => {
      const { create } = JSON.parse(lines[index * 2]) as { create: { _index: string; _id?: string } }
      return [record, { index: create._index, id: create._id }]
    }),
  )
}
