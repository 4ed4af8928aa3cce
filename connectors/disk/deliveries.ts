/** Elements of one number to the one before `to` that were handed out so many times without success. */
interface Range {
  readonly from: number
  readonly to: number
  readonly count: number
}

const RANGE_BYTES = 20
/** What fits beside a position into a sector. Where there is more, those handed out most often are kept. */
const MAX_RANGES = 22
export const DELIVERIES_BYTES = MAX_RANGES * RANGE_BYTES

/**
 * How often elements were handed out without success. What is out when the process ends without a stop counts too,
 * since one of those may have ended it: so it is written down as a delivery when it goes out, and erased when it
 * comes back.
 */
export class Deliveries {
  readonly #failed = new Map<number, number>()
  readonly #out = new Set<number>()

  /** How often the element was handed out without success. */
  of(element: number): number {
    return this.#failed.get(element) ?? 0
  }

  handedOut(element: number): void {
    this.#out.add(element)
  }

  /** It is delivered. */
  succeeded(element: number): void {
    this.#out.delete(element)
    this.#failed.delete(element)
  }

  failed(element: number): void {
    this.#out.delete(element)
    this.#failed.set(element, this.of(element) + 1)
  }

  /** It came back without having been tried. */
  returned(element: number): void {
    this.#out.delete(element)
  }

  /** Nothing is out any more, and nothing failed: the process stops in order. */
  returnedAll(): void {
    this.#out.clear()
  }

  /** Forgets what lies before an element. */
  forget(before: number): void {
    for (const element of this.#failed.keys()) if (element < before) this.#failed.delete(element)
  }

  /**
   * Writes what counts if the process ends now: `from` u64, `to` u64, `count` u32 for each range, little-endian,
   * the rest zeros.
   */
  write(into: Buffer, at: number): void {
    const ranges = this.#ranges()
    if (ranges.length > MAX_RANGES) ranges.sort((a, b) => b.count - a.count || a.from - b.from)
    for (const [index, { from, to, count }] of ranges.slice(0, MAX_RANGES).entries()) {
      const start = at + index * RANGE_BYTES
      into.writeBigUInt64LE(BigInt(from), start)
      into.writeBigUInt64LE(BigInt(to), start + 8)
      into.writeUInt32LE(count, start + 16)
    }
  }

  static read(from: Buffer, at: number): Deliveries {
    const deliveries = new Deliveries()
    for (let index = 0; index < MAX_RANGES; index++) {
      const start = at + index * RANGE_BYTES
      const to = Number(from.readBigUInt64LE(start + 8))
      const count = from.readUInt32LE(start + 16)
      for (let element = Number(from.readBigUInt64LE(start)); element < to; element++) {
        deliveries.#failed.set(element, count)
      }
    }
    return deliveries
  }

  #ranges(): Range[] {
    const elements = [...new Set([...this.#out, ...this.#failed.keys()])].sort((a, b) => a - b)
    const ranges: Range[] = []
    for (const element of elements) {
      const count = this.of(element) + (this.#out.has(element) ? 1 : 0)
      const last = ranges.at(-1)
      if (last?.to === element && last.count === count) {
        ranges[ranges.length - 1] = { ...last, to: element + 1 }
      } else ranges.push({ from: element, to: element + 1, count })
    }
    return ranges
  }
}
