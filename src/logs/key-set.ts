import { KeyValue, type WireReader } from './wire.ts'

const MAX_LENGTH = 255

/** Names of attributes to look for in many records: most keys are told apart by their length alone. */
export class KeySet {
  readonly #names: ReadonlySet<string>
  /** 1 for the lengths in bytes that some name has. */
  readonly #lengths = new Uint8Array(MAX_LENGTH + 1)

  constructor(names: Iterable<string>) {
    this.#names = new Set([...names].map((name) => Buffer.from(name).toString('latin1')))
    for (const name of this.#names) this.#lengths[Math.min(name.length, MAX_LENGTH)] = 1
  }

  /** Whether the key of the KeyValue at `[reader.pos, end)` is one of them. Leaves the reader somewhere in it. */
  hasKeyOf(reader: WireReader, end: number): boolean {
    while (reader.pos < end) {
      const tag = reader.tag(end)
      if (tag === KeyValue.key) {
        const stop = reader.length(end)
        if (this.#lengths[Math.min(stop - reader.pos, MAX_LENGTH)] === 0) return false
        return this.#names.has(reader.bytes.toString('latin1', reader.pos, stop))
      }
      reader.skip(tag, end)
    }
    return this.#names.has('')
  }
}
