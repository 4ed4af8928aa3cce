import type { LogBatch } from '../logs/batch.ts'
import { JsonWriter } from '../logs/ndjson/json-writer.ts'
import { OtelDocuments } from '../logs/ndjson/otel-document.ts'

const NOWHERE = { dataStream: Buffer.alloc(0) }

/** A record as its document in Elasticsearch, and where it stood in the request it came in. */
export interface ShownRecord {
  /** Batch id and position, which the id of the document is made of. */
  readonly batch: string
  readonly position: number
  readonly record: Readonly<Record<string, unknown>>
}

/** The records of a batch; one that no document can be made of says why in its place. */
export function showRecords(batch: LogBatch): ShownRecord[] {
  const shown: ShownRecord[] = []
  const places: Pick<ShownRecord, 'batch' | 'position'>[] = []
  const out = new JsonWriter(Math.max(4096, batch.byteLength * 2))
  const documents = new OtelDocuments({
    timestamps: 'rfc3339',
    target: () => NOWHERE,
    before: ({ part, position }) => {
      places.push({ batch: Buffer.from(part.id ?? []).toString('hex'), position })
    },
    failed: (_, error) => {
      const place = places.pop() ?? { batch: '', position: 0 }
      shown.push({ ...place, record: { error: error.message } })
    },
  })
  documents.render(batch, out)
  const lines = out.bytes.toString('utf8', 0, out.pos).split('\n')
  for (const [index, place] of places.entries()) {
    shown.push({ ...place, record: JSON.parse(lines[index]) as ShownRecord['record'] })
  }
  return shown
}
