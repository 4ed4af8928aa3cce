import { AnyValue, type WireReader } from '../../wire.ts'

/** What an AnyValue holds: of several members the last counts. Reused from value to value. */
export class Member {
  /** The member's tag; 0 for an empty value. */
  tag = 0
  /** Where a list or a map has its content. */
  from = 0
  to = 0

  /** Looks at the AnyValue at `[start, end)`. */
  find(reader: WireReader, start: number, end: number): this {
    this.tag = 0
    reader.pos = start
    while (reader.pos < end) {
      const tag = reader.tag(end)
      if (tag <= AnyValue.bytes) this.tag = tag
      else if (tag === AnyValue.stringIndex) this.tag = 0
      if (tag === AnyValue.array || tag === AnyValue.kvlist) {
        this.to = reader.length(end)
        this.from = reader.pos
        reader.pos = this.to
      } else reader.skip(tag, end)
    }
    return this
  }
}
