/** What the statistics of a queue say. */
export interface QueueCounts {
  /** What it is called, to be told from others. */
  readonly queue: string
  /** What it holds, in flight or not. */
  readonly records: number
  readonly bytes: number
  /** Records that ever went in. */
  readonly pushed: number
}

/** What left a queue since it was first seen. */
interface Drained {
  readonly records: number
  readonly bytes: number
}

/** Milliseconds over which the rate is taken: drains acknowledge by the megabyte, now and then. */
const WINDOW = 10_000

/** How fast queues are emptied, from looking at them now and then. */
export class DrainRate {
  #samples: { readonly at: number; readonly drained: readonly Drained[] }[] = []
  #last: readonly QueueCounts[] = []

  /** `at`: milliseconds. */
  saw(at: number, queues: readonly QueueCounts[]): void {
    const total = this.#samples.at(-1)?.drained
    const same = String(queues.map(({ queue }) => queue)) === String(this.#last.map(({ queue }) => queue))
    const steps = queues.map((queue, index) => (same ? drainedBetween(this.#last[index], queue) : undefined))
    this.#last = queues
    // The first look, or other queues than before: a server that took over, or was emptied.
    if (total === undefined || steps.some((step) => step === undefined)) {
      this.#samples = [{ at, drained: queues.map(() => ({ records: 0, bytes: 0 })) }]
      return
    }
    const drained = total.map(({ records, bytes }, index) => ({
      records: records + (steps[index]?.records ?? 0),
      bytes: bytes + (steps[index]?.bytes ?? 0),
    }))
    this.#samples.push({ at, drained })
    while (this.#samples.length > 2 && this.#samples[0].at < at - WINDOW) this.#samples.shift()
  }

  /** Records, or bytes, that leave a queue in a second. */
  perSecond(what: keyof Drained, queue: number): number {
    const first = this.#samples.at(0)
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at) return 0
    return ((last.drained[queue][what] - first.drained[queue][what]) * 1000) / (last.at - first.at)
  }
}

function drainedBetween(before: QueueCounts, after: QueueCounts): Drained | undefined {
  if (after.pushed < before.pushed) return undefined
  const records = Math.max(0, after.pushed - before.pushed - (after.records - before.records))
  const { bytes, records: held } = before.records > 0 ? before : after
  return { records, bytes: held > 0 ? (records * bytes) / held : 0 }
}

const SHORTEST = 1_000
/** With its spread still below the 10 s that SDKs give a request in all: what must wait longer is dropped at once. */
const LONGEST = 6_000
/** Where nobody knows how long it takes. */
const UNKNOWN = 3_000
const SPREAD = 0.5

/**
 * Milliseconds, from 1 to 9 seconds, that a sender is asked to wait for a buffer that has room again in `seconds`; Infinity
 * where nothing drains. Up to half as much again is left to chance, or all would come back in the same moment.
 */
export function retryAfter(seconds: number, random: () => number = Math.random): number {
  const wait = Number.isFinite(seconds) ? Math.min(LONGEST, Math.max(SHORTEST, seconds * 1000)) : UNKNOWN
  return Math.round(wait * (1 + SPREAD * random()))
}
