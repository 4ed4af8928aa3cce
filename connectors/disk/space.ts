import { statfs } from 'node:fs/promises'
import { RetryableError } from '../../src/component.ts'
import type { DiskConfig } from './config.ts'

export interface SpaceOptions {
  readonly config: Pick<DiskConfig, 'directory' | 'max_bytes' | 'min_free'>
  /** Bytes that the buffer needs, those on their way included; 0 when it holds nothing. */
  readonly used: () => number
  /** Called when something was refused, and each second while there is too little; with undefined when it is over. */
  readonly short: (problem: RetryableError | undefined) => void
}

const INTERVAL_MS = 1_000
const RETRY_AFTER_MS = 1_000
/** What files may take between two looks beyond the bytes written to them: whole blocks, names, cursors. */
const OVERHEAD_BYTES = 64 * 1024

/** Lets pushes in as long as there is room: on the disk, looked up each second, and below the bound of the buffer. */
export class Space {
  readonly #options: SpaceOptions
  #free = Number.POSITIVE_INFINITY
  #leastFree = 0
  /** Bytes that were ever written, and those of them that are on their way. */
  #begun = 0
  #underWay = 0
  #timer: NodeJS.Timeout | undefined
  #problem: RetryableError | undefined
  #refusedLately = false

  constructor(options: SpaceOptions) {
    this.#options = options
  }

  /** Free bytes of the disk. */
  get free(): number {
    return this.#free
  }

  /** Whether pushes are refused at the moment. */
  get isShort(): boolean {
    return this.#problem !== undefined
  }

  /** Looks now, and each second from then on. */
  async start(): Promise<void> {
    await this.#look()
    // What cannot be looked up is as it was; writing will tell.
    this.#timer = setInterval(() => void this.#look().catch(() => {}), INTERVAL_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Throws a RetryableError where `bytes` have no room. */
  admit(bytes: number): void {
    const problem = this.#problemWith(bytes)
    if (problem === undefined) {
      this.#set(undefined)
      return
    }
    this.#refusedLately = true
    this.#set(problem)
    throw problem
  }

  /** Counts what is written from now on: a look that is under way may not see it. */
  writing(bytes: number): void {
    this.#free -= bytes
    this.#begun += bytes
    this.#underWay += bytes
  }

  /** What was being written is on the disk, or not and never will be. */
  written(bytes: number): void {
    this.#underWay -= bytes
  }

  async #look(): Promise<void> {
    const { directory, min_free } = this.#options.config
    const [begun, unseen] = [this.#begun, this.#underWay]
    const { bsize, blocks, bavail } = await statfs(directory)
    this.#free = bavail * bsize - unseen - (this.#begun - begun)
    this.#leastFree = 'ratio' in min_free ? min_free.ratio * blocks * bsize : min_free.bytes
    const problem = this.#problemWith(0)
    // A large batch may be refused where an empty one is not.
    if (problem !== undefined || !this.#refusedLately) this.#set(problem)
    else this.#set(this.#problem)
    this.#refusedLately = false
  }

  #set(problem: RetryableError | undefined): void {
    const before = this.#problem
    this.#problem = problem
    if (problem !== undefined || before !== undefined) this.#options.short(problem)
  }

  #problemWith(more: number): RetryableError | undefined {
    const { directory, max_bytes } = this.#options.config
    const used = this.#options.used()
    if (this.#free - more - OVERHEAD_BYTES < this.#leastFree) {
      const message = `the disk of ${directory} has ${mib(this.#free)} free, and min_free keeps ${mib(this.#leastFree)} for others`
      return new RetryableError(message, { reason: 'disk_full', retryAfter: RETRY_AFTER_MS })
    }
    if (used === 0 || used + more <= max_bytes) return undefined
    const message = `${directory} holds ${mib(used)} already, and max_bytes are ${mib(max_bytes)}`
    return new RetryableError(message, { reason: 'full', retryAfter: RETRY_AFTER_MS })
  }
}

function mib(bytes: number): string {
  return `${(Math.max(0, bytes) / 2 ** 20).toFixed(1)} MiB`
}
