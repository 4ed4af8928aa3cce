import { memory } from '../memory.ts'
import { checkRecord } from './check.ts'
import { checkRequest } from './check-request.ts'
import { type BatchData, isDropped, type Part, recordCount } from './data.ts'
import { type Piece, piecesOf } from './encode.ts'
import { type Envelope, readEnvelope } from './envelope.ts'
import { batchId } from './identity.ts'
import { type ContentLimits, isOver, type Limited, limitContent } from './limit.ts'
import { normalize } from './normalize.ts'
import { LogRecord } from './record.ts'
import type { RewriteText } from './rewrite.ts'
import { rewriteTexts, type Scan } from './rewrite-texts.ts'
import { CHECKED, DROPPED, EDITED, L, R, readStructure, S } from './structure.ts'
import { firstTimeMs, oldestObservedMs } from './times.ts'
import { WireReader } from './wire.ts'
import { WireWriter } from './wire-writer.ts'

/** One valid `ExportLogsServiceRequest`, with envelopes. */
export interface EncodedBatch {
  readonly bytes: Buffer
  readonly records: number
}

/**
 * A batch of log records that stays the bytes it came as, `ExportLogsServiceRequest` of OTLP, with an index of
 * offsets beside them. Reading looks at the bytes, dropping sets a bit, changing stores an edit, and
 * `encode` copies what nobody touched.
 */
export class LogBatch {
  /** @internal Only for `src/logs/`. */
  readonly data: BatchData
  readonly #view: LogRecord
  #drops: Map<string, number> | undefined

  private constructor(data: BatchData) {
    this.data = data
    this.#view = new LogRecord(data, this.#edit, this.#drop)
  }

  /**
   * A batch at the door: checks everything, so that whoever reads it later may trust lengths, nesting and UTF-8.
   * The batch keeps `bytes`; nobody may change them afterwards. `tenant` says whose records they are.
   * @throws MalformedError saying what is wrong and where
   */
  static decode(bytes: Buffer, receivedMs = Date.now(), tenant?: string): LogBatch {
    const { structure, contextLongInts, repeated, extent } = checkRequest(bytes)
    if (repeated) {
      const simple = normalize(bytes)
      if (readStructure(simple).repeated) throw new Error('normalize left a repeated message')
      return LogBatch.decode(simple, receivedMs, tenant)
    }
    const rows = structure.records
    const observedMs = oldestObservedMs(bytes, rows) ?? receivedMs
    const timeMs = firstTimeMs(bytes, rows)
    const part = { id: undefined, timeMs, observedMs, receivedMs, ...(tenant !== undefined && { tenant }) }
    return new LogBatch(newData(bytes, structure, [part], { sealed: false, contextLongInts, extent }))
  }

  /**
   * A batch out of a buffer, which `decode` checked before it went in: finds the records and their identities.
   * @throws MalformedError where even that is not possible
   */
  static open(bytes: Buffer): LogBatch {
    const structure = readStructure(bytes)
    const { resources, records: rows, scopes, envelopes } = structure
    const read = envelopes.map(({ start, end }) => readEnvelope(bytes, start, end))
    const orphans = envelopes.length === 0 || envelopes[0].resource > 0
    const now = Date.now()
    const parts: Part[] = orphans ? [{ id: undefined, timeMs: 0, observedMs: now, receivedMs: now }] : []
    const offset = parts.length
    for (const envelope of read) parts.push({ ...envelope, timeMs: 0 })
    for (let resource = 0, next = 0; resource * R.STRIDE < resources.length; resource++) {
      while (next < envelopes.length && envelopes[next].resource <= resource) next++
      resources[resource * R.STRIDE + R.PART] = next - 1 + offset
    }
    const positions = parts.map((_, part) => positionsOf(part < offset ? undefined : read[part - offset]))
    for (let row = 0; row < rows.length; row += L.STRIDE) {
      const resource = scopes[rows[row + L.SCOPE] * S.STRIDE + S.RESOURCE]
      rows[row + L.POSITION] = positions[resources[resource * R.STRIDE + R.PART]]()
    }
    return new LogBatch(
      newData(bytes, structure, parts, { sealed: !orphans, contextLongInts: true, extent: undefined }),
    )
  }

