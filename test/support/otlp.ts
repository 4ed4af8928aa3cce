import { LogBatch } from '../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'

/** A batch of the records given in OTLP/JSON, of one resource and scope. */
export function batchOf(logRecords: readonly object[], resource: object = {}, scope: object = {}): LogBatch {
  const request = { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords }] }] }
  return LogBatch.decode(encodeJsonRequest(JSON.stringify(request)))
}

export interface Document {
  readonly body?: { readonly text?: unknown; readonly structured?: unknown }
  readonly attributes: Readonly<Record<string, unknown>>
  readonly resource: { readonly attributes: Readonly<Record<string, unknown>> }
  readonly scope: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** What becomes of a batch: its documents, as Elasticsearch would get them. */
export function documentsOf(batch: LogBatch): Document[] {
  const out = new JsonWriter(1024)
  const documents = new OtelDocuments({
    timestamps: 'epoch_millis',
    target: () => ({ dataStream: Buffer.alloc(0) }),
    failed: (_, error) => {
      throw error
    },
  })
  documents.render(batch, out)
  const lines = out.bytes.toString('utf8', 0, out.pos).trimEnd().split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Document)
}

export const text = (stringValue: string): object => ({ stringValue })
export const attributes = (values: Readonly<Record<string, object>>): object[] =>
  Object.entries(values).map(([key, value]) => ({ key, value }))
