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
  /** Milliseconds that a request waits for others to share an element with. */
  readonly lingerMs: number
  /** Packs requests as an element, which shares nothing with them. */
  readonly pack: (requests: Buffer) => Buffer
  /** Bytes that may wait or be on their way; more is refused, and the client comes back. */
  readonly maxPendingBytes: number
  /** Resolves once the element is durable, and nobody reads its bytes any more. Several writes may be under way. */
  write(element: Element): Promise<void>
}

interface Waiting {
  readonly records: number
  readonly settle: (error?: unknown) => void
}

/**
 * Turns batches into buffer elements of an even size: gathers small ones for a few milliseconds, splits large
 * ones, and answers each only when everything it became is durable. What waits is written into one buffer that is used
 * again and again: memory taken and dropped by the megabyte is what keeps the garbage collector busy.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #writer = new WireWriter(INITIAL_BYTES)
  #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined
  /** Bytes accepted and not yet durable. */
  pendingBytes = 0

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /** Resolves once the whole batch, which must have been identified, is durable. */
  async add(batch: LogBatch): Promise<void> {
    const { elementBytes, maxPendingBytes } = this.#options
    const pieces = batch.pieces(elementBytes)
    const bytes = pieces.reduce((sum, piece) => sum + piece.size, 0)
    if (this.pendingBytes > 0 && this.pendingBytes + bytes > maxPendingBytes) {
      throw new RetryableError('more is on its way to the buffer than it can take at once', {
        reason: 'busy',
      })
    }
    this.pendingBytes += bytes
    const settled = await Promise.allSettled(pieces.map((piece) => this.#enqueue(piece)))
    this.pendingBytes -= bytes
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** Writes what waits now, without lingering. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    const requests = this.#writer.bytes.subarray(0, this.#writer.pos)
    this.#writer.pos = 0
    this.#write(requests, waiting).then(
      () => {
        for (const { settle } of waiting) settle()
      },
      (error: unknown) => {
        for (const { settle } of waiting) settle(error)
      },
    )
  }

  #enqueue(piece: Piece): Promise<void> {
    const { elementBytes, lingerMs } = this.#options
    if (this.#writer.pos > 0 && this.#writer.pos + piece.size > elementBytes) this.flush()
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error as Error))
      const mark = this.#writer.pos
      try {
        piece.write(this.#writer)
      } catch (error) {
        this.#writer.pos = mark
        throw error
      }
      this.#waiting.push({ records: piece.records, settle })
      if (this.#writer.pos * 2 > elementBytes) this.flush()
      else this.#timer ??= setTimeout(() => this.flush(), lingerMs)
    })
  }

  /** Packs before it first waits, so that the buffer is free for the next. */
  async #write(requests: Buffer, waiting: readonly Waiting[]): Promise<void> {
    const bytes = this.#options.pack(requests)
    const records = waiting.reduce((sum, each) => sum + each.records, 0)
    await this.#options.write({ bytes, records })
    // Not after a failure: something may still be under way with it.
    memory.give(bytes)
  }
}