  /** Puts batches out of buffers together, in memory that is lent, and releases each: see `release`. */
  static concat(batches: readonly LogBatch[]): LogBatch {
    if (batches.length === 1) return batches[0]
    const parts = batches.map((batch) => batch.#wholeBytes())
    const bytes = memory.take(parts.reduce((size, part) => size + part.length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    for (const batch of batches) batch.release()
    return LogBatch.open(bytes)
  }

  /** Gives its memory back. Nobody may read the batch any more, nor a fork or selection of it. */
  release(): void {
    const { bytes, rows, structure } = this.data
    memory.give(bytes)
    for (const table of new Set([rows, structure.records, structure.scopes, structure.resources])) {
      memory.discard(table)
    }
  }

  /** Records in the batch: those received less those dropped. */
  get size(): number {
    return this.data.live
  }

  /** Out of a buffer with its identity; a request that somebody else put there has none. */
  get sealed(): boolean {
    return this.data.sealed
  }

  /** About how many bytes the batch takes. */
  get byteLength(): number {
    return this.data.bytes.length
  }

  /** Oldest observed time of each request in the batch, epoch milliseconds. */
  get observedMs(): readonly number[] {
    return this.data.parts.map((part) => part.observedMs)
  }

  /** When the oldest request in the batch was received, epoch milliseconds. */
  get receivedMs(): number {
    return this.data.parts.reduce(
      (oldest, part) => Math.min(oldest, part.receivedMs),
      Number.POSITIVE_INFINITY,
    )
  }

  /** Why and where the records were refused, when the batch comes from a dead-letter queue. */
  get letter(): Part['letter'] {
    return this.data.parts[0]?.letter
  }

  /** Calls `visit` with every record; the argument is one view that moves along. */
  forEach(visit: (record: LogRecord) => void): void {
    this.#checkAll()
    const count = recordCount(this.data)
    for (let index = 0; index < count; index++) {
      if (isDropped(this.data, index)) continue
      this.#view.moveTo(index)
      visit(this.#view)
    }
  }

  /**
   * Rewrites texts wherever `scan` finds something in them, and long integers; see `rewriteMessage`.
   * Where `rewrite` throws, the records concerned are dropped with `failure` as the reason: redaction fails closed.
   */
  rewriteTexts(scan: Scan, rewrite: RewriteText, failure: string): void {
    this.#checkAll()
    const drop = (record: number): void => this.#drop(record, failure)
    rewriteTexts({ data: this.data, scan, rewrite, edit: this.#edit, drop })
  }

  /**
   * Holds a batch that `decode` made to limits, before anybody edits it; see `cut`. What it drops is not in `takeDrops`.
   * @returns undefined where nothing is over: that is known without looking
   */
  limit(limits: ContentLimits): Limited | undefined {
    const { extent } = this.data
    if (extent === undefined || !isOver(extent, limits)) return undefined
    const drop = (record: number): void => this.#leaveOut(record)
    return limitContent(this.data, limits, { edit: this.#edit, drop })
  }

  /** Gives every request in the batch that has none its id, under the buffer's key. */
  identify(key: Uint8Array): void {
    for (const part of this.data.parts) part.id ??= batchId(key, this.data.bytes, part.timeMs, part.tenant)
  }

  /** Divides the live records into requests of about `maxBytes` each. The batch must have been identified. */
  pieces(maxBytes: number, letter?: Envelope['letter']): Piece[] {
    return piecesOf(this.data, maxBytes, letter)
  }

  /** The same pieces, written out. */
  encode(maxBytes: number, letter?: Envelope['letter']): EncodedBatch[] {
    return this.pieces(maxBytes, letter).map((piece) => {
      const writer = new WireWriter(piece.size)
      piece.write(writer)
      return { bytes: writer.take(), records: piece.records }
    })
  }

  /** Indices of the live records, as `select` takes them. */
  indices(): number[] {
    const live: number[] = []
    for (let index = 0; index < recordCount(this.data); index++)
      if (!isDropped(this.data, index)) live.push(index)
    return live
  }

  /** A fork with only some of the records, by index. */
  select(indices: Iterable<number>): LogBatch {
    const selection = this.fork()
    const { data } = selection
    const count = recordCount(data)
    for (let record = 0; record < count; record++) data.rows[record * L.STRIDE + L.STATE] |= DROPPED
    data.live = 0
    for (const index of indices) {
      if (isDropped(this.data, index) || !isDropped(data, index)) continue
      data.rows[index * L.STRIDE + L.STATE] &= ~DROPPED
      data.live++
    }
    return selection
  }

  /** A batch with the same records that can be edited apart from this one; it shares the bytes. */
  fork(): LogBatch {
    const { data } = this
    return new LogBatch({
      ...data,
      rows: data.rows.slice(),
      parts: data.parts.map((part) => ({ ...part })),
      edits: new Map(data.edits),
      resourceEdits: new Map(data.resourceEdits),
      scopeEdits: new Map(data.scopeEdits),
    })
  }

  /** Records dropped since the last call, by reason. */
  takeDrops(): ReadonlyMap<string, number> {
    const drops = this.#drops ?? NO_DROPS
    this.#drops = undefined
    return drops
  }

  readonly #drop = (record: number, reason: string): void => {
    if (isDropped(this.data, record)) return
    this.#leaveOut(record)
    this.#drops ??= new Map()
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1)
  }

  #leaveOut(record: number): void {
    this.data.rows[record * L.STRIDE + L.STATE] |= DROPPED
    this.data.live--
  }

  readonly #edit = (record: number, content: Buffer): void => {
    const { rows, edits } = this.data
    const row = record * L.STRIDE
    edits.set(record, content)
    checkRecord(new WireReader(content), content.length, rows, row, 0)
    rows[row + L.STATE] |= EDITED
  }

  /** Fills the columns of records out of a buffer, the first time somebody reads them. */
  #checkAll(): void {
    const { bytes, rows } = this.data
    if (rows.length === 0 || (rows[L.STATE] & CHECKED) !== 0) return
    const reader = new WireReader(bytes)
    for (let row = 0; row < rows.length; row += L.STRIDE) {
      reader.pos = rows[row + L.START]
      checkRecord(reader, rows[row + L.END], rows, row, rows[row + L.START])
    }
  }

  #wholeBytes(): Buffer {
    const { data } = this
    const untouched =
      data.live === recordCount(data) &&
      data.edits.size + data.resourceEdits.size + data.scopeEdits.size === 0 &&
      data.sealed
    return untouched
      ? data.bytes
      : Buffer.concat(this.encode(Number.POSITIVE_INFINITY).map(({ bytes }) => bytes))
  }
}

const NO_DROPS: ReadonlyMap<string, number> = new Map()

function newData(
  bytes: Buffer,
  structure: BatchData['structure'],
  parts: readonly Part[],
  known: Pick<BatchData, 'sealed' | 'contextLongInts' | 'extent'>,
): BatchData {
  return {
    ...known,
    bytes,
    structure,
    parts,
    rows: structure.records,
    edits: new Map(),
    resourceEdits: new Map(),
    scopeEdits: new Map(),
    live: structure.records.length / L.STRIDE,
  }
}

/** Counts positions up through an envelope's runs; past their end, and without any, it goes on by one. */
function positionsOf(envelope: Envelope | undefined): () => number {
  const runs = envelope?.runs ?? []
  let next = runs[0] ?? 0
  let run = 1
  let left = runs[1] ?? Number.POSITIVE_INFINITY
  return () => {
    if (left === 0) {
      next += runs[run + 1] ?? 0
      left = runs[run + 2] ?? Number.POSITIVE_INFINITY
      run += 2
    }
    left--
    return next++
  }
}
