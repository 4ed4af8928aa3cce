import type { Rejection } from '../../src/component.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import type { Part } from '../../src/logs/data.ts'
import { type DocumentSource, Documents } from '../../src/logs/ndjson/documents.ts'
import type { Clash } from '../../src/logs/ndjson/fields/field-tree.ts'
import type { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { UnfitError } from '../../src/logs/ndjson/mapping.ts'
import { writeJson } from '../../src/logs/ndjson/write-json.ts'
import type { MalformedError } from '../../src/logs/wire.ts'
import { attributeId, batchIdHead, type IdOptions } from './document-id.ts'
import type { FieldWatch, MoveReason } from './fields/field-watch.ts'
import type { LevelNamespaces } from './level-namespaces.ts'
import { Mappings } from './mappings.ts'
import type { IndexTarget, Targets } from './target.ts'

/** The body of one `_bulk` request. */
export interface Bulk {
  readonly body: Buffer
  /** For each action in the body, the record's index in the batch. */
  readonly records: readonly number[]
  /** Records that cannot be documents. */
  readonly rejected: readonly Rejection[]
  /** How many records became no document, by a short word for why. */
  readonly missing: ReadonlyMap<string, number>
  /** How many fields did not get the name they asked for. */
  readonly clashes: ReadonlyMap<Clash, number>
  /** How many attributes were moved into one field. */
  readonly moved: ReadonlyMap<MoveReason, number>
}

const NONE_MOVED: Bulk['moved'] = new Map()

/** The JSON of a batch over its wire bytes, as long as no batch has been rendered. */
const GROWTH = 2
/** How much of that is forgotten with a batch that grows less. */
const FORGETTING = 0.1
/** Writing reserves several times what it reads. */
const ROOM = 64 * 1024
const ID = Buffer.from(',"_id":"')
/** For the longest id, were all of it to be escaped. */
const ID_ROOM = 4096
const QUOTE = 0x22
const UNINDEXED = 'unindexed'

/**
 * Renders batches as `create` actions with ids that follow from the request: the same request repeated gives the
 * same ids, and Elasticsearch answers 409 to what it has.
 */
export class BulkRenderer {
  readonly #documents: Documents<IndexTarget>
  readonly #mappings: Mappings
  readonly #ids: IdOptions
  readonly #watch: FieldWatch | undefined
  /** How many times larger than a batch its body is, by those before. */
  #growth = GROWTH
  #records: number[] = []
  #rejected = new Map<string, number[]>()
  #missing = new Map<string, number>()
  #part: Part | undefined
  #target: IndexTarget | undefined
  /** The action line up to the position in the id. */
  #head: Buffer = Buffer.alloc(0)
  /** Where the document begins. */
  #start = 0

  constructor(
    targets: Targets,
    mappings = new Mappings(),
    ids: IdOptions = { attribute: false, batch: true },
    {
      watch,
      levels,
    }: { readonly watch?: FieldWatch | undefined; readonly levels?: LevelNamespaces | undefined } = {},
  ) {
    this.#watch = watch
    this.#mappings = mappings
    this.#ids = ids
    this.#documents = new Documents<IndexTarget>({
      destination: (route, { receivedMs }) => {
        if (route.unindexed) throw new UnfitError(UNINDEXED, 'it says that it is not to be indexed')
        const mode = mappings.modeOf(route.mode)
        const target = targets.of(route, mode, receivedMs)
        watch?.enter(target, mode)
        return { mapping: mappings.of(mode), target }
      },
      ...(levels && { routeOf: (asked, severity) => levels.routeOf(asked, severity) }),
      before: (source, out) => this.#writeAction(source, out),
      after: ({ record, target }, out) => {
        this.#records.push(record)
        watch?.document(target, out, this.#start)
      },
      failed: (record, error) => this.#refuse(record, error),
    })
  }

  /** The body is out of `memory`, and the caller's to give back. */
  render(batch: LogBatch): Bulk {
    this.#records = []
    this.#rejected = new Map()
    this.#missing = new Map()
    this.#part = undefined
    const size = Math.ceil(batch.byteLength * this.#growth) + ROOM
    const withKernel = this.#mappings.useKernel
    const body = writeJson(size, (out) => this.#documents.render(batch, out), { withKernel })
    const growth = body.length / Math.max(1, batch.byteLength)
    this.#growth = Math.max(growth, this.#growth + (growth - this.#growth) * FORGETTING)
    return {
      body,
      records: this.#records,
      rejected: [...this.#rejected].map(([reason, records]) => ({ reason, records })),
      missing: this.#missing,
      clashes: this.#mappings.takeClashes(),
      moved: this.#watch?.takeMoved() ?? NONE_MOVED,
    }
  }

  #writeAction({ part, position, route, target }: DocumentSource<IndexTarget>, out: JsonWriter): void {
    const { attribute, batch } = this.#ids
    out.reserve(target.actionHead.length + target.actionTail.length + ID_ROOM)
    if (attribute && route.id !== undefined) {
      out.raw(target.actionHead)
      out.raw(ID)
      out.raw(Buffer.from(attributeId(route.id)))
      out.byte(QUOTE)
    } else if (batch) {
      if (part !== this.#part || target !== this.#target) {
        this.#part = part
        this.#target = target
        this.#head = Buffer.concat([target.actionHead, ID, Buffer.from(batchIdHead(part))])
      }
      out.raw(this.#head)
      out.integer(position)
      out.byte(QUOTE)
    } else out.raw(target.actionHead)
    out.raw(target.actionTail)
    this.#start = out.pos
  }

  #refuse(record: number, error: MalformedError | UnfitError): void {
    const unfit = error instanceof UnfitError
    const word = unfit ? error.reason : 'malformed'
    this.#missing.set(word, (this.#missing.get(word) ?? 0) + 1)
    if (word === UNINDEXED) return
    const reason = unfit ? error.message : `not a valid record: ${error.message}`
    const same = this.#rejected.get(reason)
    if (same) same.push(record)
    else this.#rejected.set(reason, [record])
  }
}
