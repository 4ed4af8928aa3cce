import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'

/** Crockford's base 32. */
const ALPHABET = Buffer.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ')
const TIME_LENGTH = 10
export const ULID_LENGTH = 26

/**
 * ULIDs as text in ASCII, each greater than the one before: https://github.com/ulid/spec, "Monotonicity". Of one
 * millisecond they count up from a random start.
 */
export class UlidSource {
  /** The ULID that `next` made. */
  readonly text = Buffer.alloc(ULID_LENGTH)
  readonly #digits = new Uint8Array(ULID_LENGTH)
  readonly #pool = new Uint8Array(4096)
  #used = 4096
  #millis = -1

  /** @param millis Unix time; taken as the one before where it is less. */
  next(millis: number): void {
    if (millis > this.#millis) this.#start(millis)
    else this.#increment()
  }

  #start(millis: number): void {
    this.#millis = millis
    let rest = millis
    for (let at = TIME_LENGTH - 1; at >= 0; at--) {
      this.#set(at, rest % 32)
      rest = Math.floor(rest / 32)
    }
    const size = ULID_LENGTH - TIME_LENGTH
    if (this.#used + size > this.#pool.length) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    for (let at = TIME_LENGTH; at < ULID_LENGTH; at++) this.#set(at, this.#pool[this.#used++] & 31)
  }

  /** Counts into the time where the random part is at its end, which 2^80 calls in a millisecond would take. */
  #increment(): void {
    let at = ULID_LENGTH - 1
    while (this.#digits[at] === 31) this.#set(at--, 0)
    this.#set(at, this.#digits[at] + 1)
  }

  #set(at: number, digit: number): void {
    this.#digits[at] = digit
    this.text[at] = ALPHABET[digit]
  }
}
