import { RetryableError } from '../component.ts'
import type { LogBatch } from '../logs/batch.ts'
import { type Compression, packElement } from './element.ts'

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
  readonly compression: Compression
  /** Bytes that may wait or be on their way; more is refused, and the client comes back. */
  readonly maxPendingBytes: number
  /** Resolves once the element is durable. Several writes may be under way. */
  write(element: Element): Promise<void>
}

interface Waiting {
  readonly bytes: Buffer
  readonly records: number
  readonly settle: (error?: unknown) => void
}

/**
 * Turns batches into buffer elements of an even size: gathers small ones for a few milliseconds, splits large
 * ones, and answers each only when everything it became is durable.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined
  /** Bytes accepted and not yet durable. */
  pendingBytes = 0

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /** Resolves once the whole batch, which must have been identified, is durable. */
  async add(batch: LogBatch): Promise<void> {
    const { elementBytes, maxPendingBytes } = this.#options
    const pieces = batch.encode(elementBytes)
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0)
    if (this.pendingBytes > 0 && this.pendingBytes + bytes > maxPendingBytes) {
      throw new RetryableError('more is on its way to the buffer than it can take at once', {
        reason: 'busy',
      })
    }
    this.pendingBytes += bytes
    try {
      await Promise.all(pieces.map((piece) => this.#enqueue(piece.bytes, piece.records)))
    } finally {
      this.pendingBytes -= bytes
    }
  }

  /** Writes what waits now, without lingering. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    this.#write(waiting).then(
      () => {
        for (const { settle } of waiting) settle()
      },
      (error: unknown) => {
        for (const { settle } of waiting) settle(error)
      },
    )
  }

  #enqueue(bytes: Buffer, records: number): Promise<void> {
    const { elementBytes, lingerMs } = this.#options
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > elementBytes) this.flush()
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error as Error))
      this.#waiting.push({ bytes, records, settle })
      this.#waitingBytes += bytes.length
      if (this.#waitingBytes * 2 > elementBytes) this.flush()
      else this.#timer ??= setTimeout(() => this.flush(), lingerMs)
    })
  }

  async #write(waiting: readonly Waiting[]): Promise<void> {
    const bytes = packElement(
      waiting.map((each) => each.bytes),
      this.#options.compression,
    )
    const records = waiting.reduce((sum, each) => sum + each.records, 0)
    await this.#options.write({ bytes, records })
  }
}
