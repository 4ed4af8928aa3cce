import type { Rejection } from '../../src/component.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import type { Part } from '../../src/logs/data.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'
import { writeJson } from '../../src/logs/ndjson/write-json.ts'
import type { IndexTarget, Targets } from './target.ts'

/** The body of one `_bulk` request. */
export interface Bulk {
  readonly body: Buffer
  /** For each action in the body, the record's index in the batch. */
  readonly records: readonly number[]
  /** Records that could not be rendered. */
  readonly rejected: readonly Rejection[]
}

/** The JSON of a record over its wire bytes, with room to spare. */
const GROWTH = 2
const MIN_BYTES = 64 * 1024

/**
 * Renders batches as `create` actions with ids that follow from the request: the same request repeated gives the
 * same ids, and Elasticsearch answers 409 to what it has.
 */
export class BulkRenderer {
  readonly #documents: OtelDocuments<IndexTarget>
  #records: number[] = []
  #rejected: Rejection[] = []
  #part: Part | undefined
  #target: IndexTarget | undefined
  /** The action line up to the position in the id. */
  #head: Buffer = Buffer.alloc(0)

  constructor(targets: Targets) {
    this.#documents = new OtelDocuments<IndexTarget>({
      timestamps: 'epoch_millis',
      target: (route) => targets.of(route),
      before: ({ part, position, target }, out) => {
        if (part !== this.#part || target !== this.#target) {
          this.#part = part
          this.#target = target
          const id = Buffer.from(part.id ?? []).toString('base64url')
          this.#head = Buffer.concat([target.actionHead, Buffer.from(`${id}-`)])
        }
        out.raw(this.#head)
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

  /** The body is out of `memory`, and the caller's to give back. */
  render(batch: LogBatch): Bulk {
    this.#records = []
    this.#rejected = []
    this.#part = undefined
    const size = Math.max(MIN_BYTES, batch.byteLength * GROWTH)
    const body = writeJson(size, (out) => this.#documents.render(batch, out))
    return { body, records: this.#records, rejected: this.#rejected }
  }
}
