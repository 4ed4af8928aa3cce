import { KeyValue, type WireReader } from './wire.ts'

const MAX_LENGTH = 255

/** Names of attributes to look for in many records: most keys are told apart by their length and first byte alone. */
export class KeySet {
  readonly #names: ReadonlySet<string>
  /** 1 for each length in bytes and first byte that some name has. */
  readonly #looks = new Uint8Array((MAX_LENGTH + 1) * 256)

  constructor(names: Iterable<string>) {
    this.#names = new Set([...names].map((name) => Buffer.from(name).toString('latin1')))
    for (const name of this.#names) this.#looks[lookOf(name.length, name.charCodeAt(0))] = 1
  }

  /** Whether the key of the KeyValue at `[reader.pos, end)` is one of them. Leaves the reader somewhere in it. */
  hasKeyOf(reader: WireReader, end: number): boolean {
    while (reader.pos < end) {
      const tag = reader.tag(end)
      if (tag === KeyValue.key) {
        const stop = reader.length(end)
        if (this.#looks[lookOf(stop - reader.pos, reader.bytes[reader.pos])] === 0) return false
        return this.#names.has(reader.bytes.toString('latin1', reader.pos, stop))
      }
      reader.skip(tag, end)
    }
    return this.#names.has('')
  }
}

const lookOf = (length: number, first: number): number =>
  Math.min(length, MAX_LENGTH) * 256 + (length && first)
