import { JsonProblem } from './problem.ts'

/**
 * JSON text (RFC 8259) read as bytes, token by token. Nothing becomes an object, so a request takes no more memory
 * than its bytes, integers keep every digit, and a key such as `__proto__` is only a key.
 */

export const QUOTE = 0x22
export const MINUS = 0x2d
const COMMA = 0x2c
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const LEFT_BRACKET = 0x5b
const BACKSLASH = 0x5c
const RIGHT_BRACKET = 0x5d
const LEFT_BRACE = 0x7b
const RIGHT_BRACE = 0x7d
const SPACE = 0x20
const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** How deep a value that nobody reads may be nested; what is read has its own, lower limit. */
const MAX_SKIPPED_DEPTH = 1000

const ESCAPABLE = Array.from({ length: 256 }, (_, byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)))
const UNICODE_ESCAPE = /^u[0-9A-Fa-f]{4}$/

/** A cursor over the bytes of a JSON text, which must be UTF-8. */
export class JsonReader {
  readonly bytes: Buffer
  readonly length: number
  pos = 0
  /** The string or number read last: `source[start, end)`, escapes resolved. */
  source: Buffer
  start = 0
  end = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.length = bytes.length
    this.source = bytes
  }

  /** The first byte of the next token, 0 at the end of the text. */
  peek(): number {
    const { bytes, length } = this
    for (let pos = this.pos; pos < length; pos++) {
      const byte = bytes[pos]
      if (
        byte > SPACE ||
        (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB)
      ) {
        this.pos = pos
        return byte
      }
    }
    this.pos = length
    return 0
  }

  /** Steps into an object, up to the value of its first member, whose key is the string read last; false: it has none. */
  firstMember(): boolean {
    if (this.peek() !== LEFT_BRACE) throw this.failure('expected an object')
    this.pos++
    if (this.peek() === RIGHT_BRACE) return this.#leave()
    return this.#key()
  }

  /** Steps to the value of the next member; false: the object ends. */
  nextMember(): boolean {
    const byte = this.peek()
    if (byte === RIGHT_BRACE) return this.#leave()
    if (byte !== COMMA) throw this.syntax('expected , or }')
    this.pos++
    return this.#key()
  }

  /** Steps into an array, up to its first item; false: it has none. */
  firstItem(): boolean {
    if (this.peek() !== LEFT_BRACKET) throw this.failure('expected an array')
    this.pos++
    return this.peek() !== RIGHT_BRACKET || this.#leave()
  }

  /** Steps to the next item; false: the array ends. */
  nextItem(): boolean {
    const byte = this.peek()
    if (byte === RIGHT_BRACKET) return this.#leave()
    if (byte !== COMMA) throw this.syntax('expected , or ]')
    this.pos++
    return true
  }

  /** Steps over a `null`; false: something else is there. */
  skipNull(): boolean {
    return this.peek() === 0x6e && this.#literal('null')
  }

  boolean(): boolean {
    const byte = this.peek()
    if (byte === 0x74) return this.#literal('true')
    if (byte === 0x66) return !this.#literal('false')
    throw this.failure('expected true or false')
  }

  string(): void {
    if (this.peek() !== QUOTE) throw this.failure('expected a string')
    const { bytes, length } = this
    const start = this.pos + 1
    let pos = start
    let escaped = false
    for (; pos < length; pos++) {
      const byte = bytes[pos]
      if (byte === QUOTE) break
      if (byte === BACKSLASH) {
        escaped = true
        pos = this.#escape(pos + 1)
      } else if (byte < SPACE) {
        this.pos = pos
        throw this.syntax('a control character in a string')
      }
    }
    this.pos = pos
    if (pos >= length) throw this.syntax('a string does not end')
    this.pos++
    if (escaped) {
      this.source = Buffer.from(JSON.parse(bytes.toString('utf8', start - 1, pos + 1)) as string)
      this.start = 0
      this.end = this.source.length
    } else {
      this.source = bytes
      this.start = start
      this.end = pos
    }
  }

  number(): void {
    const { bytes } = this
    this.peek()
    const start = this.pos
    if (bytes[start] === MINUS) this.pos++
    if (bytes[this.pos] === ZERO) this.pos++
    else this.#digits()
    if (bytes[this.pos] === DOT) {
      this.pos++
      this.#digits()
    }
    if ((bytes[this.pos] | 0x20) === 0x65) {
      this.pos++
      if (bytes[this.pos] === 0x2b || bytes[this.pos] === MINUS) this.pos++
      this.#digits()
    }
    this.source = bytes
    this.start = start
    this.end = this.pos
  }

  /** The string or number read last. */
  text(): string {
    return this.source.toString('utf8', this.start, this.end)
  }

  /** Steps over any value; its nesting takes no stack. */
  skip(): void {
    const open: number[] = []
    for (;;) {
      const byte = this.peek()
      const inside =
        byte === LEFT_BRACE
          ? this.firstMember()
          : byte === LEFT_BRACKET
            ? this.firstItem()
            : this.#scalar(byte)
      if (inside) {
        if (open.push(byte) > MAX_SKIPPED_DEPTH)
          throw this.failure(`nested deeper than ${MAX_SKIPPED_DEPTH} levels`)
        continue
      }
      while (open.length > 0 && !(open.at(-1) === LEFT_BRACE ? this.nextMember() : this.nextItem()))
        open.pop()
      if (open.length === 0) return
    }
  }

  /** Checks that nothing but white space is left. */
  finish(): void {
    if (this.peek() !== 0 || this.pos < this.length) throw this.syntax('text after the end')
  }

  /** What is wrong with the value at hand. */
  failure(problem: string): JsonProblem {
    return this.pos < this.length ? new JsonProblem(problem) : this.syntax(problem)
  }

  syntax(problem: string): JsonProblem {
    const truncated = this.pos >= this.length
    return new JsonProblem(
      `not valid JSON: ${truncated ? 'the text ends too early' : `${problem} at byte ${this.pos}`}`,
    )
  }

  #leave(): false {
    this.pos++
    return false
  }

  #key(): true {
    if (this.peek() !== QUOTE) throw this.syntax('expected a key in quotes')
    this.string()
    if (this.peek() !== COLON) throw this.syntax('expected :')
    this.pos++
    return true
  }

  #scalar(byte: number): false {
    if (byte === QUOTE) this.string()
    else if (byte === 0x74 || byte === 0x66) this.boolean()
    else if (byte === 0x6e) this.skipNull()
    else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) this.number()
    else throw this.syntax('expected a value')
    return false
  }

  /** Checks the escape whose backslash lies before `pos`; the result is its last byte but for the four digits. */
  #escape(pos: number): number {
    if (!ESCAPABLE[this.bytes[pos]] && !UNICODE_ESCAPE.test(this.bytes.toString('latin1', pos, pos + 5))) {
      this.pos = pos
      throw this.syntax('an escape that JSON does not have')
    }
    return pos
  }

  #digits(): void {
    const start = this.pos
    while (this.bytes[this.pos] >= ZERO && this.bytes[this.pos] <= NINE) this.pos++
    if (this.pos === start) throw this.syntax('expected a digit')
  }

  #literal(word: 'null' | 'true' | 'false'): true {
    const end = this.pos + word.length
    if (this.bytes.toString('latin1', this.pos, end) !== word) throw this.syntax('expected a value')
    this.pos = end
    return true
  }
}
