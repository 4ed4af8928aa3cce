import type { RedisConfig } from '../config.ts'
import { DrainRate, type QueueCounts, retryAfter } from './drain-rate.ts'
import { type Level, type Marks, nextLevel, OK, WARN } from './watermark.ts'

/** What a buffer may be full by: maxmemory of the server, max_bytes or max_records of a queue. */
export type Limit = 'memory' | 'bytes' | 'records'
export const LIMITS = ['memory', 'bytes', 'records'] as const satisfies readonly Limit[]

interface Memory {
  readonly used: number
  /** 0: any amount. */
  readonly max: number
}

type Amount = Readonly<Record<Limit, number>>

export interface FillOptions {
  readonly config: Marks & Pick<RedisConfig, 'max_bytes' | 'max_records'>
  /** Queues that every write goes into. */
  readonly copies: number
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number
  readonly random?: () => number
}

const NOTHING: Amount = { memory: 0, bytes: 0, records: 0 }
const NAMES = { memory: 'maxmemory', bytes: 'max_bytes', records: 'max_records' } as const

/**
 * How full a buffer is, by every limit that is set. It is looked at now and then; what was written since counts on
 * top, so that a burst does not run over. Who else writes is not known before the next look.
 */
export class Fill {
  readonly #options: FillOptions
  readonly #rate = new DrainRate()
  readonly #levels: Record<Limit, Level> = { memory: OK, bytes: OK, records: OK }
  #memory: Memory = { used: 0, max: 0 }
  #queues: readonly QueueCounts[] = []
  /** Written and answered, ever; and of that, what the last look had seen. */
  #answered = NOTHING
  #seen = NOTHING
  #unanswered = NOTHING

  constructor(options: FillOptions) {
    this.#options = options
  }

  /** Counts a write from its start; call what it returns once it was answered. */
  writing(bytes: number, records: number): () => void {
    const amount = { memory: allocated(bytes) * this.#options.copies, bytes, records }
    this.#unanswered = sum(this.#unanswered, amount, 1)
    return () => {
      this.#unanswered = sum(this.#unanswered, amount, -1)
      this.#answered = sum(this.#answered, amount, 1)
    }
  }

  /** Begins a look; call what it returns with what was seen. */
  look(): (memory: Memory, queues: readonly QueueCounts[]) => void {
    const { now = () => performance.now() } = this.#options
    const before = this.#answered
    return (memory, queues) => {
      this.#seen = before
      this.#memory = memory
      this.#queues = queues
      this.#rate.saw(now(), queues)
    }
  }

  /** The worst level of all limits, now. */
  level(): Level {
    for (const limit of LIMITS) {
      this.#levels[limit] = nextLevel(this.#levels[limit], this.share(limit), this.#options.config)
    }
    return Math.max(...Object.values(this.#levels)) as Level
  }

  /** The greatest share of a limit in use. */
  get greatestShare(): number {
    return Math.max(...LIMITS.map((limit) => this.share(limit)))
  }

  /** Share of a limit in use, of the fullest queue where each has its own; 0 where there is none. */
  share(limit: Limit): number {
    const capacity = this.#capacity(limit)
    return capacity > 0 ? Math.max(0, ...this.#held(limit)) / capacity : 0
  }

  /** For operators; empty when there is nothing to say. */
  detail(): string {
    const level = this.level()
    const limit = LIMITS.find((each) => level !== OK && this.#levels[each] === level)
    if (limit === undefined) return ''
    const { memory_high_watermark: high, memory_low_watermark: low } = this.#options.config
    const uses = `uses ${percent(this.share(limit))} of its ${NAMES[limit]}`
    return level === WARN
      ? `${uses}: from ${percent(high)} on pushes are refused; add drains or room`
      : `${uses}: pushes are refused until it is below ${percent(low)}; add drains or room`
  }

  /** Milliseconds after which a sender that was refused may find room, by how fast the drains make it. */
  retryAfter(): number {
    const { memory_low_watermark: low } = this.#options.config
    const seconds = LIMITS.flatMap((limit) =>
      this.#held(limit).map((held, index) => {
        const over = held - low * this.#capacity(limit)
        return this.#capacity(limit) > 0 && over > 0 ? over / this.#drain(limit, index) : 0
      }),
    )
    // A server that is full before anybody has seen it: how full is not known.
    return retryAfter(Math.max(0, ...seconds) || Number.POSITIVE_INFINITY, this.#options.random)
  }

  #capacity(limit: Limit): number {
    const { max_bytes, max_records } = this.#options.config
    return { memory: this.#memory.max, bytes: max_bytes, records: max_records }[limit]
  }

  /** What a limit is about: the memory of the server, or each queue, as if all writes went there. */
  #held(limit: Limit): number[] {
    const since = this.#answered[limit] - this.#seen[limit] + this.#unanswered[limit]
    if (limit === 'memory') return [this.#memory.used + since]
    return this.#queues.map((queue) => queue[limit] + since)
  }

  #drain(limit: Limit, index: number): number {
    if (limit !== 'memory') return this.#rate.perSecond(limit, index)
    return this.#queues.reduce((rate, _, queue) => rate + this.#rate.perSecond('bytes', queue), 0)
  }
}

const sum = (a: Amount, b: Amount, times: number): Amount => ({
  memory: a.memory + b.memory * times,
  bytes: a.bytes + b.bytes * times,
  records: a.records + b.records * times,
})

/** What jemalloc takes for so many bytes: four sizes to every doubling. */
function allocated(bytes: number): number {
  const step = 2 ** Math.max(3, Math.floor(Math.log2(Math.max(1, bytes - 1))) - 2)
  return Math.ceil(bytes / step) * step
}

const percent = (share: number): string => `${Math.floor(share * 100)}%`
