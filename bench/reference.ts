import { constants, zstdCompressSync } from 'node:zlib'
import { makePayload } from './payload.ts'

/** CPU µs per record that the loop below took on the machine the budgets were set on. */
const BUDGET_MACHINE = 2.3
const RECORDS = 500

/**
 * A piece of work that never changes, done now and then while a benchmark runs: it tells how fast this machine is, and
 * how much its other tenants slow it down at the moment.
 */
export class Reference {
  readonly #payload = makePayload({ records: RECORDS, seed: 1 })
  readonly #samples: number[] = []

  sample(): void {
    const started = process.cpuUsage()
    zstdCompressSync(this.#payload, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
    const { user, system } = process.cpuUsage(started)
    this.#samples.push((user + system) / RECORDS)
  }

  /** How many times slower than the budgets' machine: the median of the samples. */
  get slowness(): number {
    const sorted = this.#samples.toSorted((a, b) => a - b)
    return (sorted[Math.floor(sorted.length / 2)] ?? BUDGET_MACHINE) / BUDGET_MACHINE
  }
}
