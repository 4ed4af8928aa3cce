import type { JsonWriter } from './json-writer.ts'

/** 2^32 modulo a million, for splitting 64-bit nanoseconds without BigInt. */
const HIGH_WORD_MODULO = 967_296
const HIGH_WORD = 0x1_0000_0000

/** How times are written; all forms hold every nanosecond. */
export type TimestampStyle = 'epoch_millis' | 'rfc3339' | 'unix_nanos'

/** Writes times of records, which mostly share their second with the one before. */
export class TimestampWriter {
  readonly #style: TimestampStyle
  /** What was written last, in epoch milliseconds. */
  lastMillis = 0
  #second = -1
  #text = ''

  constructor(style: TimestampStyle) {
    this.#style = style
  }

  /** The fixed64 nanoseconds since 1970 at `at`, as `"1700000000000.000123"`, `"2023-11-14T22:13:20.000000123Z"` or `"1700000000000000123"`. */
  write(out: JsonWriter, view: DataView, at: number): void {
    const low = view.getUint32(at, true)
    const high = view.getUint32(at + 4, true)
    const nanos = (high * HIGH_WORD_MODULO + low) % 1_000_000
    this.#write(out, Math.round((high * HIGH_WORD + low - nanos) / 1_000_000), nanos)
  }

  writeMillis(out: JsonWriter, millis: number): void {
    this.#write(out, millis, 0)
  }

  #write(out: JsonWriter, millis: number, nanos: number): void {
    this.lastMillis = millis
    const second = Math.floor(millis / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#text =
        this.#style === 'rfc3339' ? `${rfc3339Second(second)}.` : second === 0 ? '' : String(second)
    }
    out.byte(0x22)
    out.ascii(this.#text)
    if (this.#text === '') out.integer(millis)
    else out.digits(millis - second * 1000, 3)
    if (this.#style === 'epoch_millis') out.byte(0x2e)
    out.digits(nanos, 6)
    if (this.#style === 'rfc3339') out.byte(0x5a)
    out.byte(0x22)
  }
}

/** Seconds of the last day that JavaScript's Date can write with a four-digit year. */
const LAST_SECOND = 253_402_300_799

function rfc3339Second(second: number): string {
  return new Date(Math.min(second, LAST_SECOND) * 1000).toISOString().slice(0, 19)
}
