import { RetryableError } from '../component.ts'
import type { LogBatch } from '../logs/batch.ts'
import type { Piece } from '../logs/encode.ts'
import { WireWriter } from '../logs/wire-writer.ts'
import { memory } from '../memory.ts'

const INITIAL_BYTES = 64 * 1024

/** What one write to a buffer carries: an element, and what it counts for. */
export interface Element {
  readonly bytes: Buffer
  readonly records: number
}

export interface GroupCommitOptions {
  /** Unpacked bytes of an element: small requests are gathered up to it, large ones split. */
  readonly elementBytes: number
  /** Milliseconds that a request waits for others to share an element with, while another is under way. */
  readonly lingerMs: number
  /** Packs requests as an element, which shares nothing with them. */
  readonly pack: (requests: Buffer) => Buffer
  /** Bytes that may wait or be on their way; more is refused, and the client comes back. */
  readonly maxPendingBytes: number
  /** Resolves once the element is durable, and nobody reads its bytes any more. Several writes may be under way. */
  write(element: Element): Promise<void>
}

/** An element that is being gathered, and what those who wait for it are told. */
interface Gathering {
  records: number
  readonly durable: PromiseWithResolvers<void>
}

/**
 * Turns batches into buffer elements of an even size: gathers small ones for a few milliseconds, splits large
 * ones, and answers each only when everything it became is durable. What waits is written into one buffer that is used
 * again and again: memory taken and dropped by the megabyte is what keeps the garbage collector busy.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #writer = new WireWriter(INITIAL_BYTES)
  #gathering: Gathering | undefined
  #timer: NodeJS.Timeout | undefined
  #turn: NodeJS.Immediate | undefined
  #underWay = 0
  /** Bytes accepted and not yet durable. */
  pendingBytes = 0

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /** Resolves once the whole batch, which must have been identified, is durable. */
  async add(batch: LogBatch): Promise<void> {
    const { elementBytes, maxPendingBytes } = this.#options
    const pieces = batch.pieces(elementBytes)
    let bytes = 0
    for (const { size } of pieces) bytes += size
    if (this.pendingBytes > 0 && this.pendingBytes + bytes > maxPendingBytes) {
      throw new RetryableError('more is on its way to the buffer than it can take at once', {
        reason: 'busy',
      })
    }
    this.pendingBytes += bytes
    try {
      if (pieces.length === 1) await this.#enqueue(pieces[0])
      else await allOf(pieces.map((piece) => this.#enqueue(piece)))
    } finally {
      this.pendingBytes -= bytes
    }
  }

  /** Writes what waits now, without lingering. */
  flush(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
    this.#timer = this.#turn = undefined
    const gathering = this.#gathering
    if (gathering === undefined) return
    this.#gathering = undefined
    const requests = this.#writer.bytes.subarray(0, this.#writer.pos)
    this.#writer.pos = 0
    const { resolve, reject } = gathering.durable
    this.#write(requests, gathering.records).then(resolve, reject)
  }

  /** Writes a piece into the next element, and resolves once that is durable. */
  async #enqueue(piece: Piece): Promise<void> {
    const { elementBytes } = this.#options
    if (this.#writer.pos > 0 && this.#writer.pos + piece.size > elementBytes) this.flush()
    const mark = this.#writer.pos
    try {
      piece.write(this.#writer)
    } catch (error) {
      this.#writer.pos = mark
      throw error
    }
    this.#gathering ??= { records: 0, durable: Promise.withResolvers() }
    this.#gathering.records += piece.records
    const { promise } = this.#gathering.durable
    if (this.#writer.pos * 2 > elementBytes) this.flush()
    else this.#linger()
    return promise
  }

  /** Who comes alone is not to wait: while nothing is under way, an element takes only what has arrived already. */
  #linger(): void {
    if (this.#timer !== undefined || this.#turn !== undefined) return
    if (this.#underWay === 0) this.#turn = setImmediate(() => this.flush())
    else this.#timer = setTimeout(() => this.flush(), this.#options.lingerMs)
  }

  /** Packs before it first waits, so that the buffer is free for the next. */
  async #write(requests: Buffer, records: number): Promise<void> {
    this.#underWay++
    try {
      const bytes = this.#options.pack(requests)
      await this.#options.write({ bytes, records })
      // Not after a failure: something may still be under way with it.
      memory.give(bytes)
    } finally {
      this.#underWay--
    }
  }
}

/** Resolves once all have, and rejects with the first reason only after all have settled. */
async function allOf(pending: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(pending)) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
}
