import { statfs } from 'node:fs/promises'
import { RetryableError } from '../../src/component.ts'

const LOOK_EVERY_MS = 1_000
const RETRY_AFTER_MS = 1_000

/** Keeps room on the disk for others: looked up once a second, and counted down in between. */
export class Room {
  readonly #directory: string
  readonly #leastFree: number
  #free = Number.POSITIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY

  /** `leastFree`: bytes that are left free; with 0 nobody looks, and a full disk says so itself. */
  constructor(directory: string, leastFree: number) {
    this.#directory = directory
    this.#leastFree = leastFree
  }

  /** Takes room for this many bytes. Throws `RetryableError` where there is too little. */
  async take(bytes: number): Promise<void> {
    if (this.#leastFree === 0) return
    if (performance.now() - this.#lookedAt > LOOK_EVERY_MS) {
      const { bsize, bavail } = await statfs(this.#directory)
      this.#free = bavail * bsize
      this.#lookedAt = performance.now()
    }
    if (this.#free - bytes < this.#leastFree) {
      const [free, least] = [this.#free, this.#leastFree].map((size) => (size / 2 ** 20).toFixed(1))
      throw new RetryableError(
        `the disk of ${this.#directory} has ${free} MiB free, and min_free keeps ${least} MiB for others`,
        { reason: 'disk_full', retryAfter: RETRY_AFTER_MS },
      )
    }
    this.#free -= bytes
  }
}
