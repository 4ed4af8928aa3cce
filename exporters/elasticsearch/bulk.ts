import type { Rejection } from '../../src/component.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import type { Part } from '../../src/logs/data.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'
import type { IndexTarget, Targets } from './target.ts'

/** The body of one `_bulk` request. */
export interface Bulk {
  readonly body: Buffer
  /** For each action in the body, the record's index in the batch. */
  readonly records: readonly number[]
  /** Records that could not be rendered. */
  readonly rejected: readonly Rejection[]
}

const INITIAL_BYTES = 1024 * 1024
const HYPHEN = 0x2d

/**
 * Renders batches as `create` actions with ids that follow from the request: the same request repeated gives the
 * same ids, and Elasticsearch answers 409 to what it has. Reuse it for one bulk after the other: it keeps its memory.
 */
export class BulkRenderer {
  readonly #out = new JsonWriter(INITIAL_BYTES)
  readonly #documents: OtelDocuments<IndexTarget>
  #records: number[] = []
  #rejected: Rejection[] = []
  #part: Part | undefined
  #id: Buffer = Buffer.alloc(0)

  constructor(targets: Targets) {
    this.#documents = new OtelDocuments<IndexTarget>({
      timestamps: 'epoch_millis',
      target: (route) => targets.of(route),
      before: ({ part, position, target }, out) => {
        if (part !== this.#part) {
          this.#part = part
          this.#id = Buffer.from(Buffer.from(part.id ?? []).toString('base64url'))
        }
        out.raw(target.actionHead)
        out.raw(this.#id)
        out.byte(HYPHEN)
        out.integer(position)
        out.raw(target.actionTail)
      },
      after: ({ record }) => {
        this.#records.push(record)
      },
      failed: (record, error) => {
        this.#rejected.push({ records: [record], reason: `not a valid record: ${error.message}` })
      },
    })
  }

  /** The body shares the renderer's memory: it is valid until the next call. */
  render(batch: LogBatch): Bulk {
    this.#out.pos = 0
    this.#records = []
    this.#rejected = []
    this.#part = undefined
    this.#documents.render(batch, this.#out)
    return {
      body: this.#out.bytes.subarray(0, this.#out.pos),
      records: this.#records,
      rejected: this.#rejected,
    }
  }
}
