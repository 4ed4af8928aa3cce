const NEWLINE = 0x0a
/** One document in so many is looked at; documents are every other line, after their actions. */
const EVERY = 100
const PREFIX = '{"@timestamp":"'
/** The longest time, `1700000000000.000123`, with the quote after it. */
const TIME_BYTES = 21

/** Counts the lines of a bulk request as it comes in, and reads the times of some of its documents. */
export class SampledLines {
  count = 0
  /** Milliseconds since 1970. */
  readonly times: number[] = []

  read(chunk: Buffer): void {
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) {
      this.count++
      if (this.count % (2 * EVERY) === 1) this.#readTime(chunk, at + 1)
    }
  }

  /** A document cut off by the end of a chunk is passed over. */
  #readTime(chunk: Buffer, start: number): void {
    const head = chunk.toString('latin1', start, start + PREFIX.length + TIME_BYTES)
    if (!head.startsWith(PREFIX)) return
    const end = head.indexOf('"', PREFIX.length)
    if (end !== -1) this.times.push(Number(head.slice(PREFIX.length, end)))
  }
}
