import { constants, zstdCompressSync } from 'node:zlib'
import { makePayload } from './payload.ts'
import { median } from './statistics.ts'

/** CPU µs per record that the loop below took on the machine the budgets were set on. */
export const BUDGET_MACHINE = 2.3
const RECORDS = 500
const SAMPLE_MS = 500
/** What is measured does its work over and over, so the reference does too: once in a while alone is twice as slow. */
const WARM_UP = 4

/**
 * A piece of work that never changes, done now and then while a benchmark runs: it tells how fast this machine is, and
 * how much its other tenants slow it down at the moment.
 */
export class Reference {
  readonly #payload = makePayload({ records: RECORDS, seed: 1 })
  readonly #samples: number[] = []

  /** Does the work a few times, and gives the CPU time that the last `times` of them took, in µs per record. */
  sample(times = 1): number {
    for (let run = 0; run < WARM_UP; run++) this.#work()
    const started = process.cpuUsage()
    for (let run = 0; run < times; run++) this.#work()
    const { user, system } = process.cpuUsage(started)
    const taken = (user + system) / (RECORDS * times)
    this.#samples.push(taken)
    return taken
  }

  #work(): void {
    zstdCompressSync(this.#payload, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  }

  /** How many times slower than the budgets' machine: the median of the samples; 1 without any. */
  get slowness(): number {
    return this.#samples.length === 0 ? 1 : median(this.#samples) / BUDGET_MACHINE
  }
}

/** Does `work`, and now and then samples the reference meanwhile. */
export async function withReference<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly slowness: number }> {
  const reference = new Reference()
  const timer = setInterval(() => reference.sample(), SAMPLE_MS)
  try {
    const result = await work()
    return { result, slowness: reference.slowness }
  } finally {
    clearInterval(timer)
  }
}
