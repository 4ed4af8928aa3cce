import type { Logger } from 'pino'
import { errorCode } from '../../src/files.ts'
import type { LogReader } from './log-reader.ts'
import type { StoredElement } from './segment.ts'

export interface PatientReaderOptions {
  readonly reader: LogReader
  readonly group: string
  readonly log: Logger
  /** Told of every attempt that failed, and once with undefined when one succeeds after that. */
  readonly failed: (problem: string | undefined) => void
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000
/** Attempts at bytes that the disk does not give back. */
const MAX_TRIES = 5
/** What says that the disk, a file system or something below has lost the bytes. Others may pass, however long that takes. */
const GONE = ['EIO', 'EBADMSG', 'EILSEQ', 'EUCLEAN']

/**
 * Reads a log on a disk that may fail: waits longer after each attempt, and after the fifth passes over what is gone, up
 * to the next record that can be read.
 */
export class PatientReader {
  readonly #options: PatientReaderOptions
  #tries = 0
  #retryAt = 0

  constructor(options: PatientReaderOptions) {
    this.#options = options
  }

  /** Before when reading makes no sense, by `performance.now()`; 0 when it does. */
  get retryAt(): number {
    return this.#retryAt
  }

  /** The next element; undefined when there is none, or none before `retryAt`. */
  async next(): Promise<StoredElement | undefined> {
    if (performance.now() < this.#retryAt) return undefined
    try {
      if (this.#tries >= MAX_TRIES) await this.#options.reader.skip()
      const found = await this.#options.reader.next()
      this.#succeeded()
      return found
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  /** Goes on with the element of number `next` at least, whatever became of those before. */
  skipTo(next: number): void {
    this.#options.reader.skipTo(next)
    this.#succeeded()
  }

  close(): Promise<void> {
    return this.#options.reader.close()
  }

  #succeeded(): void {
    this.#retryAt = 0
    if (this.#tries === 0) return
    this.#tries = 0
    this.#options.failed(undefined)
  }

  #failed(err: unknown): void {
    const { group, log } = this.#options
    const isGone = GONE.includes(errorCode(err))
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#tries)
    this.#tries = isGone ? this.#tries + 1 : Math.min(this.#tries + 1, MAX_TRIES - 1)
    this.#retryAt = performance.now() + pause
    const fields = { err, group, attempt: this.#tries, pauseMs: pause }
    log.warn(fields, 'the buffer could not be read; it is tried again')
    this.#options.failed(`reading the buffer for ${group} went wrong (${errorCode(err)}); it is tried again`)
  }
}
